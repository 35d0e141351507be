/*
 * The weights are a judgement, written down once here and the same for everybody. A side's own wish
 * weighs as much as the sector; what a venture needs beside money weighs more for the venture, what
 * it is good at more for the investor.
 */
#include "score.h"

static const int64_t most_points[SCORE_PART_COUNT][2] = {
	[SCORE_SECTOR] = {160, 200},     [SCORE_STAGE] = {60, 80},    [SCORE_REGION] = {60, 80},
	[SCORE_TICKET] = {160, 100},     [SCORE_NEED] = {140, 40},    [SCORE_STRENGTH] = {40, 100},
	[SCORE_TRACK] = {100, 80},       [SCORE_RESPONSE] = {60, 60}, [SCORE_INTEREST] = {60, 60},
	[SCORE_PREFERENCE] = {160, 200},
};

int64_t score_most(enum score_name name, enum score_side side)
{
	if ((unsigned)name >= SCORE_PART_COUNT || (unsigned)side > SCORE_FOR_INVESTOR)
		return 0;
	return most_points[name][side];
}

/* most * has / of without overflow: amounts are halved together until the product fits. */
static int64_t points_of(int64_t most, int64_t has, int64_t of)
{
	if (of <= 0 || has <= 0)
		return 0;
	if (has >= of)
		return most;
	while (of > INT64_MAX / SCORE_FULL) {
		has /= 2;
		of /= 2;
	}
	return most * has / of;
}

static void add_word(struct score_part *part, const char *word)
{
	part->has++;
	if (part->word_count < SCORE_MAX_WORDS)
		part->words[part->word_count++] = word;
}

/* How many of `has` are covered by one of `wanted`; the part names them as `has` writes them. */
static void count_covered(struct score_part *part, const struct rules_words *wanted,
			  const struct rules_words *has)
{
	for (size_t i = 0; i < has->count; i++) {
		for (size_t j = 0; j < wanted->count; j++) {
			if (rules_covers(wanted->words[j], has->words[i])) {
				add_word(part, has->words[i]);
				break;
			}
		}
	}
}

/* The same the other way round: how many of `wanted` cover one of `has`. */
static void count_wanted(struct score_part *part, const struct rules_words *wanted,
			 const struct rules_words *has)
{
	for (size_t i = 0; i < wanted->count; i++) {
		for (size_t j = 0; j < has->count; j++) {
			if (rules_covers(wanted->words[i], has->words[j])) {
				add_word(part, wanted->words[i]);
				break;
			}
		}
	}
}

static const char *find_region(const struct rules *rules, const struct rules_words *wanted,
			       const char *region)
{
	for (size_t i = 0; region && region[0] && i < wanted->count; i++) {
		if (rules->is_within ? rules->is_within(region, wanted->words[i])
				     : rules_covers(wanted->words[i], region))
			return wanted->words[i];
	}
	return NULL;
}

static void fill_region(struct score_part *part, const struct rules *rules,
			const struct rules_venture *venture, const struct rules_investor *investor)
{
	const char *preferred = find_region(rules, &investor->prefers_regions, venture->region);
	const char *named = find_region(rules, &investor->regions, venture->region);

	part->of = venture->region && venture->region[0] ? 2 : 0;
	if (preferred || named) {
		part->has = preferred ? 2 : 1;
		part->words[part->word_count++] = preferred ? preferred : named;
	}
}

static void fill_stage(struct score_part *part, const struct rules_venture *venture,
		       const struct rules_investor *investor)
{
	bool is_named = venture->stage > 0 && venture->stage <= RULES_MAX_STAGE &&
			(investor->stages >> venture->stage & 1);

	part->has = is_named;
	part->of = __builtin_popcount(investor->stages & ~1u);
}

static void fill_ticket(struct score_part *part, const struct rules_venture *venture,
			const struct rules_investor *investor)
{
	int64_t most = investor->ticket_max;

	if (venture->ask_max <= 0 || most <= 0)
		return;
	part->of = venture->ask_max;
	part->has = most < venture->ask_max ? most : venture->ask_max;
}

static void fill_facts(struct score_part *part, const struct score_facts *facts,
		       enum score_side side)
{
	int other = side == SCORE_FOR_VENTURE ? SCORE_FOR_INVESTOR : SCORE_FOR_VENTURE;

	if (part->name == SCORE_TRACK) {
		part->has = facts->earlier_deals;
		part->of = part->has + SCORE_TRACK_HALF;
	} else if (part->name == SCORE_RESPONSE) {
		uint32_t asked = facts->asked[other], answered = facts->answered[other];
		part->has = (int64_t)(answered < asked ? answered : asked) + 1;
		part->of = (int64_t)asked + 2;
	} else if (part->name == SCORE_INTEREST) {
		part->has = facts->is_interested;
		part->of = 1;
	} else {
		part->has = facts->preference[side] < 100 ? facts->preference[side] : 100;
		part->of = 100;
	}
}

static void fill(struct score_part *part, const struct rules *rules,
		 const struct rules_venture *venture, const struct rules_investor *investor)
{
	switch (part->name) {
	case SCORE_SECTOR:
		part->of = (int64_t)venture->sectors.count;
		count_covered(part, &investor->sectors, &venture->sectors);
		break;
	case SCORE_STAGE:
		fill_stage(part, venture, investor);
		break;
	case SCORE_REGION:
		fill_region(part, rules, venture, investor);
		break;
	case SCORE_TICKET:
		fill_ticket(part, venture, investor);
		break;
	case SCORE_NEED:
		part->of = (int64_t)venture->needs.count;
		count_covered(part, &investor->offers, &venture->needs);
		break;
	case SCORE_STRENGTH:
		part->of = (int64_t)investor->priorities.count;
		count_wanted(part, &investor->priorities, &venture->strengths);
		break;
	default:
		break;
	}
}

void score_pair(const struct rules *rules, const struct rules_venture *venture,
		const struct rules_investor *investor, const struct score_facts *facts,
		enum score_side side, struct score *ret_score)
{
	*ret_score = (struct score){.part_count = SCORE_PART_COUNT};
	for (int name = 0; name < SCORE_PART_COUNT; name++) {
		struct score_part *part = &ret_score->parts[name];
		part->name = (enum score_name)name;
		part->most = score_most(part->name, side);
		if (name >= SCORE_TRACK)
			fill_facts(part, facts, side);
		else
			fill(part, rules, venture, investor);
		part->points = points_of(part->most, part->has, part->of);
		ret_score->total += part->points;
	}
}

bool score_adds_up(const struct score *score, enum score_side side)
{
	unsigned seen = 0;
	int64_t sum = 0;

	if (score->part_count > SCORE_PART_COUNT)
		return false;
	for (size_t i = 0; i < score->part_count; i++) {
		const struct score_part *part = &score->parts[i];
		if ((unsigned)part->name >= SCORE_PART_COUNT || (seen >> part->name & 1))
			return false;
		seen |= 1u << part->name;
		if (part->has < 0 || part->has > part->of ||
		    part->most != score_most(part->name, side) ||
		    part->points != points_of(part->most, part->has, part->of))
			return false;
		sum += part->points;
	}
	return sum == score->total;
}

const char *score_name_text(enum score_name name)
{
	static const char *const names[SCORE_PART_COUNT] = {
		[SCORE_SECTOR] = "sector",     [SCORE_STAGE] = "stage",
		[SCORE_REGION] = "region",     [SCORE_TICKET] = "ticket",
		[SCORE_NEED] = "need",         [SCORE_STRENGTH] = "strength",
		[SCORE_TRACK] = "track",       [SCORE_RESPONSE] = "response",
		[SCORE_INTEREST] = "interest", [SCORE_PREFERENCE] = "preference",
	};
	return (unsigned)name < SCORE_PART_COUNT ? names[name] : "unknown";
}

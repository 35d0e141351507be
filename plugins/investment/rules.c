/*
 * One function a rule; each fills in the refusal and says whether it refuses. Nothing unknown is
 * let pass: a venture that does not say its stage is refused by a mandate that names stages.
 */
#include "rules.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct pair {
	const struct rules *rules;
	const struct rules_venture *venture;
	const struct rules_investor *investor;
};

static bool is_said(const char *text)
{
	return text && text[0];
}

bool rules_covers(const char *wanted, const char *has)
{
	if (!is_said(wanted) || !is_said(has))
		return false;
	size_t len = strlen(wanted);
	if (strncasecmp(wanted, has, len) != 0)
		return false;
	return has[len] == '\0' || strchr("./-", has[len]);
}

static bool is_same(const char *a, const char *b)
{
	return is_said(a) && is_said(b) && strcasecmp(a, b) == 0;
}

static const char *first_of(const struct rules_words *words)
{
	return words->count > 0 ? words->words[0] : NULL;
}

/* Conflicts. */

static int compare_conflicts(const void *left, const void *right)
{
	const struct conflict *one = left, *two = right;
	int order = strcmp(one->a, two->a);
	return order != 0 ? order : strcmp(one->b, two->b);
}

void rules_order_conflicts(struct conflict *conflicts, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const char *a = conflicts[i].a;
		if (strcmp(a, conflicts[i].b) > 0) {
			conflicts[i].a = conflicts[i].b;
			conflicts[i].b = a;
		}
	}
	if (count > 1)
		qsort(conflicts, count, sizeof(conflicts[0]), compare_conflicts);
}

/* One that holds at the rules' time; the same two may have declared several. */
static const struct conflict *find_conflict(const struct rules *rules, const char *a, const char *b)
{
	struct conflict wanted = {.a = a, .b = b};
	size_t low = 0, high = rules->conflict_count;

	if (strcmp(a, b) > 0)
		wanted = (struct conflict){.a = b, .b = a};
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (compare_conflicts(&rules->conflicts[middle], &wanted) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < rules->conflict_count; low++) {
		const struct conflict *found = &rules->conflicts[low];
		if (compare_conflicts(found, &wanted) != 0)
			break;
		if (found->until_ms == 0 || rules->at_ms < found->until_ms)
			return found;
	}
	return NULL;
}

/* A party's ids: its own first, then those behind it. */
static const char *party_at(const char *id, const struct rules_words *parties, size_t at)
{
	return at == 0 ? id : parties->words[at - 1];
}

static bool check_parties(const struct pair *pair, const char *one, const char *other,
			  struct refusal *refusal)
{
	if (!is_said(one) || !is_said(other))
		return false;
	refusal->venture_word = one;
	refusal->investor_word = other;
	if (strcmp(one, other) == 0) {
		refusal->reason = RULE_SAME_PARTY;
		return true;
	}
	const struct conflict *conflict = find_conflict(pair->rules, one, other);
	if (!conflict)
		return false;
	refusal->reason = RULE_DECLARED;
	refusal->nature = conflict->nature;
	refusal->numbers[0] = conflict->until_ms;
	refusal->numbers[1] = pair->rules->at_ms;
	return true;
}

static bool check_conflict(const struct pair *pair, struct refusal *refusal)
{
	const struct rules_words *ours = &pair->venture->parties;
	const struct rules_words *theirs = &pair->investor->parties;

	for (size_t i = 0; i <= ours->count; i++) {
		const char *one = party_at(pair->venture->id, ours, i);
		for (size_t j = 0; j <= theirs->count; j++) {
			const char *other = party_at(pair->investor->id, theirs, j);
			if (check_parties(pair, one, other, refusal))
				return true;
		}
	}
	return false;
}

/* Dates. */

static bool has_left(const struct pair *pair, bool is_withdrawn, int64_t open_until_ms,
		     struct refusal *refusal)
{
	if (is_withdrawn) {
		refusal->reason = RULE_WITHDRAWN;
		return true;
	}
	if (open_until_ms == 0 || pair->rules->at_ms < open_until_ms)
		return false;
	refusal->reason = RULE_EXPIRED;
	refusal->numbers[0] = open_until_ms;
	refusal->numbers[1] = pair->rules->at_ms;
	return true;
}

static bool check_open(const struct pair *pair, struct refusal *refusal)
{
	const struct rules_venture *venture = pair->venture;
	const struct rules_investor *investor = pair->investor;

	if (has_left(pair, venture->is_withdrawn, venture->open_until_ms, refusal)) {
		refusal->venture_word = venture->id;
		return true;
	}
	if (has_left(pair, investor->is_withdrawn, investor->open_until_ms, refusal)) {
		refusal->investor_word = investor->id;
		return true;
	}
	return false;
}

static bool check_certification(const struct pair *pair, struct refusal *refusal)
{
	const struct rules_certification *held = &pair->investor->certification;

	if (held->is_exempt)
		return false;
	refusal->numbers[1] = pair->rules->at_ms;
	if (!is_said(held->type) || held->expires_ms == 0) {
		refusal->reason = RULE_MISSING;
		return true;
	}
	refusal->investor_word = held->type;
	if (held->is_revoked) {
		refusal->reason = RULE_REVOKED;
	} else if (pair->rules->at_ms < held->from_ms) {
		refusal->reason = RULE_NOT_YET;
		refusal->numbers[0] = held->from_ms;
	} else if (pair->rules->at_ms >= held->expires_ms) {
		refusal->reason = RULE_EXPIRED;
		refusal->numbers[0] = held->expires_ms;
	} else {
		return false;
	}
	return true;
}

/* Wishes. */

/* The first of `excluded` that covers one of `words` or is the id. */
static bool excludes(const struct rules_words *excluded, const struct rules_words *words,
		     const char *id, const char **ret_excluded, const char **ret_word)
{
	for (size_t i = 0; i < excluded->count; i++) {
		*ret_excluded = excluded->words[i];
		*ret_word = id;
		if (is_same(excluded->words[i], id))
			return true;
		for (size_t j = 0; j < words->count; j++) {
			*ret_word = words->words[j];
			if (rules_covers(excluded->words[i], words->words[j]))
				return true;
		}
	}
	return false;
}

static bool check_exclusion(const struct pair *pair, struct refusal *refusal)
{
	const struct rules_venture *venture = pair->venture;
	const struct rules_investor *investor = pair->investor;

	refusal->reason = RULE_INVESTOR_EXCLUDES;
	if (excludes(&investor->exclusions, &venture->sectors, venture->id, &refusal->investor_word,
		     &refusal->venture_word) ||
	    excludes(&investor->exclusions, &venture->traits, venture->id, &refusal->investor_word,
		     &refusal->venture_word))
		return true;
	refusal->reason = RULE_VENTURE_EXCLUDES;
	return excludes(&venture->exclusions, &investor->traits, investor->id,
			&refusal->venture_word, &refusal->investor_word);
}

static bool check_stage(const struct pair *pair, struct refusal *refusal)
{
	uint32_t stage = pair->venture->stage, stages = pair->investor->stages;

	if (stages == 0)
		return false;
	refusal->numbers[0] = stage;
	refusal->numbers[1] = stages;
	refusal->reason = stage == 0 ? RULE_NOT_SAID : RULE_OUTSIDE;
	return stage == 0 || stage > RULES_MAX_STAGE || !(stages >> stage & 1);
}

static bool check_ticket(const struct pair *pair, struct refusal *refusal)
{
	const struct rules_venture *venture = pair->venture;
	const struct rules_investor *investor = pair->investor;

	if (investor->ticket_max <= 0)
		return false;
	refusal->numbers[0] = venture->ask_min;
	refusal->numbers[1] = venture->ask_max;
	refusal->numbers[2] = investor->ticket_min;
	refusal->numbers[3] = investor->ticket_max;
	refusal->venture_word = venture->currency;
	refusal->investor_word = investor->currency;
	if (venture->ask_max <= 0 || venture->ask_min > venture->ask_max)
		refusal->reason = RULE_NOT_SAID;
	else if (!is_same(venture->currency, investor->currency))
		refusal->reason = RULE_CURRENCY;
	else if (investor->ticket_min > venture->ask_max)
		refusal->reason = RULE_TICKET_TOO_LARGE;
	else if (investor->ticket_max < venture->ask_min && !investor->co_invests)
		refusal->reason = RULE_TICKET_TOO_SMALL;
	else
		return false;
	return true;
}

/* Is one of what the venture has among what the mandate wants? */
static bool check_words(const struct rules_words *wanted, const struct rules_words *has,
			struct refusal *refusal)
{
	if (wanted->count == 0)
		return false;
	for (size_t i = 0; i < has->count; i++) {
		for (size_t j = 0; j < wanted->count; j++) {
			if (rules_covers(wanted->words[j], has->words[i]))
				return false;
		}
	}
	refusal->reason = has->count == 0 ? RULE_NOT_SAID : RULE_OUTSIDE;
	refusal->venture_word = first_of(has);
	refusal->investor_word = first_of(wanted);
	return true;
}

static bool check_sector(const struct pair *pair, struct refusal *refusal)
{
	return check_words(&pair->investor->sectors, &pair->venture->sectors, refusal);
}

static bool check_instrument(const struct pair *pair, struct refusal *refusal)
{
	return check_words(&pair->investor->instruments, &pair->venture->instruments, refusal);
}

static bool check_region(const struct pair *pair, struct refusal *refusal)
{
	const struct rules_words *wanted = &pair->investor->regions;
	const char *region = pair->venture->region;
	bool (*is_within)(const char *, const char *) = pair->rules->is_within;

	if (wanted->count == 0)
		return false;
	refusal->reason = is_said(region) ? RULE_OUTSIDE : RULE_NOT_SAID;
	refusal->venture_word = region;
	refusal->investor_word = first_of(wanted);
	if (!is_said(region))
		return true;
	for (size_t i = 0; i < wanted->count; i++) {
		if (is_within ? is_within(region, wanted->words[i])
			      : rules_covers(wanted->words[i], region))
			return false;
	}
	return true;
}

static bool (*const checks[RULE_COUNT])(const struct pair *pair, struct refusal *refusal) = {
	[RULE_OPEN] = check_open,
	[RULE_CERTIFICATION] = check_certification,
	[RULE_CONFLICT] = check_conflict,
	[RULE_EXCLUSION] = check_exclusion,
	[RULE_STAGE] = check_stage,
	[RULE_TICKET] = check_ticket,
	[RULE_SECTOR] = check_sector,
	[RULE_REGION] = check_region,
	[RULE_INSTRUMENT] = check_instrument,
};

size_t rules_check(const struct rules *rules, const struct rules_venture *venture,
		   const struct rules_investor *investor, struct refusal ret_refusals[RULE_COUNT])
{
	struct pair pair = {.rules = rules, .venture = venture, .investor = investor};
	size_t count = 0;

	for (int rule = 0; rule < RULE_COUNT; rule++) {
		struct refusal refusal = {.rule = (enum rule)rule};
		if (checks[rule](&pair, &refusal))
			ret_refusals[count++] = refusal;
	}
	return count;
}

uint16_t rules_mask(const struct refusal *refusals, size_t count)
{
	unsigned mask = 0;

	for (size_t i = 0; i < count; i++)
		mask |= 1u << refusals[i].rule;
	return (uint16_t)mask;
}

const char *rules_name(enum rule rule)
{
	static const char *const names[RULE_COUNT] = {
		[RULE_OPEN] = "open",
		[RULE_CERTIFICATION] = "certification",
		[RULE_CONFLICT] = "conflict",
		[RULE_EXCLUSION] = "exclusion",
		[RULE_STAGE] = "stage",
		[RULE_TICKET] = "ticket",
		[RULE_SECTOR] = "sector",
		[RULE_REGION] = "region",
		[RULE_INSTRUMENT] = "instrument",
	};
	return (unsigned)rule < RULE_COUNT ? names[rule] : "unknown";
}

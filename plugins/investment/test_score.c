/* The parts: what each counts, that they sum, and that a receiver notices when they were changed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "score.h"

static char *vocabulary[] = {"a", "a/b", "a/b/c", "d", "D/e", "f", "g", "h"};
#define VOCABULARY (sizeof(vocabulary) / sizeof(vocabulary[0]))

/* A run of the vocabulary, perhaps an empty one. */
static struct rules_words random_words(struct rng *rng)
{
	size_t first = rng_below(rng, VOCABULARY);
	return (struct rules_words){.words = vocabulary + first,
				    .count = rng_below(rng, VOCABULARY - first + 1)};
}

/* Small, ordinary and the largest of amounts. */
static int64_t random_amount(struct rng *rng)
{
	uint64_t value = rng_next(rng) >> 1;
	return (int64_t)(value >> rng_below(rng, 63));
}

static void random_pair(struct rng *rng, struct rules_venture *venture,
			struct rules_investor *investor, struct score_facts *facts)
{
	*venture = (struct rules_venture){
		.stage = (uint32_t)rng_below(rng, 7),
		.sectors = random_words(rng),
		.region = rng_below(rng, 4) ? vocabulary[rng_below(rng, VOCABULARY)] : "",
		.ask_max = random_amount(rng),
		.needs = random_words(rng),
		.strengths = random_words(rng),
	};
	*investor = (struct rules_investor){
		.stages = (uint32_t)rng_below(rng, 128),
		.sectors = random_words(rng),
		.regions = random_words(rng),
		.prefers_regions = random_words(rng),
		.ticket_max = random_amount(rng),
		.offers = random_words(rng),
		.priorities = random_words(rng),
	};
	*facts = (struct score_facts){
		.asked = {(uint32_t)rng_below(rng, 9), (uint32_t)rng_next(rng)},
		.answered = {(uint32_t)rng_below(rng, 9), (uint32_t)rng_next(rng)},
		.preference = {(uint32_t)rng_below(rng, 200), (uint32_t)rng_below(rng, 101)},
		.is_interested = rng_below(rng, 2),
		.earlier_deals = (uint32_t)rng_below(rng, 30),
	};
}

static void test_score_parts_can_reach_exactly_the_full_score(void **state)
{
	(void)state;
	for (int side = 0; side < 2; side++) {
		int64_t sum = 0;
		for (int name = 0; name < SCORE_PART_COUNT; name++)
			sum += score_most((enum score_name)name, (enum score_side)side);
		assert_int_equal(sum, SCORE_FULL);
	}
	assert_true(SCORE_PART_COUNT <= 10);
}

static void test_score_is_the_sum_of_its_parts(void **state)
{
	struct rules rules = {0};
	struct rules_venture venture;
	struct rules_investor investor;
	struct score_facts facts;
	struct rng rng;
	unsigned seen = 0;

	(void)state;
	rng_init(&rng, 31);
	for (int round = 0; round < 50000; round++) {
		enum score_side side = (enum score_side)(round % 2);
		struct score score;
		random_pair(&rng, &venture, &investor, &facts);
		score_pair(&rules, &venture, &investor, &facts, side, &score);
		int64_t sum = 0;
		assert_int_equal(score.part_count, SCORE_PART_COUNT);
		for (size_t i = 0; i < score.part_count; i++) {
			const struct score_part *part = &score.parts[i];
			sum += part->points;
			seen |= (part->points > 0) << part->name;
			assert_in_range(part->points, 0, part->most);
			assert_true(part->word_count <= SCORE_MAX_WORDS);
		}
		assert_int_equal(sum, score.total);
		assert_in_range(score.total, 0, SCORE_FULL);
		assert_true(score_adds_up(&score, side));
	}
	/* Each part had points at some time. */
	assert_int_equal(seen, (1u << SCORE_PART_COUNT) - 1);
}

/* Change one field of one part, or the total, by a little. */
static void tamper(struct score *score, struct rng *rng)
{
	struct score_part *part = &score->parts[rng_below(rng, score->part_count)];
	int64_t by = rng_below(rng, 2) ? 1 : -1;

	switch (rng_below(rng, 5)) {
	case 0:
		part->points += by;
		break;
	case 3:
		/* The sum is right, the values say otherwise. */
		part->points += by;
		score->total += by;
		break;
	case 1:
		part->most += by;
		break;
	case 2:
		score->total += by;
		break;
	default:
		part->name = (enum score_name)((unsigned)part->name + 1);
		break;
	}
}

static void test_score_that_was_changed_does_not_add_up(void **state)
{
	struct rules rules = {0};
	struct rules_venture venture;
	struct rules_investor investor;
	struct score_facts facts;
	struct rng rng;

	(void)state;
	rng_init(&rng, 32);
	for (int round = 0; round < 20000; round++) {
		enum score_side side = (enum score_side)(round % 2);
		struct score score;
		random_pair(&rng, &venture, &investor, &facts);
		score_pair(&rules, &venture, &investor, &facts, side, &score);
		tamper(&score, &rng);
		assert_false(score_adds_up(&score, side));
	}
	/* Values that give the points of another value are no proof of anything. */
	struct score score = {.part_count = 1, .total = 160};
	score.parts[0] = (struct score_part){
		.name = SCORE_SECTOR, .points = 160, .most = 160, .has = 2, .of = 1};
	assert_false(score_adds_up(&score, SCORE_FOR_VENTURE));
	score.parts[0].of = 2;
	assert_true(score_adds_up(&score, SCORE_FOR_VENTURE));
	assert_false(score_adds_up(&score, SCORE_FOR_INVESTOR));
	score.part_count = SCORE_PART_COUNT + 1;
	assert_false(score_adds_up(&score, SCORE_FOR_VENTURE));
}

static void assert_part(const struct score *score, enum score_name name, int64_t has, int64_t of,
			int64_t points)
{
	assert_int_equal(score->parts[name].name, name);
	assert_int_equal(score->parts[name].has, has);
	assert_int_equal(score->parts[name].of, of);
	assert_int_equal(score->parts[name].points, points);
}

/* Worked out by hand. */
static void test_score_counts_what_its_parts_say(void **state)
{
	char *sectors[] = {"therapeutics/cell therapy", "diagnostics", "devices"};
	char *wanted[] = {"Therapeutics", "devices"};
	char *needs[] = {"regulatory advice", "a lead", "NHS pilots"};
	char *offers[] = {"regulatory advice"};
	char *priorities[] = {"manufacturing", "trials"};
	char *strengths[] = {"trials/phase 1"};
	char *regions[] = {"GB"}, *prefers[] = {"GB-WLS"};
	struct rules rules = {0};
	struct rules_venture venture = {.stage = 2,
					.sectors = {sectors, 3},
					.region = "GB-WLS",
					.ask_max = 100000000,
					.needs = {needs, 3},
					.strengths = {strengths, 1}};
	struct rules_investor investor = {.stages = 1u << 2 | 1u << 3,
					  .sectors = {wanted, 2},
					  .regions = {regions, 1},
					  .prefers_regions = {prefers, 1},
					  .ticket_max = 25000000,
					  .offers = {offers, 1},
					  .priorities = {priorities, 2}};
	struct score_facts facts = {.asked = {10, 2},
				    .answered = {9, 1},
				    .preference = {50, 0},
				    .is_interested = true,
				    .earlier_deals = 4};
	struct score score;

	(void)state;
	score_pair(&rules, &venture, &investor, &facts, SCORE_FOR_VENTURE, &score);
	assert_part(&score, SCORE_SECTOR, 2, 3, 106);
	assert_string_equal(score.parts[SCORE_SECTOR].words[0], "therapeutics/cell therapy");
	assert_string_equal(score.parts[SCORE_SECTOR].words[1], "devices");
	assert_part(&score, SCORE_STAGE, 1, 2, 30);
	assert_part(&score, SCORE_REGION, 2, 2, 60);
	assert_string_equal(score.parts[SCORE_REGION].words[0], "GB-WLS");
	assert_part(&score, SCORE_TICKET, 25000000, 100000000, 40);
	assert_part(&score, SCORE_NEED, 1, 3, 46);
	assert_part(&score, SCORE_STRENGTH, 1, 2, 20);
	assert_string_equal(score.parts[SCORE_STRENGTH].words[0], "trials");
	assert_part(&score, SCORE_TRACK, 4, 8, 50);
	/* The investor answered 1 of 2. */
	assert_part(&score, SCORE_RESPONSE, 2, 4, 30);
	assert_part(&score, SCORE_INTEREST, 1, 1, 60);
	assert_part(&score, SCORE_PREFERENCE, 50, 100, 80);
	assert_int_equal(score.total, 522);

	investor.prefers_regions.count = 0;
	score_pair(&rules, &venture, &investor, &facts, SCORE_FOR_INVESTOR, &score);
	assert_part(&score, SCORE_REGION, 1, 2, 40);
	assert_string_equal(score.parts[SCORE_REGION].words[0], "GB");
	/* The venture answered 9 of 10. */
	assert_part(&score, SCORE_RESPONSE, 10, 12, 50);
	assert_part(&score, SCORE_PREFERENCE, 0, 100, 0);
	assert_string_equal(score_name_text(SCORE_RESPONSE), "response");
	assert_string_equal(score_name_text(SCORE_PART_COUNT), "unknown");
}

static void test_score_of_the_largest_amounts_does_not_overflow(void **state)
{
	struct rules rules = {0};
	struct rules_venture venture = {.region = "", .ask_max = INT64_MAX};
	struct rules_investor investor = {.ticket_max = INT64_MAX / 2};
	struct score_facts facts = {0};
	struct score score;

	(void)state;
	score_pair(&rules, &venture, &investor, &facts, SCORE_FOR_VENTURE, &score);
	assert_in_range(score.parts[SCORE_TICKET].points, 79, 80);
	investor.ticket_max = INT64_MAX;
	score_pair(&rules, &venture, &investor, &facts, SCORE_FOR_VENTURE, &score);
	assert_int_equal(score.parts[SCORE_TICKET].points, 160);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_score_parts_can_reach_exactly_the_full_score),
		cmocka_unit_test(test_score_is_the_sum_of_its_parts),
		cmocka_unit_test(test_score_that_was_changed_does_not_add_up),
		cmocka_unit_test(test_score_counts_what_its_parts_say),
		cmocka_unit_test(test_score_of_the_largest_amounts_does_not_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

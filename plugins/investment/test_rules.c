/* One test a rule: the value that just passes, the one that just does not, and what is recorded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "base/rng.h"
#include "rules.h"

#define NOW 1790000000000

enum list {
	VENTURE_PARTIES,
	VENTURE_SECTORS,
	VENTURE_INSTRUMENTS,
	VENTURE_TRAITS,
	VENTURE_EXCLUSIONS,
	INVESTOR_PARTIES,
	INVESTOR_SECTORS,
	INVESTOR_INSTRUMENTS,
	INVESTOR_REGIONS,
	INVESTOR_TRAITS,
	INVESTOR_EXCLUSIONS,
	LIST_COUNT,
};

static char *lists[LIST_COUNT][2];
static struct rules rules;
static struct rules_venture venture;
static struct rules_investor investor;
static struct refusal refusals[RULE_COUNT];

static struct rules_words list(enum list name, char *one, char *two)
{
	lists[name][0] = one;
	lists[name][1] = two;
	return (struct rules_words){.words = lists[name], .count = two ? 2 : 1};
}

/* A pair that every rule looks at and lets pass. */
static int set_up(void **state)
{
	(void)state;
	rules = (struct rules){.at_ms = NOW};
	venture = (struct rules_venture){
		.id = "v-1",
		.parties = list(VENTURE_PARTIES, "founder-1", NULL),
		.stage = 2,
		.sectors = list(VENTURE_SECTORS, "therapeutics/cell therapy", "diagnostics"),
		.instruments = list(VENTURE_INSTRUMENTS, "equity", "seis"),
		.region = "GB-WLS",
		.ask_min = 25000000,
		.ask_max = 100000000,
		.currency = "GBP",
		.traits = list(VENTURE_TRAITS, "animal testing", NULL),
		.exclusions = list(VENTURE_EXCLUSIONS, "tobacco", NULL),
	};
	investor = (struct rules_investor){
		.id = "i-1",
		.parties = list(INVESTOR_PARTIES, "fund-1", NULL),
		.certification = {.type = "high net worth", .from_ms = NOW, .expires_ms = NOW + 1},
		.stages = 1u << 2,
		.sectors = list(INVESTOR_SECTORS, "Therapeutics", NULL),
		.instruments = list(INVESTOR_INSTRUMENTS, "seis", NULL),
		.regions = list(INVESTOR_REGIONS, "GB", NULL),
		.ticket_min = 100000000,
		.ticket_max = 200000000,
		.currency = "GBP",
		.traits = list(INVESTOR_TRAITS, "angel", NULL),
		.exclusions = list(INVESTOR_EXCLUSIONS, "devices", NULL),
	};
	return 0;
}

static size_t check(void)
{
	return rules_check(&rules, &venture, &investor, refusals);
}

static void assert_passes(void)
{
	assert_int_equal(check(), 0);
}

static const struct refusal *assert_refuses(enum rule rule, enum rule_reason reason)
{
	assert_int_equal(check(), 1);
	assert_int_equal(refusals[0].rule, rule);
	assert_int_equal(refusals[0].reason, reason);
	return &refusals[0];
}

static void assert_words(const struct refusal *refusal, const char *venture_word,
			 const char *investor_word)
{
	assert_string_equal(refusal->venture_word, venture_word);
	assert_string_equal(refusal->investor_word, investor_word);
}

static void test_rules_let_a_fitting_pair_pass(void **state)
{
	(void)state;
	assert_passes();
	/* A mandate that names nothing takes anything. */
	investor = (struct rules_investor){.id = "i-2", .certification.is_exempt = true};
	venture = (struct rules_venture){.id = "v-2"};
	assert_passes();
}

static void test_rules_honour_withdrawal_and_the_last_day(void **state)
{
	(void)state;
	venture.open_until_ms = NOW + 1;
	assert_passes();
	venture.open_until_ms = NOW;
	const struct refusal *refusal = assert_refuses(RULE_OPEN, RULE_EXPIRED);
	assert_string_equal(refusal->venture_word, "v-1");
	assert_null(refusal->investor_word);
	assert_int_equal(refusal->numbers[0], NOW);
	assert_int_equal(refusal->numbers[1], NOW);
	venture.open_until_ms = 0;
	investor.is_withdrawn = true;
	refusal = assert_refuses(RULE_OPEN, RULE_WITHDRAWN);
	assert_null(refusal->venture_word);
	assert_string_equal(refusal->investor_word, "i-1");
}

static void test_rules_ask_for_a_certificate_valid_at_the_date(void **state)
{
	struct rules_certification *held = &investor.certification;

	(void)state;
	/* set_up's certificate begins and ends with this very millisecond. */
	assert_passes();
	rules.at_ms = NOW + 1;
	const struct refusal *refusal = assert_refuses(RULE_CERTIFICATION, RULE_EXPIRED);
	assert_string_equal(refusal->investor_word, "high net worth");
	assert_int_equal(refusal->numbers[0], NOW + 1);
	assert_int_equal(refusal->numbers[1], NOW + 1);
	rules.at_ms = NOW - 1;
	refusal = assert_refuses(RULE_CERTIFICATION, RULE_NOT_YET);
	assert_int_equal(refusal->numbers[0], NOW);
	rules.at_ms = NOW;
	held->is_revoked = true;
	assert_refuses(RULE_CERTIFICATION, RULE_REVOKED);
	held->is_revoked = false;
	held->expires_ms = 0;
	assert_refuses(RULE_CERTIFICATION, RULE_MISSING);
	held->expires_ms = INT64_MAX;
	assert_passes();
	held->type = "";
	assert_refuses(RULE_CERTIFICATION, RULE_MISSING);
	held->is_exempt = true;
	assert_passes();
}

static void test_rules_find_a_conflict_of_any_two_parties(void **state)
{
	struct conflict conflicts[] = {
		{.a = "z", .b = "a", .nature = "other"},
		{.a = "fund-1", .b = "founder-1", .nature = "spouse", .until_ms = NOW},
		{.a = "i-1", .b = "x", .nature = "other"},
		{.a = "founder-1", .b = "fund-1", .nature = "director", .until_ms = NOW + 1},
	};

	(void)state;
	rules_order_conflicts(conflicts, 4);
	rules.conflicts = conflicts;
	rules.conflict_count = 4;
	const struct refusal *refusal = assert_refuses(RULE_CONFLICT, RULE_DECLARED);
	assert_words(refusal, "founder-1", "fund-1");
	assert_string_equal(refusal->nature, "director");
	assert_int_equal(refusal->numbers[0], NOW + 1);
	/* Both are over. */
	rules.at_ms = NOW + 1;
	investor.certification.is_exempt = true;
	assert_passes();
	/* The ids themselves, without anybody behind them. */
	struct conflict direct = {.a = "i-1", .b = "v-1", .nature = "owner"};
	rules_order_conflicts(&direct, 1);
	rules.conflicts = &direct;
	rules.conflict_count = 1;
	assert_words(assert_refuses(RULE_CONFLICT, RULE_DECLARED), "v-1", "i-1");
}

static void test_rules_keep_a_party_from_itself(void **state)
{
	(void)state;
	lists[VENTURE_PARTIES][0] = "fund-1";
	assert_words(assert_refuses(RULE_CONFLICT, RULE_SAME_PARTY), "fund-1", "fund-1");
	/* Empty ids are nobody's. */
	lists[VENTURE_PARTIES][0] = "";
	lists[INVESTOR_PARTIES][0] = "";
	assert_passes();
}

static void test_rules_honour_exclusions_of_both_sides(void **state)
{
	(void)state;
	lists[INVESTOR_EXCLUSIONS][0] = "Animal testing";
	assert_words(assert_refuses(RULE_EXCLUSION, RULE_INVESTOR_EXCLUDES), "animal testing",
		     "Animal testing");
	lists[INVESTOR_EXCLUSIONS][0] = "diagnostics";
	assert_words(assert_refuses(RULE_EXCLUSION, RULE_INVESTOR_EXCLUDES), "diagnostics",
		     "diagnostics");
	lists[INVESTOR_EXCLUSIONS][0] = "v-1";
	assert_words(assert_refuses(RULE_EXCLUSION, RULE_INVESTOR_EXCLUDES), "v-1", "v-1");
	investor.exclusions.count = 0;
	lists[INVESTOR_TRAITS][0] = "tobacco";
	assert_words(assert_refuses(RULE_EXCLUSION, RULE_VENTURE_EXCLUDES), "tobacco", "tobacco");
	lists[VENTURE_EXCLUSIONS][0] = "i-1";
	assert_words(assert_refuses(RULE_EXCLUSION, RULE_VENTURE_EXCLUDES), "i-1", "i-1");
}

static void test_rules_want_a_named_stage(void **state)
{
	(void)state;
	venture.stage = 3;
	const struct refusal *refusal = assert_refuses(RULE_STAGE, RULE_OUTSIDE);
	assert_int_equal(refusal->numbers[0], 3);
	assert_int_equal(refusal->numbers[1], 4);
	venture.stage = 0;
	assert_refuses(RULE_STAGE, RULE_NOT_SAID);
	/* 34 is 2 for a shift that wraps around. */
	venture.stage = 34;
	assert_refuses(RULE_STAGE, RULE_OUTSIDE);
}

static void test_rules_want_ticket_and_ask_to_meet(void **state)
{
	(void)state;
	/* set_up's ticket begins where the ask ends. */
	investor.ticket_min = 100000001;
	const struct refusal *refusal = assert_refuses(RULE_TICKET, RULE_TICKET_TOO_LARGE);
	assert_int_equal(refusal->numbers[0], 25000000);
	assert_int_equal(refusal->numbers[1], 100000000);
	assert_int_equal(refusal->numbers[2], 100000001);
	assert_int_equal(refusal->numbers[3], 200000000);
	investor.ticket_min = 0;
	investor.ticket_max = 25000000;
	assert_passes();
	investor.ticket_max = 24999999;
	assert_refuses(RULE_TICKET, RULE_TICKET_TOO_SMALL);
	investor.co_invests = true;
	assert_passes();
	venture.currency = "EUR";
	assert_words(assert_refuses(RULE_TICKET, RULE_CURRENCY), "EUR", "GBP");
	venture.ask_max = 0;
	assert_refuses(RULE_TICKET, RULE_NOT_SAID);
	venture.ask_max = venture.ask_min - 1;
	assert_refuses(RULE_TICKET, RULE_NOT_SAID);
}

static void test_rules_want_a_named_sector_or_one_below_it(void **state)
{
	(void)state;
	lists[INVESTOR_SECTORS][0] = "therapeutics/cell therapy";
	assert_passes();
	lists[INVESTOR_SECTORS][0] = "therapeutics/gene therapy";
	assert_words(assert_refuses(RULE_SECTOR, RULE_OUTSIDE), "therapeutics/cell therapy",
		     "therapeutics/gene therapy");
	/* The venture's second sector. */
	lists[INVESTOR_SECTORS][0] = "diagnostics";
	assert_passes();
	venture.sectors.count = 0;
	const struct refusal *refusal = assert_refuses(RULE_SECTOR, RULE_NOT_SAID);
	assert_null(refusal->venture_word);
	assert_string_equal(refusal->investor_word, "diagnostics");
}

static bool is_next_to(const char *region, const char *wanted)
{
	return strcmp(region, "GB-WLS") == 0 && strcmp(wanted, "the west") == 0;
}

static void test_rules_want_a_named_region_or_a_part_of_it(void **state)
{
	(void)state;
	lists[INVESTOR_REGIONS][0] = "GB-SCT";
	assert_words(assert_refuses(RULE_REGION, RULE_OUTSIDE), "GB-WLS", "GB-SCT");
	lists[INVESTOR_REGIONS][0] = "the west";
	assert_refuses(RULE_REGION, RULE_OUTSIDE);
	rules.is_within = is_next_to;
	assert_passes();
	venture.region = "";
	assert_refuses(RULE_REGION, RULE_NOT_SAID);
}

static void test_rules_want_a_common_instrument(void **state)
{
	(void)state;
	lists[INVESTOR_INSTRUMENTS][0] = "loan";
	assert_words(assert_refuses(RULE_INSTRUMENT, RULE_OUTSIDE), "equity", "loan");
	venture.instruments.count = 0;
	assert_refuses(RULE_INSTRUMENT, RULE_NOT_SAID);
}

static void test_rules_tell_every_refusal_in_order(void **state)
{
	(void)state;
	venture.is_withdrawn = true;
	investor.certification.type = "";
	lists[VENTURE_PARTIES][0] = "fund-1";
	lists[INVESTOR_EXCLUSIONS][0] = "v-1";
	venture.stage = 0;
	venture.ask_max = 0;
	lists[INVESTOR_SECTORS][0] = "devices";
	lists[INVESTOR_REGIONS][0] = "FR";
	lists[INVESTOR_INSTRUMENTS][0] = "loan";
	assert_int_equal(check(), RULE_COUNT);
	for (int rule = 0; rule < RULE_COUNT; rule++)
		assert_int_equal(refusals[rule].rule, rule);
	assert_int_equal(rules_mask(refusals, RULE_COUNT), (1 << RULE_COUNT) - 1);
	assert_int_equal(rules_mask(refusals + 2, 1), 1 << RULE_CONFLICT);
	assert_string_equal(rules_name(RULE_CERTIFICATION), "certification");
	assert_string_equal(rules_name(RULE_COUNT), "unknown");
}

static void test_rules_cover_whole_words_only(void **state)
{
	(void)state;
	assert_true(rules_covers("E02", "E02.095.147"));
	assert_true(rules_covers("gb", "GB-WLS"));
	assert_true(rules_covers("Biotech", "biotech/cell therapy"));
	assert_true(rules_covers("GB-WLS", "GB-WLS"));
	assert_false(rules_covers("GB-WLS", "GB"));
	assert_false(rules_covers("E0", "E02"));
	assert_false(rules_covers("biotech", "biotechnology"));
	assert_false(rules_covers("", "GB"));
	assert_false(rules_covers("", ""));
	assert_false(rules_covers(NULL, "GB"));
	assert_false(rules_covers("GB", NULL));
}

#define TEST(name) cmocka_unit_test_setup(name, set_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_rules_let_a_fitting_pair_pass),
		TEST(test_rules_honour_withdrawal_and_the_last_day),
		TEST(test_rules_ask_for_a_certificate_valid_at_the_date),
		TEST(test_rules_find_a_conflict_of_any_two_parties),
		TEST(test_rules_keep_a_party_from_itself),
		TEST(test_rules_honour_exclusions_of_both_sides),
		TEST(test_rules_want_a_named_stage),
		TEST(test_rules_want_ticket_and_ask_to_meet),
		TEST(test_rules_want_a_named_sector_or_one_below_it),
		TEST(test_rules_want_a_named_region_or_a_part_of_it),
		TEST(test_rules_want_a_common_instrument),
		TEST(test_rules_tell_every_refusal_in_order),
		TEST(test_rules_cover_whole_words_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

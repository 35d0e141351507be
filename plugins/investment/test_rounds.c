/* The fold: whatever the order and however often a record comes, the same stands. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "attribution.h"
#include "base/rng.h"

static struct rounds_round round_of(const char *id, uint64_t revision, int64_t closed_ms)
{
	return (struct rounds_round){
		.id = id, .revision = revision, .venture = "v-1", .closed_ms = closed_ms};
}

static struct rounds_commitment pounds(const char *id, uint64_t revision, int64_t amount)
{
	return (struct rounds_commitment){.id = id,
					  .revision = revision,
					  .round = "r-1",
					  .investor = "i-1",
					  .amount = amount,
					  .currency = "GBP",
					  .via_node = "medcity"};
}

static struct attribution_report report_of(const struct rounds *rounds, const char *currency)
{
	struct attribution_report report;
	struct attribution_filter filter = {.currency = currency, .node = "medcity"};

	assert_int_equal(attribution_report(rounds, &filter, &report), LYC_OK);
	return report;
}

static void put_round(struct rounds *rounds, struct rounds_round round)
{
	assert_int_equal(rounds_put_round(rounds, &round), LYC_OK);
}

static void put(struct rounds *rounds, struct rounds_commitment commitment)
{
	assert_int_equal(rounds_put_commitment(rounds, &commitment), LYC_OK);
}

/* Random records: rounds and commitments with up to three revisions each. */
#define KEYS 12
#define REVISIONS 3

struct script {
	char ids[2][KEYS][8];
	struct rounds_round rounds[KEYS][REVISIONS];
	struct rounds_commitment commitments[KEYS][REVISIONS];
	struct rounds_credit credits[KEYS][REVISIONS][2];
	size_t revision_counts[2][KEYS];
};

static void write_script(struct script *script, struct rng *rng)
{
	static const char *const nodes[] = {"", "medcity", "wales", "nhsa"};
	static const char *const ventures[] = {"v-1", "v-2", "v-3"};

	for (size_t key = 0; key < KEYS; key++) {
		snprintf(script->ids[0][key], 8, "r-%zu", key);
		snprintf(script->ids[1][key], 8, "c-%zu", key);
		script->revision_counts[0][key] = rng_below(rng, REVISIONS + 1);
		script->revision_counts[1][key] = rng_below(rng, REVISIONS + 1);
		for (size_t i = 0; i < REVISIONS; i++) {
			script->rounds[key][i] = (struct rounds_round){
				.id = script->ids[0][key],
				.revision = 10 * (i + 1),
				.venture = ventures[rng_below(rng, 3)],
				.closed_ms = (int64_t)rng_below(rng, 3) * 1000,
				.is_withdrawn = rng_below(rng, 8) == 0,
			};
			for (size_t c = 0; c < 2; c++)
				script->credits[key][i][c] = (struct rounds_credit){
					.node = nodes[1 + rng_below(rng, 3)],
					.weight = 1 + (uint32_t)rng_below(rng, 9)};
			script->commitments[key][i] = (struct rounds_commitment){
				.id = script->ids[1][key],
				.revision = 10 * (i + 1),
				.round = script->ids[0][rng_below(rng, KEYS)],
				.investor = "i-1",
				.amount = (int64_t)rng_below(rng, 1000000),
				.currency = rng_below(rng, 5) ? "GBP" : "EUR",
				.via_node = nodes[rng_below(rng, 4)],
				.is_withdrawn = rng_below(rng, 8) == 0,
				.credits = script->credits[key][i],
				.credit_count = 2 * rng_below(rng, 2),
			};
		}
	}
}

/* Every record `times` times, in a random order. */
static struct rounds *play(const struct script *script, struct rng *rng, unsigned times)
{
	struct {
		uint32_t kind, key, revision;
	} steps[2 * KEYS * REVISIONS * 3];
	size_t count = 0;
	struct rounds *rounds = rounds_new();

	for (uint32_t kind = 0; kind < 2; kind++) {
		for (uint32_t key = 0; key < KEYS; key++) {
			for (uint32_t i = 0; i < script->revision_counts[kind][key] * times; i++) {
				steps[count].kind = kind;
				steps[count].key = key;
				steps[count++].revision = i / times;
			}
		}
	}
	for (size_t i = count; rng && i > 1; i--) {
		size_t other = rng_below(rng, i);
		__typeof__(steps[0]) step = steps[i - 1];
		steps[i - 1] = steps[other];
		steps[other] = step;
	}
	for (size_t i = 0; i < count; i++) {
		if (steps[i].kind == 0)
			put_round(rounds, script->rounds[steps[i].key][steps[i].revision]);
		else
			put(rounds, script->commitments[steps[i].key][steps[i].revision]);
	}
	return rounds;
}

/* The totals from the last revisions alone. */
static struct attribution_report expected_report(const struct script *script)
{
	struct attribution_report report = {0};

	for (size_t key = 0; key < KEYS; key++) {
		size_t last = script->revision_counts[1][key];
		if (last == 0)
			continue;
		const struct rounds_commitment *commitment = &script->commitments[key][last - 1];
		size_t round_key = (size_t)atoi(commitment->round + 2);
		size_t round_last = script->revision_counts[0][round_key];
		if (round_last == 0) {
			report.waiting_count++;
			continue;
		}
		const struct rounds_round *round = &script->rounds[round_key][round_last - 1];
		if (commitment->is_withdrawn || round->is_withdrawn ||
		    strcmp(commitment->currency, "GBP") != 0)
			continue;
		if (round->closed_ms == 0) {
			report.pledged += commitment->amount;
			continue;
		}
		report.raised += commitment->amount;
		report.commitment_count++;
		if (strcmp(commitment->via_node, "medcity") == 0)
			report.own += commitment->amount;
	}
	report.others = report.raised - report.own;
	return report;
}

static void test_rounds_are_the_same_in_any_order_and_number(void **state)
{
	struct script script;
	struct rng rng;
	int64_t seen = 0;

	(void)state;
	rng_init(&rng, 41);
	for (int round = 0; round < 3000; round++) {
		write_script(&script, &rng);
		struct rounds *once = play(&script, NULL, 1);
		struct rounds *often = play(&script, &rng, 1 + (unsigned)rng_below(&rng, 3));
		struct attribution_report expected = expected_report(&script);
		struct attribution_report first = report_of(once, "GBP");
		struct attribution_report second = report_of(often, "GBP");
		assert_memory_equal(&first, &second, sizeof(first));
		assert_int_equal(first.raised, expected.raised);
		assert_int_equal(first.own, expected.own);
		assert_int_equal(first.others, expected.others);
		assert_int_equal(first.pledged, expected.pledged);
		assert_int_equal(first.commitment_count, expected.commitment_count);
		assert_int_equal(first.waiting_count, expected.waiting_count);
		seen += first.own > 0 && first.others > 0 && first.pledged > 0;
		rounds_free(once);
		rounds_free(often);
	}
	assert_true(seen > 500);
}

static void test_rounds_refuse_money_beyond_64_bits(void **state)
{
	struct rounds *rounds = rounds_new();
	struct rounds_commitment most = pounds("c-1", 1, INT64_MAX - 1);
	struct rounds_commitment one = pounds("c-2", 1, 1), two = pounds("c-2", 1, 2);

	(void)state;
	put_round(rounds, round_of("r-1", 1, 1000));
	put(rounds, most);
	assert_int_equal(rounds_put_commitment(rounds, &two), LYC_OUT_OF_RANGE);
	assert_int_equal(report_of(rounds, "GBP").raised, INT64_MAX - 1);
	assert_int_equal(rounds_commitment_count(rounds), 1);
	put(rounds, one);
	assert_int_equal(report_of(rounds, "GBP").raised, INT64_MAX);
	/* A correction is judged without what it replaces; another currency by itself. */
	put(rounds, pounds("c-1", 2, INT64_MAX - 1));
	struct rounds_commitment more = pounds("c-1", 3, INT64_MAX);
	assert_int_equal(rounds_put_commitment(rounds, &more), LYC_OUT_OF_RANGE);
	more.currency = "EUR";
	put(rounds, more);
	assert_int_equal(report_of(rounds, "GBP").raised, 1);
	assert_int_equal(report_of(rounds, "EUR").raised, INT64_MAX);
	/* What was withdrawn makes room. */
	more.revision = 4;
	more.is_withdrawn = true;
	put(rounds, more);
	struct rounds_commitment euros = pounds("c-3", 1, INT64_MAX);
	euros.currency = "EUR";
	put(rounds, euros);
	assert_int_equal(report_of(rounds, "EUR").raised, INT64_MAX);
	rounds_free(rounds);
}

static void test_rounds_keep_the_highest_revision(void **state)
{
	struct rounds *rounds = rounds_new();

	(void)state;
	put(rounds, pounds("c-1", 5, 500));
	put(rounds, pounds("c-1", 4, 400));
	assert_int_equal(report_of(rounds, "GBP").waiting_count, 1);
	put_round(rounds, round_of("r-1", 7, 1000));
	put_round(rounds, round_of("r-1", 6, 0));
	assert_int_equal(report_of(rounds, "GBP").raised, 500);
	put(rounds, pounds("c-1", 6, 600));
	assert_int_equal(report_of(rounds, "GBP").raised, 600);
	put_round(rounds, round_of("r-1", 8, 0));
	assert_int_equal(report_of(rounds, "GBP").raised, 0);
	assert_int_equal(report_of(rounds, "GBP").pledged, 600);
	rounds_free(rounds);
}

static void test_rounds_refuse_one_revision_with_two_contents(void **state)
{
	static const struct rounds_credit credits[] = {{"wales", 1}, {"medcity", 2}};
	static const struct rounds_credit others[] = {{"wales", 1}, {"medcity", 3}};
	struct rounds *rounds = rounds_new();
	struct rounds_round round = round_of("r-1", 1, 1000);
	struct rounds_commitment commitment = pounds("c-1", 1, 500), other;

	(void)state;
	commitment.credits = credits;
	commitment.credit_count = 2;
	put_round(rounds, round);
	put(rounds, commitment);
	put(rounds, commitment);
	round.closed_ms = 1001;
	assert_int_equal(rounds_put_round(rounds, &round), LYC_ALREADY_EXISTS);
	other = commitment;
	other.amount++;
	assert_int_equal(rounds_put_commitment(rounds, &other), LYC_ALREADY_EXISTS);
	other = commitment;
	other.via_node = "wales";
	assert_int_equal(rounds_put_commitment(rounds, &other), LYC_ALREADY_EXISTS);
	other = commitment;
	other.credits = others;
	assert_int_equal(rounds_put_commitment(rounds, &other), LYC_ALREADY_EXISTS);
	assert_int_equal(report_of(rounds, "GBP").own, 500);
	rounds_free(rounds);
}

static void assert_invalid(struct rounds_commitment commitment)
{
	struct rounds *rounds = rounds_new();

	assert_int_equal(rounds_put_commitment(rounds, &commitment), LYC_INVALID_ARGUMENT);
	assert_int_equal(rounds_commitment_count(rounds), 0);
	rounds_free(rounds);
}

static void test_rounds_refuse_what_makes_no_sense(void **state)
{
	static const struct rounds_credit nothing[] = {{"wales", 0}, {"nhsa", 0}};
	static const struct rounds_credit nobody[] = {{NULL, 1}};
	static const struct rounds_credit many[ROUNDS_MAX_CREDITS + 1] = {{"wales", 1}};
	struct rounds *rounds = rounds_new();
	struct rounds_round round = round_of("", 1, 0);
	struct rounds_commitment commitment = pounds("c-1", 1, -1);

	(void)state;
	assert_int_equal(rounds_put_round(rounds, &round), LYC_INVALID_ARGUMENT);
	round = round_of("r-1", 0, 0);
	assert_int_equal(rounds_put_round(rounds, &round), LYC_INVALID_ARGUMENT);
	rounds_free(rounds);
	assert_invalid(commitment);
	assert_invalid(pounds("", 1, 1));
	assert_invalid(pounds("c-1", 0, 1));
	commitment = pounds("c-1", 1, 1);
	commitment.currency = NULL;
	assert_invalid(commitment);
	commitment = pounds("c-1", 1, 1);
	commitment.credits = nothing;
	commitment.credit_count = 2;
	assert_invalid(commitment);
	commitment.credits = nobody;
	commitment.credit_count = 1;
	assert_invalid(commitment);
	commitment.credits = many;
	commitment.credit_count = ROUNDS_MAX_CREDITS + 1;
	assert_invalid(commitment);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rounds_are_the_same_in_any_order_and_number),
		cmocka_unit_test(test_rounds_refuse_money_beyond_64_bits),
		cmocka_unit_test(test_rounds_keep_the_highest_revision),
		cmocka_unit_test(test_rounds_refuse_one_revision_with_two_contents),
		cmocka_unit_test(test_rounds_refuse_what_makes_no_sense),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

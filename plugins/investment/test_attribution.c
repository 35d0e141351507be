/* Totals and shares, exact to the last minor unit; the sample cohort among them. */
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

__extension__ typedef __int128 wide_int;

static void test_attribution_split_sums_to_the_amount(void **state)
{
	struct rng rng;

	(void)state;
	rng_init(&rng, 51);
	for (int round = 0; round < 50000; round++) {
		struct rounds_credit credits[ROUNDS_MAX_CREDITS];
		int64_t parts[ROUNDS_MAX_CREDITS], sum = 0;
		size_t count = 1 + rng_below(&rng, ROUNDS_MAX_CREDITS);
		uint64_t weights = 0;
		int64_t amount = (int64_t)(rng_next(&rng) >> 1 >> rng_below(&rng, 63));
		for (size_t i = 0; i < count; i++) {
			credits[i].weight = (uint32_t)(rng_next(&rng) >> 32 >> rng_below(&rng, 32));
			weights += credits[i].weight;
		}
		enum lyc_status status = attribution_split(amount, credits, count, parts);
		assert_int_equal(status, weights ? LYC_OK : LYC_INVALID_ARGUMENT);
		for (size_t i = 0; i < count && weights; i++) {
			/* Within one of the true share; both sides are times the weights. */
			wide_int above = (wide_int)parts[i] * (wide_int)weights -
					 (wide_int)amount * credits[i].weight;
			assert_true(above < (wide_int)weights && above > -(wide_int)weights);
			sum += parts[i];
		}
		assert_int_equal(sum, weights ? amount : 0);
	}
}

static void test_attribution_split_gives_the_rest_to_the_largest_remainders(void **state)
{
	static const struct rounds_credit equal[] = {{"a", 1}, {"b", 1}, {"c", 1}};
	static const struct rounds_credit skewed[] = {{"a", 1}, {"b", 5}, {"c", 1}};
	int64_t parts[3];

	(void)state;
	assert_int_equal(attribution_split(100, equal, 3, parts), LYC_OK);
	assert_int_equal(parts[0], 34);
	assert_int_equal(parts[1], 33);
	assert_int_equal(parts[2], 33);
	/* 1.43, 7.14, 1.43: the rest of 1 goes to the first of the largest remainders. */
	assert_int_equal(attribution_split(10, skewed, 3, parts), LYC_OK);
	assert_int_equal(parts[0], 2);
	assert_int_equal(parts[1], 7);
	assert_int_equal(parts[2], 1);
	assert_int_equal(attribution_split(INT64_MAX, equal, 1, parts), LYC_OK);
	assert_int_equal(parts[0], INT64_MAX);
	assert_int_equal(attribution_split(-1, equal, 3, parts), LYC_INVALID_ARGUMENT);
	assert_int_equal(attribution_split(1, equal, 0, parts), LYC_INVALID_ARGUMENT);
}

static const struct rounds_credit hops[] = {{"medcity", 2}, {"hub", 1}, {"wales", 2}};

static struct rounds *some_rounds(void)
{
	static const struct rounds_round of[] = {
		{.id = "r-1", .revision = 1, .venture = "v-1", .closed_ms = 1000},
		{.id = "r-2", .revision = 1, .venture = "v-1", .closed_ms = 2000},
		{.id = "r-3", .revision = 1, .venture = "v-2", .closed_ms = 3000},
		{.id = "r-4", .revision = 1, .venture = "v-2"},
		{.id = "r-5", .revision = 1, .venture = "v-3", .closed_ms = 2000},
	};
	static const struct {
		const char *id, *round, *currency, *via;
		int64_t amount;
		size_t credit_count;
		bool is_withdrawn;
	} rows[] = {
		{"c-1", "r-1", "GBP", "wales", 101, 0},
		{"c-2", "r-1", "GBP", "medcity", 202, 0},
		{"c-3", "r-2", "GBP", "medcity", 333, 3},
		{"c-4", "r-3", "GBP", "", 404, 0},
		{"c-5", "r-4", "GBP", "medcity", 505, 0},
		{"c-6", "r-5", "EUR", "medcity", 606, 0},
		{"c-7", "r-9", "GBP", "medcity", 707, 0},
		{"c-8", "r-2", "GBP", "wales", 808, 0, true},
	};
	struct rounds *rounds = rounds_new();

	for (size_t i = 0; i < sizeof(of) / sizeof(of[0]); i++)
		assert_int_equal(rounds_put_round(rounds, &of[i]), LYC_OK);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct rounds_commitment commitment = {.id = rows[i].id,
						       .revision = 1,
						       .round = rows[i].round,
						       .investor = "i-1",
						       .amount = rows[i].amount,
						       .currency = rows[i].currency,
						       .via_node = rows[i].via,
						       .is_withdrawn = rows[i].is_withdrawn,
						       .credits = hops,
						       .credit_count = rows[i].credit_count};
		assert_int_equal(rounds_put_commitment(rounds, &commitment), LYC_OK);
	}
	return rounds;
}

static void assert_report(const struct attribution_filter *filter,
			  const struct attribution_report *expected)
{
	struct rounds *rounds = some_rounds();
	struct attribution_report report;

	assert_int_equal(attribution_report(rounds, filter, &report), LYC_OK);
	assert_memory_equal(&report, expected, sizeof(report));
	rounds_free(rounds);
}

static void test_attribution_tells_own_from_others_as_filtered(void **state)
{
	struct attribution_filter filter = {.currency = "GBP", .node = "medcity"};

	(void)state;
	assert_report(&filter, &(struct attribution_report){.raised = 1040,
							    .own = 535,
							    .others = 505,
							    .pledged = 505,
							    .venture_count = 2,
							    .round_count = 3,
							    .commitment_count = 4,
							    .waiting_count = 1});
	filter.from_ms = 2000;
	filter.until_ms = 3000;
	assert_report(&filter, &(struct attribution_report){.raised = 333,
							    .own = 333,
							    .pledged = 505,
							    .venture_count = 1,
							    .round_count = 1,
							    .commitment_count = 1,
							    .waiting_count = 1});
	filter = (struct attribution_filter){.currency = "GBP", .node = "wales", .venture = "v-1"};
	assert_report(&filter, &(struct attribution_report){.raised = 636,
							    .own = 101,
							    .others = 535,
							    .venture_count = 1,
							    .round_count = 2,
							    .commitment_count = 3,
							    .waiting_count = 1});
	/* What came through nobody's network is not its own when nobody asks. */
	filter = (struct attribution_filter){.currency = "GBP", .node = "", .venture = "v-2"};
	assert_report(&filter, &(struct attribution_report){.raised = 404,
							    .others = 404,
							    .pledged = 505,
							    .venture_count = 1,
							    .round_count = 1,
							    .commitment_count = 1,
							    .waiting_count = 1});
}

static void test_attribution_shares_sum_to_what_was_raised(void **state)
{
	/* Of 333 by 2:1:2, 133.2, 66.6 and 133.2, the rest goes to the hub. */
	static const struct attribution_share expected[] = {
		{"", 404}, {"hub", 67}, {"medcity", 202 + 133}, {"wales", 101 + 133}};
	struct rounds *rounds = some_rounds();
	struct attribution_filter filter = {.currency = "GBP"};
	struct attribution_share *shares = NULL;
	size_t count = 0;
	int64_t sum = 0;

	(void)state;
	assert_int_equal(attribution_shares(rounds, &filter, &shares, &count), LYC_OK);
	assert_int_equal(count, 4);
	for (size_t i = 0; i < count; i++) {
		assert_string_equal(shares[i].node, expected[i].node);
		assert_int_equal(shares[i].amount, expected[i].amount);
		sum += shares[i].amount;
	}
	assert_int_equal(sum, 1040);
	free(shares);
	rounds_free(rounds);
}

/* The cohort's lists: no cell has quotation marks or commas. */
#define COHORT_MAX 512

struct cohort {
	char lines[2][COHORT_MAX][160];
	struct rounds_round rounds[COHORT_MAX];
	struct rounds_commitment commitments[COHORT_MAX];
	size_t round_count;
	size_t commitment_count;
};

/* The lines below the header. */
static size_t read_lines(const char *name, char (*lines)[160])
{
	char path[1000];
	size_t count = 0;

	snprintf(path, sizeof(path), "%s/sample/investment/cohort/%s", SOURCE_ROOT, name);
	FILE *file = fopen(path, "r");
	assert_non_null(file);
	assert_non_null(fgets(lines[0], sizeof(lines[0]), file));
	while (fgets(lines[count], sizeof(lines[0]), file)) {
		assert_null(strchr(lines[count], '"'));
		lines[count][strcspn(lines[count], "\n")] = '\0';
		assert_true(++count < COHORT_MAX);
	}
	fclose(file);
	return count;
}

static void cut(char *line, const char **cells, size_t count)
{
	for (size_t i = 0; i < count; i++)
		cells[i] = strsep(&line, ",");
	assert_null(line);
}

/* Two places behind the point. */
static int64_t pence(const char *text)
{
	char *rest = NULL;
	int64_t pounds = strtoll(text, &rest, 10);

	assert_int_equal(*rest, '.');
	assert_int_equal(strlen(rest), 3);
	return pounds * 100 + strtoll(rest + 1, NULL, 10);
}

static void read_cohort(struct cohort *cohort)
{
	const char *cells[7];

	cohort->round_count = read_lines("rounds.csv", cohort->lines[0]);
	for (size_t i = 0; i < cohort->round_count; i++) {
		cut(cohort->lines[0][i], cells, 7);
		/* That it is closed is all that counts here. */
		cohort->rounds[i] = (struct rounds_round){
			.id = cells[0], .revision = 1, .venture = cells[1], .closed_ms = 1};
	}
	cohort->commitment_count = read_lines("commitments.csv", cohort->lines[1]);
	for (size_t i = 0; i < cohort->commitment_count; i++) {
		cut(cohort->lines[1][i], cells, 7);
		cohort->commitments[i] = (struct rounds_commitment){.id = cells[0],
								    .revision = 1,
								    .round = cells[1],
								    .investor = cells[2],
								    .amount = pence(cells[3]),
								    .currency = cells[4],
								    .via_node = cells[5]};
	}
}

/* Every record twice, all of them in a random order. */
static struct rounds *play_cohort(const struct cohort *cohort, struct rng *rng)
{
	size_t order[4 * COHORT_MAX];
	size_t single = cohort->round_count + cohort->commitment_count;
	struct rounds *rounds = rounds_new();

	for (size_t i = 0; i < 2 * single; i++)
		order[i] = i % single;
	for (size_t i = 2 * single; i > 1; i--) {
		size_t other = rng_below(rng, i), kept = order[other];
		order[other] = order[i - 1];
		order[i - 1] = kept;
	}
	for (size_t i = 0; i < 2 * single; i++) {
		size_t at = order[i];
		enum lyc_status status =
			at < cohort->round_count
				? rounds_put_round(rounds, &cohort->rounds[at])
				: rounds_put_commitment(
					  rounds, &cohort->commitments[at - cohort->round_count]);
		assert_int_equal(status, LYC_OK);
	}
	return rounds;
}

static void test_attribution_of_the_cohort_is_exact_under_double_delivery(void **state)
{
	static struct cohort cohort;
	struct attribution_filter filter = {.currency = "GBP", .node = "medcity"};
	struct attribution_report report;
	struct rng rng;

	(void)state;
	read_cohort(&cohort);
	rng_init(&rng, 52);
	for (int round = 0; round < 50; round++) {
		struct rounds *rounds = play_cohort(&cohort, &rng);
		assert_int_equal(attribution_report(rounds, &filter, &report), LYC_OK);
		assert_int_equal(report.raised, 3000000000);
		assert_int_equal(report.own, 650000000);
		assert_int_equal(report.others, 2350000000);
		assert_int_equal(report.venture_count, 80);
		assert_int_equal(report.round_count, cohort.round_count);
		assert_int_equal(report.commitment_count, cohort.commitment_count);
		assert_int_equal(report.pledged, 0);
		rounds_free(rounds);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attribution_split_sums_to_the_amount),
		cmocka_unit_test(test_attribution_split_gives_the_rest_to_the_largest_remainders),
		cmocka_unit_test(test_attribution_tells_own_from_others_as_filtered),
		cmocka_unit_test(test_attribution_shares_sum_to_what_was_raised),
		cmocka_unit_test(test_attribution_of_the_cohort_is_exact_under_double_delivery),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

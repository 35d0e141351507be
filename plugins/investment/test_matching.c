/*
 * The matcher against definitions: every outcome of small batches is tried, a textbook loop solves
 * large ones, and what the rules refuse is never matched.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <jansson.h>

#include "rules.h"
#include "test_batch.h"

static struct batch batch;

static void solve(void)
{
	assert_int_equal(matching_solve(&batch.problem, batch.is_matched), LYC_OK);
}

/* Would every venture, shown both outcomes together, choose what it has in `mine`? */
static bool suits_ventures_better(const bool *mine, const bool *theirs)
{
	for (size_t i = 0; i < batch.problem.edge_count; i++) {
		uint32_t venture = batch.edges[i].venture, better = 0;
		if (!theirs[i] || mine[i])
			continue;
		for (size_t j = 0; j < batch.problem.edge_count; j++)
			better += batch.edges[j].venture == venture && mine[j] &&
				  batch_prefers(&batch, true, j, i);
		if (better < batch.parties[0][venture].capacity)
			return false;
	}
	return true;
}

/* Try every set of edges; how many are stable. */
static size_t compare_with_every_outcome(void)
{
	size_t edge_count = batch.problem.edge_count, stable_count = 0;

	assert_true(batch_is_stable(&batch, batch.is_matched));
	for (uint32_t set = 0; set < (1u << edge_count); set++) {
		bool other[16];
		for (size_t i = 0; i < edge_count; i++)
			other[i] = set >> i & 1;
		if (!batch_is_stable(&batch, other))
			continue;
		stable_count++;
		assert_true(suits_ventures_better(batch.is_matched, other));
	}
	return stable_count;
}

/* Two sides that want the opposite, all with some room: then several outcomes are stable. */
static void oppose(void)
{
	for (int side = 0; side < 2; side++) {
		for (size_t i = 0; i < 5; i++)
			batch.parties[side][i].capacity += batch.parties[side][i].capacity == 0;
	}
	for (size_t i = 0; i < batch.problem.edge_count; i++)
		batch.edges[i].investor_points = -batch.edges[i].venture_points;
}

static void test_matching_is_the_best_stable_one_for_ventures(void **state)
{
	struct rng rng;
	size_t several = 0, edges_seen = 0;

	(void)state;
	rng_init(&rng, 3);
	for (int round = 0; round < 12000; round++) {
		struct batch_shape shape = {
			.venture_count = 1 + (uint32_t)rng_below(&rng, 4),
			.investor_count = 1 + (uint32_t)rng_below(&rng, 4),
			.edge_percent = 40 + (uint32_t)rng_below(&rng, 61),
			.max_capacity = 1 + (uint32_t)rng_below(&rng, 3),
			.max_points = round % 3 == 0 ? 2 : 100,
		};
		batch_random(&batch, &rng, &shape);
		if (batch.problem.edge_count > 9)
			continue;
		if (round % 2)
			oppose();
		solve();
		several += compare_with_every_outcome() > 1;
		edges_seen += batch.problem.edge_count;
	}
	/* Otherwise "best" would not have been tried. */
	assert_true(several > 100);
	assert_true(edges_seen > 30000);
}

static void test_matching_of_every_batch_of_two_by_two(void **state)
{
	(void)state;
	for (uint32_t code = 0; code < 1u << 16; code++) {
		batch_init(&batch, 2, 2, 0);
		for (uint32_t i = 0; i < 4; i++) {
			batch.parties[i / 2][i % 2].capacity = 1 + (code >> i & 1);
			if (code >> (4 + i) & 1)
				batch_add(&batch, i / 2, i % 2, code >> (8 + 2 * i) & 1,
					  code >> (9 + 2 * i) & 1);
		}
		solve();
		assert_true(compare_with_every_outcome() >= 1);
	}
}

/* Four residents propose to three hospitals with two places: the example of the `matching` library
 * for Python. */
static void test_matching_gives_the_answer_of_the_hospitals_example(void **state)
{
	/* Residents A D J L S, hospitals C G M; the first choice has most points. */
	static const char *const residents[] = {"C", "CMG", "CGM", "MCG", "CM"};
	static const char *const hospitals[] = {"DASLJ", "DJL", "DLSJ"};
	static const char *const expected[] = {"C", "C", "G", "M", "M"};
	const char *letters = "ADJLS", *places = "CGM";

	(void)state;
	batch_init(&batch, 5, 3, 2);
	for (uint32_t v = 0; v < 5; v++) {
		batch.parties[0][v].capacity = 1;
		for (uint32_t i = 0; i < 3; i++) {
			const char *likes = strchr(residents[v], places[i]);
			const char *liked = strchr(hospitals[i], letters[v]);
			if (likes && liked)
				batch_add(&batch, v, i, residents[v] - likes, hospitals[i] - liked);
		}
	}
	solve();
	for (size_t e = 0; e < batch.problem.edge_count; e++) {
		const struct matching_edge *edge = &batch.edges[e];
		bool is_answer = places[edge->investor] == expected[edge->venture][0];
		assert_int_equal(batch.is_matched[e], is_answer);
	}
}

static void test_matching_ties_go_to_the_least_served_then_by_token(void **state)
{
	(void)state;
	batch_init(&batch, 3, 1, 1);
	for (uint32_t v = 0; v < 3; v++)
		batch_add(&batch, v, 0, 5, 7);
	batch.parties[0][0].served = 2;
	batch.parties[0][1].served = 1;
	batch.parties[0][2].served = 1;
	solve();
	assert_false(batch.is_matched[0]);
	assert_true(batch.is_matched[1]);
	assert_false(batch.is_matched[2]);
	/* More points outweigh any service. */
	batch.edges[0].investor_points = 8;
	solve();
	assert_true(batch.is_matched[0]);

	batch_init(&batch, 1, 3, 2);
	for (uint32_t i = 0; i < 3; i++)
		batch_add(&batch, 0, i, 5, 7);
	batch.parties[1][0].served = 1;
	solve();
	assert_false(batch.is_matched[0]);
	assert_true(batch.is_matched[1]);
	assert_true(batch.is_matched[2]);
}

static void test_matching_without_room_or_edges_is_empty(void **state)
{
	(void)state;
	batch_init(&batch, 0, 0, 0);
	solve();
	batch_init(&batch, 2, 2, 0);
	batch_add(&batch, 0, 1, 1, 1);
	batch.parties[1][1].capacity = UINT32_MAX;
	solve();
	assert_false(batch.is_matched[0]);
	batch.parties[0][0].capacity = UINT32_MAX;
	solve();
	assert_true(batch.is_matched[0]);
}

static void assert_refused(enum lyc_status expected)
{
	bool before[BATCH_MAX_EDGES];

	memset(batch.is_matched, 1, sizeof(batch.is_matched));
	memcpy(before, batch.is_matched, sizeof(before));
	assert_int_equal(matching_solve(&batch.problem, batch.is_matched), expected);
	assert_memory_equal(before, batch.is_matched, sizeof(before));
}

static void make_full(void)
{
	batch_init(&batch, 3, 3, 1);
	for (uint32_t v = 0; v < 3; v++) {
		for (uint32_t i = 0; i < 3; i++)
			batch_add(&batch, v, i, 1, 1);
	}
}

static void test_matching_refuses_what_is_out_of_order(void **state)
{
	(void)state;
	make_full();
	batch.edges[4].venture = 0;
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.edges[4].investor = batch.edges[3].investor;
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.edges[8].investor = 3;
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.edges[8].venture = 3;
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.parties[0][1].token = batch.parties[0][0].token;
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.parties[1][2].token = "a";
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.parties[1][2].token = NULL;
	assert_refused(LYC_INVALID_ARGUMENT);
	make_full();
	batch.problem.edge_count = (size_t)MATCHING_MAX + 1;
	assert_refused(LYC_RESOURCE_EXHAUSTED);
}

static uint32_t count_matches(bool is_venture, uint32_t party, const bool *is_matched)
{
	uint32_t count = 0;

	for (size_t i = 0; i < batch.problem.edge_count; i++) {
		uint32_t owner = is_venture ? batch.edges[i].venture : batch.edges[i].investor;
		count += is_matched[i] && owner == party;
	}
	return count;
}

/* The textbook: while a venture has room and somebody left to ask, it asks the one that it likes
 * best, who drops the worst when there are too many. */
static void solve_by_the_book(bool *is_matched)
{
	static bool is_asked[BATCH_MAX_EDGES];
	bool is_moving = true;

	memset(is_asked, 0, sizeof(is_asked));
	memset(is_matched, 0, batch.problem.edge_count * sizeof(*is_matched));
	while (is_moving) {
		is_moving = false;
		for (uint32_t v = 0; v < batch.problem.venture_count; v++) {
			size_t best = SIZE_MAX, worst = SIZE_MAX;
			if (count_matches(true, v, is_matched) >= batch.parties[0][v].capacity)
				continue;
			for (size_t i = 0; i < batch.problem.edge_count; i++) {
				if (batch.edges[i].venture == v && !is_asked[i] &&
				    (best == SIZE_MAX || batch_prefers(&batch, true, i, best)))
					best = i;
			}
			if (best == SIZE_MAX)
				continue;
			is_moving = true;
			is_asked[best] = true;
			is_matched[best] = true;
			uint32_t asked = batch.edges[best].investor;
			if (count_matches(false, asked, is_matched) <=
			    batch.parties[1][asked].capacity)
				continue;
			for (size_t i = 0; i < batch.problem.edge_count; i++) {
				if (batch.edges[i].investor == asked && is_matched[i] &&
				    (worst == SIZE_MAX || batch_prefers(&batch, false, worst, i)))
					worst = i;
			}
			is_matched[worst] = false;
		}
	}
}

static void test_matching_equals_the_textbook_on_larger_batches(void **state)
{
	static bool expected[BATCH_MAX_EDGES];
	struct rng rng;

	(void)state;
	rng_init(&rng, 8);
	for (int round = 0; round < 30; round++) {
		struct batch_shape shape = {
			.venture_count = 20 + (uint32_t)rng_below(&rng, 30),
			.investor_count = 10 + (uint32_t)rng_below(&rng, 30),
			.edge_percent = 10 + (uint32_t)rng_below(&rng, 60),
			.max_capacity = 1 + (uint32_t)rng_below(&rng, 6),
			.max_points = round % 2 ? 5 : 1000,
		};
		batch_random(&batch, &rng, &shape);
		solve();
		solve_by_the_book(expected);
		assert_memory_equal(batch.is_matched, expected, batch.problem.edge_count);
		assert_true(batch_is_stable(&batch, batch.is_matched));
	}
}

/* A case of the property: some ventures and investors, each with perhaps one party behind it, and
 * conflicts among all these ids. */
#define CASE_MAX 4
#define CASE_IDS (4 * CASE_MAX)

struct conflict_case {
	char ids[CASE_IDS][8];
	char *parties[2 * CASE_MAX];
	struct rules_venture ventures[CASE_MAX];
	struct rules_investor investors[CASE_MAX];
	struct conflict conflicts[8];
	struct conflict ordered[8];
	size_t venture_count;
	size_t investor_count;
	size_t conflict_count;
};

static void make_case(struct conflict_case *made, struct rng *rng)
{
	memset(made, 0, sizeof(*made));
	for (size_t i = 0; i < CASE_IDS; i++)
		snprintf(made->ids[i], sizeof(made->ids[i]), "p%zu", i);
	made->venture_count = 1 + rng_below(rng, CASE_MAX);
	made->investor_count = 1 + rng_below(rng, CASE_MAX);
	for (size_t i = 0; i < CASE_MAX; i++) {
		/* The last of the ids stand behind somebody, some behind both sides. */
		made->parties[i] = made->ids[2 * CASE_MAX + rng_below(rng, 2 * CASE_MAX)];
		made->parties[CASE_MAX + i] =
			made->ids[2 * CASE_MAX + rng_below(rng, 2 * CASE_MAX)];
		made->ventures[i] = (struct rules_venture){
			.id = made->ids[i],
			.parties = {.words = &made->parties[i], .count = rng_below(rng, 2)}};
		made->investors[i] =
			(struct rules_investor){.id = made->ids[CASE_MAX + i],
						.certification.is_exempt = true,
						.parties = {.words = &made->parties[CASE_MAX + i],
							    .count = rng_below(rng, 2)}};
	}
	made->conflict_count = rng_below(rng, 9);
	for (size_t i = 0; i < made->conflict_count; i++)
		made->conflicts[i] = (struct conflict){
			.a = made->ids[rng_below(rng, CASE_IDS)],
			.b = made->ids[rng_below(rng, CASE_IDS)],
			.until_ms = (int64_t)rng_below(rng, 3) * 500,
		};
	memcpy(made->ordered, made->conflicts, sizeof(made->conflicts));
	rules_order_conflicts(made->ordered, made->conflict_count);
}

static bool stands_behind(const char *id, const char *own, const struct rules_words *parties)
{
	return strcmp(id, own) == 0 || (parties->count && strcmp(id, parties->words[0]) == 0);
}

/* The definition: an id behind both, or a conflict that still holds between ids of the two. */
static bool is_in_conflict(const struct conflict_case *made, size_t v, size_t i, int64_t at_ms)
{
	const struct rules_venture *venture = &made->ventures[v];
	const struct rules_investor *investor = &made->investors[i];

	for (size_t id = 0; id < CASE_IDS; id++) {
		if (stands_behind(made->ids[id], venture->id, &venture->parties) &&
		    stands_behind(made->ids[id], investor->id, &investor->parties))
			return true;
	}
	for (size_t c = 0; c < made->conflict_count; c++) {
		const struct conflict *conflict = &made->conflicts[c];
		bool is_there = stands_behind(conflict->a, venture->id, &venture->parties) &&
				stands_behind(conflict->b, investor->id, &investor->parties);
		bool is_back = stands_behind(conflict->b, venture->id, &venture->parties) &&
			       stands_behind(conflict->a, investor->id, &investor->parties);
		if ((is_there || is_back) &&
		    (conflict->until_ms == 0 || conflict->until_ms > at_ms))
			return true;
	}
	return false;
}

/* A hundred thousand batches, from the rules through the matcher. The other way round, too: who is
 * free of conflicts and finds room is not refused. */
static void test_matching_never_joins_a_conflict(void **state)
{
	struct conflict_case made;
	struct refusal refusals[RULE_COUNT];
	struct rng rng;
	size_t conflict_count = 0, match_count = 0;

	(void)state;
	rng_init(&rng, 10);
	for (int round = 0; round < 100000; round++) {
		make_case(&made, &rng);
		struct rules rules = {.at_ms = 600,
				      .conflicts = made.ordered,
				      .conflict_count = made.conflict_count};
		batch_init(&batch, (uint32_t)made.venture_count, (uint32_t)made.investor_count, 2);
		for (uint32_t v = 0; v < made.venture_count; v++) {
			for (uint32_t i = 0; i < made.investor_count; i++) {
				if (rules_check(&rules, &made.ventures[v], &made.investors[i],
						refusals) == 0)
					batch_add(&batch, v, i, (int64_t)rng_below(&rng, 5),
						  (int64_t)rng_below(&rng, 5));
				bool is_edge = !batch.refused[v * made.investor_count + i];
				bool is_conflict = is_in_conflict(&made, v, i, 600);
				assert_int_equal(is_edge, !is_conflict);
				conflict_count += is_conflict;
			}
		}
		solve();
		for (size_t e = 0; e < batch.problem.edge_count; e++) {
			match_count += batch.is_matched[e];
			assert_false(batch.is_matched[e] &&
				     is_in_conflict(&made, batch.edges[e].venture,
						    batch.edges[e].investor, 600));
		}
	}
	assert_true(conflict_count > 40000);
	assert_true(match_count > 300000);
}

static int64_t place_in(const json_t *list, int number)
{
	size_t at;
	const json_t *entry;

	json_array_foreach((json_t *)(uintptr_t)list, at, entry)
	{
		if (json_integer_value(entry) == number)
			return (int64_t)at;
	}
	return -1;
}

/* A hundred residents, fifty hospitals, lists that do not agree: those who do not name each other
 * have no edge. */
static void test_matching_of_the_given_instance_is_stable(void **state)
{
	char path[1000];
	const char *folder = getenv("LYCEUM_DATA");
	size_t match_count = 0;

	(void)state;
	snprintf(path, sizeof(path), "%s/matching_small/issue_159.json",
		 folder ? folder : SOURCE_ROOT "/../shared/data");
	if (access(path, R_OK) != 0) {
		fprintf(stderr, "skipped: %s is not there; set LYCEUM_DATA\n", path);
		skip();
	}
	json_t *instance = json_load_file(path, 0, NULL);
	assert_non_null(instance);
	batch_init(&batch, 100, 50, 1);
	for (int v = 0; v < 100; v++) {
		for (int i = 0; i < 50; i++) {
			char resident[16], hospital[16];
			snprintf(resident, sizeof(resident), "%d", v);
			snprintf(hospital, sizeof(hospital), "%d", i);
			int64_t likes = place_in(
				json_object_get(json_object_get(instance, "residents"), resident),
				i);
			int64_t liked = place_in(
				json_object_get(json_object_get(instance, "hospitals"), hospital),
				v);
			if (likes >= 0 && liked >= 0)
				batch_add(&batch, (uint32_t)v, (uint32_t)i, -likes, -liked);
		}
	}
	json_decref(instance);
	solve();
	assert_true(batch_is_stable(&batch, batch.is_matched));
	for (size_t e = 0; e < batch.problem.edge_count; e++)
		match_count += batch.is_matched[e];
	assert_true(match_count > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_matching_is_the_best_stable_one_for_ventures),
		cmocka_unit_test(test_matching_of_every_batch_of_two_by_two),
		cmocka_unit_test(test_matching_gives_the_answer_of_the_hospitals_example),
		cmocka_unit_test(test_matching_ties_go_to_the_least_served_then_by_token),
		cmocka_unit_test(test_matching_without_room_or_edges_is_empty),
		cmocka_unit_test(test_matching_refuses_what_is_out_of_order),
		cmocka_unit_test(test_matching_equals_the_textbook_on_larger_batches),
		cmocka_unit_test(test_matching_never_joins_a_conflict),
		cmocka_unit_test(test_matching_of_the_given_instance_is_stable),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

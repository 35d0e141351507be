/* Interests on their way through eight nodes: each has it once, the path is true, the credit sums
 * to one, and what was taken back is gone everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "batch.h"
#include "blind.h"
#include "interest.h"
#include "introduction.h"
#include "test_desks.h"

/* A ring with chords: everybody has two or three neighbours, and there are many ways round. */
static const char *const names[] = {"london", "nhsa", "leeds",   "wales",
				    "notts",  "ulst", "glasgow", "oxford"};
enum { LONDON, NHSA, LEEDS, WALES, NOTTS };
static char *const neighbours[][4] = {
	{"nhsa", "oxford"},           {"london", "leeds", "wales"}, {"nhsa", "notts"},
	{"nhsa", "notts", "glasgow"}, {"leeds", "wales", "ulst"},   {"notts", "glasgow"},
	{"ulst", "wales", "oxford"},  {"glasgow", "london"},
};

static void set_up(struct desks *desks)
{
	desks_init(desks, names, 8);
	for (size_t i = 0; i < 8; i++) {
		desks->nodes[i].desk.neighbours = neighbours[i];
		while (desks->nodes[i].desk.neighbour_count < 4 &&
		       neighbours[i][desks->nodes[i].desk.neighbour_count])
			desks->nodes[i].desk.neighbour_count++;
	}
	desks_add_investor(desks, LONDON, "Angel One");
	desks_add_venture(desks, WALES, "Welsh Venture");
	desks_add_venture(desks, NOTTS, "Nottingham Venture");
	desks_settle(desks);
}

/* As the Interests service records it. */
static void declare(struct desks *desks, uint32_t steps)
{
	struct desk *desk = &desks->nodes[LONDON].desk;
	struct pad pad = {0};
	struct party party;
	interest_msg *interest = PAD_NEW(&pad, interest);

	assert_true(desk_party(desk, SIDE_INVESTOR, "angel-one", &party));
	interest->home = interest->investor_home = "london";
	interest->id = "interest";
	interest->investor = party.token;
	interest->wanted = blind_investor(&pad, party.investor);
	pad_push(&pad, &interest->path, &interest->n_path, interest->home);
	interest->steps_left = steps;
	interest->label = desk_label_for(desk, &pad, (const char *const *)desk->neighbours,
					 desk->neighbour_count);
	assert_true(desks_append(desks, LONDON, &interest->base, false, true, 0));
	pad_fini(&pad);
	desks_settle(desks);
}

static size_t place_of(const char *name)
{
	size_t i = 0;

	while (strcmp(names[i], name) != 0)
		i++;
	return i;
}

/* Each step of a path leads to a neighbour, and none leads back. */
static void check_path(char *const *path, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		for (size_t j = 0; j < i; j++)
			assert_string_not_equal(path[i], path[j]);
	}
	for (size_t i = 0; i + 1 < count; i++) {
		char *const *next = neighbours[place_of(path[i])];
		size_t at = 0;
		while (next[at] && strcmp(next[at], path[i + 1]) != 0)
			at++;
		assert_true(at < 4 && next[at]);
	}
}

static void test_interest_reaches_everybody_once_without_a_loop(void **state)
{
	struct desks desks;

	(void)state;
	set_up(&desks);
	desks.doubles = true;
	declare(&desks, 6);
	for (size_t i = 0; i < 8; i++) {
		const interest_msg *known = interest_known(&desks.nodes[i].desk, "interest");
		assert_non_null(known);
		check_path(known->path, known->n_path);
		assert_true(desks_logged(&desks, i, "Interest") <= 1);
	}
	desks_fini(&desks);
}

static void test_interest_ends_when_its_steps_are_used_up(void **state)
{
	struct desks desks;

	(void)state;
	set_up(&desks);
	declare(&desks, 1);
	/* london, its neighbours, and theirs. */
	assert_non_null(interest_known(&desks.nodes[WALES].desk, "interest"));
	assert_null(interest_known(&desks.nodes[NOTTS].desk, "interest"));
	desks_fini(&desks);
}

static void test_interest_finds_ventures_of_other_regions_and_credits_the_way(void **state)
{
	struct desks desks;
	uint32_t whole = 0;

	(void)state;
	set_up(&desks);
	declare(&desks, 6);
	assert_int_equal(desks_logged(&desks, WALES, "InterestFit"), 1);
	assert_int_equal(desks_logged(&desks, NOTTS, "InterestFit"), 1);
	/* The investor's node knows both, and proposes them with their way. */
	assert_int_equal(desks_propose(&desks, LONDON, 3600), 2);
	desks_settle(&desks);
	const proposal_msg *proposal = desks_proposal(&desks, WALES);
	assert_non_null(proposal);
	assert_int_equal(proposal->n_credit, 3);
	assert_string_equal(proposal->credit[0]->node, "london");
	assert_string_equal(proposal->credit[1]->node, "nhsa");
	assert_string_equal(proposal->credit[2]->node, "wales");
	for (size_t i = 0; i < proposal->n_credit; i++)
		whole += proposal->credit[i]->share_millionths;
	assert_int_equal(whole, INTEREST_WHOLE);
	assert_int_equal(proposal->credit[0]->share_millionths, 333334);
	assert_false(desks_travelled(&desks, "Angel One"));
	assert_false(desks_travelled(&desks, "Welsh Venture"));
	desks_fini(&desks);
}

/* Sixteen nodes, the most that a record may name: this node's own name would be one more. */
static void test_interest_of_a_full_path_is_answered_by_no_fit(void **state)
{
	for (size_t count = 15; count <= 17; count++) {
		struct desks desks;
		struct pad pad = {0};
		struct party party;
		interest_msg *interest = PAD_NEW(&pad, interest);

		(void)state;
		set_up(&desks);
		struct desk *desk = &desks.nodes[LONDON].desk;
		assert_true(desk_party(desk, SIDE_INVESTOR, "angel-one", &party));
		interest->home = interest->investor_home = "london";
		interest->id = "interest";
		interest->investor = party.token;
		interest->wanted = blind_investor(&pad, party.investor);
		for (size_t i = 1; i < count; i++)
			pad_push(&pad, &interest->path, &interest->n_path,
				 pad_print(&pad, "far-%zu", i));
		pad_push(&pad, &interest->path, &interest->n_path, interest->home);
		interest->steps_left = 9;
		interest->label = desk_label_members(desk, &pad);
		assert_true(desks_append(&desks, LONDON, &interest->base, false, true, 0));
		desks_settle(&desks);
		assert_int_equal(desks_logged(&desks, WALES, "InterestFit"), count == 15);
		assert_int_equal(desks_logged(&desks, NHSA, "Interest"), 0);
		pad_fini(&pad);
		desks_fini(&desks);
	}
}

static void test_interest_is_gone_everywhere_when_the_investor_leaves(void **state)
{
	struct desks desks;

	(void)state;
	set_up(&desks);
	declare(&desks, 6);
	desks_restart(&desks, NHSA);
	desks_settle(&desks);
	desks_remove(&desks, LONDON, "angel-one");
	desks_settle(&desks);
	for (size_t i = 0; i < 8; i++) {
		const struct view *view = &desks.nodes[i].desk.view;
		assert_null(view_next(view, KIND_INTEREST, NULL));
		assert_null(view_next(view, KIND_INTEREST_FIT, NULL));
	}
	desks_fini(&desks);
}

static void test_interest_shares_sum_to_one_exactly(void **state)
{
	(void)state;
	for (size_t count = 1; count <= 16; count++) {
		uint32_t shares[16], whole = 0;
		interest_shares(count, shares);
		for (size_t i = 0; i < count; i++) {
			whole += shares[i];
			assert_true(shares[0] - shares[i] <= 1);
		}
		assert_int_equal(whole, INTEREST_WHOLE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interest_reaches_everybody_once_without_a_loop),
		cmocka_unit_test(test_interest_ends_when_its_steps_are_used_up),
		cmocka_unit_test(test_interest_finds_ventures_of_other_regions_and_credits_the_way),
		cmocka_unit_test(test_interest_of_a_full_path_is_answered_by_no_fit),
		cmocka_unit_test(test_interest_is_gone_everywhere_when_the_investor_leaves),
		cmocka_unit_test(test_interest_shares_sum_to_one_exactly),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Who of a group has which subject, what is handed on, and how far all of it is handled. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/group_members.h"

#define MEMBERS 4
#define SUBJECTS 1000

struct bench {
	struct group group;
	struct subscription subscriptions[MEMBERS];
	struct group_member *members[MEMBERS];
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.group.next_seq = 100};
	list_init(&bench->group.members);
	for (int i = 0; i < MEMBERS; i++) {
		bench->subscriptions[i].id = 5;
		bench->members[i] =
			group_members_add(&bench->group, &bench->subscriptions[i], (uint64_t)i + 1);
	}
}

static void bench_fini(struct bench *bench)
{
	for (int i = 0; i < MEMBERS; i++) {
		if (bench->members[i])
			group_members_remove(bench->members[i]);
	}
	assert_int_equal(bench->group.member_count, 0);
}

static void leave(struct bench *bench, int i)
{
	group_members_remove(bench->members[i]);
	bench->members[i] = NULL;
}

static void test_group_members_move_only_the_subjects_of_who_leaves(void **state)
{
	(void)state;
	struct bench bench;
	const struct group_member *before[SUBJECTS];
	int counts[MEMBERS] = {0};
	bench_init(&bench);
	for (uint32_t hash = 0; hash < SUBJECTS; hash++) {
		before[hash] = group_members_choose(&bench.group, hash);
		for (int i = 0; i < MEMBERS; i++)
			counts[i] += before[hash] == bench.members[i];
	}
	for (int i = 0; i < MEMBERS; i++)
		assert_in_range(counts[i], SUBJECTS / MEMBERS / 2, SUBJECTS / MEMBERS * 2);
	const struct group_member *gone = bench.members[2];
	leave(&bench, 2);
	for (uint32_t hash = 0; hash < SUBJECTS; hash++) {
		const struct group_member *now = group_members_choose(&bench.group, hash);
		assert_ptr_not_equal(now, gone);
		if (before[hash] != gone)
			assert_ptr_equal(now, before[hash]);
	}
	bench_fini(&bench);
	assert_null(group_members_choose(&bench.group, 1));
}

static void test_group_members_hand_on_what_was_not_handled(void **state)
{
	(void)state;
	struct bench bench;
	bench_init(&bench);
	assert_int_equal(group_members_handled_seq(&bench.group), 99);
	places_add(&bench.members[0]->sent, 0, (struct place){.seq = 40, .hash = 1, .len = 10});
	places_add(&bench.members[0]->waiting, 0, (struct place){.seq = 50, .hash = 1});
	places_add(&bench.members[1]->waiting, 0, (struct place){.seq = 60, .hash = 2});
	assert_int_equal(group_members_handled_seq(&bench.group), 39);
	/* What was sent is nobody's to wait for; only credit makes a waiting one due. */
	assert_true(group_members_first_waiting(&bench.group) == UINT64_MAX);
	bench.subscriptions[1].credit = 1;
	assert_int_equal(group_members_first_waiting(&bench.group), 60);
	leave(&bench, 0);
	assert_int_equal(group_members_handled_seq(&bench.group), 39);
	const struct places *waiting = &group_members_choose(&bench.group, 1)->waiting;
	assert_in_range(waiting->count, 2, 3);
	assert_int_equal(waiting->items[0].seq, 40);
	assert_int_equal(waiting->items[0].len, 0);
	assert_int_equal(waiting->items[1].seq, 50);
	bench_fini(&bench);
}

static void test_group_members_are_full_when_much_waits_for_one(void **state)
{
	(void)state;
	struct bench bench;
	uint64_t seq = 1;
	bench_init(&bench);
	for (; seq <= 4096; seq++) {
		assert_false(group_members_are_full(&bench.group));
		places_add(&bench.members[3]->waiting, bench.members[3]->waiting.count,
			   (struct place){.seq = seq, .hash = (uint32_t)seq});
	}
	assert_true(group_members_are_full(&bench.group));
	/* Shared out among three it is not much. */
	leave(&bench, 3);
	assert_false(group_members_are_full(&bench.group));
	bench_fini(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_group_members_move_only_the_subjects_of_who_leaves),
		cmocka_unit_test(test_group_members_hand_on_what_was_not_handled),
		cmocka_unit_test(test_group_members_are_full_when_much_waits_for_one),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Outstanding calls: numbers that are not used twice, credit that comes back, deadlines that come
 * once and in time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "route/call.h"

static void session_init(struct session *session)
{
	*session = (struct session){0};
	list_init(&session->calls_made);
	list_init(&session->calls_given);
}

static void test_call_number_of_an_ended_call_finds_nothing(void **state)
{
	(void)state;
	struct call_table table;
	struct session caller;
	session_init(&caller);
	call_table_init(&table, 0, 7);
	uint64_t former = 0;
	for (int i = 0; i < 100; i++) {
		struct call *call = call_add(&table, &caller, 1, 10, 1000);
		uint64_t id = call_id(call);
		assert_int_not_equal(id, former);
		assert_ptr_equal(call_find(&table, id), call);
		assert_null(call_find(&table, former));
		call_end(&table, call);
		assert_null(call_find(&table, id));
		former = id;
	}
	assert_null(call_find(&table, 0));
	assert_null(call_find(&table, UINT64_MAX));
	call_table_fini(&table);
}

static void test_call_slab_grows_and_never_moves(void **state)
{
	(void)state;
	struct call_table table;
	struct session caller;
	session_init(&caller);
	call_table_init(&table, 0, 7);
	static struct call *calls[5000];
	for (uint64_t i = 0; i < 5000; i++)
		calls[i] = call_add(&table, &caller, i, 1, 100 + i);
	assert_int_equal(table.count, 5000);
	for (uint64_t i = 0; i < 5000; i++) {
		assert_int_equal(calls[i]->caller_id, i);
		assert_ptr_equal(call_find(&table, call_id(calls[i])), calls[i]);
	}
	for (uint64_t i = 0; i < 5000; i++)
		assert_ptr_equal(call_find_made(&table, &caller, i), calls[i]);
	for (uint64_t i = 0; i < 5000; i += 2)
		call_end(&table, calls[i]);
	uint32_t chunks = table.chunk_count;
	for (uint64_t i = 0; i < 5000; i += 2)
		calls[i] = call_add(&table, &caller, i, 1, 100);
	assert_int_equal(table.chunk_count, chunks);
	table.max_count = 5000;
	assert_null(call_add(&table, &caller, 1, 1, 100));
	call_table_fini(&table);
	assert_int_equal(caller.calls_made_len, 0);
}

static void test_call_groups_are_of_the_call_that_has_the_entry_now(void **state)
{
	(void)state;
	struct call_table table;
	struct session caller;
	char wide[300];
	session_init(&caller);
	call_table_init(&table, 0, 7);
	memset(wide, 'x', sizeof(wide));
	const struct span groups[] = {span_of("wales/policy", 12), span_of("wales/staff", 11),
				      span_of(wide, sizeof(wide))};
	for (size_t round = 0; round < 8; round++) {
		struct call *call = call_add(&table, &caller, round, 1, 100);
		size_t count = round % 4;
		assert_int_equal(call->group_count, 0);
		call_take_groups(call, groups, count);
		assert_int_equal(call->group_count, count);
		for (size_t i = 0; i < count; i++)
			assert_true(span_is(groups[i], call->groups[i]));
		call_end(&table, call);
	}
	call_table_fini(&table);
}

static void test_call_generation_zero_is_skipped(void **state)
{
	(void)state;
	struct call_table table;
	struct session caller;
	session_init(&caller);
	call_table_init(&table, 0, 7);
	struct call *call = call_add(&table, &caller, 1, 1, 100);
	uint32_t index = call->index;
	call->generation = UINT32_MAX;
	call_end(&table, call);
	call = call_add(&table, &caller, 1, 1, 100);
	assert_int_equal(call->index, index);
	assert_int_equal(call->generation, 1);
	assert_int_not_equal(call_id(call), index);
	call_table_fini(&table);
}

static void test_call_end_gives_credit_back_on_both_sides(void **state)
{
	(void)state;
	struct call_table table;
	struct session caller;
	struct session callee;
	session_init(&caller);
	session_init(&callee);
	call_table_init(&table, 0, 7);
	struct call *one = call_add(&table, &caller, 1, 100, 1000);
	struct call *two = call_add(&table, &caller, 2, 30, 1000);
	call_give(one, &callee);
	call_give(two, &callee);
	assert_int_equal(caller.calls_made_len, 130);
	assert_int_equal(caller.calls_made_count, 2);
	assert_int_equal(callee.calls_given_len, 130);
	call_end(&table, one);
	assert_int_equal(caller.calls_made_len, 30);
	assert_int_equal(callee.calls_given_len, 30);
	assert_ptr_equal(call_find_made(&table, &caller, 2), two);
	assert_null(call_find_made(&table, &caller, 1));
	call_end(&table, two);
	assert_int_equal(caller.calls_made_len + callee.calls_given_len, 0);
	assert_true(list_is_empty(&callee.calls_given));
	call_table_fini(&table);
}

struct expiry {
	struct call_table *table;
	uint64_t now_ms;
	size_t count;
};

static void on_expired(struct call *call, void *arg)
{
	struct expiry *expiry = arg;
	assert_true(call->deadline_ms <= expiry->now_ms);
	expiry->count++;
	call_end(expiry->table, call);
}

/* The wheel goes round in 16,384 ms: deadlines beyond one round, jumps beyond one round, and ticks
 * within one slot. */
static void test_call_deadlines_come_once_and_in_time(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct rng rng;
		rng_init(&rng, seed);
		struct call_table table;
		struct session caller;
		session_init(&caller);
		uint64_t now = rng_below(&rng, 100000);
		call_table_init(&table, now, 7);
		size_t added = 0;
		struct expiry expiry = {.table = &table};
		for (int round = 0; round < 2000; round++) {
			uint64_t timeout = 1 + rng_below(&rng, round % 5 ? 300 : 60000);
			assert_non_null(call_add(&table, &caller, 1, 1, now + timeout));
			added++;
			now += rng_below(&rng, round % 50 ? 40 : 40000);
			expiry.now_ms = now;
			call_tick(&table, now, on_expired, &expiry);
			assert_int_equal(table.count, added - expiry.count);
			list_each (node, &caller.calls_made) {
				struct call *call = list_entry(node, struct call, of_caller);
				if (call->deadline_ms <= now)
					fail_msg("seed %llu: a deadline was missed",
						 (unsigned long long)seed);
			}
		}
		call_table_fini(&table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_number_of_an_ended_call_finds_nothing),
		cmocka_unit_test(test_call_slab_grows_and_never_moves),
		cmocka_unit_test(test_call_groups_are_of_the_call_that_has_the_entry_now),
		cmocka_unit_test(test_call_generation_zero_is_skipped),
		cmocka_unit_test(test_call_end_gives_credit_back_on_both_sides),
		cmocka_unit_test(test_call_deadlines_come_once_and_in_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

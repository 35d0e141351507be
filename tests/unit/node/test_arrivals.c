/* A peer hears of what is stored, and of nothing else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "node/arrivals.h"

#define RECORD_LEN (300u * 1024)

static void test_arrivals_count_once_they_are_stored(void **state)
{
	struct arrivals arrivals = {0};
	(void)state;
	arrivals_add(&arrivals, 100, true);
	arrivals_add(&arrivals, 10, false);
	assert_int_equal(arrivals_take(&arrivals), 0);
	arrivals_answered(&arrivals);
	assert_int_equal(arrivals_take(&arrivals), 110);
	assert_int_equal(arrivals_take(&arrivals), 0);
	/* What is known already needs no storing. */
	arrivals_add(&arrivals, 7, false);
	assert_int_equal(arrivals_take(&arrivals), 7);
}

static void test_arrivals_are_told_step_by_step_while_more_come(void **state)
{
	struct arrivals arrivals = {0};
	(void)state;
	for (int i = 0; i < 10; i++)
		arrivals_add(&arrivals, RECORD_LEN, true);
	for (int i = 0; i < 3; i++)
		arrivals_answered(&arrivals);
	assert_false(arrivals_are_many(&arrivals));
	assert_int_equal(arrivals_take(&arrivals), 0);
	arrivals_answered(&arrivals);
	assert_true(arrivals_are_many(&arrivals));
	assert_int_equal(arrivals_take(&arrivals), 4 * RECORD_LEN);
	assert_false(arrivals_are_many(&arrivals));
	for (int i = 4; i < 10; i++)
		arrivals_answered(&arrivals);
	assert_int_equal(arrivals_take(&arrivals), 6 * RECORD_LEN);
}

/* However many steps are under way, the sum is that of what came. */
static void test_arrivals_lose_nothing_when_steps_run_out(void **state)
{
	struct arrivals arrivals = {0};
	uint64_t sum = 0;
	(void)state;
	for (int i = 0; i < 200; i++)
		arrivals_add(&arrivals, RECORD_LEN, true);
	for (int i = 0; i < 200; i++) {
		arrivals_answered(&arrivals);
		uint64_t taken = arrivals_take(&arrivals);
		sum += taken;
		assert_true(sum <= (uint64_t)(i + 1) * RECORD_LEN);
	}
	assert_int_equal(sum, 200u * RECORD_LEN);
}

/* A new session counts from nothing, though copies of the one before are still on their way. */
static void test_arrivals_of_a_former_session_count_for_nothing(void **state)
{
	struct arrivals arrivals = {0};
	(void)state;
	arrivals_add(&arrivals, RECORD_LEN, true);
	arrivals_add(&arrivals, RECORD_LEN, true);
	arrivals_begin(&arrivals);
	arrivals_add(&arrivals, 5, true);
	arrivals_answered(&arrivals);
	arrivals_answered(&arrivals);
	assert_int_equal(arrivals_take(&arrivals), 0);
	arrivals_answered(&arrivals);
	assert_int_equal(arrivals_take(&arrivals), 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_arrivals_count_once_they_are_stored),
		cmocka_unit_test(test_arrivals_are_told_step_by_step_while_more_come),
		cmocka_unit_test(test_arrivals_lose_nothing_when_steps_run_out),
		cmocka_unit_test(test_arrivals_of_a_former_session_count_for_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

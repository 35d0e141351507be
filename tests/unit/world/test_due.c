/* What is due now has come, what is due in an hour has not, and the two are in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "world/due.h"

static void test_due_comes_in_order(void **state)
{
	(void)state;
	struct timespec now = due_in(0);
	struct timespec soon = due_in(1999);
	struct timespec later = due_in(3600000);
	assert_true(due_has_come(&now));
	assert_false(due_has_come(&later));
	assert_true(due_is_before(&now, &soon));
	assert_true(due_is_before(&soon, &later));
	assert_false(due_is_before(&later, &soon));
	assert_false(due_is_before(&now, &now));
	assert_in_range(soon.tv_nsec, 0, 999999999);
	assert_in_range(later.tv_sec - now.tv_sec, 3600, 3601);
}

static void test_due_is_compared_to_the_nanosecond(void **state)
{
	(void)state;
	struct timespec early = {.tv_sec = 5, .tv_nsec = 7};
	struct timespec late = {.tv_sec = 5, .tv_nsec = 8};
	struct timespec next = {.tv_sec = 6, .tv_nsec = 0};
	assert_true(due_is_before(&early, &late));
	assert_false(due_is_before(&late, &early));
	assert_true(due_is_before(&late, &next));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_due_comes_in_order),
		cmocka_unit_test(test_due_is_compared_to_the_nanosecond),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

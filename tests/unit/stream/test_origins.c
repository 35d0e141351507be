/* Positions, ages, and where to begin for a follower. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "stream/origins.h"

static struct span text(const char *name)
{
	return span_of(name, strlen(name));
}

static void test_origin_knows_what_is_new(void **state)
{
	(void)state;
	struct origins origins = {0};
	struct origin *origin = origins_get(&origins, text("wales"));
	assert_true(origin_is_new(origin, 7, 1));
	origin_committed(origin, 7, 5, 1);
	assert_false(origin_is_new(origin, 7, 5));
	assert_false(origin_is_new(origin, 7, 4));
	assert_true(origin_is_new(origin, 7, 6));
	/* A later epoch begins anew; an earlier one is over. */
	assert_true(origin_is_new(origin, 8, 1));
	assert_false(origin_is_new(origin, 6, 100));
	origins_fini(&origins);
}

static void test_origin_start_is_never_after_the_first_missing_record(void **state)
{
	(void)state;
	struct origins origins = {0};
	struct origin *origin = origins_get(&origins, text("wales"));
	/* Every third sequence of the origin, every second of this log. */
	for (uint64_t i = 1; i <= 2000; i++)
		origin_committed(origin, 1, i * 3, i * 2);
	for (uint64_t after = 0; after < 6000; after++) {
		uint64_t first_missing = (after / 3 + 1) * 2;
		uint64_t start = origin_start(origin, 1, after);
		assert_true(start <= first_missing);
		assert_true(first_missing - start <= 2 * 257);
	}
	assert_true(origin_start(origin, 1, 6000) == UINT64_MAX);
	assert_int_equal(origin_start(origin, 99, 6000), 2);
	origins_fini(&origins);
}

static void test_origin_is_as_old_as_its_last_word(void **state)
{
	(void)state;
	struct origins origins = {0};
	struct origin *origin = origins_get(&origins, text("wales"));
	/* Records only: as old as the last of them. */
	origin->last_time_ms = 90000;
	assert_int_equal(origin_age_ms(origin, 500, 100000), 10000);
	assert_int_equal(origin_age_ms(origin, 500, 80000), 0);
	/* Heard of two seconds before the loop's clock began. */
	origin_heard_of(origin, 500, 2500);
	assert_int_equal(origin_age_ms(origin, 500, 100000), 2500);
	assert_int_equal(origin_age_ms(origin, 1500, 100000), 3500);
	origins_fini(&origins);
}

static void test_origin_wants_nothing_twice(void **state)
{
	(void)state;
	struct origins origins = {0};
	struct origin *origin = origins_get(&origins, text("wales"));
	origin_queued(origin, 7, 5);
	assert_false(origin_is_wanted(origin, 7, 5));
	assert_false(origin_is_wanted(origin, 7, 3));
	assert_true(origin_is_wanted(origin, 7, 6));
	assert_true(origin_is_wanted(origin, 8, 1));
	/* It was not taken: it may come again. */
	origin_unqueue(origin);
	assert_true(origin_is_wanted(origin, 7, 5));
	origin_committed(origin, 7, 5, 1);
	assert_false(origin_is_wanted(origin, 7, 5));
	origins_fini(&origins);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_origin_knows_what_is_new),
		cmocka_unit_test(test_origin_start_is_never_after_the_first_missing_record),
		cmocka_unit_test(test_origin_is_as_old_as_its_last_word),
		cmocka_unit_test(test_origin_wants_nothing_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

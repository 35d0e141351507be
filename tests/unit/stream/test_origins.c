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
	/* Of an earlier epoch it has nothing of this one; of a later one this is the past. */
	assert_int_equal(origin_start(origin, 0, 6000), 2);
	assert_true(origin_start(origin, 99, 6000) == UINT64_MAX);
	origins_fini(&origins);
}

static void test_origin_remembers_the_epochs_that_are_over(void **state)
{
	(void)state;
	struct origins origins = {0};
	struct origin *origin = origins_get(&origins, text("wales"));
	for (uint64_t i = 1; i <= 1000; i++)
		origin_committed(origin, 5, i, i);
	for (uint64_t i = 1; i <= 500; i++)
		origin_committed(origin, 8, 5000 + i, 1000 + i);
	assert_true(origin_has(origin, 5, 1000));
	assert_false(origin_has(origin, 5, 1001));
	assert_true(origin_has(origin, 8, 5500));
	assert_false(origin_has(origin, 8, 5501));
	assert_false(origin_has(origin, 6, 1));
	seq_set_add(&origin->returned, 5, 1003);
	assert_true(origin_has(origin, 5, 1003));
	assert_false(origin_has(origin, 5, 1002));
	/* Where an epoch ends that is not known: with the one before it. */
	assert_int_equal(origin_epoch_end(origin, 5), 1000);
	assert_int_equal(origin_epoch_end(origin, 6), 1000);
	assert_int_equal(origin_epoch_end(origin, 4), 0);
	/* Positions of both are found, and what comes after them is counted. */
	for (uint64_t after = 0; after < 1000; after += 7) {
		uint64_t start = origin_start(origin, 5, after);
		assert_true(start <= after + 1 && after + 1 - start <= 256);
		uint64_t count = origin_count_after(origin, 5, after);
		assert_true(count >= 1500 - after && count - (1500 - after) <= 256);
	}
	assert_true(origin_start(origin, 8, 5100) <= 1101);
	assert_true(origin_start(origin, 8, 5100) > 1101 - 257);
	assert_int_equal(origin_count_after(origin, 8, 5500), 0);
	/* One that turns up late, as at the start, is put in its place. */
	origin_committed(origin, 3, 9, 1600);
	assert_true(origin_has(origin, 3, 9));
	assert_int_equal(origin->former_count, 2);
	assert_int_equal(origin->epoch, 8);
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
		cmocka_unit_test(test_origin_remembers_the_epochs_that_are_over),
		cmocka_unit_test(test_origin_is_as_old_as_its_last_word),
		cmocka_unit_test(test_origin_wants_nothing_twice),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

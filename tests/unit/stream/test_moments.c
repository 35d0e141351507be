/* The place of a time in a log, however the clocks of its origins stand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/moments.h"

static void test_moments_of_an_empty_log_are_its_end(void **state)
{
	(void)state;
	struct moments moments = {0};
	assert_int_equal(moments_find(&moments, 1, 0), 1);
	moments_fini(&moments);
}

static void test_moments_find_the_stretch_of_a_time(void **state)
{
	(void)state;
	struct moments moments = {0};
	for (uint64_t seq = 1; seq <= 10000; seq++)
		moments_note(&moments, seq, 100 * seq);
	assert_int_equal(moments.count, 10);
	for (uint64_t seq = 1; seq <= 10000; seq++) {
		uint64_t from = moments_find(&moments, 100 * seq, 10000);
		assert_in_range(seq, from, from + MOMENTS_APART);
		/* Between two records: the later one. */
		assert_true(moments_find(&moments, 100 * seq - 50, 10000) <= seq);
	}
	assert_int_equal(moments_find(&moments, 0, 10000), 1);
	assert_int_equal(moments_find(&moments, 1000001, 10000), 10001);
	moments_fini(&moments);
}

/* A copy of an old record comes late: what lies behind a newer one is not passed over. */
static void test_moments_pass_nothing_over_when_times_go_back(void **state)
{
	(void)state;
	struct moments moments = {0};
	uint64_t times[5000];
	for (uint64_t seq = 1; seq <= 5000; seq++) {
		times[seq - 1] = seq % 3 ? 1000 + seq : 5 * (seq % 1000);
		moments_note(&moments, seq, times[seq - 1]);
	}
	for (uint64_t time = 0; time <= 6001; time += 7) {
		uint64_t from = moments_find(&moments, time, 5000);
		for (uint64_t seq = 1; seq < from && seq <= 5000; seq++)
			assert_true(times[seq - 1] < time);
	}
	moments_fini(&moments);
}

/* What was not written down is looked for from the beginning. */
static void test_moments_restored_late_begin_at_the_beginning(void **state)
{
	(void)state;
	struct moments moments = {0};
	moments_restore(&moments, 4000, 500);
	moments_restore(&moments, 4000, 600);
	moments_restore(&moments, 5000, 700);
	assert_int_equal(moments.count, 2);
	assert_int_equal(moments_find(&moments, 400, 6000), 1);
	assert_int_equal(moments_find(&moments, 600, 6000), 4001);
	moments_fini(&moments);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_moments_of_an_empty_log_are_its_end),
		cmocka_unit_test(test_moments_find_the_stretch_of_a_time),
		cmocka_unit_test(test_moments_pass_nothing_over_when_times_go_back),
		cmocka_unit_test(test_moments_restored_late_begin_at_the_beginning),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The clocks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "io/clock.h"

static void test_clock_never_goes_back(void **state)
{
	(void)state;
	uint64_t last = mono_ms();
	for (int i = 0; i < 10000; i++) {
		uint64_t now = mono_ms();
		assert_true(now >= last);
		last = now;
	}
}

static void test_clock_tells_the_time_of_day(void **state)
{
	(void)state;
	uint64_t seconds = (uint64_t)time(NULL);
	uint64_t now = wall_ms();
	assert_true(now >= seconds * 1000);
	assert_true(now < (seconds + 60) * 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_clock_never_goes_back),
		cmocka_unit_test(test_clock_tells_the_time_of_day),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

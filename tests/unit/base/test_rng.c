/* The random source: the same seed gives the same numbers, for ever, and they are spread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/rng.h"

static void test_rng_repeats_a_seed_and_differs_between_seeds(void **state)
{
	(void)state;
	struct rng one;
	struct rng same;
	struct rng other;
	rng_init(&one, 7);
	rng_init(&same, 7);
	rng_init(&other, 8);
	unsigned equal = 0;
	for (int i = 0; i < 1000; i++) {
		uint64_t value = rng_next(&one);
		assert_true(value == rng_next(&same));
		equal += value == rng_next(&other);
	}
	assert_int_equal(equal, 0);
}

/* splitmix64 of seed 0 begins so (its author's own test). */
static void test_rng_is_seeded_by_splitmix64(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 0);
	assert_true(rng.state[0] == 0xe220a8397b1dcdafu);
	assert_true(rng.state[1] == 0x6e789e6aa1b965f4u);
}

static void test_rng_below_is_below_and_spread(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 3);
	unsigned counts[7] = {0};
	for (int i = 0; i < 7000; i++) {
		uint64_t value = rng_below(&rng, 7);
		assert_true(value < 7);
		counts[value]++;
	}
	for (int i = 0; i < 7; i++)
		assert_true(counts[i] > 850 && counts[i] < 1150);
	assert_int_equal(rng_below(&rng, 1), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rng_repeats_a_seed_and_differs_between_seeds),
		cmocka_unit_test(test_rng_is_seeded_by_splitmix64),
		cmocka_unit_test(test_rng_below_is_below_and_spread),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

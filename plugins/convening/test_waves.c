/* Sizes of waves against known numbers and against sums without any shortcut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>

#include "waves.h"

/* Person by person: how probable each number of yeses is. */
static double over_by_hand(uint32_t count, double chance, uint32_t limit)
{
	static double yes[600];
	for (uint32_t k = 0; k <= count; k++)
		yes[k] = k == 0;
	for (uint32_t person = 0; person < count; person++) {
		for (uint32_t k = person + 1; k > 0; k--)
			yes[k] = yes[k] * (1 - chance) + yes[k - 1] * chance;
		yes[0] *= 1 - chance;
	}
	double sum = 0;
	for (uint32_t k = count; k > limit; k--)
		sum += yes[k];
	return sum;
}

static void test_waves_fill_a_hundred_and_twenty_seats(void **state)
{
	static const struct {
		double accept;
		uint32_t most;
		double under;
	} known[] = {{0.3, 335, 0.46}, {0.4, 255, 0.39}, {0.5, 207, 0.32}};
	(void)state;
	for (int i = 0; i < 3; i++) {
		uint32_t most = waves_most(known[i].accept, 120, 0.01);
		assert_int_equal(most, known[i].most);
		assert_true(waves_over(most, known[i].accept, 120) <= 0.01);
		assert_true(waves_over(most + 1, known[i].accept, 120) > 0.01);
		/* Of those who say yes one in five stays away: then fewer than 80 come. */
		double under = waves_under(most, known[i].accept * 0.8, 80);
		assert_true(fabs(under - known[i].under) < 0.006);
		/* No number of invitations keeps both. */
		assert_true(waves_least(known[i].accept * 0.8, 80, 0.01) > most);
	}
}

static void test_waves_are_what_one_gets_person_by_person(void **state)
{
	static const double chances[] = {0.01, 0.3, 0.5, 0.77, 0.99};
	(void)state;
	for (int i = 0; i < 5; i++) {
		for (uint32_t count = 1; count < 500; count += 37) {
			for (uint32_t limit = 0; limit <= count; limit += 1 + count / 9) {
				double wanted = over_by_hand(count, chances[i], limit);
				double got = waves_over(count, chances[i], limit);
				assert_true(fabs(got - wanted) < 1e-9);
			}
		}
	}
}

static void test_waves_know_the_ends(void **state)
{
	(void)state;
	assert_true(waves_over(10, 1, 9) > 0.999);
	assert_true(waves_over(10, 0.5, 10) < 1e-12);
	assert_true(waves_under(10, 0.5, 0) < 1e-12);
	assert_int_equal(waves_most(1, 120, 0.01), 120);
	assert_int_equal(waves_least(1, 80, 0.01), 80);
	assert_int_equal(waves_least(0, 1, 0.01), WAVES_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waves_fill_a_hundred_and_twenty_seats),
		cmocka_unit_test(test_waves_are_what_one_gets_person_by_person),
		cmocka_unit_test(test_waves_know_the_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

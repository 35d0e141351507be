/* A list of places: kept in the order in which it is given, found by sequence, taken off in runs.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/places.h"

static void add_sorted(struct places *places, uint64_t seq)
{
	places_add(places, places_find(places, seq), (struct place){.seq = seq});
}

static void test_places_find_the_first_that_is_not_before(void **state)
{
	(void)state;
	struct places places = {0};
	assert_int_equal(places_find(&places, 7), 0);
	/* In an order that is none: 3 and 101 have nothing in common. */
	for (uint64_t i = 0; i < 101; i++)
		add_sorted(&places, 2 * (3 * i % 101));
	assert_int_equal(places.count, 101);
	for (uint64_t i = 0; i < 101; i++) {
		assert_int_equal(places.items[i].seq, 2 * i);
		assert_int_equal(places_find(&places, 2 * i), i);
		assert_int_equal(places_find(&places, 2 * i + 1), i + 1);
	}
	places_fini(&places);
	assert_int_equal(places.count, 0);
}

static void test_places_remove_a_run(void **state)
{
	(void)state;
	struct places places = {0};
	for (uint64_t seq = 0; seq < 20; seq++)
		places_add(&places, places.count, (struct place){.seq = seq, .len = 1});
	places_remove(&places, 0, 3);
	places_remove(&places, 15, 2);
	places_remove(&places, 4, 0);
	assert_int_equal(places.count, 15);
	for (uint64_t i = 0; i < 15; i++)
		assert_int_equal(places.items[i].seq, i + 3);
	places_fini(&places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_places_find_the_first_that_is_not_before),
		cmocka_unit_test(test_places_remove_a_run),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

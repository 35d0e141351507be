/* The table of what is not answered yet. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "base/rng.h"
#include "client/pending.h"

static void test_pending_finds_by_id_while_it_grows(void **state)
{
	(void)state;
	struct pending_table table = {0};
	struct rng rng;
	rng_init(&rng, 4);
	static uint64_t ids[3000];
	size_t count = 0;
	uint64_t last = 0;
	assert_null(pending_find(&table, 1));
	for (int step = 0; step < 100000; step++) {
		if (count < 3000 && rng_below(&rng, 100) < (step < 50000 ? 60 : 40)) {
			struct pending *pending = pending_add(&table);
			assert_non_null(pending);
			assert_true(pending->id > last);
			last = pending->id;
			pending_set_len(&table, pending, pending->id % 7);
			ids[count++] = pending->id;
		} else if (count > 0) {
			size_t which = (size_t)rng_below(&rng, count);
			struct pending *pending = pending_find(&table, ids[which]);
			assert_non_null(pending);
			assert_int_equal(pending->len, ids[which] % 7);
			pending_remove(&table, pending);
			assert_null(pending_find(&table, ids[which]));
			ids[which] = ids[--count];
		}
		assert_int_equal(table.count, count);
	}
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		assert_non_null(pending_find(&table, ids[i]));
		len += ids[i] % 7;
	}
	assert_int_equal(table.len, len);
	assert_null(pending_find(&table, 0));
	struct pending_table taken = pending_take_all(&table);
	assert_int_equal(taken.count, count);
	assert_int_equal(table.count, 0);
	assert_true(pending_add(&table)->id > last);
	pending_fini(&taken);
	pending_fini(&table);
}

static void test_pending_takes_out_the_expired(void **state)
{
	(void)state;
	struct pending_table table = {0};
	for (uint64_t i = 1; i <= 200; i++) {
		struct pending *pending = pending_add(&table);
		if (i % 2)
			pending_set_deadline(&table, pending, 1000 + i);
	}
	struct pending expired;
	size_t at = 0;
	assert_false(pending_take_expired(&table, 1000, &at, &expired));
	int count = 0;
	at = 0;
	while (pending_take_expired(&table, 1100, &at, &expired)) {
		assert_true(expired.id % 2 == 1 && expired.id <= 100);
		/* Whoever is told may ask again. */
		assert_non_null(pending_add(&table));
		count++;
	}
	assert_int_equal(count, 50);
	count = 0;
	at = 0;
	while (pending_take_expired(&table, 5000, &at, &expired))
		count++;
	assert_int_equal(count, 50);
	assert_int_equal(table.next_deadline_ms, UINT64_MAX);
	pending_fini(&table);
}

static void test_pending_has_a_limit(void **state)
{
	(void)state;
	struct pending_table table = {0};
	size_t count = 0;
	while (pending_add(&table))
		count++;
	assert_int_equal(count, PENDING_MAX);
	pending_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending_finds_by_id_while_it_grows),
		cmocka_unit_test(test_pending_takes_out_the_expired),
		cmocka_unit_test(test_pending_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is counted of a stream's records, when a pass is due, and what a summary brings back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "stream/shelf.h"

static void test_shelf_counts_records_in_and_out(void **state)
{
	(void)state;
	struct shelf shelf = {0};
	shelf_add(&shelf, 7, 1000, 100, true);
	shelf_add(&shelf, 9, 2000, 50, false);
	assert_int_equal(shelf.count, 2);
	assert_int_equal(shelf.bytes, 150);
	assert_int_equal(shelf.kept_bytes, 100);
	assert_int_equal(shelf.first_seq, 7);
	assert_int_equal(shelf.first_ms, 1000);
	shelf_remove(&shelf, 100);
	assert_int_equal(shelf.bytes, 50);
	assert_int_equal(shelf.kept_bytes, 50);
	/* More than is there: a record that nobody had counted. */
	shelf_remove(&shelf, 80);
	shelf_remove(&shelf, 80);
	assert_int_equal(shelf.bytes, 0);
	assert_int_equal(shelf.count, 0);
}

static void test_shelf_is_beyond_by_a_tenth_of_its_bytes_or_age(void **state)
{
	(void)state;
	struct shelf shelf = {0};
	struct retention_rule by_bytes = {.max_bytes = 1000};
	struct retention_rule by_age = {.max_age_ms = 10000};
	struct retention_rule when_had = {.is_acknowledged = true};
	assert_false(shelf_is_beyond(&shelf, &when_had, 0));
	shelf_add(&shelf, 1, 5000, 1100, true);
	assert_false(shelf_is_beyond(&shelf, &by_bytes, 0));
	shelf_add(&shelf, 2, 6000, 1, true);
	assert_true(shelf_is_beyond(&shelf, &by_bytes, 0));
	assert_false(shelf_is_beyond(&shelf, &by_age, 15099));
	assert_true(shelf_is_beyond(&shelf, &by_age, 15100));
	assert_true(shelf_is_beyond(&shelf, &when_had, 0));
	when_had.last_per_subject = true;
	assert_false(shelf_is_beyond(&shelf, &when_had, 0));
}

static void test_shelf_has_stale_records_when_it_has_grown_or_after_a_day(void **state)
{
	(void)state;
	const uint64_t day = 86400000;
	struct shelf shelf = {.bytes = 400, .count = 4, .kept_bytes = 300};
	struct retention_rule rule = {.last_per_subject = true};
	assert_false(shelf_has_stale(&shelf, &rule, 1000));
	assert_true(shelf_has_stale(&shelf, &rule, day + 1));
	shelf.bytes = 401;
	assert_true(shelf_has_stale(&shelf, &rule, 1000));
	shelf.bytes = 300;
	assert_false(shelf_has_stale(&shelf, &rule, day + 1));
	rule.last_per_subject = false;
	shelf.bytes = 4000;
	assert_false(shelf_has_stale(&shelf, &rule, 1000));
}

static void test_shelves_come_back_from_a_summary_of_the_same_rules(void **state)
{
	(void)state;
	char news[] = "news";
	char urgent[] = "urgent";
	char subject[] = "a.v1.>";
	char other[] = "b.v1.>";
	char *subjects[] = {subject};
	struct retention_rule items[] = {{.name = news, .subjects = subjects, .subject_count = 1},
					 {.name = urgent}};
	struct retention_rules rules = {.items = items, .count = 2};
	struct shelf before[2] = {{.bytes = 5, .count = 4, .kept_bytes = 3, .first_seq = 2},
				  {.bytes = 50, .count = 1, .first_ms = 77}};
	struct shelf after[2] = {0};
	struct buf bytes = {0};
	shelves_write(before, &rules, &bytes);
	assert_true(shelves_read(after, &rules, span_of(bytes.data, bytes.len)));
	assert_memory_equal(before, after, sizeof(before));
	assert_false(shelves_read(after, &rules, span_of(bytes.data, bytes.len - 1)));
	subjects[0] = other;
	assert_false(shelves_read(after, &rules, span_of(bytes.data, bytes.len)));
	subjects[0] = subject;
	rules.count = 1;
	assert_false(shelves_read(after, &rules, span_of(bytes.data, bytes.len)));
	buf_fini(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shelf_counts_records_in_and_out),
		cmocka_unit_test(test_shelf_is_beyond_by_a_tenth_of_its_bytes_or_age),
		cmocka_unit_test(test_shelf_has_stale_records_when_it_has_grown_or_after_a_day),
		cmocka_unit_test(test_shelves_come_back_from_a_summary_of_the_same_rules),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What one puts into a run of records, the other finds there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "route/env.h"
#include "route/log_read.h"

static struct span text(const char *content, size_t len)
{
	return span_of(content, len);
}

static void test_log_read_finds_what_was_added_in_order(void **state)
{
	(void)state;
	struct buf records = {0};
	uint64_t seq = 0;
	struct span record = {0};
	struct span at = log_read_begin(&records);
	assert_false(log_read_next(&at, &seq, &record));
	log_read_add(&records, 3, text("one", 3));
	log_read_add(&records, 5, text("", 0));
	log_read_add(&records, UINT64_MAX, text("a\0b", 3));
	at = log_read_begin(&records);
	assert_true(log_read_next(&at, &seq, &record));
	assert_int_equal(seq, 3);
	assert_true(span_equal(record, text("one", 3)));
	assert_true(log_read_next(&at, &seq, &record));
	assert_int_equal(seq, 5);
	assert_int_equal(record.len, 0);
	assert_true(log_read_next(&at, &seq, &record));
	assert_true(seq == UINT64_MAX);
	assert_true(span_equal(record, text("a\0b", 3)));
	assert_false(log_read_next(&at, &seq, &record));
	assert_int_equal(at.len, 0);
	buf_fini(&records);
}

/* A run that ends in the middle of one, as when there was no memory for the rest. */
static void test_log_read_ends_before_half_a_record(void **state)
{
	(void)state;
	struct buf records = {0};
	uint64_t seq = 0;
	struct span record = {0};
	log_read_add(&records, 3, text("one", 3));
	log_read_add(&records, 4, text("four", 4));
	for (size_t len = 0; len < records.len; len++) {
		size_t count = 0;
		struct span at = span_of(records.data, len);
		while (log_read_next(&at, &seq, &record))
			count++;
		assert_int_equal(count, len >= 15);
	}
	buf_fini(&records);
}

/* What the core has not been told of yet. */
static void test_log_read_is_clipped_behind_a_sequence(void **state)
{
	(void)state;
	for (uint64_t last = 2; last <= 7; last++) {
		struct log_read read = {.next_seq = 7};
		log_read_add(&read.records, 3, text("one", 3));
		log_read_add(&read.records, 4, text("two", 3));
		log_read_add(&read.records, 6, text("three", 5));
		log_read_clip(&read, last);
		struct span at = log_read_begin(&read.records);
		struct span record;
		uint64_t seq;
		size_t count = 0;
		while (log_read_next(&at, &seq, &record)) {
			assert_true(seq <= last);
			count++;
		}
		assert_int_equal(count, (last >= 3) + (last >= 4) + (last >= 6));
		assert_int_equal(read.next_seq, last < 6 ? last + 1 : 7);
		buf_fini(&read.records);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log_read_finds_what_was_added_in_order),
		cmocka_unit_test(test_log_read_ends_before_half_a_record),
		cmocka_unit_test(test_log_read_is_clipped_behind_a_sequence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

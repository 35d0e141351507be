/* The list of an open log's segments: which holds a sequence, and one held while it is replaced. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "store/embedded.h"
#include "temp_log.h"

#define RECORDS 100

static struct temp_log *new_log(void)
{
	struct temp_log *log = temp_log_new(1024);
	temp_log_open(log);
	for (int i = 0; i < RECORDS; i += 10)
		temp_log_fill(log, 10, 3);
	return log;
}

static void test_segments_are_found_by_sequence(void **state)
{
	(void)state;
	struct temp_log *log = new_log();
	struct store *store = log->store;
	size_t count = store_count_segments(store);
	assert_true(count > 3);
	for (uint64_t seq = 1; seq <= RECORDS; seq++) {
		size_t at = store_find_segment(store, seq);
		assert_true(at < count);
		assert_true(store->segments[at]->first_seq <= seq);
		assert_true(store->segments[at]->last_seq >= seq);
	}
	assert_int_equal(store_find_segment(store, 0), 0);
	assert_int_equal(store_find_segment(store, RECORDS + 1), count);
	assert_null(store_hold_segment(store, count));
	temp_log_free(log);
}

static void test_segments_that_are_held_can_be_read_after_they_were_replaced(void **state)
{
	(void)state;
	struct temp_log *log = new_log();
	struct segment_cursor cursor;
	struct segment_record record;
	const uint64_t gone[] = {2};
	struct segment *held = store_hold_segment(log->store, 0);
	uint64_t end = held->len;
	uint64_t count = 0;
	assert_int_equal(store_remove(log->store, gone, 1, NULL), LYC_OK);
	assert_ptr_not_equal(log->store->segments[0], held);
	segment_cursor_init(&cursor, held, SEGMENT_HEADER_LEN, end, 4096);
	while (segment_cursor_next(&cursor, &record, NULL) == LYC_OK)
		assert_int_equal(record.seq, ++count);
	assert_int_equal(count, held->last_seq);
	segment_cursor_fini(&cursor);
	store_release_segment(log->store, held);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segments_are_found_by_sequence),
		cmocka_unit_test(test_segments_that_are_held_can_be_read_after_they_were_replaced),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

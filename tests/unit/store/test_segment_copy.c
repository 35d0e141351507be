/* A copy of a segment holds what was put into it, and is nobody's until it gets a name. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/segment_copy.h"
#include "temp_log.h"

#define COPY "00000000000000000011.log.new"

struct bench {
	struct temp_log *log;
	struct segment_folder folder;
	struct segment old;
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.log = temp_log_new(8192)};
	assert_int_equal(segment_folder_open(&bench->folder, bench->log->folder, NULL), LYC_OK);
	bench->old = (struct segment){.folder = &bench->folder,
				      .first_seq = 11,
				      .epoch = 5,
				      .salt = 0x1234567812345678,
				      .generation = 3};
}

static void bench_fini(struct bench *bench)
{
	segment_folder_fini(&bench->folder);
	temp_log_free(bench->log);
}

static void begin(struct bench *bench, struct segment_copy *copy)
{
	*copy = (struct segment_copy){0};
	assert_int_equal(
		segment_copy_begin(copy, &bench->folder, &bench->old, SEGMENT_HEADER_LEN, NULL),
		LYC_OK);
}

static void assert_next(struct segment_cursor *cursor, enum segment_kind kind, uint64_t seq,
			uint64_t last_seq, const char *subject, const char *record,
			struct segment_record *ret_record)
{
	assert_int_equal(segment_cursor_next(cursor, ret_record, NULL), LYC_OK);
	assert_int_equal(ret_record->kind, kind);
	assert_int_equal(ret_record->seq, seq);
	assert_int_equal(ret_record->last_seq, last_seq);
	if (subject)
		assert_true(span_is(ret_record->subject, subject));
	if (record)
		assert_true(span_is(ret_record->record, record));
}

static void test_segment_copy_holds_what_was_added(void **state)
{
	(void)state;
	struct bench bench;
	struct segment_copy copy;
	struct segment_copy second;
	struct segment_cursor cursor;
	struct segment_record entry;
	bench_init(&bench);
	begin(&bench, &copy);
	assert_int_equal(
		segment_copy_add_record(&copy, 11, 11, text_span("t.a"), text_span("one"), NULL),
		LYC_OK);
	assert_int_equal(segment_copy_add_hole(&copy, 12, 15, NULL), LYC_OK);
	assert_int_equal(
		segment_copy_add_lost(&copy, 16, 16, text_span("t.b"), text_span("why"), NULL),
		LYC_OK);
	assert_int_equal(
		segment_copy_add_record(&copy, 17, 16, text_span("t.a"), text_span("two"), NULL),
		LYC_OK);
	assert_int_equal(segment_copy_end(&copy, NULL), LYC_OK);
	assert_int_equal(copy.segment->generation, 4);
	assert_int_equal(copy.segment->epoch, 5);
	assert_int_equal(copy.segment->last_seq, 17);
	assert_int_equal(copy.segment->record_count, 2);
	assert_int_equal(copy.segment->lost_count, 1);
	assert_int_equal(copy.segment->header_lost_count, 1);
	assert_int_equal(copy.segment->synced_len, copy.segment->len);
	assert_int_equal(subject_index_find(&copy.subjects, text_span("t.a"))->count, 2);
	assert_int_equal(subject_index_find(&copy.subjects, text_span("t.b"))->last_seq, 16);
	/* And once more from its bytes, as they lie there. */
	assert_int_equal(segment_folder_rename(&bench.folder, COPY, "old", NULL), LYC_OK);
	begin(&bench, &second);
	segment_cursor_init(&cursor, copy.segment, SEGMENT_HEADER_LEN, copy.segment->len, 4096);
	assert_next(&cursor, SEGMENT_RECORD, 11, 11, "t.a", "one", &entry);
	assert_int_equal(segment_copy_add_entry(&second, &entry, NULL), LYC_OK);
	assert_next(&cursor, SEGMENT_HOLE, 12, 15, NULL, NULL, &entry);
	assert_int_equal(segment_copy_add_hole(&second, 12, 15, NULL), LYC_OK);
	assert_next(&cursor, SEGMENT_LOST, 16, 16, "t.b", "why", &entry);
	assert_int_equal(segment_copy_add_entry(&second, &entry, NULL), LYC_OK);
	assert_next(&cursor, SEGMENT_RECORD, 17, 17, "t.a", "two", &entry);
	assert_int_equal(entry.batch_seq, 16);
	assert_int_equal(segment_copy_add_entry(&second, &entry, NULL), LYC_OK);
	assert_int_equal(segment_cursor_next(&cursor, &entry, NULL), LYC_OUT_OF_RANGE);
	segment_cursor_fini(&cursor);
	assert_int_equal(segment_copy_end(&second, NULL), LYC_OK);
	assert_int_equal(second.segment->len, copy.segment->len);
	assert_int_equal(second.segment->lost_count, 1);
	segment_copy_fini(&copy);
	segment_copy_fini(&second);
	assert_true(temp_log_has(bench.log, COPY));
	bench_fini(&bench);
}

/* More than is gathered in memory at once. */
static void test_segment_copy_writes_what_is_large(void **state)
{
	(void)state;
	static char record[200000];
	struct bench bench;
	struct segment_copy copy;
	struct segment_cursor cursor;
	struct segment_record entry;
	bench_init(&bench);
	begin(&bench, &copy);
	for (uint64_t seq = 11; seq < 31; seq++) {
		memset(record, (int)('a' + seq % 20), sizeof(record));
		assert_int_equal(segment_copy_add_record(&copy, seq, seq, text_span("t.a"),
							 span_of(record, sizeof(record)), NULL),
				 LYC_OK);
	}
	assert_int_equal(segment_copy_end(&copy, NULL), LYC_OK);
	segment_cursor_init(&cursor, copy.segment, SEGMENT_HEADER_LEN, copy.segment->len, 65536);
	for (uint64_t seq = 11; seq < 31; seq++) {
		assert_next(&cursor, SEGMENT_RECORD, seq, seq, "t.a", NULL, &entry);
		assert_int_equal(entry.record.data[sizeof(record) - 1], 'a' + seq % 20);
	}
	segment_cursor_fini(&cursor);
	segment_copy_fini(&copy);
	bench_fini(&bench);
}

static void test_segment_copy_leaves_nothing_when_it_is_discarded(void **state)
{
	(void)state;
	struct bench bench;
	struct segment_copy copy;
	bench_init(&bench);
	begin(&bench, &copy);
	assert_true(temp_log_has(bench.log, COPY));
	segment_copy_discard(&copy);
	assert_false(temp_log_has(bench.log, COPY));
	assert_null(copy.segment);
	segment_copy_discard(&copy);
	bench_fini(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_segment_copy_holds_what_was_added),
		cmocka_unit_test(test_segment_copy_writes_what_is_large),
		cmocka_unit_test(test_segment_copy_leaves_nothing_when_it_is_discarded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What is said of damaged records: by the checkpoint, by their own bytes, and not more. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>

#include "store/evidence.h"
#include "temp_log.h"

#define SEGMENT_LEN 1024
#define FIRST "00000000000000000001.log"
#define CHECKPOINT "00000000000000000001.ckpt"

/* The first segment of a log, with damage in it. */
struct bench {
	struct temp_log *log;
	struct segment_folder folder;
	struct segment *segment;
	struct salvage salvage;
	struct evidence evidence;
	uint64_t last_seq;
	uint64_t salt;
};

/* Every record has a subject of its own but for the first two. */
static void bench_init(struct bench *bench)
{
	struct store_stats stats;
	*bench = (struct bench){.log = temp_log_new(SEGMENT_LEN)};
	temp_log_open(bench->log);
	(void)temp_log_append(bench->log, "t.twice", "one");
	(void)temp_log_append(bench->log, "t.twice", "two");
	for (int i = 0; i < 40; i++) {
		char subject[] = "t.sXX";
		subject[3] = (char)('a' + i / 10);
		subject[4] = (char)('0' + i % 10);
		(void)temp_log_append(bench->log, subject, "record");
	}
	store_stats(bench->log->store, &stats);
	assert_true(stats.segment_count > 1);
	temp_log_close(bench->log);
}

/* Flip `len` bytes of the record that is the nth, from one of its bytes on; then look. */
static void damage(struct bench *bench, int nth, size_t at, size_t len)
{
	struct segment_cursor cursor;
	struct segment_record record = {0};
	struct buf bytes = {0};
	assert_int_equal(segment_folder_open(&bench->folder, bench->log->folder, NULL), LYC_OK);
	assert_int_equal(segment_open(&bench->folder, 1, &bench->segment, NULL), LYC_OK);
	temp_log_load(bench->log, FIRST, &bytes);
	uint64_t offset = 0;
	segment_cursor_init(&cursor, bench->segment, SEGMENT_HEADER_LEN, bytes.len, 4096);
	for (int i = 1; segment_cursor_next(&cursor, &record, NULL) == LYC_OK; i++) {
		bench->last_seq = record.last_seq;
		offset = i == nth ? record.offset : offset;
	}
	segment_cursor_fini(&cursor);
	for (size_t i = 0; i < len; i++)
		bytes.data[offset + at + i] ^= 0xff;
	temp_log_save(bench->log, FIRST, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	segment_unref(bench->segment);
	assert_int_equal(segment_open(&bench->folder, 1, &bench->segment, NULL), LYC_OK);
	evidence_init(&bench->evidence, bench->segment, bench->last_seq, &bench->salt);
	assert_int_equal(salvage_begin(&bench->salvage, bench->segment, bench->last_seq, true,
				       bench->salt, NULL),
			 LYC_OK);
	if (bench->evidence.has_known)
		assert_true(evidence_look(&bench->evidence, &bench->salvage));
}

/* The only gap. */
static void describe(struct bench *bench, struct lost *ret_lost)
{
	struct segment_record record;
	struct salvage_gap gap;
	enum salvage_step step;
	size_t count = 0;
	while ((step = salvage_next(&bench->salvage, &record, &gap)) != SALVAGE_END) {
		if (step != SALVAGE_GAP)
			continue;
		count++;
		evidence_describe(&bench->evidence, &bench->salvage, &gap, text_span("aside"),
				  ret_lost);
	}
	assert_int_equal(count, 1);
}

static void bench_fini(struct bench *bench)
{
	evidence_fini(&bench->evidence);
	salvage_end(&bench->salvage);
	segment_unref(bench->segment);
	segment_folder_fini(&bench->folder);
	temp_log_free(bench->log);
}

static void test_evidence_of_the_checkpoint_names_the_one_that_is_missing(void **state)
{
	(void)state;
	struct bench bench;
	struct lost lost;
	bench_init(&bench);
	/* All of its subject is gone. */
	damage(&bench, 5, SEGMENT_RECORD_HEADER_LEN, 5);
	assert_true(bench.evidence.has_known);
	assert_int_equal(bench.evidence.missing_count, 1);
	describe(&bench, &lost);
	assert_int_equal(lost.first_seq, 5);
	assert_int_equal(lost.last_seq, 5);
	assert_true(span_is(lost.subject, "t.sa2"));
	assert_true(span_is(lost.file, "aside"));
	assert_true(lost.has_head);
	assert_int_equal(lost.back, 0);
	bench_fini(&bench);
}

static void test_evidence_without_a_checkpoint_believes_nothing_damaged(void **state)
{
	(void)state;
	struct bench bench;
	struct lost lost;
	bench_init(&bench);
	temp_log_save(bench.log, CHECKPOINT, text_span("no checkpoint"));
	damage(&bench, 5, SEGMENT_RECORD_HEADER_LEN, 5);
	assert_false(bench.evidence.has_known);
	describe(&bench, &lost);
	assert_int_equal(lost.first_seq, 5);
	assert_int_equal(lost.subject.len, 0);
	bench_fini(&bench);
}

/* One of two records of the subject is still there. */
static void test_evidence_counts_the_records_of_a_subject(void **state)
{
	(void)state;
	struct bench bench;
	struct lost lost;
	bench_init(&bench);
	damage(&bench, 2, SEGMENT_RECORD_HEADER_LEN + 8, 1);
	assert_int_equal(bench.evidence.missing_count, 1);
	describe(&bench, &lost);
	assert_int_equal(lost.first_seq, 2);
	assert_true(span_is(lost.subject, "t.twice"));
	bench_fini(&bench);
}

static void test_evidence_merges_the_later_and_the_more(void **state)
{
	(void)state;
	struct evidence evidence = {0};
	struct subject_index found = {0};
	assert_true(subject_index_add(&evidence.known, text_span("t.a"), 9, 3));
	assert_true(subject_index_add(&evidence.known, text_span("t.b"), 5, 1));
	assert_true(subject_index_add(&found, text_span("t.a"), 8, 2));
	assert_true(subject_index_add(&found, text_span("t.b"), 7, 2));
	assert_true(subject_index_add(&found, text_span("t.c"), 6, 1));
	assert_true(evidence_merge(&evidence, &found));
	const struct {
		const char *subject;
		uint64_t last_seq;
		uint32_t count;
	} merged[] = {{"t.a", 9, 3}, {"t.b", 7, 2}, {"t.c", 6, 1}};
	for (size_t i = 0; i < 3; i++) {
		const struct subject_entry *entry =
			subject_index_find(&evidence.known, text_span(merged[i].subject));
		assert_non_null(entry);
		assert_int_equal(entry->last_seq, merged[i].last_seq);
		assert_int_equal(entry->count, merged[i].count);
	}
	subject_index_fini(&found);
	evidence_fini(&evidence);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_evidence_of_the_checkpoint_names_the_one_that_is_missing),
		cmocka_unit_test(test_evidence_without_a_checkpoint_believes_nothing_damaged),
		cmocka_unit_test(test_evidence_counts_the_records_of_a_subject),
		cmocka_unit_test(test_evidence_merges_the_later_and_the_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

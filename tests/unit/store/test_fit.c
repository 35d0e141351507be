/* Which record from elsewhere is taken for one that was lost: that one, and no other. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/fit.h"
#include "store/lost.h"
#include "temp_log.h"

#define SEQ 7
#define BATCH_SEQ 5
#define ASIDE "aside"

struct bench {
	struct temp_log *log;
	struct segment_folder folder;
	struct segment segment;
	struct buf whole; /* as it lay in the file */
	struct lost lost;
};

static void bench_init(struct bench *bench)
{
	*bench = (struct bench){.log = temp_log_new(8192)};
	assert_int_equal(segment_folder_open(&bench->folder, bench->log->folder, NULL), LYC_OK);
	bench->segment = (struct segment){.folder = &bench->folder,
					  .first_seq = 1,
					  .salt = 0x1234567812345678,
					  .format = SEGMENT_FORMAT};
	segment_encode(&bench->segment, &bench->whole, SEQ, BATCH_SEQ, text_span("t.a"),
		       text_span("the record"));
	bench->lost = (struct lost){.first_seq = SEQ,
				    .last_seq = SEQ,
				    .subject = text_span("t.a"),
				    .file = text_span(ASIDE),
				    .len = bench->whole.len,
				    .has_head = true,
				    .back = SEQ - BATCH_SEQ};
	for (int i = 3; i >= 0; i--)
		bench->lost.crc = bench->lost.crc << 8 | bench->whole.data[i];
}

static void bench_fini(struct bench *bench)
{
	for (size_t i = 0; i < bench->segment.lost_count; i++) {
		free(bench->segment.lost[i].subject);
		buf_fini(&bench->segment.lost[i].details);
	}
	free(bench->segment.lost);
	buf_fini(&bench->whole);
	segment_folder_fini(&bench->folder);
	temp_log_free(bench->log);
}

/* The segment lists what is lost, and the damaged bytes lie aside. */
static void lose(struct bench *bench)
{
	struct buf details = {0};
	lost_write(&details, &bench->lost);
	assert_true(segment_add_lost(&bench->segment, bench->lost.first_seq, bench->lost.last_seq,
				     bench->lost.subject, span_of(details.data, details.len)));
	buf_fini(&details);
	temp_log_save(bench->log, ASIDE, span_of(bench->whole.data, bench->whole.len));
}

/* Of the next. */
static bool is_vouched;

static enum lyc_status judged(const struct bench *bench, uint64_t seq, const char *subject,
			      const char *record, struct store_healed *ret_healed)
{
	*ret_healed = (struct store_healed){.seq = seq,
					    .subject = text_span(subject),
					    .record = text_span(record),
					    .is_vouched = is_vouched};
	fit_judge(&bench->segment, ret_healed);
	return ret_healed->ret_status;
}

static void test_fit_is_the_record_with_the_checksum(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	bench_init(&bench);
	bench.whole.data[SEGMENT_RECORD_HEADER_LEN + 5] ^= 4;
	lose(&bench);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed), LYC_OK);
	assert_int_equal(healed.back, SEQ - BATCH_SEQ);
	assert_true(healed.was_counted);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the recorc", &healed),
			 LYC_FAILED_PRECONDITION);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record ", &healed),
			 LYC_FAILED_PRECONDITION);
	assert_int_equal(judged(&bench, SEQ, "t.b", "the record", &healed),
			 LYC_FAILED_PRECONDITION);
	assert_int_equal(judged(&bench, SEQ + 1, "t.a", "the record", &healed), LYC_NOT_FOUND);
	bench_fini(&bench);
}

/* Which batch it was of stands in its head; where that is damaged it is tried. */
static void test_fit_finds_the_batch_that_the_checksum_covers(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	bench_init(&bench);
	bench.lost.back = 0;
	bench.lost.subject = span_of(NULL, 0);
	lose(&bench);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed), LYC_OK);
	assert_int_equal(healed.back, SEQ - BATCH_SEQ);
	assert_false(healed.was_counted);
	bench_fini(&bench);
}

/* A bit of the checksum itself: the rest is as it was found. */
static void test_fit_is_the_rest_when_the_checksum_was_hit(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	bench_init(&bench);
	bench.lost.crc ^= 0x80;
	bench.whole.data[0] ^= 0x80;
	lose(&bench);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed), LYC_OK);
	assert_int_equal(judged(&bench, SEQ, "t.a", "thf record", &healed),
			 LYC_FAILED_PRECONDITION);
	bench_fini(&bench);
}

/* A bit is flipped, and somebody gives another text that is as long: nobody's word counts against
 * the checksum. */
static void test_fit_is_no_other_record_of_the_same_length(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	static const char text[] = "the record that was here, and it was of some length";
	static const char lie[] = "QWERTZUIOPASDFGHJKLYXCVBNMQWERTZUIOPASDFGHJKLYXCVBN";
	bench_init(&bench);
	buf_clear(&bench.whole);
	segment_encode(&bench.segment, &bench.whole, SEQ, BATCH_SEQ, text_span("t.a"),
		       text_span(text));
	memcpy(&bench.lost.crc, bench.whole.data, 4);
	bench.lost.len = bench.whole.len;
	bench.whole.data[bench.whole.len - 1] ^= 1;
	lose(&bench);
	for (int i = 0; i < 2; i++) {
		is_vouched = i == 1;
		assert_int_equal(judged(&bench, SEQ, "t.a", lie, &healed), LYC_FAILED_PRECONDITION);
	}
	is_vouched = false;
	assert_int_equal(judged(&bench, SEQ, "t.a", text, &healed), LYC_OK);
	bench_fini(&bench);
}

/* Head and checksum are gone: only who is vouched for is believed. */
static void test_fit_without_a_checksum_needs_another_proof(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	bench_init(&bench);
	memset(bench.whole.data, 0xa5, SEGMENT_RECORD_HEADER_LEN + 2);
	memcpy(&bench.lost.crc, bench.whole.data, 4);
	bench.lost.has_head = false;
	lose(&bench);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed),
			 LYC_FAILED_PRECONDITION);
	is_vouched = true;
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed), LYC_OK);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record ", &healed),
			 LYC_FAILED_PRECONDITION);
	is_vouched = false;
	bench_fini(&bench);
}

/* Two in a row: the checksum of each still stands there. What is left of the stretch when one has
 * come back is judged in the same way. */
static void test_fit_of_a_stretch_is_the_record_with_its_checksum(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	for (uint64_t first = SEQ; first <= SEQ + 1; first++) {
		bench_init(&bench);
		segment_encode(&bench.segment, &bench.whole, SEQ + 1, BATCH_SEQ, text_span("t.b"),
			       text_span("the second"));
		bench.whole.data[SEGMENT_RECORD_HEADER_LEN + 5] ^= 4;
		bench.whole.data[bench.whole.len - 2] ^= 4;
		bench.lost = (struct lost){.first_seq = first,
					   .last_seq = SEQ + 1,
					   .file = text_span(ASIDE),
					   .len = bench.whole.len};
		lose(&bench);
		for (int i = 0; i < 2; i++) {
			is_vouched = i == 1;
			assert_int_equal(judged(&bench, SEQ + 1, "t.b", "the secund", &healed),
					 LYC_FAILED_PRECONDITION);
			assert_int_equal(judged(&bench, SEQ + 1, "t.a", "the record", &healed),
					 LYC_FAILED_PRECONDITION);
		}
		is_vouched = false;
		assert_int_equal(judged(&bench, SEQ + 1, "t.b", "the second", &healed), LYC_OK);
		assert_int_equal(healed.back, SEQ + 1 - BATCH_SEQ);
		bench_fini(&bench);
	}
}

/* Nothing of the bytes is left: what is too long cannot have lain there, whoever says so. */
static void test_fit_of_a_stretch_is_what_had_room_there(void **state)
{
	(void)state;
	struct bench bench;
	struct store_healed healed;
	bench_init(&bench);
	bench.lost.first_seq = SEQ - 1;
	bench.lost.subject = span_of(NULL, 0);
	bench.lost.len += 30;
	lose(&bench);
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed),
			 LYC_FAILED_PRECONDITION);
	is_vouched = true;
	assert_int_equal(judged(&bench, SEQ, "t.a", "the record", &healed), LYC_OK);
	assert_int_equal(judged(&bench, SEQ, "t.a",
				"a record that is longer than all of the stretch", &healed),
			 LYC_FAILED_PRECONDITION);
	is_vouched = false;
	bench_fini(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fit_is_the_record_with_the_checksum),
		cmocka_unit_test(test_fit_finds_the_batch_that_the_checksum_covers),
		cmocka_unit_test(test_fit_is_the_rest_when_the_checksum_was_hit),
		cmocka_unit_test(test_fit_is_no_other_record_of_the_same_length),
		cmocka_unit_test(test_fit_without_a_checksum_needs_another_proof),
		cmocka_unit_test(test_fit_of_a_stretch_is_the_record_with_its_checksum),
		cmocka_unit_test(test_fit_of_a_stretch_is_what_had_room_there),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

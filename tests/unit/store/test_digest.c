/* Opening from the digest: the same as from the segments themselves, of which it reads none. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "temp_log.h"

#define SEGMENT_LEN 2048
#define RECORDS 1200
#define SUBJECTS 31
#define FIRST "00000000000000000001.log"

/* What the log says of each subject, and of itself. */
struct picture {
	uint64_t last[SUBJECTS];
	struct store_stats stats;
};

static void take_picture(struct temp_log *log, struct picture *ret_picture)
{
	char subject[32];
	for (int i = 0; i < SUBJECTS; i++) {
		snprintf(subject, sizeof(subject), "t.s%d", i);
		ret_picture->last[i] = temp_log_last_of(log, subject);
	}
	store_stats(log->store, &ret_picture->stats);
}

static void assert_same(const struct picture *a, const struct picture *b)
{
	assert_memory_equal(a->last, b->last, sizeof(a->last));
	assert_int_equal(a->stats.subject_count, b->stats.subject_count);
	assert_int_equal(a->stats.first_seq, b->stats.first_seq);
	assert_int_equal(a->stats.last_seq, b->stats.last_seq);
	assert_int_equal(a->stats.segment_count, b->stats.segment_count);
	assert_int_equal(a->stats.bytes, b->stats.bytes);
}

/* Closed properly, with many sealed segments. */
static struct temp_log *new_log(struct picture *ret_picture)
{
	struct temp_log *log = temp_log_new(SEGMENT_LEN);
	temp_log_open(log);
	for (int i = 0; i < RECORDS; i += 20)
		temp_log_fill(log, 20, SUBJECTS);
	take_picture(log, ret_picture);
	assert_true(ret_picture->stats.segment_count > 20);
	temp_log_close(log);
	return log;
}

static void remove_files(const struct temp_log *log, const char *ending)
{
	DIR *dir = opendir(log->folder);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		size_t len = strlen(entry->d_name);
		if (len >= strlen(ending) &&
		    strcmp(entry->d_name + len - strlen(ending), ending) == 0)
			assert_int_equal(unlinkat(dirfd(dir), entry->d_name, 0), 0);
	}
	closedir(dir);
}

static void test_digest_opens_without_a_look_into_sealed_segments(void **state)
{
	(void)state;
	struct picture before;
	struct picture after;
	struct buf whole = {0};
	struct temp_log *log = new_log(&before);
	/* Neither checkpoints nor what lies behind the header are there to be read. */
	remove_files(log, ".ckpt");
	temp_log_load(log, FIRST, &whole);
	struct buf spoiled = {0};
	buf_add(&spoiled, whole.data, whole.len);
	memset(spoiled.data + 64, 0xee, spoiled.len - 64);
	temp_log_save(log, FIRST, span_of(spoiled.data, spoiled.len));
	temp_log_open(log);
	take_picture(log, &after);
	assert_same(&before, &after);
	assert_false(temp_log_has(log, "00000000000000000001.ckpt"));
	temp_log_close(log);
	temp_log_save(log, FIRST, span_of(whole.data, whole.len));
	temp_log_open(log);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, RECORDS);
	free(records);
	buf_fini(&whole);
	buf_fini(&spoiled);
	temp_log_free(log);
}

static void test_digest_damaged_anywhere_is_passed_over(void **state)
{
	(void)state;
	struct picture before;
	struct picture after;
	struct buf whole = {0};
	struct temp_log *log = new_log(&before);
	temp_log_load(log, "sealed", &whole);
	for (size_t at = 0; at < whole.len; at += 13) {
		whole.data[at] ^= 16;
		temp_log_save(log, "sealed", span_of(whole.data, whole.len));
		whole.data[at] ^= 16;
		temp_log_open(log);
		take_picture(log, &after);
		assert_same(&before, &after);
		temp_log_close(log);
	}
	for (size_t len = 0; len < whole.len; len += 17) {
		temp_log_save(log, "sealed", span_of(whole.data, len));
		temp_log_open(log);
		take_picture(log, &after);
		assert_same(&before, &after);
		temp_log_close(log);
	}
	buf_fini(&whole);
	temp_log_free(log);
}

static void test_digest_of_an_earlier_state_is_passed_over(void **state)
{
	(void)state;
	struct picture before;
	struct picture after;
	struct buf old = {0};
	struct temp_log *log = new_log(&before);
	temp_log_load(log, "sealed", &old);
	temp_log_open(log);
	uint64_t gone[SUBJECTS];
	for (uint64_t i = 0; i < SUBJECTS; i++)
		gone[i] = RECORDS - 300 + i;
	assert_int_equal(store_remove(log->store, gone, SUBJECTS, NULL), LYC_OK);
	take_picture(log, &before);
	temp_log_close(log);
	temp_log_save(log, "sealed", span_of(old.data, old.len));
	temp_log_open(log);
	take_picture(log, &after);
	assert_same(&before, &after);
	/* The leading segments, as retention drops them. */
	uint64_t leading[100];
	for (uint64_t i = 0; i < 100; i++)
		leading[i] = i + 1;
	assert_int_equal(store_remove(log->store, leading, 100, NULL), LYC_OK);
	take_picture(log, &before);
	temp_log_close(log);
	temp_log_open(log);
	take_picture(log, &after);
	assert_same(&before, &after);
	temp_log_close(log);
	temp_log_save(log, "sealed", span_of(old.data, old.len));
	temp_log_open(log);
	take_picture(log, &after);
	assert_same(&before, &after);
	buf_fini(&old);
	temp_log_free(log);
}

static void append_and_crash(struct temp_log *log)
{
	for (int i = 0; i < 400; i += 20)
		temp_log_fill(log, 20, SUBJECTS);
}

static void test_digest_that_lags_behind_is_completed_by_checkpoints(void **state)
{
	(void)state;
	struct picture before;
	struct picture after;
	struct temp_log *log = new_log(&before);
	/* More segments without a proper close, in which the digest is behind. */
	temp_log_in_child(log, append_and_crash);
	temp_log_open(log);
	take_picture(log, &before);
	assert_int_equal(before.stats.last_seq, RECORDS + 400);
	temp_log_close(log);
	char path[100];
	snprintf(path, sizeof(path), "%s/sealed", log->folder);
	assert_int_equal(unlink(path), 0);
	temp_log_open(log);
	take_picture(log, &after);
	assert_same(&before, &after);
	temp_log_free(log);
}

static void test_digest_names_no_subject_that_was_erased(void **state)
{
	(void)state;
	struct picture picture;
	struct temp_log *log = temp_log_new(SEGMENT_LEN);
	temp_log_open(log);
	uint64_t seq = temp_log_append(log, "t.secret-person", "r");
	for (int i = 0; i < RECORDS; i += 20)
		temp_log_fill(log, 20, SUBJECTS);
	temp_log_reopen(log);
	assert_true(temp_log_contains(log, "secret-person"));
	assert_int_equal(store_remove(log->store, &seq, 1, NULL), LYC_OK);
	assert_false(temp_log_contains(log, "secret-person"));
	temp_log_reopen(log);
	take_picture(log, &picture);
	assert_int_equal(picture.stats.subject_count, SUBJECTS);
	assert_false(temp_log_contains(log, "secret-person"));
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_digest_opens_without_a_look_into_sealed_segments),
		cmocka_unit_test(test_digest_damaged_anywhere_is_passed_over),
		cmocka_unit_test(test_digest_of_an_earlier_state_is_passed_over),
		cmocka_unit_test(test_digest_that_lags_behind_is_completed_by_checkpoints),
		cmocka_unit_test(test_digest_names_no_subject_that_was_erased),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

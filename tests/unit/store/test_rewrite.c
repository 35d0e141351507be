/* Removing: what goes is gone from the files, what stays keeps its sequence. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rng.h"
#include "temp_log.h"

static void test_remove_takes_the_bytes_out_of_the_files(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(2048);
	temp_log_open(log);
	for (int i = 0; i < 20; i++)
		temp_log_fill(log, 10, 3);
	uint64_t early = temp_log_append(log, "person.0000-secret-id", "first secret");
	for (int i = 0; i < 20; i++)
		temp_log_fill(log, 10, 3);
	uint64_t late = temp_log_append(log, "person.0000-secret-id", "second secret");
	assert_true(temp_log_contains(log, "first secret"));
	assert_true(temp_log_contains(log, "0000-secret-id"));
	uint64_t gone[] = {late, early, early, 100000};
	assert_int_equal(store_remove(log->store, gone, 4, NULL), LYC_OK);
	assert_false(temp_log_contains(log, "secret"));
	assert_int_equal(temp_log_last_of(log, "person.0000-secret-id"), 0);
	struct buf record = {0};
	assert_int_equal(store_read_one(log->store, early, &record, NULL), LYC_NOT_FOUND);
	assert_int_equal(store_read_one(log->store, late, &record, NULL), LYC_NOT_FOUND);
	assert_int_equal(store_read_one(log->store, early + 1, &record, NULL), LYC_OK);
	buf_fini(&record);
	/* The last sequence is never given twice. */
	assert_int_equal(temp_log_append(log, "t.s1", "next"), late + 1);
	struct temp_records *before = temp_log_read(log, 1);
	temp_log_reopen(log);
	struct temp_records *after = temp_log_read(log, 1);
	assert_int_equal(after->count, 401);
	assert_true(temp_records_equal(before, after));
	assert_false(temp_log_contains(log, "secret"));
	/* Again: nothing to do. */
	assert_int_equal(store_remove(log->store, gone, 4, NULL), LYC_OK);
	free(before);
	free(after);
	temp_log_free(log);
}

static void test_remove_of_the_very_last_record_keeps_its_sequence_taken(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	temp_log_fill(log, 3, 3);
	uint64_t all[] = {1, 2, 3};
	assert_int_equal(store_remove(log->store, all, 3, NULL), LYC_OK);
	temp_log_reopen(log);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_int_equal(stats.first_seq, 0);
	assert_int_equal(stats.last_seq, 3);
	assert_int_equal(stats.subject_count, 0);
	assert_int_equal(temp_log_append(log, "t.s1", "next"), 4);
	temp_log_free(log);
}

static void test_remove_shows_the_subjects_earlier_record(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(2048);
	temp_log_open(log);
	uint64_t first = temp_log_append(log, "a.x", "one");
	for (int i = 0; i < 20; i++)
		temp_log_fill(log, 10, 3);
	uint64_t second = temp_log_append(log, "a.x", "two");
	uint64_t third = temp_log_append(log, "a.x", "three");
	uint64_t gone[] = {second, third};
	assert_int_equal(store_remove(log->store, gone, 2, NULL), LYC_OK);
	assert_int_equal(temp_log_last_of(log, "a.x"), first);
	temp_log_reopen(log);
	assert_int_equal(temp_log_last_of(log, "a.x"), first);
	temp_log_free(log);
}

static void test_remove_deletes_leading_segments(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(2048);
	temp_log_open(log);
	for (int i = 0; i < 40; i++)
		temp_log_fill(log, 10, 3);
	struct store_stats before;
	store_stats(log->store, &before);
	uint64_t gone[300];
	for (uint64_t i = 0; i < 300; i++)
		gone[i] = i + 1;
	assert_int_equal(store_remove(log->store, gone, 300, NULL), LYC_OK);
	assert_false(temp_log_has(log, "00000000000000000001.log"));
	assert_false(temp_log_has(log, "00000000000000000001.ckpt"));
	struct store_stats after;
	store_stats(log->store, &after);
	assert_true(after.segment_count * 3 < before.segment_count);
	assert_int_equal(after.first_seq, 301);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, 100);
	free(records);
	temp_log_reopen(log);
	records = temp_log_read(log, 1);
	assert_int_equal(records->count, 100);
	assert_int_equal(records->items[0].seq, 301);
	free(records);
	temp_log_free(log);
}

/* As retention does it. */
static void test_remove_leaves_the_last_of_each_subject(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(2048);
	uint64_t gone[440];
	size_t count = 0;
	temp_log_open(log);
	for (int i = 0; i < 40; i++) {
		temp_log_fill(log, 10, 7);
		temp_log_append(log, "other.x", "stays");
	}
	struct temp_records *before = temp_log_read(log, 1);
	for (size_t i = 0; i < before->count; i++) {
		const struct temp_record *record = &before->items[i];
		if (strcmp(record->subject, "other.x") != 0 &&
		    temp_log_last_of(log, record->subject) != record->seq)
			gone[count++] = record->seq;
	}
	free(before);
	assert_int_equal(count, 400 - 7);
	/* Removed before, they are not there to be removed: nothing changes. */
	for (int round = 0; round < 2; round++) {
		assert_int_equal(store_remove(log->store, gone, count, NULL), LYC_OK);
		struct temp_records *records = temp_log_read(log, 1);
		size_t others = 0;
		assert_int_equal(records->count, 40 + 7);
		for (size_t i = 0; i < records->count; i++) {
			const struct temp_record *record = &records->items[i];
			bool is_other = strcmp(record->subject, "other.x") == 0;
			others += is_other;
			if (!is_other)
				assert_int_equal(temp_log_last_of(log, record->subject),
						 record->seq);
		}
		assert_int_equal(others, 40);
		free(records);
		temp_log_reopen(log);
	}
	temp_log_free(log);
}

/* Many random appends, removals and reopenings beside a plain array. */
static void test_rewrite_agrees_with_an_array(void **state)
{
	(void)state;
	enum { MAX = 3000, SUBJECTS = 11 };
	static bool is_kept[MAX + 100];
	static int subject_of[MAX + 100];
	struct temp_log *log = temp_log_new(3000);
	struct rng rng;
	uint64_t last = 0;
	rng_init(&rng, 3);
	temp_log_open(log);
	while (last < MAX) {
		size_t count = 1 + (size_t)rng_below(&rng, 40);
		temp_log_fill(log, count, SUBJECTS);
		for (size_t i = 0; i < count; i++) {
			last++;
			is_kept[last] = true;
			subject_of[last] = (int)(last % SUBJECTS);
		}
		if (rng_below(&rng, 4) == 0) {
			uint64_t gone[30];
			for (size_t i = 0; i < 30; i++) {
				gone[i] = 1 + rng_below(&rng, last);
				is_kept[gone[i]] = false;
			}
			assert_int_equal(store_remove(log->store, gone, 30, NULL), LYC_OK);
		}
		if (rng_below(&rng, 10) == 0)
			temp_log_reopen(log);
		uint64_t last_of[SUBJECTS] = {0};
		for (uint64_t seq = 1; seq <= last; seq++) {
			if (is_kept[seq])
				last_of[subject_of[seq]] = seq;
		}
		for (int i = 0; i < SUBJECTS; i++) {
			char name[16];
			snprintf(name, sizeof(name), "t.s%d", i);
			assert_int_equal(temp_log_last_of(log, name), last_of[i]);
		}
	}
	struct temp_records *records = temp_log_read(log, 1);
	size_t at = 0;
	for (uint64_t seq = 1; seq <= last; seq++) {
		if (!is_kept[seq])
			continue;
		assert_true(at < records->count);
		assert_int_equal(records->items[at++].seq, seq);
	}
	assert_int_equal(at, records->count);
	free(records);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_remove_takes_the_bytes_out_of_the_files),
		cmocka_unit_test(test_remove_of_the_very_last_record_keeps_its_sequence_taken),
		cmocka_unit_test(test_remove_shows_the_subjects_earlier_record),
		cmocka_unit_test(test_remove_deletes_leading_segments),
		cmocka_unit_test(test_remove_leaves_the_last_of_each_subject),
		cmocka_unit_test(test_rewrite_agrees_with_an_array),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Torn tails are cut, damage is told: at every byte of a log's newest batch and before it. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/rng.h"
#include "store/segment.h"
#include "temp_log.h"

#define FIRST "00000000000000000001.log"

/* Two batches, of which the second is the newest; the process ends without closing. */
static void two_batches(struct temp_log *log)
{
	temp_log_fill(log, 5, 3);
	temp_log_fill(log, 5, 3);
}

/* Where each record of the first segment starts, and the end. */
static size_t offsets_of(struct temp_log *log, uint64_t *ret_offsets, size_t max)
{
	struct segment_folder folder = {0};
	struct segment *segment;
	struct segment_cursor cursor;
	struct segment_record record;
	size_t count = 0;
	assert_int_equal(segment_folder_open(&folder, log->folder, NULL), LYC_OK);
	assert_int_equal(segment_open(&folder, 1, &segment, NULL), LYC_OK);
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, log->segment_len, 4096);
	while (count + 1 < max && segment_cursor_next(&cursor, &record, NULL) == LYC_OK) {
		ret_offsets[count++] = record.offset;
		ret_offsets[count] = record.offset + record.len;
	}
	segment_cursor_fini(&cursor);
	segment_unref(segment);
	segment_folder_fini(&folder);
	return count;
}

static enum lyc_status try_open(struct temp_log *log, struct lyc_error *error)
{
	struct store_options options = {.folder = log->folder, .segment_len = log->segment_len};
	return store_open(&options, &log->store, error);
}

static void set_synced(struct temp_log *log, uint64_t seq)
{
	struct segment_folder folder = {0};
	assert_int_equal(segment_folder_open(&folder, log->folder, NULL), LYC_OK);
	struct folder_state state = folder.state;
	state.synced_seq = seq;
	assert_int_equal(segment_folder_put_state(&folder, &state, NULL), LYC_OK);
	segment_folder_fini(&folder);
}

/* As if the process had ended without closing. */
static void forget_close(struct temp_log *log)
{
	set_synced(log, 0);
}

static void test_recovery_cuts_the_newest_batch_at_every_byte(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	temp_log_in_child(log, two_batches);
	uint64_t offsets[16];
	assert_int_equal(offsets_of(log, offsets, 16), 10);
	struct buf whole = {0};
	temp_log_load(log, FIRST, &whole);
	for (int with_room = 0; with_room < 2; with_room++) {
		for (uint64_t cut = offsets[5]; cut <= offsets[10]; cut++) {
			size_t kept = 5;
			while (kept < 10 && offsets[kept + 1] <= cut)
				kept++;
			struct buf torn = {0};
			buf_add(&torn, whole.data, (size_t)cut);
			/* The room behind it is zeros, or was never given. */
			while (with_room && torn.len < whole.len)
				buf_add_byte(&torn, 0);
			temp_log_save(log, FIRST, span_of(torn.data, torn.len));
			buf_fini(&torn);
			temp_log_open(log);
			struct store_stats stats;
			store_stats(log->store, &stats);
			assert_int_equal(stats.last_seq, kept);
			if (!with_room)
				assert_true(stats.truncated_bytes <= cut - offsets[kept]);
			struct temp_records *records = temp_log_read(log, 1);
			assert_int_equal(records->count, kept);
			free(records);
			assert_int_equal(temp_log_append(log, "t.new", "after"), kept + 1);
			temp_log_reopen(log);
			assert_int_equal(temp_log_last_of(log, "t.new"), kept + 1);
			temp_log_close(log);
			forget_close(log);
		}
	}
	buf_fini(&whole);
	temp_log_free(log);
}

static void test_recovery_names_a_record_with_a_flipped_bit_before_the_newest_batch(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	temp_log_in_child(log, two_batches);
	uint64_t offsets[16];
	assert_int_equal(offsets_of(log, offsets, 16), 10);
	struct buf whole = {0};
	temp_log_load(log, FIRST, &whole);
	temp_log_open(log);
	struct temp_records *before = temp_log_read(log, 1);
	temp_log_close(log);
	for (uint64_t at = SEGMENT_HEADER_LEN; at < offsets[10]; at++) {
		uint8_t byte = whole.data[at];
		forget_close(log);
		whole.data[at] ^= (uint8_t)(1u << (at % 8));
		temp_log_save(log, FIRST, span_of(whole.data, whole.len));
		whole.data[at] = byte;
		temp_log_open(log);
		size_t hit = 0;
		while (offsets[hit + 1] <= at)
			hit++;
		struct store_stats stats;
		store_stats(log->store, &stats);
		if (hit < 5) {
			assert_int_equal(temp_log_check(log, before), 1);
			assert_int_equal(stats.last_seq, 10);
			assert_int_equal(stats.lost_count, 1);
			assert_int_equal(stats.truncated_bytes, 0);
		} else {
			/* The newest batch cannot be told from a torn one. */
			assert_int_equal(stats.last_seq, hit);
			assert_int_equal(stats.lost_count, 0);
			assert_true(stats.truncated_bytes > 0);
		}
		temp_log_close(log);
		assert_int_equal(temp_log_clear_aside(log), hit < 5 ? 1 : 0);
	}
	free(before);
	buf_fini(&whole);
	temp_log_free(log);
}

static void test_recovery_names_all_damage_after_a_proper_close(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	temp_log_open(log);
	two_batches(log);
	struct temp_records *before = temp_log_read(log, 1);
	temp_log_close(log);
	uint64_t offsets[16];
	assert_int_equal(offsets_of(log, offsets, 16), 10);
	struct buf whole = {0};
	temp_log_load(log, FIRST, &whole);
	for (uint64_t at = 0; at < offsets[10]; at++) {
		whole.data[at] ^= 0x10;
		temp_log_save(log, FIRST, span_of(whole.data, whole.len));
		whole.data[at] ^= 0x10;
		temp_log_open(log);
		/* What the header says can be pieced together. */
		assert_int_equal(temp_log_check(log, before), at < SEGMENT_HEADER_LEN ? 0 : 1);
		assert_int_equal(temp_log_append(log, "t.more", "r"), 11);
		temp_log_reopen(log);
		assert_int_equal(temp_log_last_of(log, "t.more"), 11);
		temp_log_close(log);
		(void)temp_log_clear_aside(log);
		set_synced(log, 10);
	}
	free(before);
	buf_fini(&whole);
	temp_log_free(log);
}

static void test_recovery_survives_random_bytes_behind_the_log(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 7);
	for (int round = 0; round < 20; round++) {
		struct temp_log *log = temp_log_new(8192);
		temp_log_in_child(log, two_batches);
		uint64_t offsets[16];
		assert_int_equal(offsets_of(log, offsets, 16), 10);
		struct buf whole = {0};
		temp_log_load(log, FIRST, &whole);
		for (size_t at = (size_t)offsets[10]; at < whole.len; at++)
			whole.data[at] = (uint8_t)rng_next(&rng);
		temp_log_save(log, FIRST, span_of(whole.data, whole.len));
		temp_log_open(log);
		struct temp_records *records = temp_log_read(log, 1);
		assert_int_equal(records->count, 10);
		free(records);
		buf_fini(&whole);
		temp_log_free(log);
	}
}

/* The first sequences of the segments, by trying all. */
static size_t segments_of(struct temp_log *log, uint64_t last_seq, uint64_t *ret_firsts)
{
	size_t count = 0;
	for (uint64_t seq = 1; seq <= last_seq; seq++) {
		char name[32];
		segment_name(seq, ".log", name);
		if (temp_log_has(log, name))
			ret_firsts[count++] = seq;
	}
	return count;
}

static void fill_segments(struct temp_log *log)
{
	for (int batch = 0; batch < 20; batch++)
		temp_log_fill(log, 10, 3);
}

/* A daemon that starts again is waited for: it reads what there is, not the room for more. */
static void test_recovery_passes_over_room_that_was_never_used(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	struct lyc_error error = {0};
	struct store_stats stats;
	char path[128];
	temp_log_in_child(log, two_batches);
	snprintf(path, sizeof(path), "%s/%s", log->folder, FIRST);
	assert_int_equal(truncate(path, (off_t)1 << 40), 0);
	if (try_open(log, &error) != LYC_OK)
		fail_msg("%s", error.text);
	store_stats(log->store, &stats);
	assert_int_equal(stats.last_seq, 10);
	assert_int_equal(stats.truncated_bytes, 0);
	assert_int_equal(temp_log_append(log, "t.new", "after"), 11);
	temp_log_reopen(log);
	assert_int_equal(temp_log_last_of(log, "t.new"), 11);
	temp_log_free(log);
}

static void fifty_small(struct temp_log *log)
{
	for (int i = 0; i < 50; i++)
		temp_log_append(log, "t.a", "small");
}

/* Zeros that were written ahead are no torn tail, and nobody counts them. */
static void test_recovery_passes_over_zeros_that_were_written_ahead(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(1024 * 1024);
	struct store_stats stats;
	char path[128];
	uint64_t offsets[64];
	struct stat info;
	temp_log_in_child(log, fifty_small);
	snprintf(path, sizeof(path), "%s/%s", log->folder, FIRST);
	/* As a disk has it, where room is no data before it is written. */
	int fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	off_t hole = lseek(fd, 0, SEEK_HOLE);
	assert_true(hole == 1024 * 1024 || (hole > 32 * 1024 && hole < 256 * 1024));
	assert_int_equal(fstat(fd, &info), 0);
	assert_int_equal(info.st_size, 1024 * 1024);
	close(fd);
	assert_int_equal(offsets_of(log, offsets, 64), 50);
	temp_log_open(log);
	store_stats(log->store, &stats);
	assert_int_equal(stats.last_seq, 50);
	assert_int_equal(stats.truncated_bytes, 0);
	assert_int_equal(stats.bytes, offsets[50]);
	assert_int_equal(temp_log_append(log, "t.new", "after"), 51);
	temp_log_reopen(log);
	assert_int_equal(temp_log_last_of(log, "t.new"), 51);
	temp_log_free(log);
}

/* The last small batches of a segment: no zeros go beyond its room. */
static void test_recovery_finds_all_where_zeros_meet_the_end(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(8192);
	struct store_stats stats;
	temp_log_open(log);
	for (uint64_t seq = 1; seq <= 400; seq++) {
		assert_int_equal(temp_log_append(log, "t.a", "small"), seq);
		if (seq % 97 == 0)
			temp_log_reopen(log);
	}
	store_stats(log->store, &stats);
	assert_true(stats.segment_count > 1);
	temp_log_reopen(log);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, 400);
	free(records);
	char path[128];
	struct stat info;
	snprintf(path, sizeof(path), "%s/%s", log->folder, FIRST);
	assert_int_equal(stat(path, &info), 0);
	assert_true(info.st_size <= 8192);
	temp_log_free(log);
}

/* Bytes that this process has read so far, from files whether cached or not. */
static uint64_t read_so_far(void)
{
	unsigned long long count = 0;
	FILE *file = fopen("/proc/self/io", "re");
	assert_non_null(file);
	assert_int_equal(fscanf(file, "rchar: %llu", &count), 1);
	fclose(file);
	return count;
}

/* What one opening has read of it lies in the page cache, and a file system then calls it data: on
 * a disk, where it is read ahead. */
static void test_recovery_passes_over_unused_room_the_second_time(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new_on_disk(64 * 1024 * 1024);
	temp_log_in_child(log, two_batches);
	for (int i = 0; i < 4; i++) {
		uint64_t before = read_so_far();
		temp_log_open(log);
		assert_in_range(read_so_far() - before, 0, 4 * 1024 * 1024);
		temp_log_close(log);
	}
	temp_log_free(log);
}

static void test_recovery_tells_a_missing_segment(void **state)
{
	(void)state;
	/* Closed or not: the checkpoint of the one before the last tells that it had a successor.
	 */
	for (int with_close = 0; with_close < 2; with_close++) {
		uint64_t firsts[50];
		size_t count = 3;
		for (size_t i = 0; i < count; i++) {
			struct temp_log *log = temp_log_new(2048);
			struct lyc_error error = {0};
			char path[128];
			char name[32];
			temp_log_in_child(log, fill_segments);
			if (with_close) {
				temp_log_open(log);
				temp_log_close(log);
			}
			count = segments_of(log, 200, firsts);
			assert_true(count >= 3);
			segment_name(firsts[i], ".log", name);
			snprintf(path, sizeof(path), "%s/%s", log->folder, name);
			assert_int_equal(unlink(path), 0);
			assert_int_equal(try_open(log, &error), LYC_DATA_LOSS);
			temp_log_free(log);
		}
	}
}

static void test_recovery_tells_damage_in_a_sealed_segment(void **state)
{
	(void)state;
	uint64_t firsts[50];
	struct temp_log *log = temp_log_new(2048);
	struct lyc_error error = {0};
	struct buf record = {0};
	struct buf whole = {0};
	char path[128];
	temp_log_open(log);
	fill_segments(log);
	struct temp_records *before = temp_log_read(log, 1);
	temp_log_close(log);
	assert_true(segments_of(log, 200, firsts) >= 2);
	temp_log_load(log, FIRST, &whole);
	whole.data[whole.len - 3] ^= 1;
	temp_log_save(log, FIRST, span_of(whole.data, whole.len));
	/* With its checkpoint the log opens, and reading tells. */
	temp_log_open(log);
	assert_int_equal(store_read_one(log->store, 1, &record, &error), LYC_OK);
	assert_int_equal(store_read_one(log->store, firsts[1] - 1, &record, &error), LYC_DATA_LOSS);
	assert_non_null(strstr(error.text, FIRST));
	assert_non_null(strstr(error.text, "offset"));
	/* Nothing damaged is copied by a removal: what is left is, and the rest is named. */
	uint64_t gone = 1;
	assert_int_equal(store_remove(log->store, &gone, 1, &error), LYC_OK);
	assert_int_equal(store_read_one(log->store, 1, &record, &error), LYC_NOT_FOUND);
	assert_int_equal(store_read_one(log->store, firsts[1] - 1, &record, &error), LYC_DATA_LOSS);
	assert_non_null(strstr(error.text, "lost"));
	assert_int_equal(store_read_one(log->store, firsts[1] - 2, &record, &error), LYC_OK);
	temp_log_close(log);
	/* Without checkpoint and digest opening tells. */
	temp_log_save(log, FIRST, span_of(whole.data, whole.len));
	snprintf(path, sizeof(path), "%s/00000000000000000001.ckpt", log->folder);
	assert_int_equal(unlink(path), 0);
	snprintf(path, sizeof(path), "%s/sealed", log->folder);
	assert_int_equal(unlink(path), 0);
	temp_log_open(log);
	assert_int_equal(temp_log_check(log, before), 1);
	free(before);
	buf_fini(&record);
	buf_fini(&whole);
	temp_log_free(log);
}

static void test_recovery_scans_where_a_checkpoint_is_damaged(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(2048);
	struct buf whole = {0};
	temp_log_open(log);
	fill_segments(log);
	struct temp_records *before = temp_log_read(log, 1);
	temp_log_close(log);
	temp_log_load(log, "00000000000000000001.ckpt", &whole);
	for (size_t at = 0; at < whole.len; at += 7) {
		whole.data[at] ^= 4;
		temp_log_save(log, "00000000000000000001.ckpt", span_of(whole.data, whole.len));
		whole.data[at] ^= 4;
		temp_log_save(log, "sealed", span_of(NULL, 0));
		temp_log_open(log);
		assert_int_equal(temp_log_last_of(log, "t.s0"), 198);
		temp_log_close(log);
	}
	temp_log_open(log);
	struct temp_records *after = temp_log_read(log, 1);
	assert_true(temp_records_equal(before, after));
	free(before);
	free(after);
	buf_fini(&whole);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recovery_cuts_the_newest_batch_at_every_byte),
		cmocka_unit_test(
			test_recovery_names_a_record_with_a_flipped_bit_before_the_newest_batch),
		cmocka_unit_test(test_recovery_names_all_damage_after_a_proper_close),
		cmocka_unit_test(test_recovery_survives_random_bytes_behind_the_log),
		cmocka_unit_test(test_recovery_passes_over_room_that_was_never_used),
		cmocka_unit_test(test_recovery_passes_over_unused_room_the_second_time),
		cmocka_unit_test(test_recovery_passes_over_zeros_that_were_written_ahead),
		cmocka_unit_test(test_recovery_finds_all_where_zeros_meet_the_end),
		cmocka_unit_test(test_recovery_tells_a_missing_segment),
		cmocka_unit_test(test_recovery_tells_damage_in_a_sealed_segment),
		cmocka_unit_test(test_recovery_scans_where_a_checkpoint_is_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A log of format 1, as an earlier program left it, is brought to format 2: at once, and from
 * wherever an upgrade was interrupted. A newer one is left alone. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/crc32c.h"
#include "temp_log.h"

#define FOLDER SOURCE_ROOT "/tests/golden/log_format_1"
#define SEGMENT_LEN 1024
#define RECORDS 55 /* of 60 */

static const char *const segments[] = {"00000000000000000001", "00000000000000000016",
				       "00000000000000000031", "00000000000000000046"};
#define SEGMENTS 4

static void copy_file(const struct temp_log *log, const char *name)
{
	char path[300];
	uint8_t bytes[4096];
	snprintf(path, sizeof(path), "%s/%s", FOLDER, name);
	FILE *file = fopen(path, "rb");
	assert_non_null(file);
	size_t len = fread(bytes, 1, sizeof(bytes), file);
	fclose(file);
	temp_log_save(log, name, span_of(bytes, len));
}

static void copy_segment(const struct temp_log *log, size_t index)
{
	char name[40];
	snprintf(name, sizeof(name), "%s.log", segments[index]);
	copy_file(log, name);
	snprintf(name, sizeof(name), "%s.ckpt", segments[index]);
	if (index + 1 < SEGMENTS)
		copy_file(log, name);
}

static struct temp_log *new_old_log(void)
{
	struct temp_log *log = temp_log_new(SEGMENT_LEN);
	char path[100];
	snprintf(path, sizeof(path), "%s/meta", log->folder);
	assert_int_equal(mkdir(path, 0700), 0);
	copy_file(log, "log");
	copy_file(log, "meta/position");
	for (size_t i = 0; i < SEGMENTS; i++)
		copy_segment(log, i);
	return log;
}

/* Everything that the earlier program had appended and not removed. */
static void assert_whole(struct temp_log *log)
{
	struct temp_records *records = temp_log_read(log, 1);
	struct buf value = {0};
	size_t at = 0;
	assert_int_equal(records->count, RECORDS);
	for (uint64_t seq = 1; seq <= 60; seq++) {
		char subject[16];
		char text[64];
		if (seq == 3 || (seq >= 17 && seq <= 20))
			continue;
		snprintf(subject, sizeof(subject), "t.s%llu", (unsigned long long)(seq % 7));
		snprintf(text, sizeof(text), "record %llu of the first format",
			 (unsigned long long)seq);
		assert_int_equal(records->items[at].seq, seq);
		assert_string_equal(records->items[at].subject, subject);
		assert_string_equal(records->items[at++].record, text);
	}
	free(records);
	assert_int_equal(temp_log_last_of(log, "t.s4"), 60);
	assert_int_equal(temp_log_last_of(log, "t.s3"), 59);
	assert_int_equal(store_get_meta(log->store, "position", &value), LYC_OK);
	assert_true(span_is(span_of(value.data, value.len), "42"));
	buf_fini(&value);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_int_equal(stats.lost_count, 0);
	assert_int_equal(stats.damage_count, 0);
	assert_int_equal(stats.aside_count, 0);
}

static uint8_t format_of(const struct temp_log *log, size_t index)
{
	char name[40];
	struct buf bytes = {0};
	snprintf(name, sizeof(name), "%s.log", segments[index]);
	temp_log_load(log, name, &bytes);
	uint8_t format = bytes.data[8];
	buf_fini(&bytes);
	return format;
}

static void test_upgrade_brings_every_segment_to_format_2(void **state)
{
	(void)state;
	struct temp_log *log = new_old_log();
	for (size_t i = 0; i < SEGMENTS; i++)
		assert_int_equal(format_of(log, i), 1);
	temp_log_open(log);
	assert_whole(log);
	for (size_t i = 0; i < SEGMENTS; i++)
		assert_int_equal(format_of(log, i), 2);
	assert_int_equal(temp_log_append(log, "t.new", "r"), 61);
	temp_log_reopen(log);
	assert_int_equal(temp_log_last_of(log, "t.new"), 61);
	struct buf text = {0};
	temp_log_load(log, "log", &text);
	assert_memory_equal(text.data, "lyceum-log 2\n", 13);
	buf_fini(&text);
	temp_log_free(log);
}

/* After the state file the segments follow one by one; each step is a rename. */
static void test_upgrade_is_completed_from_wherever_it_was_interrupted(void **state)
{
	(void)state;
	for (size_t done = 0; done <= SEGMENTS; done++) {
		struct temp_log *log = new_old_log();
		struct buf half = {0};
		temp_log_open(log);
		temp_log_close(log);
		for (size_t i = done; i < SEGMENTS; i++)
			copy_segment(log, i);
		/* With the copy that was under way. */
		if (done < SEGMENTS) {
			char name[40];
			snprintf(name, sizeof(name), "%s.log", segments[done]);
			temp_log_load(log, name, &half);
			snprintf(name, sizeof(name), "%s.log.new", segments[done]);
			temp_log_save(log, name, span_of(half.data, half.len / 2));
		}
		temp_log_open(log);
		assert_whole(log);
		for (size_t i = 0; i < SEGMENTS; i++)
			assert_int_equal(format_of(log, i), 2);
		buf_fini(&half);
		temp_log_free(log);
	}
}

/* The new segment has its name, its checkpoint is still the old one's. */
static void test_upgrade_passes_over_checkpoints_of_the_old_segments(void **state)
{
	(void)state;
	struct temp_log *log = new_old_log();
	temp_log_open(log);
	temp_log_close(log);
	for (size_t i = 0; i + 1 < SEGMENTS; i++) {
		char name[40];
		snprintf(name, sizeof(name), "%s.ckpt", segments[i]);
		copy_file(log, name);
	}
	temp_log_save(log, "sealed", span_of(NULL, 0));
	temp_log_open(log);
	assert_whole(log);
	temp_log_free(log);
}

static void test_upgrade_names_what_was_damaged_before(void **state)
{
	(void)state;
	struct temp_log *log = new_old_log();
	struct buf bytes = {0};
	temp_log_load(log, "00000000000000000016.log", &bytes);
	bytes.data[bytes.len - 5] ^= 1;
	temp_log_save(log, "00000000000000000016.log", span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
	temp_log_open(log);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_int_equal(stats.lost_count, 1);
	assert_int_equal(stats.last_seq, 60);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, RECORDS - 1);
	free(records);
	temp_log_free(log);
}

static enum lyc_status try_open(struct temp_log *log, struct lyc_error *error)
{
	struct store_options options = {.folder = log->folder, .segment_len = log->segment_len};
	return store_open(&options, &log->store, error);
}

static void test_upgrade_leaves_a_newer_log_alone(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	char text[200];
	struct temp_log *log = new_old_log();
	int len = snprintf(text, sizeof(text),
			   "lyceum-log 3\nepoch 1795331263852\nfirst 1\nsynced 60\n");
	len += snprintf(text + len, sizeof(text) - (size_t)len, "crc32c %08x\n",
			crc32c(0, text, (size_t)len));
	temp_log_save(log, "log", span_of(text, (size_t)len));
	assert_int_equal(try_open(log, &error), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "format 3"));
	assert_non_null(strstr(error.text, "newer"));
	for (size_t i = 0; i < SEGMENTS; i++)
		assert_int_equal(format_of(log, i), 1);
	temp_log_free(log);

	/* A segment of a newer one, in a folder that says nothing of it. */
	struct buf bytes = {0};
	log = new_old_log();
	temp_log_load(log, "00000000000000000031.log", &bytes);
	bytes.data[8] = 3;
	uint32_t crc = crc32c(0, bytes.data, 60);
	for (int i = 0; i < 4; i++)
		bytes.data[60 + i] = (uint8_t)(crc >> (8 * i));
	temp_log_save(log, "00000000000000000031.log", span_of(bytes.data, bytes.len));
	assert_int_equal(try_open(log, &error), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "format 3"));
	buf_fini(&bytes);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upgrade_brings_every_segment_to_format_2),
		cmocka_unit_test(test_upgrade_is_completed_from_wherever_it_was_interrupted),
		cmocka_unit_test(test_upgrade_passes_over_checkpoints_of_the_old_segments),
		cmocka_unit_test(test_upgrade_names_what_was_damaged_before),
		cmocka_unit_test(test_upgrade_leaves_a_newer_log_alone),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

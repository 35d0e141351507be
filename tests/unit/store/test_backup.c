/* Backups: complete or not there, checked to the last bit, and restored in an epoch of their own.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/pb.h"
#include "store/backup.h"
#include "store/backup_files.h"
#include "temp_log.h"

/* Later than any log here was begun. */
#define LATER_MS 4000000000000u

struct places {
	struct temp_log *log;
	char folder[80];
	char backup[120];
	char restored[120];
};

static void places_init_at(struct places *places, uint64_t segment_len, const char *at)
{
	places->log = temp_log_new(segment_len);
	temp_log_open(places->log);
	snprintf(places->folder, sizeof(places->folder), "%s/lyceum-backup-XXXXXX", at);
	assert_non_null(mkdtemp(places->folder));
	snprintf(places->backup, sizeof(places->backup), "%s/monday", places->folder);
	snprintf(places->restored, sizeof(places->restored), "%s/log", places->folder);
}

/* On the log's own file system. */
static void places_init(struct places *places, uint64_t segment_len)
{
	places_init_at(places, segment_len, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

static void places_fini(struct places *places)
{
	temp_log_free(places->log);
	backup_remove_folder(places->folder);
}

static enum lyc_status make(const struct places *places, const char *folder,
			    struct backup_summary *ret_summary, struct lyc_error *error)
{
	const struct backup_options options = {
		.folder = folder, .daemon = "wales", .time_ms = 1700000000000};
	return backup_make(places->log->store, &options, ret_summary, error);
}

static enum lyc_status restore(const struct places *places, const char *folder, uint64_t now_ms,
			       struct backup_summary *ret_summary, struct lyc_error *error)
{
	const struct restore_options options = {.folder = folder,
						.to = places->restored,
						.daemon = "wales",
						.now_ms = now_ms,
						.waits_for_hub = true};
	return backup_restore(&options, ret_summary, error);
}

static void make_well(const struct places *places, struct backup_summary *ret_summary)
{
	struct lyc_error error = {0};
	if (make(places, places->backup, ret_summary, &error) != LYC_OK)
		fail_msg("%s", error.text);
}

/* Use the restored log where the log was. */
static void move_in(struct places *places)
{
	char command[600];
	temp_log_close(places->log);
	snprintf(command, sizeof(command), "rm -r %s && mv %s %s", places->log->folder,
		 places->restored, places->log->folder);
	assert_int_equal(system(command), 0);
	temp_log_open(places->log);
}

static void test_backup_comes_back_in_a_new_epoch(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct store_stats stats;
	struct lyc_error error = {0};
	struct buf value = {0};
	places_init(&places, 2048);
	for (int i = 0; i < 20; i++)
		temp_log_fill(places.log, 10, 3);
	assert_int_equal(store_put_meta(places.log->store, "kept", text_span("value"), NULL),
			 LYC_OK);
	struct temp_records *before = temp_log_read(places.log, 1);
	store_stats(places.log->store, &stats);
	make_well(&places, &summary);
	assert_int_equal(summary.last_seq, 200);
	assert_int_equal(summary.record_count, 200);
	assert_int_equal(summary.epoch, stats.epoch);
	assert_int_equal(summary.bytes, stats.bytes);
	/* What comes later is not in it. */
	uint64_t lost = temp_log_append(places.log, "t.s1", "lost");
	assert_int_equal(backup_check(places.backup, &summary, &error), LYC_OK);
	assert_string_equal(summary.daemon, "wales");
	assert_int_equal(restore(&places, places.backup, stats.epoch + 1, &summary, &error),
			 LYC_OK);
	move_in(&places);
	struct temp_records *after = temp_log_read(places.log, 1);
	assert_true(temp_records_equal(before, after));
	assert_int_equal(store_get_meta(places.log->store, "kept", &value), LYC_OK);
	assert_true(span_is(span_of(value.data, value.len), "value"));
	buf_clear(&value);
	assert_int_equal(store_get_meta(places.log->store, BACKUP_WAITS_KEY, &value), LYC_OK);
	/* The epoch is later, and no sequence comes twice. */
	uint64_t old_epoch = stats.epoch;
	store_stats(places.log->store, &stats);
	assert_int_equal(stats.epoch, old_epoch + 1);
	uint64_t next = temp_log_append(places.log, "t.s1", "next");
	assert_true(next > lost);
	assert_int_equal(next, BACKUP_EPOCH_STEP + 1);
	/* The former one is listed, with its last sequence. */
	buf_clear(&value);
	assert_int_equal(store_get_meta(places.log->store, BACKUP_EPOCHS_KEY, &value), LYC_OK);
	struct buf expected = {0};
	size_t mark = pb_begin(&expected, 1);
	pb_write_uint(&expected, 1, old_epoch);
	pb_write_uint(&expected, 2, 200);
	pb_end(&expected, mark);
	assert_true(
		span_equal(span_of(value.data, value.len), span_of(expected.data, expected.len)));
	temp_log_reopen(places.log);
	assert_int_equal(temp_log_last_of(places.log, "t.s1"), next);
	buf_fini(&value);
	buf_fini(&expected);
	free(before);
	free(after);
	places_fini(&places);
}

/* Two restores of it would be of the same epoch, and give the same sequences. */
static void test_backup_is_not_restored_before_its_log_was_begun(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	places_init(&places, 0);
	temp_log_fill(places.log, 3, 3);
	make_well(&places, &summary);
	uint64_t epoch = summary.epoch;
	assert_int_equal(restore(&places, places.backup, epoch, &summary, &error),
			 LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "clock"));
	assert_int_not_equal(access(places.restored, F_OK), 0);
	assert_int_equal(restore(&places, places.backup, epoch + 1, &summary, &error), LYC_OK);
	places_fini(&places);
}

static void test_backup_twice_restored_has_two_former_epochs(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct store_stats stats;
	struct lyc_error error = {0};
	struct buf value = {0};
	places_init(&places, 2048);
	temp_log_fill(places.log, 100, 3);
	make_well(&places, &summary);
	assert_int_equal(restore(&places, places.backup, LATER_MS, &summary, &error), LYC_OK);
	move_in(&places);
	temp_log_fill(places.log, 5, 1);
	char tuesday[130];
	snprintf(tuesday, sizeof(tuesday), "%s/tuesday", places.folder);
	assert_int_equal(make(&places, tuesday, &summary, &error), LYC_OK);
	assert_int_equal(summary.record_count, 105);
	assert_int_equal(summary.last_seq, BACKUP_EPOCH_STEP + 5);
	assert_int_equal(backup_check(tuesday, &summary, &error), LYC_OK);
	assert_int_equal(restore(&places, tuesday, LATER_MS + 1, &summary, &error), LYC_OK);
	move_in(&places);
	assert_int_equal(temp_log_append(places.log, "t.s1", "next"), 2 * BACKUP_EPOCH_STEP + 1);
	store_stats(places.log->store, &stats);
	assert_int_equal(stats.epoch, summary.epoch + 1);
	assert_int_equal(store_get_meta(places.log->store, BACKUP_EPOCHS_KEY, &value), LYC_OK);
	struct pb_reader reader = pb_reader_of(span_of(value.data, value.len));
	struct pb_field field;
	size_t count = 0;
	while (pb_read_field(&reader, &field))
		count++;
	assert_int_equal(count, 2);
	buf_fini(&value);
	places_fini(&places);
}

/* Whatever is changed in it is found, and nothing is restored from it. */
static void test_backup_check_finds_every_damage(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct backup_list list;
	struct lyc_error error = {0};
	places_init(&places, 2048);
	for (int i = 0; i < 40; i++)
		temp_log_fill(places.log, 10, 3);
	assert_int_equal(store_put_meta(places.log->store, "kept", text_span("value"), NULL),
			 LYC_OK);
	make_well(&places, &summary);
	assert_int_equal(backup_list_read(places.backup, &list, &error), LYC_OK);
	assert_true(list.count > 5);
	for (size_t i = 0; i <= list.count; i++) {
		const char *name = i < list.count ? list.files[i].name : BACKUP_LIST_NAME;
		char path[500];
		char copy[510];
		struct buf content = {0};
		assert_true(backup_path(path, sizeof(path), places.backup, name));
		snprintf(copy, sizeof(copy), "%s.whole", path);
		assert_int_equal(backup_load(path, &content, &error), LYC_OK);
		assert_int_equal(rename(path, copy), 0);
		assert_int_not_equal(backup_check(places.backup, &summary, &error), LYC_OK);
		size_t step = content.len / 40 + 1;
		for (size_t at = 0; at < content.len; at += step) {
			content.data[at] ^= 0x10;
			assert_int_equal(
				backup_write(path, span_of(content.data, content.len), NULL),
				LYC_OK);
			enum lyc_status status = backup_check(places.backup, &summary, &error);
			if (status == LYC_OK)
				fail_msg("%s: a change at %zu was not found", name, at);
			assert_int_equal(unlink(path), 0);
			content.data[at] ^= 0x10;
		}
		assert_int_equal(backup_write(path, span_of(content.data, content.len - 1), NULL),
				 LYC_OK);
		assert_int_not_equal(backup_check(places.backup, &summary, &error), LYC_OK);
		assert_int_not_equal(restore(&places, places.backup, LATER_MS, &summary, &error),
				     LYC_OK);
		assert_int_not_equal(access(places.restored, F_OK), 0);
		assert_int_equal(rename(copy, path), 0);
		buf_fini(&content);
	}
	assert_int_equal(backup_check(places.backup, &summary, &error), LYC_OK);
	backup_list_fini(&list);
	places_fini(&places);
}

static void test_backup_shares_sealed_segments_and_stays_as_it_is(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	places_init(&places, 2048);
	for (int i = 0; i < 20; i++)
		temp_log_fill(places.log, 10, 3);
	uint64_t secret = temp_log_append(places.log, "t.s1", "a secret");
	for (int i = 0; i < 20; i++)
		temp_log_fill(places.log, 10, 3);
	make_well(&places, &summary);
	/* All but the active one. */
	assert_true(summary.linked_bytes > 0 && summary.bytes - summary.linked_bytes <= 2048);
	/* The log changes its own files by new ones. */
	assert_int_equal(store_remove(places.log->store, &secret, 1, &error), LYC_OK);
	assert_int_equal(backup_check(places.backup, &summary, &error), LYC_OK);
	assert_int_equal(summary.record_count, 401);
	places_fini(&places);
}

/* On another file system nothing can be shared with the log, but with the backup before. */
static void test_backup_shares_with_an_earlier_one(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary first;
	struct backup_summary second;
	struct lyc_error error = {0};
	char tuesday[130];
	places_init_at(&places, 2048, "/tmp");
	for (int i = 0; i < 40; i++)
		temp_log_fill(places.log, 10, 3);
	make_well(&places, &first);
	temp_log_fill(places.log, 10, 3);
	snprintf(tuesday, sizeof(tuesday), "%s/tuesday", places.folder);
	const struct backup_options options = {.folder = tuesday,
					       .earlier = places.backup,
					       .daemon = "wales",
					       .time_ms = 1700000000001};
	assert_int_equal(backup_make(places.log->store, &options, &second, &error), LYC_OK);
	assert_true(second.linked_bytes > second.bytes / 2);
	assert_int_equal(backup_check(tuesday, &second, &error), LYC_OK);
	places_fini(&places);
}

static void test_backup_wants_a_new_or_empty_folder(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	char part[140];
	char file[160];
	places_init(&places, 0);
	temp_log_fill(places.log, 3, 3);
	assert_int_equal(make(&places, "relative/folder", &summary, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "absolute"));
	assert_int_equal(mkdir(places.backup, 0755), 0);
	make_well(&places, &summary);
	assert_int_equal(make(&places, places.backup, &summary, &error), LYC_ALREADY_EXISTS);
	assert_int_equal(backup_check(places.backup, &summary, &error), LYC_OK);
	/* What a crash left behind is no backup, and in nobody's way; somebody's own folder is. */
	backup_remove_folder(places.backup);
	snprintf(part, sizeof(part), "%s.part", places.backup);
	snprintf(file, sizeof(file), "%s/photo", part);
	assert_int_equal(mkdir(part, 0755), 0);
	assert_int_equal(backup_write(file, text_span("holiday"), NULL), LYC_OK);
	assert_int_equal(make(&places, places.backup, &summary, &error), LYC_ALREADY_EXISTS);
	assert_int_equal(access(file, F_OK), 0);
	snprintf(file, sizeof(file), "%s/unfinished", part);
	assert_int_equal(backup_write(file, text_span(""), NULL), LYC_OK);
	assert_int_equal(backup_check(part, &summary, &error), LYC_NOT_FOUND);
	make_well(&places, &summary);
	assert_int_not_equal(access(part, F_OK), 0);
	places_fini(&places);
}

static void test_backup_is_not_restored_over_a_log(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	places_init(&places, 0);
	temp_log_fill(places.log, 3, 3);
	make_well(&places, &summary);
	snprintf(places.restored, sizeof(places.restored), "%s", places.log->folder);
	assert_int_equal(restore(&places, places.backup, LATER_MS, &summary, &error),
			 LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "Move it away"));
	temp_log_fill(places.log, 3, 3);
	places_fini(&places);
}

static void test_backup_of_another_daemon_is_not_taken(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	places_init(&places, 0);
	temp_log_fill(places.log, 3, 3);
	make_well(&places, &summary);
	const struct restore_options options = {
		.folder = places.backup, .to = places.restored, .daemon = "cork"};
	assert_int_equal(backup_restore(&options, &summary, &error), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "'wales'"));
	assert_int_not_equal(access(places.restored, F_OK), 0);
	places_fini(&places);
}

/* The copy of a data folder that nobody had open comes back, too. */
static void test_backup_restores_a_copied_folder(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	char command[600];
	places_init(&places, 2048);
	for (int i = 0; i < 10; i++)
		temp_log_fill(places.log, 10, 3);
	assert_int_equal(store_put_meta(places.log->store, "name", text_span("wales"), NULL),
			 LYC_OK);
	struct temp_records *before = temp_log_read(places.log, 1);
	temp_log_close(places.log);
	snprintf(command, sizeof(command), "mkdir %s && cp -r %s %s/log", places.backup,
		 places.log->folder, places.backup);
	assert_int_equal(system(command), 0);
	assert_int_equal(restore(&places, places.backup, LATER_MS, &summary, &error), LYC_OK);
	assert_int_equal(summary.record_count, 100);
	assert_int_equal(summary.last_seq, 100);
	temp_log_open(places.log);
	move_in(&places);
	struct temp_records *after = temp_log_read(places.log, 1);
	assert_true(temp_records_equal(before, after));
	assert_int_equal(temp_log_append(places.log, "t.s1", "next"), BACKUP_EPOCH_STEP + 1);
	free(before);
	free(after);
	places_fini(&places);
}

/* Without its list a damaged one is a copied folder: what is left of it comes back. */
static void test_backup_that_is_damaged_comes_back_without_its_list(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	struct buf content = {0};
	char path[200];
	places_init(&places, 2048);
	for (int i = 0; i < 40; i++)
		temp_log_fill(places.log, 10, 3);
	assert_int_equal(store_put_meta(places.log->store, "name", text_span("wales"), NULL),
			 LYC_OK);
	make_well(&places, &summary);
	snprintf(path, sizeof(path), "%s/log/00000000000000000001.log", places.backup);
	assert_int_equal(backup_load(path, &content, &error), LYC_OK);
	assert_int_equal(unlink(path), 0);
	content.data[1000] ^= 0x10;
	assert_int_equal(backup_write(path, span_of(content.data, content.len), &error), LYC_OK);
	assert_int_equal(restore(&places, places.backup, LATER_MS, &summary, &error),
			 LYC_DATA_LOSS);
	snprintf(path, sizeof(path), "%s/backup", places.backup);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(restore(&places, places.backup, LATER_MS, &summary, &error), LYC_OK);
	assert_int_equal(summary.record_count, 399);
	move_in(&places);
	struct temp_records *left = temp_log_read(places.log, 1);
	assert_int_equal(left->count, 399);
	assert_int_equal(temp_log_append(places.log, "t.s1", "next"), BACKUP_EPOCH_STEP + 1);
	free(left);
	buf_fini(&content);
	places_fini(&places);
}

struct appender {
	struct temp_log *log;
	atomic_bool is_over;
};

static void *append_all_the_time(void *arg)
{
	struct appender *appender = arg;
	while (!appender->is_over)
		temp_log_fill(appender->log, 20, 5);
	return NULL;
}

static void test_backup_is_one_moment_of_a_log_under_load(void **state)
{
	(void)state;
	struct places places;
	struct backup_summary summary;
	struct lyc_error error = {0};
	pthread_t thread;
	places_init(&places, 8192);
	struct appender appender = {.log = places.log};
	assert_int_equal(pthread_create(&thread, NULL, append_all_the_time, &appender), 0);
	uint64_t last = 0;
	for (int i = 0; i < 10; i++) {
		snprintf(places.backup, sizeof(places.backup), "%s/b%d", places.folder, i);
		make_well(&places, &summary);
		assert_int_equal(summary.record_count, summary.last_seq);
		assert_true(summary.last_seq >= last);
		last = summary.last_seq;
		if (backup_check(places.backup, &summary, &error) != LYC_OK)
			fail_msg("%s", error.text);
	}
	appender.is_over = true;
	pthread_join(thread, NULL);
	places_fini(&places);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_backup_comes_back_in_a_new_epoch),
		cmocka_unit_test(test_backup_is_not_restored_before_its_log_was_begun),
		cmocka_unit_test(test_backup_twice_restored_has_two_former_epochs),
		cmocka_unit_test(test_backup_check_finds_every_damage),
		cmocka_unit_test(test_backup_shares_sealed_segments_and_stays_as_it_is),
		cmocka_unit_test(test_backup_shares_with_an_earlier_one),
		cmocka_unit_test(test_backup_wants_a_new_or_empty_folder),
		cmocka_unit_test(test_backup_is_not_restored_over_a_log),
		cmocka_unit_test(test_backup_of_another_daemon_is_not_taken),
		cmocka_unit_test(test_backup_restores_a_copied_folder),
		cmocka_unit_test(test_backup_that_is_damaged_comes_back_without_its_list),
		cmocka_unit_test(test_backup_is_one_moment_of_a_log_under_load),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

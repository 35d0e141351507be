/*
 * A disk that is really full: a small file system in memory, mounted where only this process sees
 * it. Appends are refused, erasure still runs from the reserve, and then appends go on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "temp_log.h"

#define SEGMENT_LEN 16384
/* Of a segment and of the reserve. */
#define BALLAST_LEN (200u << 10)

static bool has_disk;

/* False, with the reason printed, where this process may not mount. */
static bool mount_small_disk(const char *folder)
{
	if (unshare(CLONE_NEWNS) != 0 ||
	    mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=512k") != 0) {
		print_message("skipped: cannot mount a small disk here: %s\n", strerror(errno));
		return false;
	}
	return true;
}

static enum lyc_status append_many(struct temp_log *log, size_t count, struct lyc_error *error)
{
	struct store_item items[16];
	for (size_t i = 0; i < count; i++)
		items[i] = (struct store_item){
			.subject = text_span(i % 2 ? "full.odd" : "full.even"),
			.record =
				text_span("sixty bytes or so of a record that fills up the disk."),
			.ret_status = LYC_UNKNOWN};
	enum lyc_status status = store_append(log->store, items, count, error);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i].ret_status, status);
	return status;
}

/* Append until there is no room. */
static void fill_disk(struct temp_log *log)
{
	struct lyc_error error = {0};
	enum lyc_status status = LYC_OK;
	for (int i = 0; i < 2000 && status == LYC_OK; i++)
		status = append_many(log, 16, &error);
	assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(error.text, "The disk is full"));
	assert_non_null(strstr(error.text, log->folder));
}

/* Take what is left of the disk, at most max_len bytes of it. */
static void add_ballast(const struct temp_log *log, size_t max_len)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/ballast", log->folder);
	FILE *ballast = fopen(path, "ab");
	assert_non_null(ballast);
	setvbuf(ballast, NULL, _IONBF, 0);
	for (size_t len = 0; len < max_len && fwrite(log, 1, 64, ballast) == 64; len += 64)
		;
	fclose(ballast);
}

static void remove_ballast(const struct temp_log *log)
{
	char path[100];
	snprintf(path, sizeof(path), "%s/ballast", log->folder);
	assert_int_equal(unlink(path), 0);
}

/* No file that is half made is left in the folder. */
static void assert_nothing_half_made(const struct temp_log *log, const char *below)
{
	char path[100];
	snprintf(path, sizeof(path), "%s%s", log->folder, below);
	DIR *dir = opendir(path);
	assert_non_null(dir);
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		size_t len = strlen(entry->d_name);
		assert_true(entry->d_name[len - 1] != '~');
		assert_null(strstr(entry->d_name, ".new"));
	}
	closedir(dir);
}

static struct temp_log *new_on_small_disk(void)
{
	struct temp_log *log = temp_log_new(SEGMENT_LEN);
	has_disk = mount_small_disk(log->folder);
	if (has_disk) {
		temp_log_open(log);
		return log;
	}
	temp_log_free(log);
	return NULL;
}

static void free_with_disk(struct temp_log *log)
{
	temp_log_close(log);
	assert_int_equal(umount2(log->folder, MNT_DETACH), 0);
	temp_log_free(log);
}

static void test_reserve_lets_a_full_log_be_made_smaller(void **state)
{
	(void)state;
	struct temp_log *log = new_on_small_disk();
	if (!log)
		skip();
	fill_disk(log);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_true(stats.last_seq > 1000);
	assert_true(temp_log_has(log, "reserve"));
	add_ballast(log, SIZE_MAX);
	assert_int_equal(append_many(log, 16, NULL), LYC_RESOURCE_EXHAUSTED);
	/* Every third record, all over the log. */
	size_t count = 0;
	uint64_t *gone = calloc((size_t)stats.last_seq, sizeof(*gone));
	for (uint64_t seq = 1; seq <= stats.last_seq; seq += 3)
		gone[count++] = seq;
	/* What a removal has to keep first is kept out of the reserve; anything else is not. */
	struct lyc_error error = {0};
	struct span value = span_of("sequences", 9);
	assert_int_equal(store_put_meta(log->store, "position", value, &error),
			 LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(store_put_vital_meta(log->store, "position", value, &error), LYC_OK);
	enum lyc_status status = store_remove(log->store, gone, count, &error);
	if (status != LYC_OK)
		print_message("%s\n", error.text);
	assert_int_equal(status, LYC_OK);
	free(gone);
	uint64_t before = stats.last_seq;
	assert_int_equal(append_many(log, 16, NULL), LYC_OK);
	temp_log_reopen(log);
	store_stats(log->store, &stats);
	assert_int_equal(stats.last_seq, before + 16);
	assert_true(temp_log_has(log, "reserve"));
	struct temp_records *records = temp_log_read(log, before - 2000);
	assert_true(records->count > 1000);
	free(records);
	free_with_disk(log);
}

static void test_reserve_full_log_is_read_and_goes_on_without_a_restart(void **state)
{
	(void)state;
	struct temp_log *log = new_on_small_disk();
	struct store_stats stats;
	if (!log)
		skip();
	assert_int_equal(store_put_meta(log->store, "position", text_span("17"), NULL), LYC_OK);
	add_ballast(log, BALLAST_LEN);
	fill_disk(log);
	add_ballast(log, SIZE_MAX);
	store_stats(log->store, &stats);
	uint64_t last = stats.last_seq;
	struct temp_records *before = temp_log_read(log, last - 1000);
	assert_int_equal(before->count, 1001);
	/* A value is the old one or the new one. */
	struct buf value = {0};
	assert_int_equal(store_put_meta(log->store, "position", text_span("18"), NULL),
			 LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(store_get_meta(log->store, "position", &value), LYC_OK);
	assert_true(span_is(span_of(value.data, value.len), "17"));
	buf_fini(&value);
	assert_nothing_half_made(log, "");
	assert_nothing_half_made(log, "/meta");
	/* It opens on a full disk, too, and is as it was. */
	temp_log_reopen(log);
	struct temp_records *after = temp_log_read(log, last - 1000);
	assert_true(temp_records_equal(before, after));
	free(before);
	free(after);
	assert_int_equal(append_many(log, 16, NULL), LYC_RESOURCE_EXHAUSTED);
	for (int round = 0; round < 3; round++) {
		remove_ballast(log);
		assert_int_equal(append_many(log, 16, NULL), LYC_OK);
		assert_int_equal(store_put_meta(log->store, "position", text_span("19"), NULL),
				 LYC_OK);
		add_ballast(log, SIZE_MAX);
	}
	store_stats(log->store, &stats);
	assert_true(stats.last_seq >= last + 48);
	temp_log_reopen(log);
	store_stats(log->store, &stats);
	struct temp_records *all = temp_log_read(log, last - 1000);
	assert_int_equal(all->count, 1001 + (stats.last_seq - last));
	free(all);
	free_with_disk(log);
}

static void test_reserve_is_for_withdrawals_too(void **state)
{
	(void)state;
	struct temp_log *log = new_on_small_disk();
	struct store_stats stats;
	if (!log)
		skip();
	add_ballast(log, BALLAST_LEN);
	fill_disk(log);
	add_ballast(log, SIZE_MAX);
	assert_int_equal(append_many(log, 16, NULL), LYC_RESOURCE_EXHAUSTED);
	for (int i = 0; i < 100; i++) {
		struct store_item item = {.subject = text_span("full.odd"),
					  .record = text_span("withdrawn"),
					  .is_vital = true};
		assert_int_equal(store_append(log->store, &item, 1, NULL), LYC_OK);
		assert_int_equal(item.ret_status, LYC_OK);
	}
	assert_int_equal(append_many(log, 16, NULL), LYC_RESOURCE_EXHAUSTED);
	store_stats(log->store, &stats);
	uint64_t last = stats.last_seq;
	temp_log_reopen(log);
	store_stats(log->store, &stats);
	assert_int_equal(stats.last_seq, last);
	remove_ballast(log);
	/* The reserve comes first. */
	assert_int_equal(append_many(log, 16, NULL), LYC_OK);
	assert_true(temp_log_has(log, "reserve"));
	free_with_disk(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve_lets_a_full_log_be_made_smaller),
		cmocka_unit_test(test_reserve_full_log_is_read_and_goes_on_without_a_restart),
		cmocka_unit_test(test_reserve_is_for_withdrawals_too),
	};
	int failed = cmocka_run_group_tests(tests, NULL, NULL);
	return failed == 0 && !has_disk ? 77 : failed;
}

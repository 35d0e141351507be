/*
 * A disk that is really full: a small file system in memory, mounted where only this process sees
 * it. Appends are refused, erasure still runs from the reserve, and then appends go on.
 */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "temp_log.h"

#define SEGMENT_LEN 16384

/* False, with the reason printed, where this process may not mount. */
static bool mount_small_disk(const char *folder)
{
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", folder, "tmpfs", 0, "size=512k") != 0) {
		print_message("skipped: cannot mount a small disk here: %s\n", strerror(errno));
		return false;
	}
	return true;
}

static enum lyc_status append_many(struct temp_log *log, size_t count)
{
	struct store_item items[16];
	for (size_t i = 0; i < count; i++)
		items[i] = (struct store_item){
			.subject = text_span(i % 2 ? "full.odd" : "full.even"),
			.record =
				text_span("sixty bytes or so of a record that fills up the disk."),
			.ret_status = LYC_UNKNOWN};
	enum lyc_status status = store_append(log->store, items, count, NULL);
	for (size_t i = 0; i < count; i++)
		assert_int_equal(items[i].ret_status, status);
	return status;
}

static void test_reserve_lets_a_full_log_be_made_smaller(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(SEGMENT_LEN);
	if (!mount_small_disk(log->folder)) {
		temp_log_free(log);
		skip();
	}
	temp_log_open(log);
	enum lyc_status status = LYC_OK;
	for (int i = 0; i < 2000 && status == LYC_OK; i++)
		status = append_many(log, 16);
	assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_true(stats.last_seq > 1000);
	assert_true(temp_log_has(log, "reserve"));
	/* Fill what the segments left over. */
	char path[100];
	snprintf(path, sizeof(path), "%s/ballast", log->folder);
	FILE *ballast = fopen(path, "wb");
	assert_non_null(ballast);
	setvbuf(ballast, NULL, _IONBF, 0);
	while (fwrite(log, 1, 64, ballast) == 64)
		;
	fclose(ballast);
	assert_int_equal(append_many(log, 16), LYC_RESOURCE_EXHAUSTED);
	/* Every third record, all over the log. */
	size_t count = 0;
	uint64_t *gone = calloc((size_t)stats.last_seq, sizeof(*gone));
	for (uint64_t seq = 1; seq <= stats.last_seq; seq += 3)
		gone[count++] = seq;
	struct lyc_error error = {0};
	status = store_remove(log->store, gone, count, &error);
	if (status != LYC_OK)
		print_message("%s\n", error.text);
	assert_int_equal(status, LYC_OK);
	free(gone);
	uint64_t before = stats.last_seq;
	assert_int_equal(append_many(log, 16), LYC_OK);
	temp_log_reopen(log);
	store_stats(log->store, &stats);
	assert_int_equal(stats.last_seq, before + 16);
	assert_true(temp_log_has(log, "reserve"));
	struct temp_records *records = temp_log_read(log, before - 2000);
	assert_true(records->count > 1000);
	free(records);
	temp_log_close(log);
	assert_int_equal(umount2(log->folder, MNT_DETACH), 0);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reserve_lets_a_full_log_be_made_smaller),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

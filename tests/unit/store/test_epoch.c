/* Epochs: a new one where the log's end may be lost, and the former ones told from the segments. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/backup.h"
#include "temp_log.h"

#define KEY "meta/" BACKUP_EPOCHS_KEY

static void delete (const struct temp_log *log, const char *name)
{
	char path[120];
	snprintf(path, sizeof(path), "%s/%s", log->folder, name);
	assert_int_equal(unlink(path), 0);
}

static void flip(const struct temp_log *log, const char *name, size_t at)
{
	struct buf bytes = {0};
	temp_log_load(log, name, &bytes);
	assert_true(at < bytes.len);
	bytes.data[at] ^= 4;
	temp_log_save(log, name, span_of(bytes.data, bytes.len));
	buf_fini(&bytes);
}

static struct store_stats stats_of(struct temp_log *log)
{
	struct store_stats stats;
	store_stats(log->store, &stats);
	return stats;
}

/* A log of three epochs. */
static struct temp_log *new_with_epochs(void)
{
	struct temp_log *log = temp_log_new(4096);
	temp_log_open(log);
	temp_log_fill(log, 200, 3);
	assert_int_equal(store_begin_epoch(log->store, stats_of(log).epoch + 5, NULL), LYC_OK);
	temp_log_fill(log, 7, 3);
	assert_int_equal(store_begin_epoch(log->store, stats_of(log).epoch + 5, NULL), LYC_OK);
	temp_log_fill(log, 3, 3);
	return log;
}

static void test_epoch_list_is_read_from_the_segments_where_it_is_damaged(void **state)
{
	(void)state;
	for (int is_missing = 0; is_missing < 2; is_missing++) {
		struct temp_log *log = new_with_epochs();
		struct buf before = {0};
		struct buf after = {0};
		temp_log_close(log);
		temp_log_load(log, KEY, &before);
		if (is_missing)
			delete (log, KEY);
		else
			flip(log, KEY, 6);
		temp_log_open(log);
		temp_log_load(log, KEY, &after);
		assert_int_equal(after.len, before.len);
		assert_memory_equal(after.data, before.data, before.len);
		assert_true(temp_log_has(log, "meta/.damaged-" BACKUP_EPOCHS_KEY));
		buf_fini(&before);
		buf_fini(&after);
		temp_log_free(log);
	}
}

/* What had been synced is not known any more, so the next sequence may have been given before. */
static void test_epoch_is_new_where_the_state_is_damaged(void **state)
{
	(void)state;
	for (int is_missing = 0; is_missing < 2; is_missing++) {
		struct temp_log *log = temp_log_new(4096);
		struct buf value = {0};
		temp_log_open(log);
		temp_log_fill(log, 20, 3);
		uint64_t epoch = stats_of(log).epoch;
		temp_log_close(log);
		if (is_missing)
			delete (log, "log");
		else
			flip(log, "log", 20);
		temp_log_open(log);
		assert_true(stats_of(log).epoch > epoch);
		assert_int_equal(temp_log_append(log, "t.a", "r"), BACKUP_EPOCH_STEP + 1);
		assert_true(temp_log_has(log, "meta/.damaged-log"));
		assert_int_equal(store_get_meta(log->store, BACKUP_WAITS_KEY, &value), LYC_OK);
		assert_int_equal(store_get_meta(log->store, BACKUP_EPOCHS_KEY, &value), LYC_OK);
		struct temp_records *records = temp_log_read(log, 1);
		assert_int_equal(records->count, 21);
		free(records);
		/* Once. */
		epoch = stats_of(log).epoch;
		temp_log_reopen(log);
		assert_int_equal(stats_of(log).epoch, epoch);
		buf_fini(&value);
		temp_log_free(log);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_epoch_list_is_read_from_the_segments_where_it_is_damaged),
		cmocka_unit_test(test_epoch_is_new_where_the_state_is_damaged),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

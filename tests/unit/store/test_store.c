/* The contract of an engine, over the embedded one: append, expectations, batches, limits, lock. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "temp_log.h"

static struct store_item item_of(const char *subject, const char *record)
{
	return (struct store_item){.subject = text_span(subject), .record = text_span(record)};
}

static struct store_item item_expecting(const char *subject, const char *record, uint64_t seq)
{
	struct store_item item = item_of(subject, record);
	item.has_expect = true;
	item.expect_seq = seq;
	return item;
}

static void assert_same_stats(const struct store_stats *a, const struct store_stats *b)
{
	assert_int_equal(a->epoch, b->epoch);
	assert_int_equal(a->first_seq, b->first_seq);
	assert_int_equal(a->last_seq, b->last_seq);
	assert_int_equal(a->subject_count, b->subject_count);
	assert_int_equal(a->bytes, b->bytes);
	assert_int_equal(a->segment_count, b->segment_count);
	assert_int_equal(b->truncated_bytes, 0);
}

static void test_store_gives_sequences_from_one(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	assert_int_equal(temp_log_append(log, "a.x", "one"), 1);
	assert_int_equal(temp_log_append(log, "a.y", "two"), 2);
	assert_int_equal(temp_log_append(log, "a.x", "three"), 3);
	assert_int_equal(temp_log_last_of(log, "a.x"), 3);
	assert_int_equal(temp_log_last_of(log, "a.y"), 2);
	assert_int_equal(temp_log_last_of(log, "a"), 0);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_int_equal(stats.first_seq, 1);
	assert_int_equal(stats.last_seq, 3);
	assert_int_equal(stats.subject_count, 2);
	assert_int_not_equal(stats.epoch, 0);
	temp_log_free(log);
}

static void test_store_keeps_everything_when_opened_again(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	temp_log_fill(log, 1000, 7);
	struct store_stats before;
	store_stats(log->store, &before);
	struct temp_records *first = temp_log_read(log, 1);
	temp_log_reopen(log);
	struct store_stats after;
	store_stats(log->store, &after);
	struct temp_records *second = temp_log_read(log, 1);
	assert_int_equal(second->count, 1000);
	assert_true(temp_records_equal(first, second));
	assert_same_stats(&before, &after);
	assert_int_equal(temp_log_last_of(log, "t.s6"), 1000 - (1000 - 6) % 7);
	assert_int_equal(temp_log_append(log, "t.s1", "more"), 1001);
	free(first);
	free(second);
	temp_log_free(log);
}

static void test_store_judges_expectations(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	temp_log_append(log, "a.x", "one");
	struct store_item items[] = {item_expecting("a.x", "right", 1),
				     item_expecting("a.y", "new", 0),
				     item_expecting("a.x", "wrong", 1),
				     item_expecting("a.z", "wrong", 9), item_of("a.z", "free")};
	assert_int_equal(store_append(log->store, items, 5, NULL), LYC_OK);
	assert_int_equal(items[0].ret_status, LYC_OK);
	assert_int_equal(items[0].ret_seq, 2);
	assert_int_equal(items[1].ret_status, LYC_OK);
	assert_int_equal(items[1].ret_seq, 3);
	/* The third sees the first of its own batch. */
	assert_int_equal(items[2].ret_status, LYC_FAILED_PRECONDITION);
	assert_int_equal(items[2].ret_seq, 2);
	assert_int_equal(items[3].ret_status, LYC_FAILED_PRECONDITION);
	assert_int_equal(items[3].ret_seq, 0);
	assert_int_equal(items[4].ret_status, LYC_OK);
	assert_int_equal(items[4].ret_seq, 4);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, 4);
	assert_string_equal(records->items[1].record, "right");
	assert_string_equal(records->items[3].record, "free");
	free(records);
	temp_log_free(log);
}

static void test_store_chains_expectations_in_one_batch(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	struct store_item items[100];
	for (size_t i = 0; i < 100; i++)
		items[i] = item_expecting("a.x", "r", i);
	assert_int_equal(store_append(log->store, items, 100, NULL), LYC_OK);
	for (size_t i = 0; i < 100; i++) {
		assert_int_equal(items[i].ret_status, LYC_OK);
		assert_int_equal(items[i].ret_seq, i + 1);
	}
	temp_log_free(log);
}

static void test_store_answers_a_batch_that_takes_nothing(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	struct store_item item = item_expecting("a.x", "r", 5);
	assert_int_equal(store_append(log->store, &item, 1, NULL), LYC_OK);
	assert_int_equal(item.ret_status, LYC_FAILED_PRECONDITION);
	assert_int_equal(temp_log_append(log, "a.x", "r"), 1);
	temp_log_free(log);
}

static void test_store_refuses_what_is_too_long(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	char *subject = calloc(1, 2000);
	memset(subject, 'a', 1500);
	struct store_item items[] = {item_of(subject, "r"), item_of("", "r"), item_of("a.x", "r")};
	assert_int_equal(store_append(log->store, items, 3, NULL), LYC_OK);
	assert_int_equal(items[0].ret_status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(items[1].ret_status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(items[2].ret_status, LYC_OK);
	assert_int_equal(items[2].ret_seq, 1);
	free(subject);
	temp_log_free(log);
}

static void test_store_rolls_segments(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(4096);
	temp_log_open(log);
	for (int i = 0; i < 100; i++)
		temp_log_fill(log, 10, 5);
	struct store_stats stats;
	store_stats(log->store, &stats);
	assert_true(stats.segment_count > 8);
	assert_true(temp_log_has(log, "00000000000000000001.log"));
	assert_true(temp_log_has(log, "00000000000000000001.ckpt"));
	struct temp_records *first = temp_log_read(log, 1);
	assert_int_equal(first->count, 1000);
	temp_log_reopen(log);
	struct temp_records *second = temp_log_read(log, 1);
	assert_true(temp_records_equal(first, second));
	struct store_stats again;
	store_stats(log->store, &again);
	assert_same_stats(&stats, &again);
	free(first);
	free(second);
	temp_log_free(log);
}

static void test_store_takes_a_batch_longer_than_a_segment(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(4096);
	temp_log_open(log);
	temp_log_fill(log, 1000, 3);
	temp_log_fill(log, 1, 3);
	temp_log_fill(log, 1000, 3);
	temp_log_reopen(log);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, 2001);
	assert_string_equal(records->items[2000].record, "r2001");
	free(records);
	temp_log_free(log);
}

static void test_store_refuses_a_second_opener(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	struct store_options options = {.folder = log->folder};
	struct store *second = NULL;
	struct lyc_error error = {0};
	char pid[32];
	snprintf(pid, sizeof(pid), "process %ld", (long)getpid());
	assert_int_equal(store_open(&options, &second, &error), LYC_FAILED_PRECONDITION);
	assert_null(second);
	assert_non_null(strstr(error.text, log->folder));
	assert_non_null(strstr(error.text, pid));
	temp_log_close(log);
	assert_int_equal(store_open(&options, &second, &error), LYC_OK);
	store_close(second);
	temp_log_free(log);
}

static void test_store_makes_missing_folders(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	char *base = strdup(log->folder);
	size_t len = strlen(log->folder);
	snprintf(log->folder + len, sizeof(log->folder) - len, "/some/log");
	temp_log_open(log);
	assert_int_equal(temp_log_append(log, "a.x", "r"), 1);
	temp_log_close(log);
	snprintf(log->folder, sizeof(log->folder), "%s", base);
	assert_true(temp_log_has(log, "some/log/log"));
	free(base);
	temp_log_free(log);
}

static void test_store_says_when_the_disk_is_full_and_goes_on_after(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(16384);
	temp_log_open(log);
	temp_log_fill(log, 100, 5);
	/* The process's own limit of a file's length stands for the full disk: EFBIG, not ENOSPC.
	 */
	signal(SIGXFSZ, SIG_IGN);
	struct rlimit old;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	struct rlimit low = {.rlim_cur = 16384, .rlim_max = old.rlim_max};
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
	char *big = calloc(1, 20001);
	memset(big, 'b', 20000);
	struct store_item items[] = {item_of("a.x", big), item_of("a.y", "small")};
	struct lyc_error error = {0};
	assert_int_equal(store_append(log->store, items, 2, &error), LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(items[0].ret_status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(items[1].ret_status, LYC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(error.text, log->folder));
	assert_int_equal(temp_log_last_of(log, "a.x"), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(store_append(log->store, items, 2, NULL), LYC_OK);
	assert_int_equal(items[1].ret_seq, 102);
	temp_log_reopen(log);
	struct temp_records *records = temp_log_read(log, 1);
	assert_int_equal(records->count, 102);
	free(records);
	free(big);
	temp_log_free(log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_store_gives_sequences_from_one),
		cmocka_unit_test(test_store_keeps_everything_when_opened_again),
		cmocka_unit_test(test_store_judges_expectations),
		cmocka_unit_test(test_store_chains_expectations_in_one_batch),
		cmocka_unit_test(test_store_answers_a_batch_that_takes_nothing),
		cmocka_unit_test(test_store_refuses_what_is_too_long),
		cmocka_unit_test(test_store_rolls_segments),
		cmocka_unit_test(test_store_takes_a_batch_longer_than_a_segment),
		cmocka_unit_test(test_store_refuses_a_second_opener),
		cmocka_unit_test(test_store_makes_missing_folders),
		cmocka_unit_test(test_store_says_when_the_disk_is_full_and_goes_on_after),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Reading: from anywhere, within limits, while another thread appends and rewrites. */
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

#include "temp_log.h"

#define LIVE_BATCHES 300
#define LIVE_BATCH 20

struct seen {
	uint64_t last;
	size_t count;
	size_t stop_after;
};

static bool note(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct seen *seen = arg;
	char text[32];
	(void)subject;
	snprintf(text, sizeof(text), "r%llu", (unsigned long long)seq);
	assert_true(span_is(record, text));
	assert_true(seq > seen->last);
	seen->last = seq;
	seen->count++;
	return seen->count != seen->stop_after;
}

static void test_reader_starts_anywhere(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(300000);
	temp_log_open(log);
	for (int i = 0; i < 20; i++)
		temp_log_fill(log, 1000, 9);
	for (uint64_t from = 1; from <= 20001; from += 487) {
		struct seen seen = {0};
		uint64_t next = 0;
		assert_int_equal(
			store_read(log->store, from, 10, SIZE_MAX, note, &seen, &next, NULL),
			LYC_OK);
		size_t left = (size_t)(20001 - from);
		assert_int_equal(seen.count, left < 10 ? left : 10);
		assert_int_equal(next, from + seen.count);
		struct buf record = {0};
		char text[32];
		snprintf(text, sizeof(text), "r%llu", (unsigned long long)from);
		if (from <= 20000) {
			assert_int_equal(store_read_one(log->store, from, &record, NULL), LYC_OK);
			assert_true(span_is(span_of(record.data, record.len), text));
		}
		buf_fini(&record);
	}
	temp_log_free(log);
}

static void test_reader_obeys_its_limits(void **state)
{
	(void)state;
	struct temp_log *log = temp_log_new(0);
	temp_log_open(log);
	uint64_t next = 0;
	struct seen seen = {0};
	assert_int_equal(store_read(log->store, 1, 10, 10, note, &seen, &next, NULL), LYC_OK);
	assert_int_equal(next, 1);
	temp_log_fill(log, 100, 9);
	/* Each is "t.sN" and "rN" or "rNN": six or seven bytes. */
	assert_int_equal(store_read(log->store, 0, SIZE_MAX, 30, note, &seen, &next, NULL), LYC_OK);
	assert_int_equal(seen.count, 5);
	assert_int_equal(next, 6);
	seen = (struct seen){.stop_after = 3};
	assert_int_equal(store_read(log->store, 50, SIZE_MAX, SIZE_MAX, note, &seen, &next, NULL),
			 LYC_OK);
	assert_int_equal(seen.count, 3);
	assert_int_equal(next, 53);
	seen = (struct seen){0};
	assert_int_equal(store_read(log->store, 1, 0, SIZE_MAX, note, &seen, &next, NULL), LYC_OK);
	assert_int_equal(next, 1);
	assert_int_equal(store_read(log->store, 500, 10, SIZE_MAX, note, &seen, &next, NULL),
			 LYC_OK);
	assert_int_equal(seen.count, 0);
	assert_int_equal(next, 101);
	struct buf record = {0};
	struct lyc_error error = {0};
	assert_int_equal(store_read_one(log->store, 0, &record, &error), LYC_NOT_FOUND);
	assert_int_equal(store_read_one(log->store, 101, &record, &error), LYC_NOT_FOUND);
	buf_fini(&record);
	temp_log_free(log);
}

struct live {
	struct temp_log *log;
	_Atomic uint64_t acked;
	_Atomic bool is_done;
};

static void *write_live(void *arg)
{
	struct live *live = arg;
	for (uint64_t i = 1; i <= LIVE_BATCHES; i++) {
		temp_log_fill(live->log, LIVE_BATCH, 9);
		atomic_store(&live->acked, i * LIVE_BATCH);
		if (i % 50 == 0) {
			uint64_t gone[] = {i, i * LIVE_BATCH / 2};
			if (store_remove(live->log->store, gone, 2, NULL) != LYC_OK)
				abort();
		}
	}
	atomic_store(&live->is_done, true);
	return NULL;
}

static void test_reader_follows_a_writer(void **state)
{
	(void)state;
	struct live live = {.log = temp_log_new(20000)};
	temp_log_open(live.log);
	pthread_t writer;
	assert_int_equal(pthread_create(&writer, NULL, write_live, &live), 0);
	struct seen seen = {0};
	uint64_t next = 1;
	bool is_done = false;
	while (!is_done || next <= LIVE_BATCHES * LIVE_BATCH) {
		is_done = atomic_load(&live.is_done);
		uint64_t acked = atomic_load(&live.acked);
		uint64_t before = next;
		assert_int_equal(
			store_read(live.log->store, next, 500, SIZE_MAX, note, &seen, &next, NULL),
			LYC_OK);
		assert_true(next >= before);
		/* All that was acknowledged before the read can be read. */
		assert_true(next > acked || next >= before + 500);
		char subject[16] = "t.s1";
		assert_true(temp_log_last_of(live.log, subject) <= LIVE_BATCHES * LIVE_BATCH);
	}
	pthread_join(writer, NULL);
	assert_true(seen.count >= LIVE_BATCHES * LIVE_BATCH - 12);
	assert_int_equal(seen.last, LIVE_BATCHES * LIVE_BATCH);
	temp_log_free(live.log);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reader_starts_anywhere),
		cmocka_unit_test(test_reader_obeys_its_limits),
		cmocka_unit_test(test_reader_follows_a_writer),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The log's reader: a read that finds nothing for long, and values that are synced one by one,
 * hold up nobody else; what is left at the end is answered. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "route/log_read.h"
#include "temp_log.h"
#include "world/log_threads.h"

#define RECORDS 40000
#define BATCH 4000

struct bench {
	uv_loop_t loop;
	struct temp_log *log;
	struct log_threads *threads;
	unsigned answered;
};

struct test_read {
	struct log_read base;
	struct bench *bench;
	unsigned place; /* among the answers, from 1 */
	unsigned last_value;
	bool is_before_value; /* it was not on the disk by then */
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	struct lyc_error error;
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	bench->log = temp_log_new(0);
	temp_log_open(bench->log);
	for (size_t i = 0; i < RECORDS; i += BATCH)
		temp_log_fill(bench->log, BATCH, 4);
	assert_int_equal(
		log_threads_start(&bench->loop, bench->log->store, &bench->threads, &error),
		LYC_OK);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	log_threads_stop(bench->threads);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	temp_log_free(bench->log);
	free(bench);
	return 0;
}

static bool has_value(const struct bench *bench, unsigned number)
{
	char name[40];
	snprintf(name, sizeof(name), "meta/value.%u", number);
	return temp_log_has(bench->log, name);
}

static void answered(struct log_read *base)
{
	struct test_read *read = (struct test_read *)base;
	read->place = ++read->bench->answered;
	read->is_before_value = !has_value(read->bench, read->last_value);
}

static void start(struct bench *bench, struct test_read *read, const char *pattern, uint64_t from)
{
	*read = (struct test_read){.bench = bench};
	read->base.from = from;
	read->base.max_bytes = 256 * 1024;
	read->base.pattern = mem_dup(pattern);
	read->base.on_done = answered;
	log_threads_read(bench->threads, &read->base);
}

static void end(struct test_read *read)
{
	free(read->base.pattern);
	buf_fini(&read->base.records);
}

static void wait_for(struct bench *bench, unsigned count)
{
	while (bench->answered < count)
		uv_run(&bench->loop, UV_RUN_ONCE);
}

static void test_log_reader_read_until_something_is_found(void **state)
{
	struct bench *bench = *state;
	struct test_read read;
	start(bench, &read, "t.s3", 1);
	wait_for(bench, 1);
	assert_int_equal(read.base.status, LYC_OK);
	struct span at = log_read_begin(&read.base.records);
	struct span record;
	uint64_t seq = 0;
	assert_true(log_read_next(&at, &seq, &record));
	assert_int_equal(seq, 3);
	end(&read);
	/* Nothing in all of the log: the answer is where it ends. */
	start(bench, &read, "nothing", 1);
	wait_for(bench, 2);
	assert_int_equal(read.base.status, LYC_OK);
	assert_int_equal(read.base.records.len, 0);
	assert_int_equal(read.base.next_seq, RECORDS + 1);
	end(&read);
}

static void test_log_reader_long_read_lets_others_pass(void **state)
{
	struct bench *bench = *state;
	struct test_read longs[4];
	struct test_read quick;
	for (size_t i = 0; i < 4; i++)
		start(bench, &longs[i], "nothing", 1);
	start(bench, &quick, "t.>", RECORDS - 2);
	wait_for(bench, 5);
	assert_int_equal(quick.place, 1);
	for (size_t i = 0; i < 4; i++)
		end(&longs[i]);
	end(&quick);
}

static void save(struct bench *bench, unsigned number, const char *text)
{
	char key[40];
	snprintf(key, sizeof(key), "value.%u", number);
	log_threads_save(bench->threads, key, text_span(text));
}

/* The answer comes while values are still to be written. A fast disk may have written them all
 * before this thread looks; so there are several attempts, each with twice as many. */
static void test_log_reader_values_let_reads_pass(void **state)
{
	struct bench *bench = *state;
	bool has_passed = false;
	unsigned count = 0;
	for (unsigned attempt = 1; attempt <= 8 && !has_passed; attempt++) {
		struct test_read read;
		for (unsigned i = 0; i < 100u << attempt; i++)
			save(bench, count++, "x");
		start(bench, &read, "t.>", 1);
		read.last_value = count - 1;
		wait_for(bench, attempt);
		has_passed = read.is_before_value;
		end(&read);
	}
	assert_true(has_passed);
	/* All of them are written at the end. */
	log_threads_stop(bench->threads);
	bench->threads = NULL;
	for (unsigned i = 0; i < count; i++)
		assert_true(has_value(bench, i));
}

/* What was saved last counts, whether it is on the disk already or not; nothing removes it. */
static void test_log_reader_values_can_be_removed(void **state)
{
	struct bench *bench = *state;
	struct buf value = {0};
	save(bench, 0, "first");
	save(bench, 0, "second");
	for (unsigned i = 1; i < 20; i++)
		save(bench, i, "x");
	assert_true(log_threads_saved(bench->threads, "value.19", &value));
	assert_true(span_is(span_of(value.data, value.len), "x"));
	save(bench, 0, "");
	buf_clear(&value);
	if (log_threads_saved(bench->threads, "value.0", &value))
		assert_int_equal(value.len, 0);
	assert_false(log_threads_saved(bench->threads, "value.20", &value));
	buf_fini(&value);
	log_threads_stop(bench->threads);
	bench->threads = NULL;
	assert_false(has_value(bench, 0));
	assert_true(has_value(bench, 1));
}

static void test_log_reader_stop_answers_reads_that_are_not_done(void **state)
{
	struct bench *bench = *state;
	struct test_read *reads = mem_get(100 * sizeof(*reads));
	for (size_t i = 0; i < 100; i++)
		start(bench, &reads[i], "nothing", 1);
	log_threads_stop(bench->threads);
	bench->threads = NULL;
	assert_int_equal(bench->answered, 100);
	assert_int_equal(reads[99].base.status, LYC_UNAVAILABLE);
	assert_true(reads[99].base.text[0] != '\0');
	for (size_t i = 0; i < 100; i++)
		end(&reads[i]);
	free(reads);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_log_reader_read_until_something_is_found),
		on_bench(test_log_reader_long_read_lets_others_pass),
		on_bench(test_log_reader_values_let_reads_pass),
		on_bench(test_log_reader_values_can_be_removed),
		on_bench(test_log_reader_stop_answers_reads_that_are_not_done),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

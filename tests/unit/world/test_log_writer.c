/* The thread that appends: answers on the loop, in the order of the appends, with sequences. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "temp_log.h"
#include "world/log_writer.h"

#define APPENDS 50
#define MANY 100000

struct bench {
	uv_loop_t loop;
	uv_async_t async;
	struct temp_log *log;
	struct log_writer *writer;
};

struct test_append {
	struct append base;
	uint64_t number;
};

static uint64_t answered;
static enum lyc_status statuses[MANY + 1];

static void on_done(struct append *base)
{
	struct test_append *append = (struct test_append *)base;
	assert_int_equal(append->number, answered + 1);
	answered = append->number;
	statuses[answered] = base->status;
	buf_fini(&base->subject);
	buf_fini(&base->record);
	free(append);
}

static void on_async(uv_async_t *async)
{
	struct bench *bench = async->data;
	log_writer_deliver(bench->writer);
}

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->log = temp_log_new(8192);
	temp_log_open(bench->log);
	uv_loop_init(&bench->loop);
	uv_async_init(&bench->loop, &bench->async, on_async);
	bench->async.data = bench;
	assert_int_equal(log_writer_start(bench->log->store, &bench->async, &bench->writer, NULL),
			 LYC_OK);
	answered = 0;
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	log_writer_free(bench->writer);
	uv_close((uv_handle_t *)&bench->async, NULL);
	uv_run(&bench->loop, UV_RUN_DEFAULT);
	uv_loop_close(&bench->loop);
	temp_log_free(bench->log);
	free(bench);
	return 0;
}

/* Each expects that its subject has no record: the first does not find one, the others do. */
static void append_expecting_none(struct bench *bench, uint64_t number)
{
	struct test_append *append = mem_new(struct test_append);
	append->number = number;
	append->base.on_done = on_done;
	append->base.has_expect = true;
	buf_add_text(&append->base.subject, "t.a");
	buf_add_text(&append->base.record, "record");
	log_writer_append(bench->writer, &append->base);
}

static void test_log_writer_answers_in_order(void **state)
{
	struct bench *bench = *state;
	for (uint64_t i = 1; i <= APPENDS; i++) {
		append_expecting_none(bench, i);
		if (i % 7 == 0)
			log_writer_flush(bench->writer);
	}
	log_writer_flush(bench->writer);
	while (answered < APPENDS)
		uv_run(&bench->loop, UV_RUN_ONCE);
	assert_int_equal(statuses[1], LYC_OK);
	for (uint64_t i = 2; i <= APPENDS; i++)
		assert_int_equal(statuses[i], LYC_FAILED_PRECONDITION);
	assert_int_equal(temp_log_last_of(bench->log, "t.a"), 1);
	log_writer_stop(bench->writer);
}

/* Nobody has to wait for the end of a turn while the thread has nothing to do. */
static void test_log_writer_begins_with_what_is_collected(void **state)
{
	struct bench *bench = *state;
	uint64_t number = 0;
	while (answered == 0 && number < MANY) {
		append_expecting_none(bench, ++number);
		uv_run(&bench->loop, UV_RUN_NOWAIT);
	}
	assert_true(answered > 0);
	assert_true(answered <= number);
	log_writer_stop(bench->writer);
	log_writer_deliver(bench->writer);
	assert_int_equal(answered, number);
}

static void test_log_writer_writes_what_is_queued_before_it_stops(void **state)
{
	struct bench *bench = *state;
	for (uint64_t i = 1; i <= APPENDS; i++)
		append_expecting_none(bench, i);
	log_writer_stop(bench->writer);
	assert_int_equal(answered, 0);
	log_writer_deliver(bench->writer);
	assert_int_equal(answered, APPENDS);
	assert_int_equal(statuses[1], LYC_OK);
}

int main(void)
{
#define WRITER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		WRITER_TEST(test_log_writer_answers_in_order),
		WRITER_TEST(test_log_writer_begins_with_what_is_collected),
		WRITER_TEST(test_log_writer_writes_what_is_queued_before_it_stops),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The keeper: removes beside appends, keeps the value first, and finishes what it has begun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "temp_log.h"
#include "world/log_keeper.h"

struct bench {
	uv_loop_t loop;
	struct temp_log *log;
	struct log_keeper *keeper;
	struct log_removal removal;
	unsigned answered;
};

static struct bench *the_bench;

static int setup(void **state)
{
	struct bench *bench = the_bench = mem_new(struct bench);
	struct lyc_error error;
	assert_int_equal(uv_loop_init(&bench->loop), 0);
	bench->log = temp_log_new(0);
	temp_log_open(bench->log);
	temp_log_fill(bench->log, 100, 4);
	assert_int_equal(log_keeper_start(&bench->loop, bench->log->store, &bench->keeper, &error),
			 LYC_OK);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	log_keeper_stop(bench->keeper);
	assert_int_equal(uv_loop_close(&bench->loop), 0);
	temp_log_free(bench->log);
	free(bench);
	return 0;
}

static void answered(struct log_removal *removal)
{
	assert_ptr_equal(removal, &the_bench->removal);
	the_bench->answered++;
}

static void begin(struct bench *bench, const uint64_t *seqs, size_t count, const char *key)
{
	bench->removal = (struct log_removal){.seqs = seqs,
					      .seq_count = count,
					      .key = key,
					      .value = span_of("positions", 9),
					      .on_done = answered};
	log_keeper_remove(bench->keeper, &bench->removal);
}

static bool is_there(struct bench *bench, uint64_t seq)
{
	struct buf record = {0};
	bool is_there = store_read_one(bench->log->store, seq, &record, NULL) == LYC_OK;
	buf_fini(&record);
	return is_there;
}

static void test_keeper_removes_and_keeps_the_value(void **state)
{
	struct bench *bench = *state;
	const uint64_t seqs[] = {7, 8, 50};
	struct buf value = {0};
	begin(bench, seqs, 3, "positions");
	while (bench->answered == 0)
		uv_run(&bench->loop, UV_RUN_ONCE);
	assert_int_equal(bench->removal.status, LYC_OK);
	assert_false(is_there(bench, 7) || is_there(bench, 50));
	assert_true(is_there(bench, 9));
	assert_int_equal(store_get_meta(bench->log->store, "positions", &value), LYC_OK);
	assert_true(span_is(span_of(value.data, value.len), "positions"));
	buf_fini(&value);
}

static void test_keeper_finishes_before_it_stops(void **state)
{
	struct bench *bench = *state;
	const uint64_t seqs[] = {7};
	begin(bench, seqs, 1, NULL);
	log_keeper_stop(bench->keeper);
	bench->keeper = NULL;
	assert_int_equal(bench->answered, 1);
	assert_int_equal(bench->removal.status, LYC_OK);
	assert_false(is_there(bench, 7));
}

static void test_keeper_removes_nothing_when_the_value_is_not_kept(void **state)
{
	struct bench *bench = *state;
	const uint64_t seqs[] = {7};
	begin(bench, seqs, 1, "No Key");
	while (bench->answered == 0)
		uv_run(&bench->loop, UV_RUN_ONCE);
	assert_int_equal(bench->removal.status, LYC_INVALID_ARGUMENT);
	assert_true(bench->removal.text[0] != '\0');
	assert_true(is_there(bench, 7));
}

#define KEEPER_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		KEEPER_TEST(test_keeper_removes_and_keeps_the_value),
		KEEPER_TEST(test_keeper_finishes_before_it_stops),
		KEEPER_TEST(test_keeper_removes_nothing_when_the_value_is_not_kept),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Records of other daemons: which are taken as they are, and which never. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "node_bench.h"

static struct record remark_of(const char *origin, uint64_t seq)
{
	return (struct record){.origin = fake_text(origin),
			       .epoch = 1,
			       .origin_seq = seq,
			       .subject = fake_text("lyceum.notice.v1.Remark.x"),
			       .body = span_of("\x0a\x01x", 3),
			       .label = span_of("\x10\x02", 2)};
}

/* On failure there is a sentence. */
static enum lyc_status take(struct node_bench *bench, const struct record *record)
{
	struct buf bytes = {0};
	struct lyc_error error;
	error_clear(&error);
	record_write(&bytes, record);
	enum lyc_status status = stream_append_copy(
		&bench->node->daemon.stream, span_of(bytes.data, bytes.len), NULL, NULL, &error);
	assert_int_equal(status == LYC_OK, error.text[0] == '\0');
	buf_fini(&bytes);
	fake_settle(bench->world);
	return status;
}

static void test_copy_in_is_kept_as_it_came(void **state)
{
	struct node_bench *bench = *state;
	struct record sent = remark_of("wales", 4);
	struct record kept;
	struct buf bytes = {0};
	sent.time_ms = 77;
	sent.principal = fake_text("eve@wales");
	record_write(&bytes, &sent);
	assert_int_equal(take(bench, &sent), LYC_OK);
	const struct buf *last = &bench->node->records[bench->node->record_count - 1].record;
	assert_int_equal(last->len, bytes.len);
	assert_memory_equal(last->data, bytes.data, bytes.len);
	assert_int_equal(record_read(span_of(last->data, last->len), &kept), LYC_OK);
	assert_int_equal(kept.time_ms, 77);
	const struct origin *origin =
		origins_find(&bench->node->daemon.stream.origins, fake_text("wales"));
	assert_int_equal(origin->seq, 4);
	buf_fini(&bytes);
}

static void test_copy_in_refuses_what_is_no_copy(void **state)
{
	struct node_bench *bench = *state;
	size_t before = bench->node->record_count;
	struct record record = remark_of("", 4);
	assert_int_equal(take(bench, &record), LYC_INVALID_ARGUMENT);
	record = remark_of("wales", 0);
	assert_int_equal(take(bench, &record), LYC_INVALID_ARGUMENT);
	record = remark_of("wales", 4);
	record.subject = fake_text("lyceum..Remark");
	assert_int_equal(take(bench, &record), LYC_INVALID_ARGUMENT);
	record = remark_of("hub", 4);
	assert_int_equal(take(bench, &record), LYC_FAILED_PRECONDITION);
	record = remark_of("wales", 4);
	record.subject = fake_text("lyceum.v1.KeyedCall.wales");
	assert_int_equal(take(bench, &record), LYC_INVALID_ARGUMENT);
	assert_int_equal(bench->node->record_count, before);
}

static void test_copy_in_refuses_what_its_schema_does(void **state)
{
	struct node_bench *bench = *state;
	struct record record = remark_of("wales", 4);
	record.body = span_of("\x08\x01", 2);
	assert_int_equal(take(bench, &record), LYC_INVALID_ARGUMENT);
	uint8_t *wide = mem_get(WIRE_MAX_BODY + 1);
	memset(wide, 0, WIRE_MAX_BODY + 1);
	record.subject = fake_text("no.such.Type");
	record.body = span_of(wide, WIRE_MAX_BODY + 1);
	assert_int_equal(take(bench, &record), LYC_INVALID_ARGUMENT);
	free(wide);
}

static void test_copy_in_comes_from_the_home_of_its_key(void **state)
{
	struct node_bench *bench = *state;
	struct buf body = {0};
	fake_notice(&body, "cork", "1", "text", 2, NULL);
	struct record record = remark_of("wales", 4);
	record.subject = fake_text("lyceum.notice.v1.Notice.cork.1");
	record.body = span_of(body.data, body.len);
	assert_int_not_equal(take(bench, &record), LYC_OK);
	record.origin = fake_text("cork");
	assert_int_equal(take(bench, &record), LYC_OK);
	buf_fini(&body);
}

static struct record gauge_of(const char *origin, uint64_t seq)
{
	struct record record = remark_of(origin, seq);
	record.subject = fake_text("lyceum.notice.v1.Gauge.x");
	return record;
}

/* Without waiting for what the log says of it. */
static enum lyc_status queue(struct node_bench *bench, const struct record *record)
{
	struct buf bytes = {0};
	struct lyc_error error;
	record_write(&bytes, record);
	enum lyc_status status = stream_append_copy(
		&bench->node->daemon.stream, span_of(bytes.data, bytes.len), NULL, NULL, &error);
	buf_fini(&bytes);
	return status;
}

static uint64_t last_is_one(void *world, struct span subject)
{
	(void)world;
	(void)subject;
	return 1;
}

/* The key names no home. The log may have the first of them before the daemon has heard that it
 * has. */
static void test_copy_in_comes_from_who_was_first(void **state)
{
	struct node_bench *bench = *state;
	struct env *env = &bench->node->daemon.env;
	uint64_t (*last_of)(void *, struct span) = env->last_of;
	struct record record = gauge_of("wales", 4);
	assert_int_equal(queue(bench, &record), LYC_OK);
	env->last_of = last_is_one;
	record = gauge_of("wales", 5);
	assert_int_equal(queue(bench, &record), LYC_OK);
	record = gauge_of("cork", 4);
	assert_int_equal(queue(bench, &record), LYC_PERMISSION_DENIED);
	env->last_of = last_of;
	fake_settle(bench->world);
	record = gauge_of("cork", 4);
	assert_int_equal(take(bench, &record), LYC_PERMISSION_DENIED);
	record = gauge_of("wales", 6);
	assert_int_equal(take(bench, &record), LYC_OK);
}

/* Our own, before and after the log has it. */
static void test_copy_in_of_our_own_key_is_refused(void **state)
{
	struct node_bench *bench = *state;
	struct record own = gauge_of("", 0);
	struct record record = gauge_of("wales", 4);
	assert_int_equal(stream_append_record(&bench->node->daemon.stream, &own, NULL, NULL, NULL),
			 LYC_OK);
	assert_int_equal(queue(bench, &record), LYC_PERMISSION_DENIED);
	fake_settle(bench->world);
	assert_int_equal(take(bench, &record), LYC_PERMISSION_DENIED);
}

/* What cannot be remembered would come again and again. */
static void test_copy_in_of_origins_beyond_the_bound_is_refused(void **state)
{
	struct node_bench *bench = *state;
	struct origins *origins = &bench->node->daemon.stream.origins;
	size_t before = bench->node->record_count;
	for (unsigned i = 0; origins->count < ORIGINS_MAX; i++) {
		char name[12];
		snprintf(name, sizeof(name), "n%u", i);
		assert_non_null(origins_get(origins, fake_text(name)));
	}
	struct record record = remark_of("n1", 1);
	assert_int_equal(take(bench, &record), LYC_OK);
	record.origin = fake_text("another");
	assert_int_equal(take(bench, &record), LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(bench->node->record_count, before + 1);
}

int main(void)
{
#define COPY_TEST(name) cmocka_unit_test_setup_teardown(name, node_bench_setup, node_bench_teardown)
	const struct CMUnitTest tests[] = {
		COPY_TEST(test_copy_in_is_kept_as_it_came),
		COPY_TEST(test_copy_in_refuses_what_is_no_copy),
		COPY_TEST(test_copy_in_refuses_what_its_schema_does),
		COPY_TEST(test_copy_in_comes_from_the_home_of_its_key),
		COPY_TEST(test_copy_in_comes_from_who_was_first),
		COPY_TEST(test_copy_in_of_our_own_key_is_refused),
		COPY_TEST(test_copy_in_of_origins_beyond_the_bound_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Records that the daemon makes itself: their label, their time, and who is told of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "fake_world.h"
#include "lyceum/v1/label.pb-c.h"

static const char subject[] = "lyceum.v1.SchemaVersion.hub.1";

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	/* What the last append has come to. */
	unsigned done_count;
	enum lyc_status status;
	uint64_t seq;
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

static void on_done(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct bench *bench = arg;
	(void)text;
	bench->done_count++;
	bench->status = status;
	bench->seq = seq;
}

static void test_append_is_told_when_the_disk_has_it(void **state)
{
	struct bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	size_t before = bench->node->record_count;
	stream_append_own(stream, fake_text(subject), fake_text("body"), on_done, bench);
	assert_int_equal(stream->appends_pending, 1);
	assert_int_equal(bench->done_count, 0);
	fake_settle(bench->world);
	assert_int_equal(stream->appends_pending, 0);
	assert_int_equal(bench->done_count, 1);
	assert_int_equal(bench->status, LYC_OK);
	assert_int_equal(bench->seq, stream->last_seq);
	struct record record = fake_record_at(bench->node, before);
	assert_true(span_is(record.subject, subject));
	assert_true(span_is(record.principal, "hub"));
	assert_int_equal(record.body_crc, crc32c(0, record.body.data, record.body.len));
}

static void test_append_label_says_how_far_it_goes(void **state)
{
	struct bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	struct label label;
	size_t before = bench->node->record_count;
	stream_append_own(stream, fake_text(subject), fake_text("body"), NULL, NULL);
	stream_append_private(stream, fake_text("lyceum.v1.KeyedCall.hub"), fake_text("body"), NULL,
			      NULL);
	fake_settle(bench->world);
	assert_int_equal(label_read(fake_record_at(bench->node, before).label, &label), LYC_OK);
	assert_int_equal(label.visibility, LYCEUM__V1__VISIBILITY__MEMBERS);
	assert_int_equal(label_read(fake_record_at(bench->node, before + 1).label, &label), LYC_OK);
	assert_int_equal(label.visibility, LYCEUM__V1__VISIBILITY__PRIVATE);
	assert_true(stream_is_private(fake_text("lyceum.v1.KeyedCall.hub")));
	assert_true(stream_is_private(fake_text("lyceum.v1.KeyedCall")));
	assert_false(stream_is_private(fake_text("lyceum.v1.KeyedCalls")));
	assert_false(stream_is_private(fake_text(subject)));
}

static void test_append_that_the_disk_refuses_is_told_so(void **state)
{
	struct bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	uint64_t before = stream->last_seq;
	bench->node->append_status = LYC_RESOURCE_EXHAUSTED;
	stream_append_own(stream, fake_text(subject), fake_text("body"), on_done, bench);
	fake_settle(bench->world);
	assert_int_equal(bench->done_count, 1);
	assert_int_equal(bench->status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(stream->last_seq, before);
	assert_int_equal(stream->appends_pending, 0);
}

/* Whoever waits hears of it at once, and nothing is on its way. */
static void test_append_beyond_what_can_travel_is_refused(void **state)
{
	struct bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	struct lyc_error error;
	char *wide = mem_get(RECORD_MAX_LEN);
	memset(wide, 'x', RECORD_MAX_LEN);
	stream_append_own(stream, fake_text(subject), span_of(wide, RECORD_MAX_LEN), on_done,
			  bench);
	assert_int_equal(bench->done_count, 1);
	assert_int_equal(bench->status, LYC_INVALID_ARGUMENT);
	struct record record = {.subject = fake_text(subject),
				.body = span_of(wide, RECORD_MAX_LEN)};
	error_clear(&error);
	assert_int_equal(stream_append_record(stream, &record, on_done, bench, &error),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(bench->done_count, 1);
	assert_true(error.text[0] != '\0');
	assert_int_equal(stream->appends_pending, 0);
	free(wide);
}

static void test_append_time_never_goes_back(void **state)
{
	struct bench *bench = *state;
	size_t before = bench->node->record_count;
	struct stream *stream = &bench->node->daemon.stream;
	stream_append_own(stream, fake_text(subject), fake_text("one"), NULL, NULL);
	bench->world->now_ms -= 5000;
	stream_append_own(stream, fake_text(subject), fake_text("two"), NULL, NULL);
	fake_settle(bench->world);
	uint64_t time_ms = fake_record_at(bench->node, before).time_ms;
	assert_true(fake_record_at(bench->node, before + 1).time_ms >= time_ms);
	time_ms = fake_record_at(bench->node, before + 1).time_ms;
	fake_node_restart(bench->node);
	stream_append_own(&bench->node->daemon.stream, fake_text(subject), fake_text("three"), NULL,
			  NULL);
	fake_settle(bench->world);
	assert_true(fake_record_at(bench->node, before + 2).time_ms >= time_ms);
}

int main(void)
{
#define APPEND_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		APPEND_TEST(test_append_is_told_when_the_disk_has_it),
		APPEND_TEST(test_append_label_says_how_far_it_goes),
		APPEND_TEST(test_append_that_the_disk_refuses_is_told_so),
		APPEND_TEST(test_append_beyond_what_can_travel_is_refused),
		APPEND_TEST(test_append_time_never_goes_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A chain over two daemons: each hop keeps the trace and makes a span of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "fake_world.h"
#include "wire/trace.h"

#define CHAIN "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
#define METHOD "lyceum.notice.v1.Board/Read"

struct bench {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
};

static int start(void **state)
{
	static struct bench bench;
	bench.world = fake_world_new(1);
	bench.hub = fake_node_add(bench.world, "hub", NULL);
	bench.wales = fake_node_add(bench.world, "wales", bench.hub);
	fake_pass(bench.world, 1000);
	*state = &bench;
	return 0;
}

static int stop(void **state)
{
	fake_world_free(((struct bench *)*state)->world);
	return 0;
}

/* Is it the chain, with another span than any of `seen`? */
static void check_hop(struct span text, struct trace *seen, size_t *count)
{
	struct trace trace;
	assert_true(trace_read(text, &trace));
	for (size_t i = 0; i < *count; i++) {
		assert_true(trace_is_same(&trace, &seen[i]));
		assert_false(trace.span == seen[i].span);
	}
	seen[(*count)++] = trace;
}

static void call(struct fake_client *client, uint64_t id, const char *trace)
{
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = id,
					 .method = fake_text(METHOD),
					 .timeout_ms = 1000,
					 .trace = fake_text(trace)}};
	fake_send(client, &packet);
	fake_settle(client->node->world);
}

static void test_trace_has_a_new_span_at_each_hop(void **state)
{
	struct bench *bench = *state;
	struct trace seen[4];
	size_t count = 0;
	check_hop(fake_text(CHAIN), seen, &count);
	struct fake_client *board = fake_board_add(bench->hub, "board");
	struct fake_client *ann = fake_client_add(bench->wales, "ann");
	fake_settle(bench->world);
	bench->wales->seen_up.len = 0;
	call(ann, 1, CHAIN);
	check_hop(fake_expect(board, PACKET_CALL)->call.trace, seen, &count);
	/* On the link it had wales' span. */
	struct frame_reader reader;
	struct packet packet;
	frame_start(&reader, span_of(bench->wales->seen_up.data, bench->wales->seen_up.len));
	bool is_found = false;
	while (frame_next(&reader, &packet) == FRAME_PACKET) {
		if (packet.kind != PACKET_CALL)
			continue;
		check_hop(packet.call.trace, seen, &count);
		is_found = true;
	}
	assert_true(is_found);
}

static void test_trace_malformed_is_dropped_and_the_call_runs(void **state)
{
	struct bench *bench = *state;
	struct fake_client *board = fake_board_add(bench->hub, "board");
	struct fake_client *ann = fake_client_add(bench->wales, "ann");
	fake_settle(bench->world);
	call(ann, 1, "00-XYZ");
	assert_int_equal(fake_expect(board, PACKET_CALL)->call.trace.len, 0);
	call(ann, 2, "");
	assert_int_equal(fake_expect(board, PACKET_CALL)->call.trace.len, 0);
}

/* With the span of its home, here and in the copy. */
static void test_trace_stays_with_a_record(void **state)
{
	struct bench *bench = *state;
	struct trace seen[4];
	struct trace home;
	struct trace copy;
	size_t count = 0;
	struct buf body = {0};
	check_hop(fake_text(CHAIN), seen, &count);
	struct fake_client *root = fake_client_add(bench->wales, "root");
	struct fake_client *reader = fake_client_add(bench->hub, "root");
	const struct packet_subscribe all = {.id = 1,
					     .pattern = fake_text("lyceum.notice.v1.Notice.>"),
					     .start = SUBSCRIBE_SEQ,
					     .from = 1,
					     .credit = 65536};
	fake_subscribe(root, &all);
	fake_subscribe(reader, &all);
	while (fake_next(root) || fake_next(reader))
		continue;
	fake_notice(&body, "wales", "1", "traced", 2, NULL);
	struct packet packet = {.kind = PACKET_PUBLISH,
				.publish = {.id = 1,
					    .subject = fake_text("lyceum.notice.v1.Notice"),
					    .body = span_of(body.data, body.len),
					    .durable = true,
					    .trace = fake_text(CHAIN)}};
	fake_send(root, &packet);
	fake_settle(bench->world);
	const struct packet *deliver;
	while ((deliver = fake_next(root)) && deliver->kind != PACKET_DELIVER)
		continue;
	assert_non_null(deliver);
	check_hop(deliver->deliver.trace, seen, &count);
	assert_true(trace_read(deliver->deliver.trace, &home));
	while ((deliver = fake_next(reader)) && deliver->kind != PACKET_DELIVER)
		continue;
	assert_non_null(deliver);
	assert_true(trace_read(deliver->deliver.trace, &copy));
	assert_true(trace_is_same(&home, &copy));
	assert_int_equal(home.span, copy.span);
	buf_fini(&body);
}

/* A transient message gets a span at each daemon. */
static void test_trace_of_a_message_of_the_moment_goes_over_the_link(void **state)
{
	struct bench *bench = *state;
	struct trace seen[4];
	size_t count = 0;
	struct buf body = {0};
	check_hop(fake_text(CHAIN), seen, &count);
	struct fake_client *root = fake_client_add(bench->wales, "root");
	struct fake_client *reader = fake_client_add(bench->hub, "root");
	fake_subscribe(reader,
		       &(struct packet_subscribe){.id = 1,
						  .pattern = fake_text("lyceum.notice.v1.Notice.>"),
						  .credit = 65536});
	fake_settle(bench->world);
	fake_notice(&body, "wales", "1", "traced", 2, NULL);
	struct packet packet = {.kind = PACKET_PUBLISH,
				.publish = {.subject = fake_text("lyceum.notice.v1.Notice"),
					    .body = span_of(body.data, body.len),
					    .trace = fake_text(CHAIN)}};
	fake_send(root, &packet);
	fake_settle(bench->world);
	check_hop(fake_expect(reader, PACKET_DELIVER)->deliver.trace, seen, &count);
	buf_fini(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_trace_has_a_new_span_at_each_hop, start, stop),
		cmocka_unit_test_setup_teardown(test_trace_malformed_is_dropped_and_the_call_runs,
						start, stop),
		cmocka_unit_test_setup_teardown(test_trace_stays_with_a_record, start, stop),
		cmocka_unit_test_setup_teardown(
			test_trace_of_a_message_of_the_moment_goes_over_the_link, start, stop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

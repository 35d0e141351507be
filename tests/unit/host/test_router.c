/* The way of a call to its callee, and every way in which it can end otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "call_bench.h"

static const char read_method[] = "lyceum.notice.v1.Board/Read";

#define WRONG span_of("\x08\x01", 2)

static void test_router_call_and_reply_find_their_way(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 41, &(struct packet_call){.body = FAKE_HELLO, .timeout_ms = 700});
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	uint64_t id = packet->call.id;
	assert_true(span_is(packet->call.method, read_method));
	assert_true(span_is(packet->call.principal, "ann@hub"));
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "hub/policy"));
	assert_int_equal(packet->call.timeout_ms, 700);
	assert_true(span_equal(packet->call.body, FAKE_HELLO));
	fake_answer(bench->board, id, FAKE_HELLO, false);
	packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 41);
	assert_int_equal(packet->reply.status, LYC_OK);
	assert_true(span_equal(packet->reply.body, FAKE_HELLO));
	assert_true(span_is(packet->reply.served_by, "hub"));
	assert_int_equal(packet->reply.as_of_count, 0);
	call_bench_expect_quiet(bench);
	/* A second reply is late. */
	fake_answer(bench->board, id, FAKE_HELLO, false);
	assert_int_equal(bench->node->daemon.router.counters.late_replies, 1);
	call_bench_expect_quiet(bench);
}

static void test_router_tells_who_is_the_operator(void **state)
{
	struct call_bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	struct fake_client *const callers[] = {root, bench->ann, wales, bench->board};
	for (size_t i = 0; i < 4; i++) {
		/* What somebody says of himself does not count. */
		fake_call(callers[i], 60 + i,
			  &(struct packet_call){.body = FAKE_HELLO, .by_operator = i > 0});
		const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
		assert_int_equal(packet->call.by_operator, i == 0);
		fake_answer(bench->board, packet->call.id, FAKE_HELLO, false);
		if (callers[i] == bench->ann || callers[i] == bench->board)
			fake_expect_status(callers[i], 60 + i, LYC_OK);
	}
	call_bench_expect_quiet(bench);
}

static void test_router_cancel_ends_the_call_on_both_sides(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 5, &(struct packet_call){.body = FAKE_HELLO});
	uint64_t id = fake_taken(bench->board);
	struct packet packet = {.kind = PACKET_CANCEL};
	packet.cancel.id = 5;
	fake_send(bench->ann, &packet);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	fake_expect_status(bench->ann, 5, LYC_CANCELLED);
	fake_send(bench->ann, &packet);
	call_bench_expect_quiet(bench);
}

static void test_router_deadline_ends_the_call_on_both_sides(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 5, &(struct packet_call){.body = FAKE_HELLO, .timeout_ms = 100});
	uint64_t id = fake_taken(bench->board);
	fake_tick(bench->world, 99);
	fake_expect_nothing(bench->ann);
	fake_tick(bench->world, 1);
	fake_expect_status(bench->ann, 5, LYC_DEADLINE_EXCEEDED);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	assert_int_equal(bench->node->daemon.router.counters.late_replies, 1);
	call_bench_expect_quiet(bench);
	/* Without a word of the caller the daemon's own limit holds. */
	fake_call(bench->ann, 6, &(struct packet_call){.body = FAKE_HELLO});
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.timeout_ms, 10000);
}

static void test_router_callee_that_goes_away_ends_its_calls(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 5, &(struct packet_call){.body = FAKE_HELLO});
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(bench->board, &packet);
	fake_expect_status(bench->ann, 5, LYC_UNAVAILABLE);
	assert_int_equal(bench->node->daemon.router.calls.count, 0);
}

static void test_router_caller_that_goes_away_cancels_its_calls(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 5, &(struct packet_call){.body = FAKE_HELLO});
	uint64_t id = fake_taken(bench->board);
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(bench->ann, &packet);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	call_bench_expect_quiet(bench);
}

static void test_router_busy_callee_is_not_given_more_than_its_credit(void **state)
{
	struct call_bench *bench = *state;
	/* It takes 150,000 bytes, and the daemon 200,000 of one caller. */
	struct buf body = {0};
	size_t text = pb_begin(&body, 1);
	for (int i = 0; i < 4000; i++)
		buf_add_byte(&body, 'x');
	pb_end(&body, text);
	struct packet_call large = {.body = span_of(body.data, body.len)};
	uint64_t calls = 0;
	const struct packet *packet;
	do {
		fake_call(bench->ann, ++calls, &large);
		packet = fake_next(bench->ann);
	} while (!packet && calls < 100);
	assert_in_range(calls, 36, 38);
	assert_non_null(packet);
	assert_int_equal(packet->reply.status, LYC_UNAVAILABLE);
	fake_answer(bench->board, fake_taken(bench->board), FAKE_HELLO, false);
	fake_expect_status(bench->ann, 1, LYC_OK);
	fake_call(bench->ann, 100, &large);
	fake_expect_nothing(bench->ann);
	buf_fini(&body);
}

static void test_router_wrong_body_is_refused_at_the_door(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.body = WRONG});
	const struct packet *packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(packet->reply.status, LYC_INVALID_ARGUMENT);
	assert_non_null(memmem(packet->reply.field.data, packet->reply.field.len, "text", 4));
	call_bench_expect_quiet(bench);
}

static void test_router_refuses_calls_that_lead_nowhere(void **state)
{
	struct call_bench *bench = *state;
	char wide[300];
	memset(wide, 'x', sizeof(wide));
	const struct {
		struct packet_call call;
		enum lyc_status status;
	} cases[] = {
		{{.method = fake_text("no.such.Service/Method")}, LYC_UNIMPLEMENTED},
		{{.method = fake_text("lyceum.notice.v1.Board/No")}, LYC_UNIMPLEMENTED},
		{{.at = fake_text("nowhere")}, LYC_NOT_FOUND},
		{{.at = fake_text("wales")}, LYC_UNAVAILABLE},
		{{.method = span_of(wide, sizeof(wide))}, LYC_INVALID_ARGUMENT},
		{{.hops = 4}, LYC_FAILED_PRECONDITION},
		{{.principal = fake_text("eve@hub")}, LYC_PERMISSION_DENIED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		fake_call(bench->ann, i + 1, &cases[i].call);
		fake_expect_status(bench->ann, i + 1, cases[i].status);
	}
	call_bench_expect_quiet(bench);
	fake_call(bench->ann, 20, &(struct packet_call){.at = fake_text("hub"), .hops = 3});
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.hops, 4);
}

static void test_router_builtin_says_as_of_when_asked(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1,
		  &(struct packet_call){.method = fake_text("lyceum.v1.Node/Status"),
					.want_as_of = true});
	const struct packet *packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(packet->reply.status, LYC_OK);
	assert_int_equal(packet->reply.as_of_count, 1);
	assert_true(span_is(packet->reply.as_of[0].origin, "hub"));
	assert_int_equal(packet->reply.as_of[0].seq, bench->node->daemon.stream.last_seq);
}

int main(void)
{
#define ROUTER_TEST(name)                                                                          \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		ROUTER_TEST(test_router_call_and_reply_find_their_way),
		ROUTER_TEST(test_router_tells_who_is_the_operator),
		ROUTER_TEST(test_router_cancel_ends_the_call_on_both_sides),
		ROUTER_TEST(test_router_deadline_ends_the_call_on_both_sides),
		ROUTER_TEST(test_router_callee_that_goes_away_ends_its_calls),
		ROUTER_TEST(test_router_caller_that_goes_away_cancels_its_calls),
		ROUTER_TEST(test_router_busy_callee_is_not_given_more_than_its_credit),
		ROUTER_TEST(test_router_wrong_body_is_refused_at_the_door),
		ROUTER_TEST(test_router_refuses_calls_that_lead_nowhere),
		ROUTER_TEST(test_router_builtin_says_as_of_when_asked),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

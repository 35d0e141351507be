/*
 * How the calls of a plugin end, what it appends and streams, and whom it works for. Arguments:
 * thread|process, the lyceum-plugin executable, the folder of the test plugins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/pb.h"
#include "runner_bench.h"

static void test_runner_replies(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "hello", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "hello"));
	harness_say(harness, 2, "who", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "ann@wales"));
	harness_say(harness, 3, "position", 5000);
	assert_int_equal(harness_expect_reply(harness, 3)->position.seq, 4711);
}

static void test_runner_passes_on_a_failure(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "fail", 5000);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_int_equal(reply->status, LYC_NOT_FOUND);
	assert_true(span_is(reply->text, "There is no \"fail\"."));
	assert_true(span_is(reply->field, "text"));
}

static void test_runner_ends_a_call_that_got_no_reply(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "nothing", 5000);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_INTERNAL);
	harness_expect_line(harness, "1 lyceum.echo.v1.Echo/Say returned without a reply");
}

static void test_runner_drops_a_second_reply(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "twice", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "once"));
	harness_expect_line(harness, "ended its call twice");
	harness_say(harness, 2, "hello", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 2);
}

static void test_runner_answers_for_a_call_that_is_late(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "keep", 30);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_DEADLINE_EXCEEDED);
	/* The plugin's own reply, now, goes nowhere; the next one after that finds no call. */
	harness_say(harness, 2, "use kept", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 2);
	assert_true(harness_said(&packet->reply, "0 0"));
	harness_say(harness, 3, "use kept", 5000);
	packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 3);
	/* Told either way: "used a call that had ended", or "ended its call twice" where the slot
	 * has got a new call. */
	harness_expect_line(harness, "ended");
}

static void test_runner_cancels_a_call_that_is_kept(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "keep", 5000);
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = 1}};
	harness_send(harness, &cancel);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_CANCELLED);
	harness_say(harness, 2, "use kept", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 2);
	assert_true(harness_said(&packet->reply, "1 0"));
}

static void test_runner_appends_and_withdraws_what_is_listed(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "append", 5000);
	struct packet_publish publish = harness_expect(harness, PACKET_PUBLISH)->publish;
	assert_true(publish.durable && !publish.remove);
	assert_true(span_is(publish.subject, "lyceum.echo.v1.Note"));
	struct packet ack = {.kind = PACKET_ACK, .ack = {.id = publish.id, .seq = 5}};
	harness_send(harness, &ack);
	assert_true(harness_said(harness_expect_reply(harness, 1), "appended"));
	harness_say(harness, 2, "withdraw", 5000);
	publish = harness_expect(harness, PACKET_PUBLISH)->publish;
	assert_true(publish.durable && publish.remove);
	assert_true(span_is(publish.subject, "lyceum.echo.v1.Note"));
	assert_int_equal(publish.body.len, 0);
	ack.ack.id = publish.id;
	harness_send(harness, &ack);
	assert_true(harness_said(harness_expect_reply(harness, 2), "appended"));
}

/* What a method appends belongs to the chain of its call, and nothing else does. */
static void test_runner_works_in_the_chain_of_its_call(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	static const char chain[] = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
	runner_start_probe();
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = 1,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of("wales", 5),
					 .timeout_ms = 5000,
					 .trace = span_of(chain, strlen(chain)),
					 .body = span_of("\n\6append", 8)}};
	harness_send(harness, &packet);
	struct packet_publish publish = harness_expect(harness, PACKET_PUBLISH)->publish;
	assert_true(span_is(publish.trace, chain));
	struct packet ack = {.kind = PACKET_ACK, .ack = {.id = publish.id, .seq = 5}};
	harness_send(harness, &ack);
	assert_true(harness_said(harness_expect_reply(harness, 1), "appended"));
	packet.call.id = 2;
	packet.call.body = span_of("\n\5trace", 7);
	harness_send(harness, &packet);
	assert_true(harness_said(harness_expect_reply(harness, 2), chain));
	harness_say(harness, 3, "append", 5000);
	publish = harness_expect(harness, PACKET_PUBLISH)->publish;
	assert_int_equal(publish.trace.len, 0);
}

static void test_runner_refuses_what_the_descriptor_does_not_list(void **state)
{
	(void)state;
	static const char *const beyond[] = {"append beyond", "withdraw beyond", "publish beyond",
					     "subscribe beyond"};
	runner_start_probe();
	for (uint64_t i = 0; i < 4; i++) {
		harness_say(harness, i + 1, beyond[i], 5000);
		assert_true(
			harness_said(harness_expect_reply(harness, i + 1), "PERMISSION_DENIED"));
	}
	harness_expect_line(harness, "1 the plugin's descriptor has nothing in `publishes` that "
				     "covers lyceum.echo.v1.SayReply: add it there");
	harness_expect_line(harness, "nothing in `publishes` that covers lyceum.echo.v1.Note.a");
	harness_expect_line(harness, "nothing in `reads` that covers lyceum.>");
}

static void test_runner_keeps_its_own_faults_from_the_caller(void **state)
{
	(void)state;
	static const struct {
		enum lyc_status from, to;
	} cases[] = {{LYC_INVALID_ARGUMENT, LYC_INTERNAL},
		     {LYC_FAILED_PRECONDITION, LYC_ABORTED},
		     {LYC_PERMISSION_DENIED, LYC_PERMISSION_DENIED}};
	runner_start_probe();
	for (uint64_t i = 0; i < 3; i++) {
		harness_say(harness, i + 1, "append", 5000);
		struct packet ack = {
			.kind = PACKET_ACK,
			.ack = {.id = harness_expect(harness, PACKET_PUBLISH)->publish.id,
				.status = cases[i].from,
				.text = span_of("is wrong", 8),
				.field = span_of("text", 4)}};
		harness_send(harness, &ack);
		const struct packet_reply *reply = harness_expect_reply(harness, i + 1);
		assert_int_equal(reply->status, cases[i].to);
		assert_true(span_is(reply->text, "The record lyceum.echo.v1.Note was not appended: "
						 "text: is wrong"));
	}
}

static void test_runner_ends_an_append_with_its_session(void **state)
{
	(void)state;
	uint64_t id = runner_start_probe();
	harness_say(harness, 1, "append", 5000);
	harness_expect(harness, PACKET_PUBLISH);
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_NO_SESSION}};
	harness_send(harness, &goodbye);
	id = harness_expect(harness, PACKET_SUBSCRIBE)->subscribe.id;
	runner_send_gap(id, 4);
	harness_register(harness);
	/* The kept call has heard of it and is over: its number is free for another. */
	harness_say(harness, 1, "last append", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 1);
	assert_true(harness_said(&packet->reply, "UNAVAILABLE"));
}

static void test_runner_streams(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Count";
	uint8_t body[8] = {0x08};
	size_t len = (size_t)(pb_put_varint(body + 1, 10000) - body);
	runner_start_probe();
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = 1,
					 .method = span_of(method, strlen(method)),
					 .timeout_ms = 5000,
					 .body = span_of(body, len)}};
	harness_send(harness, &packet);
	for (uint64_t number = 1; number <= 10000; number++) {
		const struct packet_reply *reply = harness_expect_reply(harness, 1);
		struct pb_reader reader = pb_reader_of(reply->body);
		struct pb_field field;
		assert_true(pb_read_field(&reader, &field));
		assert_int_equal(field.value, number);
		assert_true(reply->more);
	}
	assert_false(harness_expect_reply(harness, 1)->more);
}

static void count_with_credit(uint64_t id, uint64_t credit)
{
	static const char method[] = "lyceum.echo.v1.Echo/Count";
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = id,
					 .method = span_of(method, strlen(method)),
					 .timeout_ms = 5000,
					 .credit = credit,
					 .body = span_of("\x08\x14", 2)}};
	harness_send(harness, &packet);
}

static void expect_numbers(uint64_t id, uint64_t from, uint64_t to)
{
	for (uint64_t number = from; number <= to; number++) {
		const struct packet_reply *reply = harness_expect_reply(harness, id);
		assert_true(reply->more);
		assert_int_equal(reply->body.data[1], number);
	}
}

/* A reply of 2 bytes takes 66. It serves others meanwhile, and goes on when there is credit. */
static void test_runner_streams_as_far_as_the_caller_takes_it(void **state)
{
	(void)state;
	runner_start_probe();
	count_with_credit(1, 660);
	expect_numbers(1, 1, 10);
	harness_say(harness, 2, "count", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "OK at 11 after 1"));
	struct packet credit = {.kind = PACKET_CREDIT, .credit = {.call = 1, .value = 330}};
	harness_send(harness, &credit);
	expect_numbers(1, 11, 15);
	harness_say(harness, 2, "count", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "OK at 16 after 2"));
	credit.credit.value = 10000;
	harness_send(harness, &credit);
	expect_numbers(1, 16, 20);
	assert_false(harness_expect_reply(harness, 1)->more);
	/* A caller who goes away is heard of by whoever waits to send to it: once. */
	count_with_credit(3, 100);
	expect_numbers(3, 1, 2);
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = 3}};
	harness_send(harness, &cancel);
	assert_int_equal(harness_expect_reply(harness, 3)->status, LYC_CANCELLED);
	credit.credit.call = 3;
	harness_send(harness, &credit);
	harness_say(harness, 4, "count", 5000);
	/* In the turn that sent two, or, where that was over already, in one more. */
	const struct packet_reply *reply = harness_expect_reply(harness, 4);
	assert_true(harness_said(reply, "CANCELLED at 3 after 1") ||
		    harness_said(reply, "CANCELLED at 3 after 2"));
}

static void test_runner_tells_a_running_method_that_it_is_cancelled(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "until cancelled", 5000);
	/* One behind it, which is cancelled before it has begun. */
	harness_say(harness, 2, "keep", 5000);
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = 2}};
	harness_send(harness, &cancel);
	cancel.cancel.id = 1;
	harness_send(harness, &cancel);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_CANCELLED);
	assert_int_equal(harness_expect_reply(harness, 2)->status, LYC_CANCELLED);
	harness_say(harness, 3, "count", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 3), "CANCELLED at 0 after 0"));
}

static void test_runner_does_not_stream_where_the_schema_says_no(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "send", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "FAILED_PRECONDITION"));
}

static void test_runner_refuses_an_unknown_method(void **state)
{
	(void)state;
	runner_start_probe();
	static const char method[] = "lyceum.echo.v1.Echo/Shout";
	struct packet packet = {
		.kind = PACKET_CALL,
		.call = {.id = 1, .method = span_of(method, strlen(method)), .timeout_ms = 5000}};
	harness_send(harness, &packet);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_UNIMPLEMENTED);
}

static void test_runner_tells_what_a_caller_may_see(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	struct span groups[] = {span_of("wales/policy", 12)};
	runner_start_probe();
	harness_say(harness, 1, "may see", 5000);
	/* Members, private of alps, audience nordic, the same with a group, private to here. */
	assert_true(harness_said(harness_expect_reply(harness, 1), "10001"));
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = 2,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of("wales", 5),
					 .groups = groups,
					 .group_count = 1,
					 .timeout_ms = 5000,
					 .body = span_of("\n\7may see", 9)}};
	harness_send(harness, &packet);
	assert_true(harness_said(harness_expect_reply(harness, 2), "10011"));
}

static void test_runner_tells_who_is_the_operator(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	runner_start_probe();
	harness_say(harness, 1, "is it the operator", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "no"));
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = 2,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of("wales", 5),
					 .by_operator = true,
					 .timeout_ms = 5000,
					 .body = span_of("\n\22is it the operator", 20)}};
	harness_send(harness, &packet);
	assert_true(harness_said(harness_expect_reply(harness, 2), "yes"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(test_runner_replies),
		RUNNER_TEST(test_runner_passes_on_a_failure),
		RUNNER_TEST(test_runner_ends_a_call_that_got_no_reply),
		RUNNER_TEST(test_runner_drops_a_second_reply),
		RUNNER_TEST(test_runner_answers_for_a_call_that_is_late),
		RUNNER_TEST(test_runner_cancels_a_call_that_is_kept),
		RUNNER_TEST(test_runner_appends_and_withdraws_what_is_listed),
		RUNNER_TEST(test_runner_works_in_the_chain_of_its_call),
		RUNNER_TEST(test_runner_refuses_what_the_descriptor_does_not_list),
		RUNNER_TEST(test_runner_keeps_its_own_faults_from_the_caller),
		RUNNER_TEST(test_runner_ends_an_append_with_its_session),
		RUNNER_TEST(test_runner_streams),
		RUNNER_TEST(test_runner_streams_as_far_as_the_caller_takes_it),
		RUNNER_TEST(test_runner_tells_a_running_method_that_it_is_cancelled),
		RUNNER_TEST(test_runner_does_not_stream_where_the_schema_says_no),
		RUNNER_TEST(test_runner_refuses_an_unknown_method),
		RUNNER_TEST(test_runner_tells_what_a_caller_may_see),
		RUNNER_TEST(test_runner_tells_who_is_the_operator),
	};
	if (!runner_begin(argc, argv))
		return 2;
	int code = cmocka_run_group_tests(tests, NULL, NULL);
	runner_end();
	return code;
}

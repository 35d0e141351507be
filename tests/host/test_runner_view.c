/*
 * The view of a plugin: calls wait for it, and it is caught up before it serves. Arguments:
 * thread|process, the lyceum-plugin executable, the folder of the test plugins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <time.h>

#include "runner_bench.h"

static void say_after(uint64_t id, uint64_t seq, uint64_t epoch, uint32_t timeout_ms)
{
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	struct wire_position after[2] = {
		{.origin = span_of("alps", 4), .epoch = 1, .seq = 1000000},
		{.origin = span_of(HARNESS_NODE, strlen(HARNESS_NODE)), .epoch = epoch, .seq = seq},
	};
	struct packet packet = {.kind = PACKET_CALL,
				.call = {.id = id,
					 .method = span_of(method, strlen(method)),
					 .principal = span_of("wales", 5),
					 .timeout_ms = timeout_ms,
					 .body = span_of("\n\4view", 6),
					 .after = after,
					 .after_count = 2}};
	harness_send(harness, &packet);
}

static void test_runner_registers_when_it_has_caught_up(void **state)
{
	(void)state;
	harness_start(harness, runner_plugin("probe"), "probe", runner_config);
	uint64_t id = harness_expect(harness, PACKET_SUBSCRIBE)->subscribe.id;
	runner_send_note(id, 3);
	runner_send_note(id, 5);
	runner_send_gap(id, 8);
	harness_register(harness);
	harness_say(harness, 1, "view", 5000);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_true(harness_said(reply, "2"));
	assert_true(reply->has_position);
	assert_true(span_is(reply->position.origin, HARNESS_NODE));
	assert_int_equal(reply->position.epoch, HARNESS_EPOCH);
	assert_int_equal(reply->position.seq, 8);
	/* Two came while the log was read, and one since. */
	runner_send_note(id, 9);
	harness_say(harness, 2, "early", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "2"));
}

/* However long it is silent: half a view would say that there is not what the log holds. */
static void test_runner_serves_nothing_before_the_daemon_says_where_its_log_ends(void **state)
{
	(void)state;
	const struct timespec silence = {.tv_sec = 2, .tv_nsec = 500000000};
	const struct packet ping = {.kind = PACKET_PING, .ping = {.id = 1}};
	harness_start(harness, runner_plugin("probe"), "probe", runner_config);
	uint64_t id = harness_expect(harness, PACKET_SUBSCRIBE)->subscribe.id;
	nanosleep(&silence, NULL);
	/* What came before the Pong is passed over. */
	harness_send(harness, &ping);
	harness_expect(harness, PACKET_PONG);
	runner_send_note(id, 3);
	runner_send_gap(id, 3);
	harness_register(harness);
	harness_say(harness, 1, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "1"));
}

static void test_runner_ends_when_it_may_not_follow_the_log(void **state)
{
	(void)state;
	harness_start(harness, runner_plugin("probe"), "probe", runner_config);
	struct packet end = {.kind = PACKET_UNSUBSCRIBE};
	end.unsubscribe = (struct packet_unsubscribe){
		.id = harness_expect(harness, PACKET_SUBSCRIBE)->subscribe.id,
		.status = LYC_DATA_LOSS,
		.text = span_of("a block is damaged", 18)};
	harness_send(harness, &end);
	harness_wait_exit(harness);
	assert_false(harness_was_clean(harness));
	assert_non_null(strstr(harness_exit_text(harness),
			       "The log cannot be followed: a block is damaged"));
}

static void test_runner_holds_a_call_until_its_view_has_come_so_far(void **state)
{
	(void)state;
	uint64_t id = runner_start_probe();
	say_after(1, 9, HARNESS_EPOCH, 5000);
	/* Answered at once, and so before the one that waits. */
	harness_say(harness, 2, "view", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 2);
	assert_true(harness_said(&packet->reply, "0"));
	runner_send_note(id, 9);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_true(harness_said(reply, "1"));
	assert_int_equal(reply->position.seq, 9);
}

static void test_runner_refuses_a_position_that_does_not_come(void **state)
{
	(void)state;
	runner_start_probe();
	say_after(1, 9, HARNESS_EPOCH, 100);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_int_equal(reply->status, LYC_FAILED_PRECONDITION);
	assert_true(reply->text.len > 0);
}

static void test_runner_refuses_a_position_of_another_epoch(void **state)
{
	(void)state;
	runner_start_probe();
	say_after(1, 9, HARNESS_EPOCH + 1, 5000);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_FAILED_PRECONDITION);
}

static void test_runner_cancels_a_call_that_waits_for_the_view(void **state)
{
	(void)state;
	uint64_t id = runner_start_probe();
	say_after(1, 9, HARNESS_EPOCH, 5000);
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = 1}};
	harness_send(harness, &cancel);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_CANCELLED);
	runner_send_note(id, 9);
	harness_say(harness, 2, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "1"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(test_runner_registers_when_it_has_caught_up),
		RUNNER_TEST(test_runner_serves_nothing_before_the_daemon_says_where_its_log_ends),
		RUNNER_TEST(test_runner_ends_when_it_may_not_follow_the_log),
		RUNNER_TEST(test_runner_holds_a_call_until_its_view_has_come_so_far),
		RUNNER_TEST(test_runner_refuses_a_position_that_does_not_come),
		RUNNER_TEST(test_runner_refuses_a_position_of_another_epoch),
		RUNNER_TEST(test_runner_cancels_a_call_that_waits_for_the_view),
	};
	if (!runner_begin(argc, argv))
		return 2;
	int code = cmocka_run_group_tests(tests, NULL, NULL);
	runner_end();
	return code;
}

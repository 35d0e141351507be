/*
 * The life of an instance: timers, watches, metrics, its log, and every way in which it stops.
 * Arguments: thread|process, the lyceum-plugin executable, the folder of the test plugins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "runner_bench.h"

static void test_runner_runs_timers(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "ticks", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "three ticks"));
}

static void test_runner_watches_descriptors(void **state)
{
	(void)state;
	runner_start_probe();
	harness_say(harness, 1, "watch", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "6 stirs, 3 of the rest"));
	/* Once more: descriptors of the same numbers, newly opened. */
	harness_say(harness, 2, "watch", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "6 stirs, 3 of the rest"));
}

/* metric { name "said_total" unit "1" help "texts said" value 2.5 } */
static const char report[] = "\n$\n\12said_total\22\0011\32\12texts said!\0\0\0\0\0\0\4@";

static void expect_report(uint64_t *ret_id)
{
	const struct packet *packet = harness_expect(harness, PACKET_CALL);
	assert_true(span_is(packet->call.method, "lyceum.v1.Node/Report"));
	assert_int_equal(packet->call.body.len, sizeof(report) - 1);
	assert_memory_equal(packet->call.body.data, report, sizeof(report) - 1);
	*ret_id = packet->call.id;
}

static void test_runner_tells_metrics_when_they_change(void **state)
{
	(void)state;
	uint64_t id;
	runner_start_probe();
	harness_say(harness, 1, "metrics", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "kept"));
	expect_report(&id);
	/* It was not taken: once more. */
	struct packet answer = {.kind = PACKET_REPLY,
				.reply = {.id = id, .status = LYC_UNAVAILABLE}};
	harness_send(harness, &answer);
	expect_report(&id);
	answer = (struct packet){.kind = PACKET_REPLY, .reply = {.id = id}};
	harness_send(harness, &answer);
}

static void test_runner_logs_one_line_each(void **state)
{
	(void)state;
	runner_start_probe();
	harness_expect_line(harness, "4 starting at wales in one line\n");
}

static void test_runner_stops_when_asked(void **state)
{
	(void)state;
	runner_start_probe();
	harness_stop(harness, 3000);
	assert_true(harness_was_clean(harness));
}

static void test_runner_stops_when_the_plugin_has_finished(void **state)
{
	(void)state;
	harness_start(harness, runner_plugin("busy"), "bad", NULL);
	harness_register(harness);
	harness_stop(harness, 3000);
	assert_true(harness_was_clean(harness));
	harness_expect_line(harness, "4 finished at question 5\n");
}

static void test_runner_stops_when_the_daemon_says_goodbye(void **state)
{
	(void)state;
	runner_start_probe();
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_SHUTDOWN}};
	harness_send(harness, &goodbye);
	harness_wait_exit(harness);
	assert_true(harness_was_clean(harness));
}

static void test_runner_begins_again_when_its_session_is_lost(void **state)
{
	(void)state;
	uint64_t id = runner_start_probe();
	runner_send_note(id, 4);
	harness_say(harness, 1, "keep", 5000);
	harness_say(harness, 2, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "1"));
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_NO_SESSION}};
	harness_send(harness, &goodbye);
	const struct packet *packet = harness_expect(harness, PACKET_SUBSCRIBE);
	assert_int_equal(packet->subscribe.from, 5);
	runner_send_gap(packet->subscribe.id, 4);
	harness_register(harness);
	/* The number of the call that is kept comes again, for another call: the kept one's reply
	 * does not answer it. */
	harness_say(harness, 1, "use kept", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "1 0"));
	harness_say(harness, 2, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "1"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(test_runner_runs_timers),
		RUNNER_TEST(test_runner_watches_descriptors),
		RUNNER_TEST(test_runner_tells_metrics_when_they_change),
		RUNNER_TEST(test_runner_logs_one_line_each),
		RUNNER_TEST(test_runner_stops_when_asked),
		RUNNER_TEST(test_runner_stops_when_the_plugin_has_finished),
		RUNNER_TEST(test_runner_stops_when_the_daemon_says_goodbye),
		RUNNER_TEST(test_runner_begins_again_when_its_session_is_lost),
	};
	if (!runner_begin(argc, argv))
		return 2;
	int code = cmocka_run_group_tests(tests, NULL, NULL);
	runner_end();
	return code;
}

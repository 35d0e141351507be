/*
 * One suite for plugins in a thread and in a process: what is refused, how calls end, how the view
 * is followed, how an instance stops. Arguments: thread|process, the lyceum-plugin executable, the
 * folder of the test plugins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/pb.h"
#include "harness.h"

static const char *plugins;
static struct harness *harness;
static const char *config;
static char config_path[] = "/tmp/lyc-test-config-XXXXXX";

static const char *path_of(const char *name)
{
	static char path[512];
	snprintf(path, sizeof(path), "%s/%s.so", plugins, name);
	return path;
}

static int set_up(void **state)
{
	(void)state;
	harness = harness_open();
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	harness_close(harness);
	return 0;
}

/* This kernel cannot refuse files. */
static bool landlock_is_missing(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) <= 0;
}

/* ---- Refusals ---- */

/* What it says; % stands for the file. */
struct refusal {
	const char *file;
	const char *text;
};

static const struct refusal refusals[] = {
	{"bad_abi", "% was built for plugin ABI 99; this is 1: rebuild it."},
	{"bad_config", "The schema of the plugin \"bad\" does not define its configuration, "
		       "lyceum.echo.v1.Nothing."},
	{"bad_function", "% needs the function lyc_not_any_more, which nothing here has: was it "
			 "built for another version?"},
	{"bad_library", "% needs the library liblyceum-absent.so.1, which is not installed."},
	{"bad_name", "% is the plugin \"worse\", not \"bad\"."},
	{"bad_nowhere", "There is no plugin file %."},
	{"bad_no_schema", "The plugin \"bad\" has no schema."},
	{"bad_rights",
	 "The plugin \"bad\" has \"lyceum.echo.v1..Note\" in `publishes`: a pattern is "
	 "a subject in which * stands for one token and a last > for the rest."},
	{"bad_schema", "The schema of the plugin \"bad\" does not compile: "},
	{"bad_service", "The schema of the plugin \"bad\" does not define the service "
			"lyceum.echo.v1.Echo."},
	{"bad_size", "% has a descriptor of 8 bytes; "},
	{"bad_slot", "The method lyceum.echo.v1.Echo/Count has no function"},
	{"bad_start", "The plugin \"bad\" does not start: The index is broken."},
	{"bad_stop", "The plugin \"bad\" has no `stop` function."},
	{"bad_symbol", "% is not a plugin: it exports no `lyc_plugin`."},
	{"bad_text", "% is not a shared object: it does not begin as an ELF file does."},
};

/* A sentence, or its beginning where what follows is not this code's. */
static bool says(const char *text, const char *wanted, const char *path)
{
	char whole[900];
	const char *mark = strchr(wanted, '%');
	int len = mark ? (int)(mark - wanted) : 0;
	snprintf(whole, sizeof(whole), "%.*s%s%s", len, wanted, mark ? path : "",
		 mark ? mark + 1 : wanted);
	return strncmp(text, whole, strlen(whole)) == 0 &&
	       (text[strlen(whole)] == '\0' || whole[strlen(whole) - 1] != '.');
}

static void test_runner_refuses_each_with_a_sentence_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s", path_of(refusals[i].file));
		harness_start(harness, path, "bad", NULL);
		harness_wait_exit(harness);
		assert_false(harness_was_clean(harness));
		assert_true(harness_was_refused(harness));
		if (!says(harness_exit_text(harness), refusals[i].text, path))
			fail_msg("%s: %s", refusals[i].file, harness_exit_text(harness));
		harness_close(harness);
		harness = harness_open();
	}
}

static bool registers_as_speaker(const char *file, const char *name)
{
	harness_start(harness, path_of(file), name, NULL);
	const struct packet *packet = harness_expect(harness, PACKET_REGISTER);
	bool speaks = packet->reg.speaks_for_people;
	struct packet answer = {.kind = PACKET_REGISTERED, .registered = {.id = packet->reg.id}};
	harness_send(harness, &answer);
	return speaks;
}

static void test_runner_tells_who_speaks_for_people(void **state)
{
	(void)state;
	assert_true(registers_as_speaker("speaker", "bad"));
}

static void test_runner_takes_a_descriptor_of_the_first_size(void **state)
{
	(void)state;
	harness_start(harness, path_of("probe"), "probe", config);
	const struct packet *packet = harness_expect(harness, PACKET_SUBSCRIBE);
	struct packet gap = {.kind = PACKET_GAP, .gap = {.id = packet->subscribe.id}};
	harness_send(harness, &gap);
	assert_false(harness_expect(harness, PACKET_REGISTER)->reg.speaks_for_people);
}

static void test_runner_reports_a_crash(void **state)
{
	(void)state;
	if (harness_is_thread())
		skip(); /* It would be this program's. */
	harness_start(harness, path_of("bad_crash"), "bad", NULL);
	harness_wait_exit(harness);
	assert_false(harness_was_clean(harness));
	assert_false(harness_was_refused(harness));
	assert_non_null(strstr(harness_exit_text(harness), "signal 6"));
}

/* A thread is not confined: there the mark is made, which shows that this test could fail. */
static void test_runner_confines_code_that_runs_while_it_is_loaded(void **state)
{
	(void)state;
	char path[64];
	snprintf(path, sizeof(path), "/tmp/lyc-early-%d", getpid());
	setenv("LYC_TEST_EARLY", path, 1);
	registers_as_speaker("bad_early", "bad");
	unsetenv("LYC_TEST_EARLY");
	assert_int_equal(unlink(path) == 0, harness_is_thread() || landlock_is_missing());
}

static void test_runner_reports_a_hang(void **state)
{
	(void)state;
	harness_start(harness, path_of("bad_hang"), "bad", NULL);
	harness_expect_line(harness, "3 going to hang");
	harness_stop(harness, 50);
	assert_false(harness_was_clean(harness));
	assert_non_null(
		strstr(harness_exit_text(harness), harness_is_thread() ? "hangs" : "was killed"));
}

/* ---- The view ---- */

static void send_gap(uint64_t id, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_GAP, .gap = {.id = id, .seq = seq}};
	harness_send(harness, &packet);
}

static void send_note(uint64_t id, uint64_t seq)
{
	static const char subject[] = "lyceum.echo.v1.Note.a";
	struct packet packet = {.kind = PACKET_DELIVER,
				.deliver = {.id = id,
					    .seq = seq,
					    .subject = span_of(subject, strlen(subject)),
					    .body = span_of("\n\1x", 3),
					    .origin = span_of(HARNESS_NODE, strlen(HARNESS_NODE)),
					    .epoch = HARNESS_EPOCH,
					    .origin_seq = seq,
					    .time_ms = 1}};
	harness_send(harness, &packet);
}

/* A probe that has caught up with an empty log: ready for calls. Returns its subscription. */
static uint64_t start_probe(void)
{
	harness_start(harness, path_of("probe"), "probe", config);
	const struct packet *packet = harness_expect(harness, PACKET_SUBSCRIBE);
	uint64_t id = packet->subscribe.id;
	assert_true(span_is(packet->subscribe.pattern, "lyceum.echo.v1.Note.>"));
	assert_true(packet->subscribe.records_only);
	assert_int_equal(packet->subscribe.start, SUBSCRIBE_SEQ);
	assert_int_equal(packet->subscribe.from, 1);
	send_gap(id, 0);
	harness_register(harness);
	return id;
}

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
	harness_start(harness, path_of("probe"), "probe", config);
	uint64_t id = harness_expect(harness, PACKET_SUBSCRIBE)->subscribe.id;
	send_note(id, 3);
	send_note(id, 5);
	send_gap(id, 8);
	harness_register(harness);
	harness_say(harness, 1, "view", 5000);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_true(harness_said(reply, "2"));
	assert_true(reply->has_position);
	assert_true(span_is(reply->position.origin, HARNESS_NODE));
	assert_int_equal(reply->position.epoch, HARNESS_EPOCH);
	assert_int_equal(reply->position.seq, 8);
	/* Two came while the log was read, and one since. */
	send_note(id, 9);
	harness_say(harness, 2, "early", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "2"));
}

static void test_runner_holds_a_call_until_its_view_has_come_so_far(void **state)
{
	(void)state;
	uint64_t id = start_probe();
	say_after(1, 9, HARNESS_EPOCH, 5000);
	/* Answered at once, and so before the one that waits. */
	harness_say(harness, 2, "view", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 2);
	assert_true(harness_said(&packet->reply, "0"));
	send_note(id, 9);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_true(harness_said(reply, "1"));
	assert_int_equal(reply->position.seq, 9);
}

static void test_runner_refuses_a_position_that_does_not_come(void **state)
{
	(void)state;
	start_probe();
	say_after(1, 9, HARNESS_EPOCH, 100);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_int_equal(reply->status, LYC_FAILED_PRECONDITION);
	assert_true(reply->text.len > 0);
}

static void test_runner_refuses_a_position_of_another_epoch(void **state)
{
	(void)state;
	start_probe();
	say_after(1, 9, HARNESS_EPOCH + 1, 5000);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_FAILED_PRECONDITION);
}

static void test_runner_cancels_a_call_that_waits_for_the_view(void **state)
{
	(void)state;
	uint64_t id = start_probe();
	say_after(1, 9, HARNESS_EPOCH, 5000);
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = 1}};
	harness_send(harness, &cancel);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_CANCELLED);
	send_note(id, 9);
	harness_say(harness, 2, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "1"));
}

/* ---- Calls ---- */

static void test_runner_replies(void **state)
{
	(void)state;
	start_probe();
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
	start_probe();
	harness_say(harness, 1, "fail", 5000);
	const struct packet_reply *reply = harness_expect_reply(harness, 1);
	assert_int_equal(reply->status, LYC_NOT_FOUND);
	assert_true(span_is(reply->text, "There is no \"fail\"."));
	assert_true(span_is(reply->field, "text"));
}

static void test_runner_ends_a_call_that_got_no_reply(void **state)
{
	(void)state;
	start_probe();
	harness_say(harness, 1, "nothing", 5000);
	assert_int_equal(harness_expect_reply(harness, 1)->status, LYC_INTERNAL);
	harness_expect_line(harness, "1 lyceum.echo.v1.Echo/Say returned without a reply");
}

static void test_runner_drops_a_second_reply(void **state)
{
	(void)state;
	start_probe();
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
	start_probe();
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
	start_probe();
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
	start_probe();
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
	start_probe();
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
	start_probe();
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
	start_probe();
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
	uint64_t id = start_probe();
	harness_say(harness, 1, "append", 5000);
	harness_expect(harness, PACKET_PUBLISH);
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_NO_SESSION}};
	harness_send(harness, &goodbye);
	id = harness_expect(harness, PACKET_SUBSCRIBE)->subscribe.id;
	send_gap(id, 4);
	harness_register(harness);
	/* The kept call has heard of it and is over: its number is free for another. */
	harness_say(harness, 1, "last append", 5000);
	const struct packet *packet = harness_expect(harness, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 1);
	assert_true(harness_said(&packet->reply, "UNAVAILABLE"));
}

static void test_runner_runs_timers(void **state)
{
	(void)state;
	start_probe();
	harness_say(harness, 1, "ticks", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "three ticks"));
}

static void test_runner_watches_descriptors(void **state)
{
	(void)state;
	start_probe();
	harness_say(harness, 1, "watch", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "6 stirs, 3 of the rest"));
	/* Once more: descriptors of the same numbers, newly opened. */
	harness_say(harness, 2, "watch", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "6 stirs, 3 of the rest"));
}

static void test_runner_streams(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Count";
	uint8_t body[8] = {0x08};
	size_t len = (size_t)(pb_put_varint(body + 1, 10000) - body);
	start_probe();
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
	start_probe();
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
	start_probe();
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
	start_probe();
	harness_say(harness, 1, "send", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "FAILED_PRECONDITION"));
}

static void test_runner_refuses_an_unknown_method(void **state)
{
	(void)state;
	start_probe();
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
	start_probe();
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
	start_probe();
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
	start_probe();
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

/* ---- Configuration, log, end ---- */

static void write_config(const char *text)
{
	FILE *file = fopen(config_path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void test_runner_reads_the_configuration(void **state)
{
	(void)state;
	write_config("text: from the file\n");
	start_probe();
	harness_say(harness, 1, "config", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "from the file"));
}

static void test_runner_names_the_line_of_a_wrong_configuration(void **state)
{
	(void)state;
	write_config("# one\nsize: 3\n");
	harness_start(harness, path_of("probe"), "probe", config);
	harness_wait_exit(harness);
	write_config("text: note\n");
	assert_true(harness_was_refused(harness));
	assert_non_null(strstr(harness_exit_text(harness), "line 2"));
	assert_non_null(strstr(harness_exit_text(harness), config_path));
}

static void test_runner_checks_the_rules_of_the_configuration(void **state)
{
	(void)state;
	harness_start(harness, path_of("probe"), "probe", NULL);
	harness_wait_exit(harness);
	assert_true(harness_was_refused(harness));
	assert_non_null(strstr(harness_exit_text(harness), "text"));
}

static void test_runner_logs_one_line_each(void **state)
{
	(void)state;
	start_probe();
	harness_expect_line(harness, "4 starting at wales in one line\n");
}

static void test_runner_stops_when_asked(void **state)
{
	(void)state;
	start_probe();
	harness_stop(harness, 3000);
	assert_true(harness_was_clean(harness));
}

static void test_runner_stops_when_the_daemon_says_goodbye(void **state)
{
	(void)state;
	start_probe();
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_SHUTDOWN}};
	harness_send(harness, &goodbye);
	harness_wait_exit(harness);
	assert_true(harness_was_clean(harness));
}

static void test_runner_begins_again_when_its_session_is_lost(void **state)
{
	(void)state;
	uint64_t id = start_probe();
	send_note(id, 4);
	harness_say(harness, 1, "keep", 5000);
	harness_say(harness, 2, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "1"));
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_NO_SESSION}};
	harness_send(harness, &goodbye);
	const struct packet *packet = harness_expect(harness, PACKET_SUBSCRIBE);
	assert_int_equal(packet->subscribe.from, 5);
	send_gap(packet->subscribe.id, 4);
	harness_register(harness);
	/* The number of the call that is kept comes again, for another call: the kept one's reply
	 * does not answer it. */
	harness_say(harness, 1, "use kept", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "1 0"));
	harness_say(harness, 2, "view", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 2), "1"));
}

#define RUNNER_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(test_runner_refuses_each_with_a_sentence_of_its_own),
		RUNNER_TEST(test_runner_tells_who_speaks_for_people),
		RUNNER_TEST(test_runner_takes_a_descriptor_of_the_first_size),
		RUNNER_TEST(test_runner_reports_a_crash),
		RUNNER_TEST(test_runner_registers_when_it_has_caught_up),
		RUNNER_TEST(test_runner_holds_a_call_until_its_view_has_come_so_far),
		RUNNER_TEST(test_runner_refuses_a_position_that_does_not_come),
		RUNNER_TEST(test_runner_refuses_a_position_of_another_epoch),
		RUNNER_TEST(test_runner_cancels_a_call_that_waits_for_the_view),
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
		RUNNER_TEST(test_runner_runs_timers),
		RUNNER_TEST(test_runner_watches_descriptors),
		RUNNER_TEST(test_runner_streams),
		RUNNER_TEST(test_runner_streams_as_far_as_the_caller_takes_it),
		RUNNER_TEST(test_runner_tells_a_running_method_that_it_is_cancelled),
		RUNNER_TEST(test_runner_does_not_stream_where_the_schema_says_no),
		RUNNER_TEST(test_runner_refuses_an_unknown_method),
		RUNNER_TEST(test_runner_tells_what_a_caller_may_see),
		RUNNER_TEST(test_runner_tells_who_is_the_operator),
		RUNNER_TEST(test_runner_tells_metrics_when_they_change),
		RUNNER_TEST(test_runner_reads_the_configuration),
		RUNNER_TEST(test_runner_names_the_line_of_a_wrong_configuration),
		RUNNER_TEST(test_runner_checks_the_rules_of_the_configuration),
		RUNNER_TEST(test_runner_logs_one_line_each),
		RUNNER_TEST(test_runner_begins_again_when_its_session_is_lost),
		RUNNER_TEST(test_runner_confines_code_that_runs_while_it_is_loaded),
		RUNNER_TEST(test_runner_stops_when_asked),
		RUNNER_TEST(test_runner_stops_when_the_daemon_says_goodbye),
		/* Last: its thread stays behind. */
		RUNNER_TEST(test_runner_reports_a_hang),
	};
	if (argc != 4) {
		fprintf(stderr, "usage: test_runner thread|process RUNNER PLUGIN-FOLDER\n");
		return 2;
	}
	harness_configure(strcmp(argv[1], "thread") == 0, argv[2]);
	plugins = argv[3];
	int fd = mkstemp(config_path);
	if (fd < 0)
		return 2;
	close(fd);
	config = config_path;
	write_config("text: note\n");
	int rc = cmocka_run_group_tests(tests, NULL, NULL);
	unlink(config_path);
	return rc;
}

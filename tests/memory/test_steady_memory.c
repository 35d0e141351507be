/*
 * What a call allocates once everything is warm: nothing, in the daemon's core, in the client's
 * library and in the host of a plugin. Only a frame that libzmq takes over or hands out is memory
 * of its own, and it has many calls.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <lyceum/client.h>

#include "call_bench.h"
#include "client/runner.h"
#include "client/peer.h"
#include "client/transport.h"
#include "counted_memory.h"

#define WINDOW 64
#define WARM_ROUNDS 4
#define ROUNDS 50
#define METHOD "lyceum.echo.v1.Echo/Say"

/* ---- the daemon's core ---- */

/* What the daemon has sent: calls that it gave, by their numbers, and replies. */
static struct sent {
	struct frame_reader reader;
	uint64_t ids[WINDOW];
	size_t call_count;
	size_t reply_count;
	size_t frame_count;
	/* As libzmq does with long frames. */
	bool takes_memory;
} sent;

static void look_at(const struct packet *packet)
{
	if (packet->kind == PACKET_CALL) {
		assert_in_range(sent.call_count, 0, WINDOW - 1);
		sent.ids[sent.call_count++] = packet->call.id;
	} else if (packet->kind == PACKET_REPLY) {
		assert_int_equal(packet->reply.status, LYC_OK);
		sent.reply_count++;
	}
}

static enum lyc_status take_frame(void *world, uint32_t port, struct span routing_id,
				  struct buf *frame)
{
	struct packet packet;
	(void)world;
	(void)port;
	(void)routing_id;
	frame_start(&sent.reader, span_of(frame->data, frame->len));
	while (frame_next(&sent.reader, &packet) == FRAME_PACKET)
		look_at(&packet);
	sent.frame_count++;
	if (sent.takes_memory)
		buf_fini(frame);
	else
		buf_clear(frame);
	return LYC_OK;
}

/* A window of calls of somebody in a group, there and back. The frames that come in are written
 * beforehand. */
static void pass_round(struct call_bench *bench, struct buf *frame)
{
	sent.call_count = 0;
	buf_clear(frame);
	for (uint64_t i = 1; i <= WINDOW; i++) {
		struct packet call = {.kind = PACKET_CALL,
				      .call = {.id = i,
					       .method = fake_text("lyceum.notice.v1.Board/Read"),
					       .body = FAKE_HELLO}};
		packet_write(frame, &call);
	}
	fake_send_bytes(bench->ann, span_of(frame->data, frame->len));
	assert_int_equal(sent.call_count, WINDOW);
	buf_clear(frame);
	for (size_t i = 0; i < WINDOW; i++) {
		struct packet reply = {.kind = PACKET_REPLY,
				       .reply = {.id = sent.ids[i], .body = FAKE_HELLO}};
		packet_write(frame, &reply);
	}
	fake_send_bytes(bench->board, span_of(frame->data, frame->len));
}

/* Allocations of ROUNDS windows. */
static size_t count_core(struct call_bench *bench, bool takes_memory)
{
	struct buf frame = {0};
	bench->node->daemon.env.send = take_frame;
	sent = (struct sent){.takes_memory = takes_memory};
	for (int i = 0; i < WARM_ROUNDS; i++)
		pass_round(bench, &frame);
	sent.reply_count = 0;
	sent.frame_count = 0;
	size_t before = counted_memory();
	for (int i = 0; i < ROUNDS; i++)
		pass_round(bench, &frame);
	size_t count = counted_memory() - before;
	assert_int_equal(sent.reply_count, ROUNDS * WINDOW);
	buf_fini(&frame);
	return count;
}

static void test_steady_memory_of_the_core_is_none(void **state)
{
	assert_int_equal(count_core(*state, false), 0);
}

static void test_steady_memory_of_the_core_is_a_frame_that_was_taken(void **state)
{
	size_t count = count_core(*state, true);
	assert_int_equal(sent.frame_count, 2 * ROUNDS);
	assert_int_equal(count, sent.frame_count);
}

/* ---- a daemon for a client and for a plugin, on their own thread ---- */

struct script {
	struct frame_reader reader;
	/* What the peer gets next; empty: nothing. */
	struct buf next;
	/* The calls of a client that are not answered yet. */
	uint64_t ids[WINDOW];
	size_t call_count;
	/* Of a plugin: replies that it owes, and windows that were asked. */
	size_t owed;
	unsigned round;
	size_t measured_from;
	size_t measured;
	size_t frame_count;
	bool serves_plugin;
};

static void welcome(struct script *script)
{
	struct packet packet = {.kind = PACKET_WELCOME,
				.welcome = {.version = WIRE_VERSION,
					    .daemon = fake_text("hub"),
					    .epoch = 1,
					    .identity = fake_text("somebody"),
					    .call_credit = 1 << 20,
					    .publish_credit = 1 << 20,
					    .max_body = WIRE_MAX_BODY,
					    .heartbeat_ms = 60000}};
	packet_write(&script->next, &packet);
}

static void take_packet(struct script *script, const struct packet *packet)
{
	struct packet registered = {.kind = PACKET_REGISTERED};
	switch (packet->kind) {
	case PACKET_HELLO:
		welcome(script);
		break;
	case PACKET_REGISTER:
		registered.registered.id = packet->reg.id;
		packet_write(&script->next, &registered);
		script->serves_plugin = true;
		break;
	case PACKET_CALL:
		assert_in_range(script->call_count, 0, WINDOW - 1);
		script->ids[script->call_count++] = packet->call.id;
		break;
	case PACKET_REPLY:
		assert_int_equal(packet->reply.status, LYC_OK);
		script->owed--;
		break;
	default:
		break;
	}
}

static bool script_open(void *arg)
{
	(void)arg;
	return true;
}

static void script_close(void *arg)
{
	(void)arg;
}

static bool script_send(void *arg, struct span frame)
{
	struct script *script = arg;
	struct packet packet;
	counted_memory_set(false);
	frame_start(&script->reader, frame);
	while (frame_next(&script->reader, &packet) == FRAME_PACKET)
		take_packet(script, &packet);
	counted_memory_set(true);
	return true;
}

static void answer_calls(struct script *script)
{
	for (size_t i = 0; i < script->call_count; i++) {
		struct packet reply = {.kind = PACKET_REPLY,
				       .reply = {.id = script->ids[i],
						 .body = FAKE_HELLO,
						 .served_by = fake_text("hub")}};
		packet_write(&script->next, &reply);
	}
	script->call_count = 0;
}

/* The next window of calls, or the end. */
static void ask_plugin(struct script *script)
{
	if (script->round == WARM_ROUNDS)
		script->measured_from = counted_memory();
	if (script->round == WARM_ROUNDS + ROUNDS) {
		struct packet goodbye = {.kind = PACKET_GOODBYE,
					 .goodbye = {.reason = GOODBYE_SHUTDOWN}};
		script->measured = counted_memory() - script->measured_from;
		packet_write(&script->next, &goodbye);
		script->serves_plugin = false;
		return;
	}
	script->round++;
	for (uint64_t i = 1; i <= WINDOW; i++) {
		struct span groups[] = {fake_text("hub/policy"), fake_text("hub/staff")};
		struct packet call = {.kind = PACKET_CALL,
				      .call = {.id = i,
					       .method = fake_text(METHOD),
					       .principal = fake_text("ann@hub"),
					       .groups = groups,
					       .group_count = 2,
					       .timeout_ms = 30000,
					       .body = FAKE_HELLO}};
		packet_write(&script->next, &call);
	}
	script->owed = WINDOW;
}

static bool script_receive(void *arg, struct buf *ret_frame)
{
	struct script *script = arg;
	counted_memory_set(false);
	answer_calls(script);
	if (script->serves_plugin && script->owed == 0 && script->next.len == 0)
		ask_plugin(script);
	counted_memory_set(true);
	if (script->next.len == 0)
		return false;
	script->frame_count++;
	*ret_frame = script->next;
	script->next = (struct buf){0};
	return true;
}

static bool script_is_lost(void *arg)
{
	(void)arg;
	return false;
}

static bool script_wait(void *arg, bool is_reading, int wait_fd, int timeout_ms)
{
	(void)is_reading;
	(void)arg;
	(void)wait_fd;
	(void)timeout_ms;
	return true;
}

static struct transport transport_of(struct script *script)
{
	return (struct transport){.open = script_open,
				  .close = script_close,
				  .send = script_send,
				  .receive = script_receive,
				  .is_lost = script_is_lost,
				  .wait = script_wait,
				  .arg = script};
}

/* ---- the client's library ---- */

struct caller {
	struct lyc_client *client;
	size_t left;
	size_t ended;
};

static void take_reply(const struct lyc_reply *reply, void *arg);

static void call_next(struct caller *caller)
{
	if (caller->left == 0)
		return;
	caller->left--;
	assert_int_equal(lyc_client_call_start(caller->client, METHOD, "\x0a\x05hello", 7, NULL,
					       take_reply, caller, NULL),
			 LYC_OK);
}

static void take_reply(const struct lyc_reply *reply, void *arg)
{
	struct caller *caller = arg;
	assert_int_equal(reply->status, LYC_OK);
	assert_string_equal(reply->served_by, "hub");
	caller->ended++;
	call_next(caller);
}

static void call_rounds(struct caller *caller, size_t count)
{
	caller->left = count * WINDOW;
	caller->ended = 0;
	for (int i = 0; i < WINDOW; i++)
		call_next(caller);
	for (size_t i = 0; i < 4 * count && caller->ended < count * WINDOW; i++)
		assert_int_equal(lyc_client_run(caller->client, 0), LYC_OK);
	assert_int_equal(caller->ended, count * WINDOW);
}

static void test_steady_memory_of_a_client_is_the_frames_that_come(void **state)
{
	static struct script script;
	struct transport transport = transport_of(&script);
	struct connection_options options = {.transport = &transport, .software = "test"};
	struct peer_hooks hooks = {0};
	struct lyc_error error = {0};
	struct caller caller = {0};
	(void)state;
	assert_int_equal(client_open_with(&options, &hooks, &caller.client, &error), LYC_OK);
	call_rounds(&caller, WARM_ROUNDS);
	script.frame_count = 0;
	size_t before = counted_memory();
	call_rounds(&caller, ROUNDS);
	size_t count = counted_memory() - before;
	assert_in_range(script.frame_count, 1, ROUNDS + 1);
	assert_int_equal(count, script.frame_count);
	lyc_client_close(caller.client);
}

/* ---- the host of a plugin ---- */

static void test_steady_memory_of_a_plugin_is_the_frames_that_come(void **state)
{
	static struct script script;
	struct transport transport = transport_of(&script);
	struct runner_options options = {.path = ECHO_PLUGIN,
					 .name = "echo",
					 .transport = &transport,
					 .data_folder = ".",
					 .stop_fd = -1};
	struct lyc_error error = {0};
	(void)state;
	if (runner_run(&options, &error) != LYC_OK)
		fail_msg("%s", error.text);
	assert_int_equal(script.round, WARM_ROUNDS + ROUNDS);
	assert_int_equal(script.measured, ROUNDS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_steady_memory_of_the_core_is_none,
						call_bench_setup, call_bench_teardown),
		cmocka_unit_test_setup_teardown(
			test_steady_memory_of_the_core_is_a_frame_that_was_taken, call_bench_setup,
			call_bench_teardown),
		cmocka_unit_test(test_steady_memory_of_a_client_is_the_frames_that_come),
		cmocka_unit_test(test_steady_memory_of_a_plugin_is_the_frames_that_come),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Attacks of a peer that is let in, or knows how to knock. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "attack.h"
#include "base/buf.h"
#include "base/ensure.h"
#include "base/rng.h"
#include "raw_peer.h"

static struct raw_peer *peer_of(const struct target *target)
{
	return raw_peer_new(target->plain, NULL, NULL);
}

static struct raw_peer *greeted(const struct target *target)
{
	struct packet packet;
	struct raw_peer *peer = peer_of(target);
	if (!raw_peer_greet(peer, &packet)) {
		raw_peer_free(peer);
		return NULL;
	}
	return peer;
}

static const char *reason_name(uint32_t reason)
{
	static const char *const names[] = {"?",       "NO_SESSION", "FLOOD",
					    "VERSION", "MALFORMED",  "SHUTDOWN",
					    "TIMEOUT", "DENIED",     "REPLACED"};
	return names[reason < 9 ? reason : 0];
}

static void expect_goodbye(struct raw_peer *peer, uint32_t reason, struct verdict *ret_verdict)
{
	struct packet packet;
	bool is_there = raw_peer_await(peer, PACKET_GOODBYE, &packet, 3000);
	verdict_set(ret_verdict, is_there && packet.goodbye.reason == reason, "Goodbye %s: %.*s",
		    is_there ? reason_name(packet.goodbye.reason) : "never came",
		    is_there ? (int)packet.goodbye.text.len : 0,
		    is_there ? (const char *)packet.goodbye.text.data : "");
}

/* ---- frames ---- */

static void send_rubbish_frames(const struct target *target, struct verdict *ret_verdict)
{
	int count = target->is_short ? 200 : 3000;
	struct rng rng;
	uint8_t bytes[256];
	struct raw_peer *peer = peer_of(target);
	rng_init(&rng, 11);
	for (int i = 0; i < count; i++) {
		size_t len = rng_below(&rng, sizeof(bytes));
		for (size_t j = 0; j < len; j++)
			bytes[j] = (uint8_t)rng_next(&rng);
		raw_peer_send_bytes(peer, bytes, len, false);
	}
	raw_peer_send_bytes(peer, "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", 10, false);
	expect_goodbye(peer, GOODBYE_MALFORMED, ret_verdict);
	raw_peer_free(peer);
}

static void send_malformed_in_session(const struct target *target, struct verdict *ret_verdict)
{
	struct raw_peer *peer = greeted(target);
	/* A Call whose length goes beyond the frame. */
	raw_peer_send_bytes(peer, "\x20\x3a\x7f\x08\x01", 5, false);
	expect_goodbye(peer, GOODBYE_MALFORMED, ret_verdict);
	raw_peer_free(peer);
}

static bool is_cut(struct raw_peer *peer, void *monitor)
{
	char event[64];
	struct packet ping = {.kind = PACKET_PING};
	for (int i = 0; i < 40; i++) {
		if (zmq_recv(monitor, event, sizeof(event), 0) >= 0)
			return true;
		raw_peer_send(peer, &ping);
	}
	return false;
}

static void *watch(struct raw_peer *peer)
{
	int timeout = 50;
	ensure(zmq_socket_monitor(peer->socket, "inproc://watch", ZMQ_EVENT_DISCONNECTED) == 0);
	void *monitor = zmq_socket(peer->zmq, ZMQ_PAIR);
	zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &timeout, sizeof(timeout));
	ensure(zmq_connect(monitor, "inproc://watch") == 0);
	return monitor;
}

static void send_many_parts(const struct target *target, struct verdict *ret_verdict)
{
	struct raw_peer *peer = greeted(target);
	void *monitor = watch(peer);
	for (int i = 0; i < 5000; i++)
		raw_peer_send_bytes(peer, "part", 4, true);
	raw_peer_send_bytes(peer, "end", 3, false);
	bool was_cut = is_cut(peer, monitor);
	verdict_set(ret_verdict, was_cut, "a message of 5,001 parts: %s",
		    was_cut ? "cut" : "taken");
	zmq_close(monitor);
	raw_peer_free(peer);
}

static void send_oversized(const struct target *target, struct verdict *ret_verdict)
{
	static uint8_t bytes[4 * 1024 * 1024];
	struct raw_peer *peer = greeted(target);
	void *monitor = watch(peer);
	raw_peer_send_bytes(peer, bytes, sizeof(bytes), false);
	bool was_cut = is_cut(peer, monitor);
	verdict_set(ret_verdict, was_cut, "a frame of 4 MiB: %s", was_cut ? "cut" : "taken");
	zmq_close(monitor);
	raw_peer_free(peer);
}

static void say_wrong_version(const struct target *target, struct verdict *ret_verdict)
{
	struct raw_peer *peer = peer_of(target);
	struct packet hello = {.kind = PACKET_HELLO, .hello = {.version = 4711}};
	raw_peer_send(peer, &hello);
	expect_goodbye(peer, GOODBYE_VERSION, ret_verdict);
	raw_peer_free(peer);
}

static void call_without_hello(const struct target *target, struct verdict *ret_verdict)
{
	struct raw_peer *peer = peer_of(target);
	struct packet call = {.kind = PACKET_CALL,
			      .call = {.id = 1, .method = span_of("a.B/C", 5)}};
	raw_peer_send(peer, &call);
	expect_goodbye(peer, GOODBYE_NO_SESSION, ret_verdict);
	raw_peer_free(peer);
}

static void say_hello_endlessly(const struct target *target, struct verdict *ret_verdict)
{
	int count = target->is_short ? 500 : 5000;
	int welcomed = 0;
	struct packet packet;
	struct raw_peer *peer = peer_of(target);
	struct packet hello = {.kind = PACKET_HELLO, .hello = {.version = WIRE_VERSION}};
	for (int i = 0; i < count; i++)
		raw_peer_send(peer, &hello);
	while (welcomed < count && raw_peer_await(peer, PACKET_WELCOME, &packet, 2000))
		welcomed++;
	verdict_set(ret_verdict, welcomed > 0, "%d of %d Hellos welcomed, one session", welcomed,
		    count);
	raw_peer_free(peer);
}

/* ---- bodies ---- */

/* The reply to one call; its status. */
static void call_with(const struct target *target, const char *method, const void *body, size_t len,
		      uint32_t status, struct verdict *ret_verdict)
{
	struct packet packet = {.kind = PACKET_CALL};
	struct raw_peer *peer = greeted(target);
	packet.call = (struct packet_call){
		.id = 1, .method = span_of(method, strlen(method)), .body = span_of(body, len)};
	raw_peer_send(peer, &packet);
	bool is_there = raw_peer_await(peer, PACKET_REPLY, &packet, 5000);
	verdict_set(ret_verdict, is_there && packet.reply.status == status,
		    "status %d, field %.*s: %.*s", is_there ? (int)packet.reply.status : -1,
		    is_there ? (int)packet.reply.field.len : 0,
		    is_there ? (const char *)packet.reply.field.data : "",
		    is_there ? (int)packet.reply.text.len : 0,
		    is_there ? (const char *)packet.reply.text.data : "no reply");
	raw_peer_free(peer);
}

#define SAY "lyceum.echo.v1.Echo/Say"
#define IMPORT "lyceum.experts.v1.ExpertDirectory/Import"

static void send_wrong_types(const struct target *target, struct verdict *ret_verdict)
{
	call_with(target, SAY, "\x08\x01", 2, LYC_INVALID_ARGUMENT, ret_verdict);
}

static void send_bad_utf8(const struct target *target, struct verdict *ret_verdict)
{
	call_with(target, SAY, "\x0a\x02\xc3\x28", 4, LYC_INVALID_ARGUMENT, ret_verdict);
}

static void send_field_twice(const struct target *target, struct verdict *ret_verdict)
{
	call_with(target, SAY, "\x0a\x01x\x0a\x01y", 6, LYC_INVALID_ARGUMENT, ret_verdict);
}

static void send_nested_groups(const struct target *target, struct verdict *ret_verdict)
{
	static uint8_t body[900 * 1024];
	memset(body, 0x7b, sizeof(body)); /* begins an unknown group */
	memcpy(body, "\x0a\x01x", 3);
	call_with(target, SAY, body, sizeof(body), LYC_INVALID_ARGUMENT, ret_verdict);
}

static void send_empty_items(const struct target *target, struct verdict *ret_verdict)
{
	static uint8_t body[1000 * 1000];
	for (size_t i = 0; i < sizeof(body); i += 2)
		body[i] = 0x0a;
	call_with(target, IMPORT, body, sizeof(body), LYC_INVALID_ARGUMENT, ret_verdict);
}

static void send_truncated(const struct target *target, struct verdict *ret_verdict)
{
	call_with(target, SAY,
		  "\x0a\x7f"
		  "abc",
		  5, LYC_INVALID_ARGUMENT, ret_verdict);
}

/* ---- rights and roles ---- */

static void register_as_a_service(const struct target *target, struct verdict *ret_verdict)
{
	struct span service = span_of("lyceum.echo.v1.Echo", 19);
	struct packet packet = {.kind = PACKET_REGISTER,
				.reg = {.id = 1, .services = &service, .service_count = 1}};
	struct raw_peer *peer = greeted(target);
	raw_peer_send(peer, &packet);
	bool is_there = raw_peer_await(peer, PACKET_REGISTERED, &packet, 3000);
	verdict_set(ret_verdict, is_there && packet.registered.status == LYC_PERMISSION_DENIED,
		    "status %d: %.*s", is_there ? (int)packet.registered.status : -1,
		    is_there ? (int)packet.registered.text.len : 0,
		    is_there ? (const char *)packet.registered.text.data : "");
	raw_peer_free(peer);
}

/* Replies, cancels, copies and heads that nobody asked it for; then it is still answered. */
static void play_daemon(const struct target *target, struct verdict *ret_verdict)
{
	int count = target->is_short ? 500 : 10000;
	struct raw_peer *peer = greeted(target);
	struct packet packet;
	struct buf frame = {0};
	static const char record[] = "\x0a\x05other\x10\x01\x18\x01\x22\x01x";
	for (int i = 0; i < count; i++) {
		struct wire_position position = {
			.origin = span_of("hub", 3), .epoch = 1, .seq = UINT64_MAX};
		struct packet forged[] = {
			{.kind = PACKET_REPLY, .reply = {.id = (uint64_t)i}},
			{.kind = PACKET_CANCEL, .cancel = {.id = (uint64_t)i}},
			{.kind = PACKET_CONSUMED,
			 .consumed = {.id = (uint64_t)i, .value = UINT64_MAX}},
			{.kind = PACKET_CREDIT, .credit = {.id = (uint64_t)i, .value = UINT64_MAX}},
			{.kind = PACKET_FOLLOW,
			 .follow = {.positions = &position,
				    .position_count = 1,
				    .credit = 1u << 30}},
			{.kind = PACKET_HEADS,
			 .heads = {.sent = &position, .sent_count = 1, .stored_bytes = UINT64_MAX}},
			{.kind = PACKET_WELCOME, .welcome = {.daemon = span_of("hub", 3)}},
			{.kind = PACKET_ACK, .ack = {.id = (uint64_t)i}},
			{.kind = PACKET_GAP, .gap = {.id = (uint64_t)i, .missed = UINT64_MAX}},
		};
		for (size_t j = 0; j < sizeof(forged) / sizeof(forged[0]); j++)
			packet_write(&frame, &forged[j]);
		packet_write_copy(&frame, span_of(record, sizeof(record) - 1));
		if (frame.len > 32 * 1024) {
			raw_peer_send_bytes(peer, frame.data, frame.len, false);
			buf_clear(&frame);
		}
	}
	buf_fini(&frame);
	packet = (struct packet){.kind = PACKET_PING, .ping = {.id = 77}};
	raw_peer_send(peer, &packet);
	bool is_there = raw_peer_await(peer, PACKET_PONG, &packet, 5000);
	verdict_set(ret_verdict, is_there, "%d forged packets of a daemon: passed over",
		    count * 10);
	raw_peer_free(peer);
}

/* ---- floods ---- */

static void flood_with_calls(const struct target *target, struct verdict *ret_verdict)
{
	static uint8_t body[60 * 1024 + 4] = {0x0a, 0x80, 0xe0, 0x03};
	int count = target->is_short ? 200 : 600;
	struct raw_peer *peer = greeted(target);
	memset(body + 4, 'x', sizeof(body) - 4);
	for (int i = 1; i <= count; i++) {
		struct packet call = {.kind = PACKET_CALL};
		call.call = (struct packet_call){.id = (uint64_t)i,
						 .method = span_of(SAY, strlen(SAY)),
						 .body = span_of(body, sizeof(body))};
		/* Kept for a minute. */
		call.call.after = &(struct wire_position){
			.origin = span_of("nowhere", 7), .epoch = 1, .seq = 1};
		call.call.after_count = 1;
		call.call.timeout_ms = 60000;
		raw_peer_send(peer, &call);
	}
	expect_goodbye(peer, GOODBYE_FLOOD, ret_verdict);
	raw_peer_free(peer);
}

static void flood_with_subscriptions(const struct target *target, struct verdict *ret_verdict)
{
	int count = target->is_short ? 5000 : 20000;
	int refused = 0;
	char pattern[64];
	struct raw_peer *peer = greeted(target);
	struct packet packet;
	for (int i = 1; i <= count; i++) {
		snprintf(pattern, sizeof(pattern), "lyceum.echo.v1.Note.%d.*.>", i);
		packet = (struct packet){.kind = PACKET_SUBSCRIBE};
		packet.subscribe = (struct packet_subscribe){
			.id = (uint64_t)i, .pattern = span_of(pattern, strlen(pattern))};
		raw_peer_send(peer, &packet);
	}
	packet = (struct packet){.kind = PACKET_PING, .ping = {.id = 1}};
	raw_peer_send(peer, &packet);
	while (raw_peer_receive(peer, &packet, 5000) && packet.kind != PACKET_PONG)
		refused += packet.kind == PACKET_UNSUBSCRIBE &&
			   packet.unsubscribe.status == LYC_RESOURCE_EXHAUSTED;
	verdict_set(ret_verdict, refused > 0 && packet.kind == PACKET_PONG, "%d of %d refused",
		    refused, count);
	raw_peer_free(peer);
}

static void come_and_go(const struct target *target, struct verdict *ret_verdict)
{
	int count = target->is_short ? 30 : 300;
	int welcomed = 0;
	for (int i = 0; i < count; i++) {
		struct raw_peer *peer = greeted(target);
		welcomed += peer != NULL;
		raw_peer_free(peer);
	}
	verdict_set(ret_verdict, welcomed == count, "%d of %d welcomed", welcomed, count);
}

const struct attack attacks_of_packets[] = {
	{"rubbish frames", send_rubbish_frames},
	{"a malformed packet in a session", send_malformed_in_session},
	{"a message of many parts", send_many_parts},
	{"an oversized message", send_oversized},
	{"a wrong version", say_wrong_version},
	{"a call before Hello", call_without_hello},
	{"Hello without end", say_hello_endlessly},
	{"a field of a wrong type", send_wrong_types},
	{"text that is not UTF-8", send_bad_utf8},
	{"a field twice", send_field_twice},
	{"a length beyond the body", send_truncated},
	{"900,000 nested groups", send_nested_groups},
	{"500,000 empty items", send_empty_items},
	{"a stranger registers a service", register_as_a_service},
	{"a stranger plays the daemon", play_daemon},
	{"calls beyond credit", flood_with_calls},
	{"subscriptions without end", flood_with_subscriptions},
	{"coming and going", come_and_go},
	{NULL, NULL},
};

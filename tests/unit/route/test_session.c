/* Sessions: how packets become frames, and what becomes of frames that a socket does not take. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "route/session.h"

/* A socket that records what it took. */
struct socket {
	struct buf frames[64];
	size_t count;
	enum lyc_status answer;
	/* Takes every second frame only. */
	bool is_wavering;
	unsigned tries;
	uint64_t now_ms;
	uint32_t port;
	char routing_id[40];
};

static enum lyc_status send_frame(void *world, uint32_t port, struct span routing_id,
				  struct buf *frame)
{
	struct socket *socket = world;
	if (socket->answer != LYC_OK)
		return socket->answer;
	if (socket->is_wavering && socket->tries++ % 2 == 0)
		return LYC_RESOURCE_EXHAUSTED;
	assert_true(socket->count < 64);
	socket->port = port;
	memcpy(socket->routing_id, routing_id.data, routing_id.len);
	socket->routing_id[routing_id.len] = '\0';
	socket->frames[socket->count++] = *frame;
	*frame = (struct buf){0};
	return LYC_OK;
}

static uint64_t now_ms(void *world)
{
	return ((struct socket *)world)->now_ms;
}

struct bench {
	struct socket socket;
	struct env env;
	struct session_table table;
	struct session *session;
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->env = (struct env){.world = &bench->socket, .now_ms = now_ms, .send = send_frame};
	session_table_init(&bench->table, &bench->env);
	bench->session = session_add(&bench->table, 3, span_of("peer", 4), "ann");
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	session_table_fini(&bench->table);
	for (size_t i = 0; i < bench->socket.count; i++)
		buf_fini(&bench->socket.frames[i]);
	free(bench);
	return 0;
}

/* A Reply whose body has this length; its id says which it is. */
static void send_reply(struct bench *bench, uint64_t id, size_t len)
{
	uint8_t *body = mem_get(len);
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){.id = id, .body = span_of(body, len)};
	session_send(&bench->table, bench->session, &packet);
	free(body);
}

/* Checks that all frames together hold the ids 1 to last in order; returns the count of packets of
 * one frame. */
static size_t check_frames(struct bench *bench, uint64_t last, size_t of_frame)
{
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	uint64_t expected = 1;
	size_t counted = 0;
	for (size_t i = 0; i < bench->socket.count; i++) {
		const struct buf *frame = &bench->socket.frames[i];
		frame_start(reader, span_of(frame->data, frame->len));
		enum frame_result result;
		while ((result = frame_next(reader, &packet)) == FRAME_PACKET) {
			assert_int_equal(packet.kind, PACKET_REPLY);
			assert_int_equal(packet.reply.id, expected++);
			counted += i == of_frame;
		}
		assert_int_equal(result, FRAME_END);
	}
	assert_int_equal(expected, last + 1);
	free(reader);
	return counted;
}

static void test_session_packets_of_one_turn_are_one_frame(void **state)
{
	struct bench *bench = *state;
	for (uint64_t id = 1; id <= 100; id++)
		send_reply(bench, id, 20);
	assert_int_equal(bench->socket.count, 0);
	assert_int_equal(session_flush_all(&bench->table), 0);
	assert_int_equal(bench->socket.count, 1);
	assert_int_equal(check_frames(bench, 100, 0), 100);
	assert_int_equal(bench->socket.port, 3);
	assert_string_equal(bench->socket.routing_id, "peer");
	/* Nothing is left for the next turn. */
	session_flush_all(&bench->table);
	assert_int_equal(bench->socket.count, 1);
	send_reply(bench, 101, 20);
	session_flush_all(&bench->table);
	assert_int_equal(check_frames(bench, 101, 1), 1);
}

/* A Deliver of which a part is written once is as any other packet: in order, in the same frames,
 * and what it takes is what the receiver counts. */
static void test_session_delivers_what_is_written_once(void **state)
{
	struct bench *bench = *state;
	struct session *other = session_add(&bench->table, 3, span_of("other", 5), "eve");
	struct buf common = {0};
	uint8_t body[700] = {0};
	const struct packet_deliver deliver = {.subject = span_of("a.b", 3),
					       .body = span_of(body, sizeof(body))};
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	size_t lens[200];
	size_t seen[2] = {0};
	packet_write_deliver_common(&common, &deliver);
	for (uint64_t i = 0; i < 200; i++) {
		lens[i] = session_send_deliver(&bench->table, bench->session, i,
					       span_of(common.data, common.len));
		session_send_deliver(&bench->table, other, i, span_of(common.data, common.len));
	}
	session_flush_all(&bench->table);
	for (size_t i = 0; i < bench->socket.count; i++) {
		const struct buf *frame = &bench->socket.frames[i];
		frame_start(reader, span_of(frame->data, frame->len));
		/* Whose it is: frames of both come in turn. */
		size_t *count = &seen[i % 2];
		while (frame_next(reader, &packet) == FRAME_PACKET) {
			assert_int_equal(packet.kind, PACKET_DELIVER);
			assert_int_equal(packet.deliver.id, *count);
			assert_int_equal(packet.len, lens[*count]);
			assert_int_equal(packet.deliver.body.len, sizeof(body));
			++*count;
		}
	}
	assert_int_equal(seen[0], 200);
	assert_int_equal(seen[1], 200);
	free(reader);
	buf_fini(&common);
}

static void send_transient(struct bench *bench, uint64_t id, size_t len)
{
	struct buf common = {0};
	uint8_t *body = mem_get(len);
	const struct packet_deliver deliver = {.body = span_of(body, len)};
	packet_write_deliver_common(&common, &deliver);
	session_send_deliver(&bench->table, bench->session, id, span_of(common.data, common.len));
	buf_fini(&common);
	free(body);
}

/* Whoever waits for a view waits for it, and for what was held before it. */
static void test_session_holds_no_records(void **state)
{
	struct bench *bench = *state;
	struct buf common = {0};
	const struct packet_deliver deliver = {.seq = 7, .body = span_of("body", 4)};
	packet_write_deliver_common(&common, &deliver);
	bench->table.may_hold = true;
	bench->socket.now_ms = 5;
	for (size_t i = 1; i <= 3; i++) {
		send_transient(bench, 1, 20);
		assert_true(session_send_record(&bench->table, bench->session, 2,
						span_of(common.data, common.len)) > 0);
		session_flush_all(&bench->table);
		assert_int_equal(bench->socket.count, i);
	}
	buf_fini(&common);
}

static void test_session_holds_transient_messages_for_a_millisecond(void **state)
{
	struct bench *bench = *state;
	const struct socket *socket = &bench->socket;
	bench->table.may_hold = true;
	bench->socket.now_ms = 5;
	send_transient(bench, 1, 20);
	session_flush_all(&bench->table);
	assert_int_equal(socket->count, 1);
	/* The second of one millisecond waits for the next one, however many turns there are. */
	for (int turn = 0; turn < 3; turn++) {
		send_transient(bench, 2, 20);
		assert_int_equal(session_flush_all(&bench->table), 0);
		assert_int_equal(socket->count, 1);
		assert_true(session_table_holds(&bench->table));
	}
	bench->socket.now_ms = 6;
	session_flush_all(&bench->table);
	assert_int_equal(socket->count, 2);
	assert_true(socket->frames[1].len > 3 * 20);
	assert_false(session_table_holds(&bench->table));
	/* What others wait for takes along what is held. */
	send_transient(bench, 3, 20);
	session_flush_all(&bench->table);
	assert_true(session_table_holds(&bench->table));
	send_reply(bench, 4, 20);
	session_flush_all(&bench->table);
	assert_int_equal(socket->count, 3);
	assert_false(session_table_holds(&bench->table));
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, span_of(socket->frames[2].data, socket->frames[2].len));
	assert_int_equal(frame_next(reader, &packet), FRAME_PACKET);
	assert_int_equal(packet.kind, PACKET_DELIVER);
	assert_int_equal(frame_next(reader, &packet), FRAME_PACKET);
	assert_int_equal(packet.kind, PACKET_REPLY);
	free(reader);
}

static void test_session_that_holds_sends_when_a_frame_is_full_or_it_ends(void **state)
{
	struct bench *bench = *state;
	const struct socket *socket = &bench->socket;
	bench->table.may_hold = true;
	for (size_t len = 0; socket->count == 0; len += 1000) {
		assert_true(len <= SESSION_DELIVER_LEN);
		send_transient(bench, 1, 1000);
		session_flush_all(&bench->table);
	}
	assert_true(socket->frames[0].len > SESSION_DELIVER_LEN);
	send_transient(bench, 1, 20);
	session_flush_all(&bench->table);
	assert_int_equal(socket->count, 1);
	session_free(&bench->table, bench->session);
	assert_int_equal(socket->count, 2);
	assert_false(session_table_holds(&bench->table));
}

static void send_deliver(struct bench *bench, uint64_t id, size_t len)
{
	uint8_t *body = mem_get(len);
	struct packet packet = {.kind = PACKET_DELIVER};
	packet.deliver = (struct packet_deliver){.id = id, .body = span_of(body, len)};
	session_send(&bench->table, bench->session, &packet);
	free(body);
}

static void test_session_flushes_at_a_full_frame_without_waiting(void **state)
{
	struct bench *bench = *state;
	while (bench->socket.count < 3)
		send_deliver(bench, 1, 1000);
	for (size_t i = 0; i < 3; i++)
		assert_in_range(bench->socket.frames[i].len, WIRE_FRAME_LEN, WIRE_FRAME_LEN + 1100);
}

static void test_session_replies_of_one_turn_stay_together_for_longer(void **state)
{
	struct bench *bench = *state;
	uint64_t id = 0;
	while (bench->socket.count < 3)
		send_reply(bench, ++id, 1000);
	for (size_t i = 0; i < 3; i++)
		assert_in_range(bench->socket.frames[i].len, WIRE_FRAME_MOST,
				WIRE_FRAME_MOST + 1100);
	check_frames(bench, id, 0);
	/* What goes to anybody who subscribes does not. */
	for (size_t len = 0; len < 2 * WIRE_FRAME_LEN; len += 1000)
		send_reply(bench, ++id, 1000);
	assert_int_equal(bench->socket.count, 3);
	send_deliver(bench, 1, 1000);
	assert_int_equal(bench->socket.count, 4);
}

/* A stream's are bounded by its caller's credit only. */
static void test_session_replies_of_a_stream_leave_in_usual_frames(void **state)
{
	struct bench *bench = *state;
	uint8_t *body = mem_get(1000);
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){.id = 1, .body = span_of(body, 1000), .more = true};
	while (bench->socket.count < 2)
		session_send(&bench->table, bench->session, &packet);
	assert_in_range(bench->socket.frames[0].len, WIRE_FRAME_LEN, WIRE_FRAME_LEN + 1100);
	assert_in_range(bench->socket.frames[1].len, WIRE_FRAME_LEN, WIRE_FRAME_LEN + 1100);
	free(body);
}

static void test_session_large_packet_goes_alone_and_in_order(void **state)
{
	struct bench *bench = *state;
	send_reply(bench, 1, 50);
	send_reply(bench, 2, 900000);
	send_reply(bench, 3, 50);
	session_flush_all(&bench->table);
	assert_int_equal(bench->socket.count, 3);
	assert_int_equal(check_frames(bench, 3, 1), 1);
	assert_true(bench->socket.frames[0].len < 100);
	assert_true(bench->socket.frames[2].len < 100);
}

static void test_session_full_socket_keeps_the_order(void **state)
{
	struct bench *bench = *state;
	uint64_t id = 0;
	bench->socket.answer = LYC_RESOURCE_EXHAUSTED;
	for (int turn = 0; turn < 10; turn++) {
		send_reply(bench, ++id, 10);
		if (turn % 3 == 0)
			send_reply(bench, ++id, 100000);
		assert_int_equal(session_flush_all(&bench->table), 1);
	}
	assert_int_equal(bench->socket.count, 0);
	assert_true(session_backlog(bench->session) > 4 * 100000);
	bench->socket.answer = LYC_OK;
	send_reply(bench, ++id, 10);
	assert_int_equal(session_flush_all(&bench->table), 0);
	check_frames(bench, id, 0);
	assert_int_equal(session_backlog(bench->session), 0);
}

static void test_session_wavering_socket_keeps_the_order(void **state)
{
	struct bench *bench = *state;
	bench->socket.is_wavering = true;
	for (uint64_t id = 1; id <= 20; id++) {
		send_reply(bench, id, 10);
		session_flush_all(&bench->table);
	}
	for (int turn = 0; turn < 100 && session_flush_all(&bench->table) > 0; turn++)
		assert_true(turn < 99);
	check_frames(bench, 20, 0);
}

/* A peer that does not read costs this daemon so much memory and no more. */
static void test_session_backlog_is_bounded(void **state)
{
	struct bench *bench = *state;
	bench->table.max_backlog = 1000000;
	bench->socket.answer = LYC_RESOURCE_EXHAUSTED;
	for (uint64_t id = 1; id <= 9; id++)
		send_reply(bench, id, 100000);
	session_flush_all(&bench->table);
	assert_false(bench->session->is_stuck);
	assert_true(session_backlog(bench->session) > 900000);
	for (uint64_t id = 10; id <= 1000; id++) {
		send_reply(bench, id, 100000);
		assert_true(session_backlog(bench->session) < 1200000);
	}
	assert_true(bench->session->is_stuck);
	/* Nothing that comes behind what was dropped is sent, and nothing waits any more. */
	bench->socket.answer = LYC_OK;
	send_reply(bench, 1001, 10);
	assert_int_equal(session_flush_all(&bench->table), 0);
	assert_int_equal(bench->socket.count, 0);
	assert_int_equal(session_backlog(bench->session), 0);
}

/* What waits for all of them together is bounded, too: for whom most waits it ends. */
static void test_session_for_whom_most_waits_makes_room_for_others(void **state)
{
	struct bench *bench = *state;
	struct session *ann = bench->session;
	struct session *bob = session_add(&bench->table, 3, span_of("bob", 3), "bob");
	bench->table.max_waiting = 1000000;
	bench->socket.answer = LYC_RESOURCE_EXHAUSTED;
	for (uint64_t id = 1; id <= 3; id++)
		send_reply(bench, id, 100000);
	session_flush_all(&bench->table);
	assert_true(bench->table.waiting_len >= 300000);
	/* Each is within what one may have. */
	bench->session = bob;
	for (uint64_t id = 1; id <= 20 && !bob->is_stuck; id++) {
		send_reply(bench, id, 60000);
		session_flush_all(&bench->table);
		assert_true(bench->table.waiting_len <= bench->table.max_waiting);
	}
	assert_true(bob->is_stuck);
	assert_false(ann->is_stuck);
	assert_int_equal(session_backlog(bob), 0);
	assert_true(session_backlog(ann) >= 300000);
	/* What is left still arrives, and then nothing is counted any more. */
	bench->socket.answer = LYC_OK;
	assert_int_equal(session_flush_all(&bench->table), 0);
	assert_int_equal(bench->table.waiting_len, 0);
	bench->session = ann;
	check_frames(bench, 3, 0);
}

static void test_session_gone_peer_drops_the_frames(void **state)
{
	struct bench *bench = *state;
	bench->socket.answer = LYC_RESOURCE_EXHAUSTED;
	send_reply(bench, 7, 10);
	session_flush_all(&bench->table);
	bench->socket.answer = LYC_UNAVAILABLE;
	send_reply(bench, 8, 10);
	assert_int_equal(session_flush_all(&bench->table), 0);
	assert_int_equal(session_backlog(bench->session), 0);
	bench->socket.answer = LYC_OK;
	send_reply(bench, 1, 10);
	session_flush_all(&bench->table);
	check_frames(bench, 1, 0);
}

static void test_session_end_hands_over_what_was_written(void **state)
{
	struct bench *bench = *state;
	send_reply(bench, 1, 10);
	session_free(&bench->table, bench->session);
	check_frames(bench, 1, 0);
	assert_int_equal(bench->table.count, 0);
	assert_null(session_find(&bench->table, 3, span_of("peer", 4)));
}

static void test_session_is_found_by_port_and_routing_id_or_serial(void **state)
{
	struct bench *bench = *state;
	struct session_table *table = &bench->table;
	struct session *pipe = session_add(table, 4, span_of(NULL, 0), "echo");
	struct session *twin = session_add(table, 4, span_of("peer", 4), "bob");
	assert_ptr_equal(session_find(table, 3, span_of("peer", 4)), bench->session);
	assert_ptr_equal(session_find(table, 4, span_of("peer", 4)), twin);
	assert_ptr_equal(session_find(table, 4, span_of(NULL, 0)), pipe);
	assert_null(session_find(table, 3, span_of("pee", 3)));
	uint64_t serial = pipe->serial;
	assert_ptr_equal(session_by_serial(table, serial), pipe);
	session_free(table, pipe);
	assert_null(session_by_serial(table, serial));
	pipe = session_add(table, 4, span_of(NULL, 0), "echo");
	assert_true(pipe->serial > serial);
	/* A routing id has at most 36 bytes. */
	static const char wide[40] = "0123456789012345678901234567890123456789";
	assert_null(session_add(table, 1, span_of(wide, 37), "x"));
	assert_null(session_find(table, 1, span_of(wide, 37)));
	assert_non_null(session_add(table, 1, span_of(wide, 36), "x"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_session_packets_of_one_turn_are_one_frame,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_delivers_what_is_written_once, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_session_holds_transient_messages_for_a_millisecond, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_holds_no_records, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_session_that_holds_sends_when_a_frame_is_full_or_it_ends, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_session_flushes_at_a_full_frame_without_waiting, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_session_replies_of_one_turn_stay_together_for_longer, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_session_replies_of_a_stream_leave_in_usual_frames, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_large_packet_goes_alone_and_in_order,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_full_socket_keeps_the_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_session_wavering_socket_keeps_the_order, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_session_backlog_is_bounded, setup, teardown),
		cmocka_unit_test_setup_teardown(
			test_session_for_whom_most_waits_makes_room_for_others, setup, teardown),
		cmocka_unit_test_setup_teardown(test_session_gone_peer_drops_the_frames, setup,
						teardown),
		cmocka_unit_test_setup_teardown(test_session_end_hands_over_what_was_written, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_session_is_found_by_port_and_routing_id_or_serial, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The dispatcher: how sessions begin and end, and what becomes of who does not keep to the rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "node_bench.h"

static void test_dispatch_goodbye_ends_what_belongs_to_the_session(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "ann");
	fake_subscribe(client, &(struct packet_subscribe){.id = 1, .pattern = fake_text(">")});
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(client, &packet);
	assert_int_equal(bench->node->daemon.sessions.count, 0);
	assert_int_equal(bench->node->daemon.topics.count, 0);
	fake_ping(client, 1);
	fake_expect_goodbye(client, GOODBYE_NO_SESSION);
}

static void test_dispatch_malformed_frame_ends_the_session(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "ann");
	/* A Ping that is whole, and then rubbish. */
	fake_send_bytes(client, span_of("\x04\x1a\x02\x08\x09\xff\xff", 7));
	assert_int_equal(fake_expect(client, PACKET_PONG)->pong.id, 9);
	fake_expect_goodbye(client, GOODBYE_MALFORMED);
	assert_int_equal(bench->node->daemon.sessions.count, 0);
	assert_int_equal(bench->node->daemon.counters.malformed, 1);
	struct fake_client *stranger = fake_client_new(bench->node, "ann");
	fake_send_bytes(stranger, span_of("\xff", 1));
	fake_expect_goodbye(stranger, GOODBYE_MALFORMED);
	fake_send_bytes(stranger, span_of("", 0));
	fake_expect_nothing(stranger);
}

static void test_dispatch_unknown_kinds_are_passed_over(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "ann");
	/* Field 100 of Packet, empty; then a Ping. */
	fake_send_bytes(client, span_of("\x03\xa2\x06\x00\x04\x1a\x02\x08\x05", 9));
	assert_int_equal(fake_expect(client, PACKET_PONG)->pong.id, 5);
	fake_expect_nothing(client);
}

static void test_dispatch_connection_that_changes_its_key_starts_over(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "ann");
	strcpy(client->identity, "root");
	fake_ping(client, 1);
	fake_expect_goodbye(client, GOODBYE_NO_SESSION);
	assert_int_equal(bench->node->daemon.sessions.count, 0);
}

static void test_dispatch_silence_of_three_heartbeats_ends_the_session(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *silent = fake_client_add(bench->node, "ann");
	struct fake_client *alive = fake_client_add(bench->node, "ann");
	unsigned pings = 0;
	for (int i = 0; i < 31; i++) {
		fake_pass(bench->world, 500);
		if (i < 30)
			fake_ping(alive, 1);
		const struct packet *packet;
		while ((packet = fake_next(silent)))
			pings += packet->kind == PACKET_PING;
		assert_int_equal(bench->node->daemon.sessions.count, i < 30 ? 2 : 1);
	}
	/* Asked at each heartbeat in which nothing else was said. */
	assert_in_range(pings, 2, 3);
	fake_ping(silent, 1);
	fake_expect_goodbye(silent, GOODBYE_NO_SESSION);
}

/* A publish of about this length, as an operator sends it. */
static void publish(struct fake_client *client, uint64_t id, size_t len)
{
	char *text = mem_get(len + 1);
	memset(text, 'x', len);
	fake_post(client, id, "a", text, 2, NULL);
	free(text);
}

static void test_dispatch_flood_is_told_ignored_and_cut(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "root");
	publish(client, 1, 90000);
	publish(client, 2, 90000);
	fake_expect_nothing(client);
	publish(client, 3, 90000);
	fake_expect_goodbye(client, GOODBYE_FLOOD);
	assert_int_equal(bench->node->daemon.counters.floods, 1);
	/* Ignored for 20 ms, so that the Goodbye gets through; then cut on its next message, and
	 * only then. */
	fake_tick(bench->world, 19);
	fake_ping(client, 1);
	fake_expect_nothing(client);
	assert_int_equal(bench->node->cut_count, 0);
	assert_int_equal(bench->node->daemon.sessions.count, 1);
	fake_tick(bench->world, 1);
	assert_int_equal(bench->node->cut_count, 0);
	fake_ping(client, 1);
	assert_int_equal(bench->node->cut_count, 1);
	assert_int_equal(bench->node->cut_fd, 42);
	assert_int_equal(bench->node->daemon.sessions.count, 0);
	/* What was within the credit is committed all the same. */
	fake_settle(bench->world);
	assert_int_equal(bench->node->record_count, 2);
}

static void test_dispatch_credit_comes_back_with_the_acknowledgement(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "root");
	for (uint64_t id = 1; id <= 20; id++) {
		publish(client, id, 90000);
		publish(client, id + 100, 90000);
		fake_settle(bench->world);
		assert_int_equal(fake_expect(client, PACKET_ACK)->ack.id, id);
		assert_int_equal(fake_expect(client, PACKET_ACK)->ack.status, LYC_OK);
	}
	assert_int_equal(bench->node->daemon.counters.floods, 0);
}

/* Each within its credit, all together more than limits.memory has for the log. */
static void test_dispatch_publishes_of_all_have_a_limit_in_memory(void **state)
{
	struct node_bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	struct fake_client *one = fake_client_add(bench->node, "root");
	struct fake_client *other = fake_client_add(bench->node, "root");
	stream->max_appends_len = 500000;
	publish(one, 1, 90000);
	publish(one, 2, 90000);
	fake_expect_nothing(one);
	assert_in_range(stream->appends_len, 360000, 400000);
	publish(other, 1, 90000);
	const struct packet *packet = fake_expect(other, PACKET_ACK);
	assert_int_equal(packet->ack.id, 1);
	assert_int_equal(packet->ack.status, LYC_RESOURCE_EXHAUSTED);
	assert_non_null(memmem(packet->ack.text.data, packet->ack.text.len, "limits.memory", 13));
	/* A withdrawal makes it less in the end. */
	fake_remove(other, 2, "a");
	fake_settle(bench->world);
	fake_expect(one, PACKET_ACK);
	fake_expect(one, PACKET_ACK);
	assert_int_equal(fake_expect(other, PACKET_ACK)->ack.status, LYC_OK);
	assert_int_equal(stream->appends_len, 0);
	publish(other, 3, 90000);
	fake_settle(bench->world);
	assert_int_equal(fake_expect(other, PACKET_ACK)->ack.status, LYC_OK);
	assert_int_equal(bench->node->daemon.counters.floods, 0);
}

static void test_dispatch_session_may_end_before_its_publish_is_on_disk(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "root");
	publish(client, 1, 10);
	fake_hello_as(client, WIRE_VERSION);
	fake_expect(client, PACKET_WELCOME);
	fake_settle(bench->world);
	/* The new session did not ask for this. */
	fake_expect_nothing(client);
	assert_int_equal(bench->node->record_count, 1);
}

static void test_dispatch_stopping_daemon_says_goodbye(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "ann");
	daemon_stop(&bench->node->daemon);
	fake_expect_goodbye(client, GOODBYE_SHUTDOWN);
	struct fake_client *late = fake_client_new(bench->node, "ann");
	fake_hello_as(late, WIRE_VERSION);
	fake_expect_goodbye(late, GOODBYE_SHUTDOWN);
}

/* A peer that asks and does not take the answers: its session ends, the daemon's memory does not.
 */
static void test_dispatch_peer_that_does_not_read_is_ended(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	struct packet packet = {.kind = PACKET_CALL};
	packet.call.method = fake_text("lyceum.v1.Node/Schema");
	bench->node->daemon.sessions.max_backlog = 2u * 1024 * 1024;
	ann->is_full = true;
	size_t most = 0;
	for (uint64_t id = 1; id <= 4000; id++) {
		packet.call.id = id;
		fake_send(ann, &packet);
		const struct session *session =
			session_find(&bench->node->daemon.sessions, 1, fake_text(ann->routing_id));
		if (session && session_backlog(session) > most)
			most = session_backlog(session);
	}
	assert_in_range(most, 1024 * 1024, 3 * 1024 * 1024);
	assert_int_equal(bench->node->daemon.sessions.count, 1);
	fake_tick(bench->world, 100);
	assert_int_equal(bench->node->daemon.sessions.count, 0);
	ann->is_full = false;
	fake_ping(ann, 1);
	fake_expect_goodbye(ann, GOODBYE_NO_SESSION);
}

static void test_dispatch_credit_of_a_subscription_has_a_maximum(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	fake_subscribe(ann, &(struct packet_subscribe){
				    .id = 1, .pattern = fake_text("a.>"), .credit = UINT64_MAX});
	struct session *session =
		session_find(&bench->node->daemon.sessions, 1, fake_text(ann->routing_id));
	assert_int_equal(subscription_find(session, 1)->credit, WIRE_MAX_CREDIT);
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit.id = 1;
	packet.credit.value = INT32_MAX;
	fake_send(ann, &packet);
	assert_int_equal(subscription_find(session, 1)->credit, WIRE_MAX_CREDIT);
}

static void call_board(struct fake_client *client, uint64_t id)
{
	struct packet packet = {.kind = PACKET_CALL};
	packet.call.id = id;
	packet.call.method = fake_text("lyceum.notice.v1.Board/Read");
	packet.call.body = span_of("\x0a\x05hello", 7);
	fake_send(client, &packet);
}

/* What is under way may end, for a second; nothing new begins. */
static void test_dispatch_stopping_daemon_finishes_its_calls(void **state)
{
	struct node_bench *bench = *state;
	struct daemon *daemon = &bench->node->daemon;
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	struct fake_client *board = fake_board_add(bench->node, "board");
	call_board(ann, 1);
	call_board(ann, 2);
	uint64_t first = fake_expect(board, PACKET_CALL)->call.id;
	fake_expect(board, PACKET_CALL);
	daemon_stop(daemon);
	fake_expect_nothing(ann);
	call_board(ann, 3);
	const struct packet *packet = fake_expect(ann, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 3);
	assert_int_equal(packet->reply.status, LYC_UNAVAILABLE);
	fake_expect_nothing(board);
	struct packet reply = {.kind = PACKET_REPLY};
	reply.reply.id = first;
	reply.reply.body = span_of("\x0a\x05hello", 7);
	fake_send(board, &reply);
	packet = fake_expect(ann, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 1);
	assert_int_equal(packet->reply.status, LYC_OK);
	fake_tick(bench->world, 900);
	fake_expect_nothing(ann);
	assert_false(daemon_is_quiet(daemon));
	fake_tick(bench->world, 100);
	fake_expect_goodbye(ann, GOODBYE_SHUTDOWN);
	assert_true(daemon_is_quiet(daemon));
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, node_bench_setup, node_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_dispatch_goodbye_ends_what_belongs_to_the_session),
		on_bench(test_dispatch_malformed_frame_ends_the_session),
		on_bench(test_dispatch_unknown_kinds_are_passed_over),
		on_bench(test_dispatch_connection_that_changes_its_key_starts_over),
		on_bench(test_dispatch_silence_of_three_heartbeats_ends_the_session),
		on_bench(test_dispatch_flood_is_told_ignored_and_cut),
		on_bench(test_dispatch_credit_comes_back_with_the_acknowledgement),
		on_bench(test_dispatch_publishes_of_all_have_a_limit_in_memory),
		on_bench(test_dispatch_session_may_end_before_its_publish_is_on_disk),
		on_bench(test_dispatch_stopping_daemon_says_goodbye),
		on_bench(test_dispatch_peer_that_does_not_read_is_ended),
		on_bench(test_dispatch_credit_of_a_subscription_has_a_maximum),
		on_bench(test_dispatch_stopping_daemon_finishes_its_calls),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

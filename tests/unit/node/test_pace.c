/* Credit for transient publishes: at once, or at a pace, and never more than was taken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "node_bench.h"

/* What each daemon here grants. */
#define GRANTED 200000

/* One who publishes and counts. */
struct publisher {
	struct fake_client *client;
	uint64_t sent;
	uint64_t back;
};

/* A transient Remark of about this length, as often. */
static void publish(struct publisher *publisher, size_t len, unsigned count)
{
	static char text[GRANTED];
	struct buf body = {0};
	memset(text, 'x', sizeof(text) - 1);
	text[len] = '\0';
	pb_write_text(&body, 1, text);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.subject = fake_text("lyceum.notice.v1.Remark.x"),
						 .body = span_of(body.data, body.len)};
	for (unsigned i = 0; i < count; i++) {
		fake_send(publisher->client, &packet);
		publisher->sent += publisher->client->out.len;
	}
	buf_fini(&body);
}

/* Credit that has come since the last time. */
static uint64_t take(struct publisher *publisher)
{
	uint64_t sum = 0;
	const struct packet *packet;
	while ((packet = fake_next(publisher->client))) {
		if (packet->kind == PACKET_PING)
			continue;
		assert_int_equal(packet->kind, PACKET_CREDIT);
		assert_int_equal(packet->credit.id, 0);
		assert_int_equal(packet->credit.call, 0);
		sum += packet->credit.value;
	}
	publisher->back += sum;
	assert_in_range(publisher->back, 0, publisher->sent);
	return sum;
}

static void call(struct node_bench *bench)
{
	struct fake_client *caller = fake_client_add(bench->node, "ann");
	fake_call(caller, 1, &(struct packet_call){.method = fake_text("lyceum.v1.Node/Status")});
	fake_client_free(caller);
}

static void test_pace_gives_back_an_eighth_at_once(void **state)
{
	struct node_bench *bench = *state;
	struct publisher root = {.client = fake_client_add(bench->node, "root")};
	publish(&root, 12000, 2);
	assert_int_equal(take(&root), 0);
	publish(&root, 12000, 1);
	assert_int_equal(take(&root), root.sent);
	/* So it goes on, however much there is in one millisecond. */
	for (int i = 0; i < 40; i++) {
		publish(&root, 12000, 3);
		assert_true(take(&root) > 0);
	}
	assert_int_equal(root.back, root.sent);
	assert_int_equal(bench->node->daemon.counters.floods, 0);
}

static void test_pace_holds_back_while_somebody_calls(void **state)
{
	struct node_bench *bench = *state;
	struct publisher root = {.client = fake_client_add(bench->node, "root")};
	call(bench);
	publish(&root, 15800, 12);
	assert_int_equal(take(&root), PACE_LEN);
	for (int i = 0; i < 2; i++) {
		fake_tick(bench->world, 1);
		assert_int_equal(take(&root), i < 1 ? PACE_LEN : root.sent - 2 * PACE_LEN);
	}
	assert_false(pace_is_holding(&bench->node->daemon.pace));
	fake_tick(bench->world, 1);
	/* The next call; and when there has been none for long enough, all comes at once. */
	call(bench);
	publish(&root, 15800, 12);
	assert_int_equal(take(&root), PACE_LEN);
	assert_true(pace_is_holding(&bench->node->daemon.pace));
	fake_tick(bench->world, PACE_CALLS_MS);
	take(&root);
	assert_int_equal(root.back, root.sent);
}

static void test_pace_ends_who_goes_beyond(void **state)
{
	struct node_bench *bench = *state;
	struct publisher root = {.client = fake_client_add(bench->node, "root")};
	call(bench);
	publish(&root, 15800, 12);
	take(&root);
	uint64_t left = GRANTED - (root.sent - root.back);
	publish(&root, left - 200, 1);
	assert_int_equal(bench->node->daemon.counters.floods, 0);
	publish(&root, 200, 1);
	assert_int_equal(bench->node->daemon.counters.floods, 1);
	fake_expect_goodbye(root.client, GOODBYE_FLOOD);
}

/* Durable publishes have as much on their own. */
static void test_pace_is_beside_durable_publishes(void **state)
{
	struct node_bench *bench = *state;
	struct publisher root = {.client = fake_client_add(bench->node, "root")};
	static char text[90001];
	memset(text, 'x', sizeof(text) - 1);
	call(bench);
	for (uint64_t id = 1; id <= 2; id++)
		fake_post(root.client, id, "a", text, 2, NULL);
	publish(&root, 15800, 12);
	take(&root);
	assert_int_equal(bench->node->daemon.counters.floods, 0);
	fake_post(root.client, 3, "a", text, 2, NULL);
	assert_int_equal(bench->node->daemon.counters.floods, 1);
}

/* Nor does who waits for a long answer wait behind it. */
static void test_pace_holds_back_when_a_reply_comes(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *board = fake_board_add(bench->node, "board");
	struct fake_client *ann = fake_client_add(bench->node, "ann");
	struct publisher root = {.client = fake_client_add(bench->node, "root")};
	fake_call(ann, 1, &(struct packet_call){.body = FAKE_HELLO, .timeout_ms = 100000});
	uint64_t id = fake_taken(board);
	fake_tick(bench->world, PACE_CALLS_MS);
	publish(&root, 15800, 12);
	take(&root);
	assert_int_equal(root.back, root.sent);
	fake_answer(board, id, FAKE_HELLO, false);
	publish(&root, 15800, 12);
	take(&root);
	assert_true(root.back < root.sent);
}

static void test_pace_takes_publishers_in_turn(void **state)
{
	struct node_bench *bench = *state;
	struct publisher both[2] = {{.client = fake_client_add(bench->node, "root")},
				    {.client = fake_client_add(bench->node, "root")}};
	call(bench);
	for (int i = 0; i < 2; i++)
		publish(&both[i], 15800, 12);
	assert_int_equal(take(&both[0]), PACE_LEN);
	for (int ms = 0; ms < 2; ms++) {
		fake_tick(bench->world, 1);
		assert_int_equal(take(&both[ms]), PACE_LEN);
		assert_int_equal(take(&both[1 - ms]), 0);
	}
	/* One of them ends with credit owed. */
	fake_send(both[0].client, &(struct packet){.kind = PACKET_GOODBYE});
	for (int ms = 0; ms < 2; ms++) {
		fake_tick(bench->world, 1);
		take(&both[1]);
	}
	assert_int_equal(both[1].back, both[1].sent);
	assert_false(pace_is_holding(&bench->node->daemon.pace));
}

/* What goes to subscribers is work, too. */
static void test_pace_counts_what_goes_to_subscribers(void **state)
{
	struct node_bench *bench = *state;
	struct publisher root = {.client = fake_client_add(bench->node, "root")};
	for (int i = 0; i < 3; i++) {
		struct fake_client *reader = fake_client_add(bench->node, "ann");
		fake_subscribe(reader, &(struct packet_subscribe){.id = 1,
								  .pattern = fake_text(">"),
								  .credit = 1000000});
	}
	call(bench);
	publish(&root, 15800, 12);
	assert_in_range(take(&root), PACE_LEN / 4 - 200, PACE_LEN / 4 + 200);
	for (int ms = 0; ms < 12; ms++)
		fake_tick(bench->world, 1);
	take(&root);
	assert_int_equal(root.back, root.sent);
}

static void test_pace_is_of_no_link(void **state)
{
	struct node_bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	fake_settle(bench->world);
	struct fake_client *reader = fake_client_add(bench->node, "ann");
	fake_subscribe(reader, &(struct packet_subscribe){
				       .id = 1, .pattern = fake_text(">"), .credit = 8000000});
	fake_settle(bench->world);
	struct publisher root = {.client = fake_client_add(wales, "root")};
	call(bench);
	for (int i = 0; i < 100; i++) {
		publish(&root, 15800, 2);
		fake_settle(bench->world);
		take(&root);
	}
	unsigned delivered = 0;
	for (const struct packet *packet; (packet = fake_next(reader));)
		delivered += packet->kind == PACKET_DELIVER;
	assert_int_equal(delivered, 200);
	list_each (node, &bench->node->daemon.sessions.all) {
		const struct session *session = list_entry(node, struct session, all);
		assert_int_equal(session->transient_len, 0);
	}
	assert_false(pace_is_holding(&bench->node->daemon.pace));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define WITH_NODE(test) cmocka_unit_test_setup_teardown(test, node_bench_setup, node_bench_teardown)
		WITH_NODE(test_pace_gives_back_an_eighth_at_once),
		WITH_NODE(test_pace_holds_back_while_somebody_calls),
		WITH_NODE(test_pace_ends_who_goes_beyond),
		WITH_NODE(test_pace_is_beside_durable_publishes),
		WITH_NODE(test_pace_holds_back_when_a_reply_comes),
		WITH_NODE(test_pace_takes_publishers_in_turn),
		WITH_NODE(test_pace_counts_what_goes_to_subscribers),
		WITH_NODE(test_pace_is_of_no_link),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Every way in which a stream through three daemons can end: each end learns of it once, and no
 * daemon keeps anything of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"

/* joe calls at cork; the board serves at wales; the hub lies between. */
struct bench {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_node *cork;
	struct fake_client *joe;
	struct fake_client *board;
	uint64_t id; /* of the call, at the board */
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->hub = fake_node_add(bench->world, "hub", NULL);
	bench->wales = fake_node_add(bench->world, "wales", bench->hub);
	bench->cork = fake_node_add(bench->world, "cork", bench->hub);
	fake_pass(bench->world, 100);
	bench->joe = fake_client_add(bench->cork, "ann");
	bench->board = fake_board_add(bench->wales, "board");
	fake_settle(bench->world);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

static void send_reply(struct bench *bench, enum lyc_status status, bool more)
{
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){.id = bench->id,
					     .status = (uint32_t)status,
					     .text = fake_text(status ? "it broke" : ""),
					     .body = status ? span_of(NULL, 0) : FAKE_HELLO,
					     .more = more};
	fake_send(bench->board, &packet);
	fake_settle(bench->world);
}

/* A stream of which two replies have come. */
static void begin(struct bench *bench, uint32_t timeout_ms)
{
	fake_call(bench->joe, 7,
		  &(struct packet_call){.at = fake_text("wales"),
					.method = fake_text("lyceum.notice.v1.Board/Watch"),
					.timeout_ms = timeout_ms});
	fake_settle(bench->world);
	bench->id = fake_taken(bench->board);
	for (int i = 0; i < 2; i++) {
		send_reply(bench, LYC_OK, true);
		assert_true(fake_expect(bench->joe, PACKET_REPLY)->reply.more);
	}
}

static void say(struct fake_client *client, enum packet_kind kind, uint64_t id)
{
	struct packet packet = {.kind = kind};
	packet.cancel.id = kind == PACKET_CANCEL ? id : 0;
	fake_send(client, &packet);
}

/* Whoever is not NULL got its one word, and nothing is left anywhere. */
static void expect_end(struct bench *bench, enum lyc_status status, struct fake_client *caller,
		       struct fake_client *callee)
{
	struct fake_node *all[] = {bench->hub, bench->wales, bench->cork};
	const struct packet *packet;
	unsigned replies = 0;
	unsigned cancels = 0;
	fake_settle(bench->world);
	while ((packet = fake_next(bench->joe))) {
		if (packet->kind != PACKET_REPLY)
			continue;
		replies++;
		assert_int_equal(packet->reply.id, 7);
		assert_int_equal(packet->reply.status, status);
		assert_false(packet->reply.more);
	}
	while ((packet = fake_next(bench->board))) {
		if (packet->kind != PACKET_CANCEL)
			continue;
		cancels++;
		assert_int_equal(packet->cancel.id, bench->id);
	}
	assert_int_equal(replies, caller != NULL);
	assert_int_equal(cancels, callee != NULL);
	for (size_t i = 0; i < 3; i++) {
		const struct daemon *daemon = &all[i]->daemon;
		assert_int_equal(daemon->router.calls.count, 0);
		list_each (node, &daemon->sessions.all) {
			const struct session *session = list_entry(node, struct session, all);
			assert_int_equal(session->calls_made_len, 0);
			assert_int_equal(session->calls_given_len, 0);
			assert_true(list_is_empty(&session->calls_made));
			assert_true(list_is_empty(&session->calls_given));
		}
	}
}

static void test_call_ends_when_its_caller_cancels(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	say(bench->joe, PACKET_CANCEL, 7);
	expect_end(bench, LYC_CANCELLED, bench->joe, bench->board);
	/* What comes later finds nothing, and harms nobody. */
	send_reply(bench, LYC_OK, true);
	send_reply(bench, LYC_CANCELLED, false);
	say(bench->joe, PACKET_CANCEL, 7);
	expect_end(bench, LYC_OK, NULL, NULL);
}

static void test_call_ends_when_its_callers_session_does(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	say(bench->joe, PACKET_GOODBYE, 0);
	expect_end(bench, LYC_OK, NULL, bench->board);
}

static void test_call_ends_when_its_deadline_passes(void **state)
{
	struct bench *bench = *state;
	begin(bench, 300);
	fake_pass(bench->world, 400);
	expect_end(bench, LYC_DEADLINE_EXCEEDED, bench->joe, bench->board);
}

static void test_call_ends_when_the_callers_link_drops(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	fake_cut(bench->cork);
	daemon_uplink_cut(&bench->cork->daemon);
	/* The hub learns of it at the latest when the node is back. */
	fake_pass(bench->world, 3000);
	expect_end(bench, LYC_UNAVAILABLE, bench->joe, bench->board);
}

static void test_call_ends_when_the_callees_link_drops(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	fake_cut(bench->wales);
	daemon_uplink_cut(&bench->wales->daemon);
	fake_pass(bench->world, 3000);
	expect_end(bench, LYC_UNAVAILABLE, bench->joe, bench->board);
}

static void test_call_ends_when_the_plugin_does(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	say(bench->board, PACKET_GOODBYE, 0);
	expect_end(bench, LYC_UNAVAILABLE, bench->joe, NULL);
}

static void test_call_ends_when_the_plugin_fails_it_midway(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	send_reply(bench, LYC_DATA_LOSS, false);
	expect_end(bench, LYC_DATA_LOSS, bench->joe, NULL);
	send_reply(bench, LYC_OK, false);
	expect_end(bench, LYC_OK, NULL, NULL);
}

/* A failure with `more` is the end all the same. */
static void test_call_ends_when_a_failure_promises_more(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	send_reply(bench, LYC_DATA_LOSS, true);
	expect_end(bench, LYC_DATA_LOSS, bench->joe, bench->board);
}

static void test_call_ends_when_its_home_restarts(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	fake_node_restart(bench->wales);
	fake_pass(bench->world, 3000);
	expect_end(bench, LYC_UNAVAILABLE, bench->joe, bench->board);
}

static void test_call_ends_when_the_hub_restarts(void **state)
{
	struct bench *bench = *state;
	begin(bench, 60000);
	fake_node_restart(bench->hub);
	fake_pass(bench->world, 8000);
	expect_end(bench, LYC_UNAVAILABLE, bench->joe, bench->board);
}

int main(void)
{
#define END_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		END_TEST(test_call_ends_when_its_caller_cancels),
		END_TEST(test_call_ends_when_its_callers_session_does),
		END_TEST(test_call_ends_when_its_deadline_passes),
		END_TEST(test_call_ends_when_the_callers_link_drops),
		END_TEST(test_call_ends_when_the_callees_link_drops),
		END_TEST(test_call_ends_when_the_plugin_does),
		END_TEST(test_call_ends_when_the_plugin_fails_it_midway),
		END_TEST(test_call_ends_when_a_failure_promises_more),
		END_TEST(test_call_ends_when_its_home_restarts),
		END_TEST(test_call_ends_when_the_hub_restarts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Where a call goes: to a copy of a plugin, through the hub, never back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "call_bench.h"

/* A node whose own plugin is too old for a method asks the hub: another node answers, never the
 * asking one. */
static void test_destination_is_not_where_the_call_came_from(void **state)
{
	struct call_bench *bench = *state;
	struct fake_client *nodes[] = {fake_client_add(bench->node, "wales"),
				       fake_client_add(bench->node, "cork")};
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(bench->board, &packet);
	for (size_t i = 0; i < 2; i++) {
		packet = (struct packet){.kind = PACKET_REGISTER};
		packet.reg = (struct packet_register){.services = &service, .service_count = 1};
		fake_send(nodes[i], &packet);
	}
	for (uint64_t id = 1; id <= 4; id++) {
		fake_call(nodes[0], id, &(struct packet_call){.body = FAKE_HELLO});
		const struct packet *next;
		while ((next = fake_next(nodes[1])) && next->kind != PACKET_CALL)
			continue;
		assert_non_null(next);
	}
}

static void test_destination_copies_share_what_does_not_append(void **state)
{
	struct call_bench *bench = *state;
	struct daemon *daemon = &bench->node->daemon;
	struct fake_client *twin = fake_client_add(bench->node, "board.2");
	services_offer(&daemon->services,
		       session_find(&daemon->sessions, 1, fake_text(twin->routing_id)),
		       fake_text("lyceum.notice.v1.Board"), fake_text(""));
	unsigned given = 0;
	for (uint64_t id = 1; id <= 10; id++) {
		fake_call(bench->ann, id, &(struct packet_call){.body = FAKE_HELLO});
		given += fake_next(twin) != NULL;
	}
	assert_int_equal(given, 5);
	struct buf body = {0};
	fake_notice(&body, "hub", "1", "text", 2, NULL);
	for (uint64_t id = 11; id <= 20; id++) {
		fake_call(bench->ann, id,
			  &(struct packet_call){.method = fake_text("lyceum.notice.v1.Board/Post"),
						.body = span_of(body.data, body.len)});
		fake_expect_nothing(twin);
	}
	buf_fini(&body);
}

/* From one node to another, through the hub. */
static void test_destination_at_another_node_lies_behind_the_hub(void **state)
{
	struct call_bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_node *cork = fake_node_add(bench->world, "cork", bench->node);
	fake_pass(bench->world, 100);
	struct fake_client *joe = fake_client_add(cork, "ann");
	struct fake_client *board = fake_board_add(wales, "board");
	struct packet_call there = {
		.at = fake_text("wales"), .body = FAKE_HELLO, .want_as_of = true};
	fake_settle(bench->world);
	fake_call(joe, 9, &there);
	fake_settle(bench->world);
	const struct packet *packet = fake_expect(board, PACKET_CALL);
	assert_true(span_is(packet->call.principal, "ann@cork"));
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "cork/policy"));
	fake_answer(board, packet->call.id, FAKE_HELLO, false);
	fake_settle(bench->world);
	packet = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 9);
	assert_int_equal(packet->reply.status, LYC_OK);
	assert_true(span_is(packet->reply.served_by, "wales"));
	assert_true(packet->reply.as_of_count >= 1);
	assert_true(span_is(packet->reply.as_of[0].origin, "wales"));
	/* The link breaks while the call is out: an answer all the same, by the deadline. */
	there.timeout_ms = 300;
	fake_call(joe, 10, &there);
	fake_settle(bench->world);
	fake_cut(wales);
	fake_pass(bench->world, 400);
	packet = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 10);
	assert_int_not_equal(packet->reply.status, LYC_OK);
	assert_int_equal(cork->daemon.router.calls.count, 0);
	assert_int_equal(bench->node->daemon.router.calls.count, 0);
}

static void expect_unknown(struct call_bench *bench, uint64_t id, struct span at, uint32_t status)
{
	struct packet_call call = {.method = fake_text("lyceum.later.v1.Later/Do"), .at = at};
	fake_call(bench->ann, id, &call);
	fake_settle(bench->world);
	const struct packet *answer = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(answer->reply.id, id);
	assert_int_equal(answer->reply.status, status);
}

/* After a start the methods of plugins are not known before they have registered: who asks again
 * when it is told UNAVAILABLE does so. */
static void test_destination_waits_for_a_plugin_that_is_starting(void **state)
{
	struct call_bench *bench = *state;
	struct plugin *plugin = mem_new(struct plugin);
	plugin->name = mem_dup("later");
	plugin->identity = mem_dup("later");
	plugin->path = mem_dup("later.so");
	list_add_last(&bench->node->daemon.host.plugins, &plugin->node);
	plugin->state = PLUGIN_STARTING;
	expect_unknown(bench, 1, fake_text("hub"), LYC_UNAVAILABLE);
	expect_unknown(bench, 2, fake_text(""), LYC_UNAVAILABLE);
	plugin->state = PLUGIN_RUNNING;
	expect_unknown(bench, 3, fake_text("hub"), LYC_UNIMPLEMENTED);
	expect_unknown(bench, 4, fake_text(""), LYC_UNIMPLEMENTED);
}

/* What is not known here the hub may know: a plugin that does not come up keeps nobody from it. */
static void test_destination_asks_the_hub_while_a_plugin_starts(void **state)
{
	struct call_bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	fake_pass(bench->world, 100);
	struct plugin *plugin = mem_new(struct plugin);
	plugin->name = mem_dup("later");
	plugin->identity = mem_dup("later");
	plugin->path = mem_dup("later.so");
	plugin->state = PLUGIN_STARTING;
	list_add_last(&wales->daemon.host.plugins, &plugin->node);
	struct fake_client *joe = fake_client_add(wales, "ann");
	fake_settle(bench->world);
	struct packet_call call = {.method = fake_text("lyceum.later.v1.Later/Do")};
	fake_call(joe, 1, &call);
	fake_settle(bench->world);
	const struct packet *answer = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(answer->reply.status, LYC_UNIMPLEMENTED);
	call.at = fake_text("wales");
	fake_call(joe, 2, &call);
	fake_settle(bench->world);
	answer = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(answer->reply.status, LYC_UNAVAILABLE);
}

/* Another node serves it, too, and would answer: with what it has, not with what is here. */
static void test_destination_says_that_the_own_plugin_is_not_running(void **state)
{
	struct call_bench *bench = *state;
	struct plugin *plugin = mem_new(struct plugin);
	plugin->name = mem_dup("notice");
	plugin->identity = mem_dup("board");
	plugin->path = mem_dup("board.so");
	plugin->state = PLUGIN_STOPPED;
	list_add_last(&bench->node->daemon.host.plugins, &plugin->node);
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.services = &service, .service_count = 1};
	fake_send(wales, &packet);
	packet = (struct packet){.kind = PACKET_GOODBYE};
	fake_send(bench->board, &packet);
	fake_settle(bench->world);
	fake_call(bench->ann, 1, &(struct packet_call){0});
	const struct packet *answer = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(answer->reply.status, LYC_UNAVAILABLE);
	assert_non_null(memmem(answer->reply.text.data, answer->reply.text.len, "'notice'", 8));
}

int main(void)
{
#define DESTINATION_TEST(name)                                                                     \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		DESTINATION_TEST(test_destination_is_not_where_the_call_came_from),
		DESTINATION_TEST(test_destination_copies_share_what_does_not_append),
		DESTINATION_TEST(test_destination_at_another_node_lies_behind_the_hub),
		DESTINATION_TEST(test_destination_waits_for_a_plugin_that_is_starting),
		DESTINATION_TEST(test_destination_asks_the_hub_while_a_plugin_starts),
		DESTINATION_TEST(test_destination_says_that_the_own_plugin_is_not_running),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

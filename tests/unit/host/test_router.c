/* The way of a call: to its callee and back, and every way in which it can end otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pb.h"
#include "fake_world.h"
#include "lyceum/v1/config.pb-c.h"
#include "lyceum/v1/node.pb-c.h"

static const char read_method[] = "lyceum.notice.v1.Board/Read";

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *ann;
	struct fake_client *board;
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	bench->ann = fake_client_add(bench->node, "ann");
	bench->board = fake_board_add(bench->node, "board");
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

static void call(struct fake_client *client, uint64_t id, const struct packet_call *call)
{
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = *call;
	packet.call.id = id;
	if (packet.call.method.len == 0)
		packet.call.method = fake_text(read_method);
	fake_send(client, &packet);
}

static void reply(struct fake_client *client, uint64_t id, struct span body, bool more)
{
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){.id = id, .body = body, .more = more};
	fake_send(client, &packet);
}

static void expect_status(struct fake_client *client, uint64_t id, enum lyc_status status)
{
	const struct packet *packet = fake_expect(client, PACKET_REPLY);
	assert_int_equal(packet->reply.id, id);
	assert_int_equal(packet->reply.status, status);
	assert_true(status == LYC_OK || packet->reply.text.len > 0);
	assert_false(packet->reply.more);
}

/* The id under which the callee got the call. */
static uint64_t taken(struct fake_client *client)
{
	return fake_expect(client, PACKET_CALL)->call.id;
}

static void expect_no_calls(struct bench *bench)
{
	assert_int_equal(bench->node->daemon.router.calls.count, 0);
	fake_expect_nothing(bench->ann);
	fake_expect_nothing(bench->board);
}

/* ReadRequest or ReadReply with a text. */
#define HELLO span_of("\x0a\x05hello", 7)
#define WRONG span_of("\x08\x01", 2)

static struct span watch_method(void)
{
	return fake_text("lyceum.notice.v1.Board/Watch");
}

static void test_router_call_and_reply_find_their_way(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 41, &(struct packet_call){.body = HELLO, .timeout_ms = 700});
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	uint64_t id = packet->call.id;
	assert_true(span_is(packet->call.method, read_method));
	assert_true(span_is(packet->call.principal, "ann@hub"));
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "hub/policy"));
	assert_int_equal(packet->call.timeout_ms, 700);
	assert_true(span_equal(packet->call.body, HELLO));
	reply(bench->board, id, HELLO, false);
	packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 41);
	assert_int_equal(packet->reply.status, LYC_OK);
	assert_true(span_equal(packet->reply.body, HELLO));
	assert_true(span_is(packet->reply.served_by, "hub"));
	assert_int_equal(packet->reply.as_of_count, 0);
	expect_no_calls(bench);
	/* A second reply is late. */
	reply(bench->board, id, HELLO, false);
	assert_int_equal(bench->node->daemon.router.counters.late_replies, 1);
	expect_no_calls(bench);
}

static void test_router_plugin_calls_on_with_the_groups_of_the_call_it_serves(void **state)
{
	struct bench *bench = *state;
	struct packet_call on = {.principal = fake_text("ann@hub"), .body = HELLO};
	call(bench->ann, 41, &(struct packet_call){.body = HELLO});
	uint64_t id = taken(bench->board);
	call(bench->board, 7, &on);
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	uint64_t second = packet->call.id;
	assert_true(span_is(packet->call.principal, "ann@hub"));
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "hub/policy"));
	reply(bench->board, second, HELLO, false);
	fake_expect(bench->board, PACKET_REPLY);
	/* For itself it is in no group, and after the end of the call it works for nobody. */
	call(bench->board, 8, &(struct packet_call){.body = HELLO});
	packet = fake_expect(bench->board, PACKET_CALL);
	assert_true(span_is(packet->call.principal, "hub"));
	assert_int_equal(packet->call.group_count, 0);
	reply(bench->board, packet->call.id, HELLO, false);
	fake_expect(bench->board, PACKET_REPLY);
	reply(bench->board, id, HELLO, false);
	fake_expect(bench->ann, PACKET_REPLY);
	call(bench->board, 9, &on);
	expect_status(bench->board, 9, LYC_PERMISSION_DENIED);
	expect_no_calls(bench);
}

static void test_router_plugin_calls_on_with_the_groups_that_all_calls_have(void **state)
{
	struct bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct span groups[] = {fake_text("hub/staff"), fake_text("hub/policy")};
	struct packet_call of_root = {.principal = fake_text("ann@hub"),
				      .groups = groups,
				      .group_count = 2,
				      .body = HELLO};
	struct packet_call on = {.principal = fake_text("ann@hub"), .body = HELLO};
	call(root, 1, &of_root);
	taken(bench->board);
	call(bench->board, 5, &on);
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.group_count, 2);
	call(bench->ann, 2, &(struct packet_call){.body = HELLO});
	taken(bench->board);
	/* Which of them it works for nobody can tell. That which it makes is one of them, too. */
	call(bench->board, 6, &on);
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "hub/policy"));
	of_root.group_count = 0;
	call(root, 3, &of_root);
	taken(bench->board);
	call(bench->board, 7, &on);
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.group_count, 0);
}

static void test_router_plugin_that_registered_so_speaks_for_people(void **state)
{
	struct bench *bench = *state;
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct span group = fake_text("hub/policy");
	struct packet_call for_zoe = {.principal = fake_text("zoe@hub"),
				      .groups = &group,
				      .group_count = 1,
				      .body = HELLO};
	struct packet_call for_eve = {.principal = fake_text("eve@wales"), .body = HELLO};
	call(bench->board, 1, &for_zoe);
	expect_status(bench->board, 1, LYC_PERMISSION_DENIED);
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){
		.id = 2, .services = &service, .service_count = 1, .speaks_for_people = true};
	fake_send(bench->board, &packet);
	assert_int_equal(fake_expect(bench->board, PACKET_REGISTERED)->registered.status, LYC_OK);
	call(bench->board, 3, &for_zoe);
	const struct packet *given = fake_expect(bench->board, PACKET_CALL);
	assert_true(span_is(given->call.principal, "zoe@hub"));
	assert_int_equal(given->call.group_count, 1);
	assert_true(span_is(given->call.groups[0], "hub/policy"));
	reply(bench->board, given->call.id, HELLO, false);
	expect_status(bench->board, 3, LYC_OK);
	/* Of another node never. */
	call(bench->board, 4, &for_eve);
	expect_status(bench->board, 4, LYC_PERMISSION_DENIED);
	group = fake_text("wales/policy");
	call(bench->board, 5, &for_zoe);
	expect_status(bench->board, 5, LYC_PERMISSION_DENIED);
	/* What it registers next counts, not what it once was. */
	packet.reg.speaks_for_people = false;
	fake_send(bench->board, &packet);
	fake_expect(bench->board, PACKET_REGISTERED);
	group = fake_text("hub/policy");
	call(bench->board, 6, &for_zoe);
	expect_status(bench->board, 6, LYC_PERMISSION_DENIED);
	expect_no_calls(bench);
}

static void test_router_tells_who_is_the_operator(void **state)
{
	struct bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	struct fake_client *const callers[] = {root, bench->ann, wales, bench->board};
	for (size_t i = 0; i < 4; i++) {
		/* What somebody says of himself does not count. */
		call(callers[i], 60 + i,
		     &(struct packet_call){.body = HELLO, .by_operator = i > 0});
		const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
		assert_int_equal(packet->call.by_operator, i == 0);
		reply(bench->board, packet->call.id, HELLO, false);
		if (callers[i] == bench->ann || callers[i] == bench->board)
			expect_status(callers[i], 60 + i, LYC_OK);
	}
	expect_no_calls(bench);
}

static void test_router_reply_of_somebody_else_is_late(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.body = HELLO});
	uint64_t id = taken(bench->board);
	struct fake_client *other = fake_client_add(bench->node, "root");
	reply(other, id, HELLO, false);
	reply(bench->board, id + 1, HELLO, false);
	assert_int_equal(bench->node->daemon.router.counters.late_replies, 2);
	fake_expect_nothing(bench->ann);
	reply(bench->board, id, HELLO, false);
	expect_status(bench->ann, 1, LYC_OK);
}

static void test_router_stream_of_replies_ends_with_the_last(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.method = watch_method()});
	uint64_t id = taken(bench->board);
	for (int i = 0; i < 5; i++) {
		reply(bench->board, id, HELLO, i < 4);
		assert_int_equal(fake_expect(bench->ann, PACKET_REPLY)->reply.more, i < 4);
	}
	expect_no_calls(bench);
}

static void give_credit(struct fake_client *client, uint64_t call_id, uint64_t bytes)
{
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.call = call_id, .value = bytes};
	fake_send(client, &packet);
}

/* Of 7 bytes each, which count as 71. */
static void test_router_stream_goes_as_far_as_the_credit(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.method = watch_method(), .credit = 100});
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	uint64_t id = packet->call.id;
	assert_int_equal(packet->call.credit, 100);
	reply(bench->board, id, HELLO, true);
	reply(bench->board, id, HELLO, true);
	for (int i = 0; i < 2; i++)
		assert_true(fake_expect(bench->ann, PACKET_REPLY)->reply.more);
	/* What the caller gives back the callee gets. */
	give_credit(bench->ann, 1, 142);
	packet = fake_expect(bench->board, PACKET_CREDIT);
	assert_int_equal(packet->credit.call, id);
	assert_int_equal(packet->credit.value, 142);
	reply(bench->board, id, HELLO, true);
	reply(bench->board, id, HELLO, true);
	for (int i = 0; i < 2; i++)
		assert_true(fake_expect(bench->ann, PACKET_REPLY)->reply.more);
	/* Never more than may be; and nothing of a call that is over, or of another's. */
	give_credit(bench->ann, 1, UINT64_MAX);
	packet = fake_expect(bench->board, PACKET_CREDIT);
	assert_int_equal(packet->credit.value, WIRE_MAX_CREDIT + 42);
	give_credit(bench->ann, 1, 1);
	give_credit(fake_client_add(bench->node, "ann"), 1, 100);
	reply(bench->board, id, HELLO, false);
	expect_status(bench->ann, 1, LYC_OK);
	give_credit(bench->ann, 1, 100);
	expect_no_calls(bench);
}

static void test_router_stream_beyond_the_credit_is_ended(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.method = watch_method(), .credit = 1});
	uint64_t id = taken(bench->board);
	reply(bench->board, id, HELLO, true);
	fake_expect(bench->ann, PACKET_REPLY);
	reply(bench->board, id, HELLO, true);
	expect_status(bench->ann, 1, LYC_INTERNAL);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	expect_no_calls(bench);
	/* The last one needs none. */
	call(bench->ann, 2, &(struct packet_call){.method = watch_method(), .credit = 1});
	id = taken(bench->board);
	reply(bench->board, id, HELLO, true);
	fake_expect(bench->ann, PACKET_REPLY);
	reply(bench->board, id, HELLO, false);
	expect_status(bench->ann, 2, LYC_OK);
	expect_no_calls(bench);
}

/* A reader who takes nothing costs what it granted, at each daemon in between, and not more. */
static void test_router_slow_reader_costs_what_it_granted(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_node *cork = fake_node_add(bench->world, "cork", bench->node);
	fake_pass(bench->world, 100);
	struct fake_client *joe = fake_client_add(cork, "ann");
	struct fake_client *board = fake_board_add(wales, "board");
	struct buf body = {0};
	size_t text = pb_begin(&body, 1);
	for (int i = 0; i < 2000; i++)
		buf_add_byte(&body, 'x');
	pb_end(&body, text);
	fake_settle(bench->world);
	call(joe, 9,
	     &(struct packet_call){
		     .at = fake_text("wales"), .method = watch_method(), .credit = 50000});
	fake_settle(bench->world);
	uint64_t id = fake_expect(board, PACKET_CALL)->call.id;
	joe->is_full = true;
	int64_t credit = 50000;
	unsigned sent = 0;
	unsigned got = 0;
	/* The plugin sends as far as it may; nothing comes back, so nothing more is sent. */
	for (; credit > 0; sent++) {
		credit -= wire_reply_cost(body.len);
		reply(board, id, span_of(body.data, body.len), true);
		fake_settle(bench->world);
	}
	fake_expect_nothing(board);
	size_t queued = 0;
	list_each (node, &cork->daemon.sessions.all)
		queued += session_backlog(list_entry(node, struct session, all));
	assert_in_range(queued, 40000, 55000);
	list_each (node, &bench->node->daemon.sessions.all)
		assert_int_equal(session_backlog(list_entry(node, struct session, all)), 0);
	list_each (node, &wales->daemon.sessions.all)
		assert_int_equal(session_backlog(list_entry(node, struct session, all)), 0);
	/* It reads again: nothing is lost, and each reply that is handled lets another come. */
	joe->is_full = false;
	fake_tick(bench->world, 10);
	const struct packet *packet;
	while (sent < 100) {
		while ((packet = fake_next(joe))) {
			assert_int_equal(packet->kind, PACKET_REPLY);
			assert_true(packet->reply.more);
			got++;
			give_credit(joe, 9, (uint64_t)wire_reply_cost(packet->reply.body.len));
			fake_settle(bench->world);
		}
		while ((packet = fake_next(board))) {
			assert_int_equal(packet->kind, PACKET_CREDIT);
			assert_int_equal(packet->credit.call, id);
			credit += (int64_t)packet->credit.value;
		}
		for (; credit > 0 && sent < 100; sent++) {
			credit -= wire_reply_cost(body.len);
			reply(board, id, span_of(body.data, body.len), true);
			fake_settle(bench->world);
		}
	}
	reply(board, id, span_of(NULL, 0), false);
	fake_settle(bench->world);
	while ((packet = fake_next(joe)) && packet->reply.more)
		got++;
	assert_int_equal(got, 100);
	assert_non_null(packet);
	assert_int_equal(packet->reply.status, LYC_OK);
	struct fake_node *all[] = {bench->node, wales, cork};
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(all[i]->daemon.router.calls.count, 0);
	buf_fini(&body);
}

/* What is cut on the way the caller never sees: the callee gets its credit back at once. */
static void test_router_cut_of_a_stream_returns_its_credit(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	size_t notice = pb_begin(&body, 2);
	fake_notice(&body, "hub", "1", "closed", 4, NULL);
	pb_end(&body, notice);
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	while (fake_next(wales))
		continue;
	call(wales, 1, &(struct packet_call){.method = watch_method(), .credit = 1000});
	uint64_t id = taken(bench->board);
	reply(bench->board, id, span_of(body.data, body.len), true);
	assert_int_equal(fake_expect(wales, PACKET_REPLY)->reply.body.len, 0);
	const struct packet *packet = fake_expect(bench->board, PACKET_CREDIT);
	assert_int_equal(packet->credit.call, id);
	assert_int_equal(packet->credit.value, body.len);
	buf_fini(&body);
}

static void test_router_cancel_ends_the_call_on_both_sides(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 5, &(struct packet_call){.body = HELLO});
	uint64_t id = taken(bench->board);
	struct packet packet = {.kind = PACKET_CANCEL};
	packet.cancel.id = 5;
	fake_send(bench->ann, &packet);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	expect_status(bench->ann, 5, LYC_CANCELLED);
	fake_send(bench->ann, &packet);
	expect_no_calls(bench);
}

static void test_router_deadline_ends_the_call_on_both_sides(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 5, &(struct packet_call){.body = HELLO, .timeout_ms = 100});
	uint64_t id = taken(bench->board);
	fake_tick(bench->world, 99);
	fake_expect_nothing(bench->ann);
	fake_tick(bench->world, 1);
	expect_status(bench->ann, 5, LYC_DEADLINE_EXCEEDED);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	reply(bench->board, id, HELLO, false);
	assert_int_equal(bench->node->daemon.router.counters.late_replies, 1);
	expect_no_calls(bench);
	/* Without a word of the caller the daemon's own limit holds. */
	call(bench->ann, 6, &(struct packet_call){.body = HELLO});
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.timeout_ms, 10000);
}

static void test_router_callee_that_goes_away_ends_its_calls(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 5, &(struct packet_call){.body = HELLO});
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(bench->board, &packet);
	expect_status(bench->ann, 5, LYC_UNAVAILABLE);
	assert_int_equal(bench->node->daemon.router.calls.count, 0);
}

static void test_router_caller_that_goes_away_cancels_its_calls(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 5, &(struct packet_call){.body = HELLO});
	uint64_t id = taken(bench->board);
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(bench->ann, &packet);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	expect_no_calls(bench);
}

static void test_router_busy_callee_is_not_given_more_than_its_credit(void **state)
{
	struct bench *bench = *state;
	/* It takes 150,000 bytes, and the daemon 200,000 of one caller. */
	struct buf body = {0};
	size_t text = pb_begin(&body, 1);
	for (int i = 0; i < 4000; i++)
		buf_add_byte(&body, 'x');
	pb_end(&body, text);
	struct packet_call large = {.body = span_of(body.data, body.len)};
	uint64_t calls = 0;
	const struct packet *packet;
	do {
		call(bench->ann, ++calls, &large);
		packet = fake_next(bench->ann);
	} while (!packet && calls < 100);
	assert_in_range(calls, 36, 38);
	assert_non_null(packet);
	assert_int_equal(packet->reply.status, LYC_UNAVAILABLE);
	reply(bench->board, taken(bench->board), HELLO, false);
	expect_status(bench->ann, 1, LYC_OK);
	call(bench->ann, 100, &large);
	fake_expect_nothing(bench->ann);
	buf_fini(&body);
}

static void test_router_wrong_body_is_refused_at_the_door(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.body = WRONG});
	const struct packet *packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(packet->reply.status, LYC_INVALID_ARGUMENT);
	assert_non_null(memmem(packet->reply.field.data, packet->reply.field.len, "text", 4));
	expect_no_calls(bench);
}

static void test_router_reply_of_the_wrong_type_is_the_plugins_fault(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.body = HELLO});
	reply(bench->board, taken(bench->board), WRONG, false);
	expect_status(bench->ann, 1, LYC_INTERNAL);
	assert_int_equal(bench->node->daemon.router.counters.bad_replies, 1);
	/* In the middle of a stream the callee is told to stop. */
	call(bench->ann, 2, &(struct packet_call){.method = watch_method()});
	uint64_t id = taken(bench->board);
	reply(bench->board, id, WRONG, true);
	expect_status(bench->ann, 2, LYC_INTERNAL);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	expect_no_calls(bench);
}

static void test_router_reply_larger_than_asked_for_is_refused(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1, &(struct packet_call){.body = HELLO, .max_reply = 6});
	reply(bench->board, taken(bench->board), HELLO, false);
	expect_status(bench->ann, 1, LYC_RESOURCE_EXHAUSTED);
	call(bench->ann, 2, &(struct packet_call){.body = HELLO, .max_reply = 7});
	reply(bench->board, taken(bench->board), HELLO, false);
	expect_status(bench->ann, 2, LYC_OK);
}

/* The net under the plugin: what the caller may not see is cut, and counted. */
static void test_router_cuts_what_the_caller_may_not_see(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	for (int visibility = 2; visibility <= 4; visibility += 2) {
		size_t notice = pb_begin(&body, 2);
		fake_notice(&body, "hub", "1", visibility == 2 ? "open-one" : "closed-one",
			    visibility, NULL);
		pb_end(&body, notice);
	}
	struct span whole = span_of(body.data, body.len);
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	while (fake_next(wales))
		continue;
	call(wales, 1, &(struct packet_call){.body = HELLO});
	reply(bench->board, taken(bench->board), whole, false);
	const struct packet *packet = fake_expect(wales, PACKET_REPLY);
	assert_non_null(memmem(packet->reply.body.data, packet->reply.body.len, "open-one", 8));
	assert_null(memmem(packet->reply.body.data, packet->reply.body.len, "closed-one", 10));
	assert_int_equal(bench->node->daemon.router.counters.cut_parts, 1);
	call(bench->ann, 2, &(struct packet_call){.body = HELLO});
	reply(bench->board, taken(bench->board), whole, false);
	packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_true(span_equal(packet->reply.body, whole));
	assert_int_equal(bench->node->daemon.router.counters.cut_parts, 1);
	buf_fini(&body);
}

static void test_router_refuses_calls_that_lead_nowhere(void **state)
{
	struct bench *bench = *state;
	char wide[300];
	memset(wide, 'x', sizeof(wide));
	const struct {
		struct packet_call call;
		enum lyc_status status;
	} cases[] = {
		{{.method = fake_text("no.such.Service/Method")}, LYC_UNIMPLEMENTED},
		{{.method = fake_text("lyceum.notice.v1.Board/No")}, LYC_UNIMPLEMENTED},
		{{.at = fake_text("nowhere")}, LYC_NOT_FOUND},
		{{.at = fake_text("wales")}, LYC_UNAVAILABLE},
		{{.method = span_of(wide, sizeof(wide))}, LYC_INVALID_ARGUMENT},
		{{.hops = 4}, LYC_FAILED_PRECONDITION},
		{{.principal = fake_text("eve@hub")}, LYC_PERMISSION_DENIED},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		call(bench->ann, i + 1, &cases[i].call);
		expect_status(bench->ann, i + 1, cases[i].status);
	}
	expect_no_calls(bench);
	call(bench->ann, 20, &(struct packet_call){.at = fake_text("hub"), .hops = 3});
	assert_int_equal(fake_expect(bench->board, PACKET_CALL)->call.hops, 4);
}

/* A node whose own plugin is too old for a method asks the hub: another node answers, never the
 * asking one. */
static void test_router_call_does_not_go_back_where_it_came_from(void **state)
{
	struct bench *bench = *state;
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
		call(nodes[0], id, &(struct packet_call){.body = HELLO});
		const struct packet *next;
		while ((next = fake_next(nodes[1])) && next->kind != PACKET_CALL)
			continue;
		assert_non_null(next);
	}
}

static void test_router_copies_share_what_does_not_append(void **state)
{
	struct bench *bench = *state;
	struct daemon *daemon = &bench->node->daemon;
	struct fake_client *twin = fake_client_add(bench->node, "board.2");
	services_offer(&daemon->services,
		       session_find(&daemon->sessions, 1, fake_text(twin->routing_id)),
		       fake_text("lyceum.notice.v1.Board"), fake_text(""));
	unsigned given = 0;
	for (uint64_t id = 1; id <= 10; id++) {
		call(bench->ann, id, &(struct packet_call){.body = HELLO});
		given += fake_next(twin) != NULL;
	}
	assert_int_equal(given, 5);
	struct buf body = {0};
	fake_notice(&body, "hub", "1", "text", 2, NULL);
	for (uint64_t id = 11; id <= 20; id++) {
		call(bench->ann, id,
		     &(struct packet_call){.method = fake_text("lyceum.notice.v1.Board/Post"),
					   .body = span_of(body.data, body.len)});
		fake_expect_nothing(twin);
	}
	buf_fini(&body);
}

static void test_router_call_after_a_position_waits_for_it(void **state)
{
	struct bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct wire_position after = {.origin = fake_text("hub"),
				      .epoch = bench->node->epoch,
				      .seq = bench->node->daemon.stream.last_seq + 2};
	struct packet_call waiting = {
		.body = HELLO, .after = &after, .after_count = 1, .timeout_ms = 500};
	call(bench->ann, 1, &waiting);
	call(bench->ann, 2, &(struct packet_call){.body = HELLO});
	reply(bench->board, taken(bench->board), HELLO, false);
	expect_status(bench->ann, 2, LYC_OK);
	fake_post(root, 1, "a", "one", 2, NULL);
	fake_settle(bench->world);
	fake_expect_nothing(bench->board);
	fake_post(root, 2, "a", "two", 2, NULL);
	fake_settle(bench->world);
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	assert_true(span_is(packet->call.method, read_method));
	assert_true(span_is(packet->call.principal, "ann@hub"));
	assert_true(span_equal(packet->call.body, HELLO));
	reply(bench->board, packet->call.id, HELLO, false);
	expect_status(bench->ann, 1, LYC_OK);
	/* A position that never comes; one call that is cancelled while it waits. */
	after.seq += 100;
	call(bench->ann, 3, &waiting);
	call(bench->ann, 4, &waiting);
	struct packet cancel = {.kind = PACKET_CANCEL};
	cancel.cancel.id = 4;
	fake_send(bench->ann, &cancel);
	expect_status(bench->ann, 4, LYC_CANCELLED);
	fake_pass(bench->world, 500);
	expect_status(bench->ann, 3, LYC_FAILED_PRECONDITION);
	expect_no_calls(bench);
}

/* The value of a metric in the reply to Node/Metrics; -1: it is not there. */
static double metric(struct bench *bench, const char *name)
{
	double value = -1;
	call(bench->ann, 90, &(struct packet_call){.method = fake_text("lyceum.v1.Node/Metrics")});
	const struct packet *packet = fake_expect(bench->ann, PACKET_REPLY);
	Lyceum__V1__MetricsReply *reply = lyceum__v1__metrics_reply__unpack(
		NULL, packet->reply.body.len, packet->reply.body.data);
	assert_non_null(reply);
	for (size_t i = 0; i < reply->n_metric; i++) {
		if (strcmp(reply->metric[i]->name, name) == 0)
			value = reply->metric[i]->value;
	}
	lyceum__v1__metrics_reply__free_unpacked(reply, NULL);
	return value;
}

static void report_as(struct fake_client *client, const char *principal, const char *name,
		      double value, enum lyc_status status)
{
	uint8_t body[200];
	Lyceum__V1__ReportRequest request = LYCEUM__V1__REPORT_REQUEST__INIT;
	Lyceum__V1__Metric one = LYCEUM__V1__METRIC__INIT;
	Lyceum__V1__Metric *all[] = {&one};
	one.name = (char *)(uintptr_t)name;
	one.value = value;
	request.metric = all;
	request.n_metric = 1;
	size_t len = lyceum__v1__report_request__pack(&request, body);
	call(client, 91,
	     &(struct packet_call){.method = fake_text("lyceum.v1.Node/Report"),
				   .principal = fake_text(principal),
				   .body = span_of(body, len)});
	expect_status(client, 91, status);
}

static void report(struct fake_client *client, const char *name, double value,
		   enum lyc_status status)
{
	report_as(client, "", name, value, status);
}

static void test_router_metrics_of_plugins_carry_their_name(void **state)
{
	struct bench *bench = *state;
	Lyceum__V1__Config config = LYCEUM__V1__CONFIG__INIT;
	Lyceum__V1__PluginConfig plugins = LYCEUM__V1__PLUGIN_CONFIG__INIT;
	Lyceum__V1__PluginConfig *all[] = {&plugins};
	plugins.name = (char *)"board";
	plugins.instances = 2;
	config.plugins = all;
	config.n_plugins = 1;
	host_configure(&bench->node->daemon.host, &config, "");
	struct fake_client *second = fake_client_add(bench->node, "board.2");
	report(bench->board, "notes_total", 2.5, LYC_OK);
	assert_true(metric(bench, "lyceum_board_notes_total") == 2.5);
	/* The last word counts, and instances are summed. */
	report(bench->board, "notes_total", 4, LYC_OK);
	report(second, "notes_total", 3, LYC_OK);
	assert_true(metric(bench, "lyceum_board_notes_total") == 7);
	report(bench->board, "Notes", 1, LYC_INVALID_ARGUMENT);
	report(bench->board, "", 1, LYC_INVALID_ARGUMENT);
	report(bench->ann, "notes_total", 9, LYC_PERMISSION_DENIED);
	/* Nor may ann through a plugin that carries her calls. */
	call(bench->ann, 41, &(struct packet_call){.body = HELLO});
	uint64_t id = taken(bench->board);
	report_as(bench->board, "ann@hub", "notes_total", 9, LYC_PERMISSION_DENIED);
	reply(bench->board, id, HELLO, false);
	expect_status(bench->ann, 41, LYC_OK);
	report_as(bench->board, "hub", "notes_total", 4, LYC_OK);
	report(fake_client_add(bench->node, "root"), "notes_total", 9, LYC_PERMISSION_DENIED);
	assert_true(metric(bench, "lyceum_board_notes_total") == 7);
	assert_true(metric(bench, "lyceum_calls_total") > 0);
	/* It ends with the plugin. */
	struct plugin *plugin = host_find(&bench->node->daemon.host, "board");
	daemon_instance_ended(&bench->node->daemon, plugin, false, "it crashed");
	assert_true(metric(bench, "lyceum_board_notes_total") == 3);
}

static void test_router_builtin_says_as_of_when_asked(void **state)
{
	struct bench *bench = *state;
	call(bench->ann, 1,
	     &(struct packet_call){.method = fake_text("lyceum.v1.Node/Status"),
				   .want_as_of = true});
	const struct packet *packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(packet->reply.status, LYC_OK);
	assert_int_equal(packet->reply.as_of_count, 1);
	assert_true(span_is(packet->reply.as_of[0].origin, "hub"));
	assert_int_equal(packet->reply.as_of[0].seq, bench->node->daemon.stream.last_seq);
}

/* From one node to another, through the hub. */
static void test_router_call_at_another_node_goes_through_the_hub(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_node *cork = fake_node_add(bench->world, "cork", bench->node);
	fake_pass(bench->world, 100);
	struct fake_client *joe = fake_client_add(cork, "ann");
	struct fake_client *board = fake_board_add(wales, "board");
	struct packet_call there = {.at = fake_text("wales"), .body = HELLO, .want_as_of = true};
	fake_settle(bench->world);
	call(joe, 9, &there);
	fake_settle(bench->world);
	const struct packet *packet = fake_expect(board, PACKET_CALL);
	assert_true(span_is(packet->call.principal, "ann@cork"));
	assert_int_equal(packet->call.group_count, 1);
	assert_true(span_is(packet->call.groups[0], "cork/policy"));
	reply(board, packet->call.id, HELLO, false);
	fake_settle(bench->world);
	packet = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 9);
	assert_int_equal(packet->reply.status, LYC_OK);
	assert_true(span_is(packet->reply.served_by, "wales"));
	assert_true(packet->reply.as_of_count >= 1);
	assert_true(span_is(packet->reply.as_of[0].origin, "wales"));
	/* The link breaks while the call is out: an answer all the same, by the deadline. */
	there.timeout_ms = 300;
	call(joe, 10, &there);
	fake_settle(bench->world);
	fake_cut(wales);
	fake_pass(bench->world, 400);
	packet = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(packet->reply.id, 10);
	assert_int_not_equal(packet->reply.status, LYC_OK);
	assert_int_equal(cork->daemon.router.calls.count, 0);
	assert_int_equal(bench->node->daemon.router.calls.count, 0);
}

/* Another node serves it, too, and would answer: with what it has, not with what is here. */
static void test_router_says_that_the_own_plugin_is_not_running(void **state)
{
	struct bench *bench = *state;
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
	call(bench->ann, 1, &(struct packet_call){0});
	const struct packet *answer = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(answer->reply.status, LYC_UNAVAILABLE);
	assert_non_null(memmem(answer->reply.text.data, answer->reply.text.len, "'notice'", 8));
}

/* A position of the log that was here before says nothing of this one. */
static void test_router_call_after_a_former_log_is_refused(void **state)
{
	struct bench *bench = *state;
	struct wire_position after = {
		.origin = fake_text("hub"), .epoch = bench->node->epoch - 1, .seq = 1};
	struct packet_call former = {.body = HELLO, .after = &after, .after_count = 1};
	call(bench->ann, 1, &former);
	expect_status(bench->ann, 1, LYC_FAILED_PRECONDITION);
	after.epoch = bench->node->epoch + 1;
	call(bench->ann, 2, &former);
	expect_status(bench->ann, 2, LYC_FAILED_PRECONDITION);
	expect_no_calls(bench);
}

static void test_router_calls_that_wait_for_an_unknown_origin_go_on_when_it_comes(void **state)
{
	struct bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	struct wire_position after = {.origin = fake_text("wales"), .epoch = 5, .seq = 2};
	call(bench->ann, 1,
	     &(struct packet_call){.body = HELLO, .after = &after, .after_count = 1});
	struct origin *other = origins_get(&stream->origins, fake_text("cork"));
	assert_non_null(other);
	router_advance(&bench->node->daemon.router);
	daemon_turn(&bench->node->daemon);
	fake_expect_nothing(bench->board);
	struct origin *wales = origins_get(&stream->origins, fake_text("wales"));
	wales->epoch = 5;
	for (wales->seq = 1; wales->seq <= 2; wales->seq++) {
		fake_expect_nothing(bench->board);
		router_advance(&bench->node->daemon.router);
		daemon_turn(&bench->node->daemon);
	}
	reply(bench->board, taken(bench->board), HELLO, false);
	expect_status(bench->ann, 1, LYC_OK);
	expect_no_calls(bench);
}

static void test_router_holds_so_many_bytes_of_calls_and_no_more(void **state)
{
	struct bench *bench = *state;
	struct router *router = &bench->node->daemon.router;
	struct wire_position after = {
		.origin = fake_text("hub"), .epoch = bench->node->epoch, .seq = 1000};
	struct packet_call waiting = {
		.body = HELLO, .after = &after, .after_count = 1, .timeout_ms = 500};
	router->max_held = 1000;
	uint64_t id = 0;
	const struct packet *packet;
	do {
		call(bench->ann, ++id, &waiting);
		packet = fake_next(bench->ann);
	} while (!packet && id < 100);
	assert_in_range(id, 5, 50);
	assert_int_equal(packet->reply.status, LYC_RESOURCE_EXHAUSTED);
	assert_in_range(router->calls.held_len, 800, 1000);
	fake_pass(bench->world, 600);
	for (uint64_t i = 1; i < id; i++)
		expect_status(bench->ann, i, LYC_FAILED_PRECONDITION);
	assert_int_equal(router->calls.held_len, 0);
	expect_no_calls(bench);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_router_call_and_reply_find_their_way),
		on_bench(test_router_plugin_calls_on_with_the_groups_of_the_call_it_serves),
		on_bench(test_router_plugin_calls_on_with_the_groups_that_all_calls_have),
		on_bench(test_router_plugin_that_registered_so_speaks_for_people),
		on_bench(test_router_tells_who_is_the_operator),
		on_bench(test_router_reply_of_somebody_else_is_late),
		on_bench(test_router_stream_of_replies_ends_with_the_last),
		on_bench(test_router_stream_goes_as_far_as_the_credit),
		on_bench(test_router_stream_beyond_the_credit_is_ended),
		on_bench(test_router_slow_reader_costs_what_it_granted),
		on_bench(test_router_cut_of_a_stream_returns_its_credit),
		on_bench(test_router_cancel_ends_the_call_on_both_sides),
		on_bench(test_router_deadline_ends_the_call_on_both_sides),
		on_bench(test_router_callee_that_goes_away_ends_its_calls),
		on_bench(test_router_caller_that_goes_away_cancels_its_calls),
		on_bench(test_router_busy_callee_is_not_given_more_than_its_credit),
		on_bench(test_router_wrong_body_is_refused_at_the_door),
		on_bench(test_router_reply_of_the_wrong_type_is_the_plugins_fault),
		on_bench(test_router_reply_larger_than_asked_for_is_refused),
		on_bench(test_router_cuts_what_the_caller_may_not_see),
		on_bench(test_router_refuses_calls_that_lead_nowhere),
		on_bench(test_router_call_does_not_go_back_where_it_came_from),
		on_bench(test_router_copies_share_what_does_not_append),
		on_bench(test_router_call_after_a_position_waits_for_it),
		on_bench(test_router_call_after_a_former_log_is_refused),
		on_bench(test_router_calls_that_wait_for_an_unknown_origin_go_on_when_it_comes),
		on_bench(test_router_holds_so_many_bytes_of_calls_and_no_more),
		on_bench(test_router_metrics_of_plugins_carry_their_name),
		on_bench(test_router_builtin_says_as_of_when_asked),
		on_bench(test_router_call_at_another_node_goes_through_the_hub),
		on_bench(test_router_says_that_the_own_plugin_is_not_running),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

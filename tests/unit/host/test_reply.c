/* The way back of a call: one reply or a stream of them, its credit, and what is not let through.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "call_bench.h"

#define WRONG span_of("\x08\x01", 2)

static struct span watch_method(void)
{
	return fake_text("lyceum.notice.v1.Board/Watch");
}

static void test_reply_of_somebody_else_is_late(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.body = FAKE_HELLO});
	uint64_t id = fake_taken(bench->board);
	struct fake_client *other = fake_client_add(bench->node, "root");
	fake_answer(other, id, FAKE_HELLO, false);
	fake_answer(bench->board, id + 1, FAKE_HELLO, false);
	assert_int_equal(bench->node->daemon.router.counters.late_replies, 2);
	fake_expect_nothing(bench->ann);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_expect_status(bench->ann, 1, LYC_OK);
}

static void test_reply_stream_of_replies_ends_with_the_last(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.method = watch_method()});
	uint64_t id = fake_taken(bench->board);
	for (int i = 0; i < 5; i++) {
		fake_answer(bench->board, id, FAKE_HELLO, i < 4);
		assert_int_equal(fake_expect(bench->ann, PACKET_REPLY)->reply.more, i < 4);
	}
	call_bench_expect_quiet(bench);
}

static void give_credit(struct fake_client *client, uint64_t call_id, uint64_t bytes)
{
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.call = call_id, .value = bytes};
	fake_send(client, &packet);
}

/* Of 7 bytes each, which count as 71. */
static void test_reply_stream_goes_as_far_as_the_credit(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.method = watch_method(), .credit = 100});
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	uint64_t id = packet->call.id;
	assert_int_equal(packet->call.credit, 100);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	for (int i = 0; i < 2; i++)
		assert_true(fake_expect(bench->ann, PACKET_REPLY)->reply.more);
	/* What the caller gives back the callee gets. */
	give_credit(bench->ann, 1, 142);
	packet = fake_expect(bench->board, PACKET_CREDIT);
	assert_int_equal(packet->credit.call, id);
	assert_int_equal(packet->credit.value, 142);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	for (int i = 0; i < 2; i++)
		assert_true(fake_expect(bench->ann, PACKET_REPLY)->reply.more);
	/* Never more than may be; and nothing of a call that is over, or of another's. */
	give_credit(bench->ann, 1, UINT64_MAX);
	packet = fake_expect(bench->board, PACKET_CREDIT);
	assert_int_equal(packet->credit.value, WIRE_MAX_CREDIT + 42);
	give_credit(bench->ann, 1, 1);
	give_credit(fake_client_add(bench->node, "ann"), 1, 100);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_expect_status(bench->ann, 1, LYC_OK);
	give_credit(bench->ann, 1, 100);
	call_bench_expect_quiet(bench);
}

static void test_reply_stream_beyond_the_credit_is_ended(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.method = watch_method(), .credit = 1});
	uint64_t id = fake_taken(bench->board);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	fake_expect(bench->ann, PACKET_REPLY);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	fake_expect_status(bench->ann, 1, LYC_INTERNAL);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	call_bench_expect_quiet(bench);
	/* The last one needs none. */
	fake_call(bench->ann, 2, &(struct packet_call){.method = watch_method(), .credit = 1});
	id = fake_taken(bench->board);
	fake_answer(bench->board, id, FAKE_HELLO, true);
	fake_expect(bench->ann, PACKET_REPLY);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_expect_status(bench->ann, 2, LYC_OK);
	call_bench_expect_quiet(bench);
}

/* A reader who takes nothing costs what it granted, at each daemon in between, and not more. */
static void test_reply_slow_reader_costs_what_it_granted(void **state)
{
	struct call_bench *bench = *state;
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
	fake_call(joe, 9,
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
		fake_answer(board, id, span_of(body.data, body.len), true);
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
			fake_answer(board, id, span_of(body.data, body.len), true);
			fake_settle(bench->world);
		}
	}
	fake_answer(board, id, span_of(NULL, 0), false);
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
static void test_reply_cut_of_a_stream_returns_its_credit(void **state)
{
	struct call_bench *bench = *state;
	struct buf body = {0};
	size_t notice = pb_begin(&body, 2);
	fake_notice(&body, "hub", "1", "closed", 4, NULL);
	pb_end(&body, notice);
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	while (fake_next(wales))
		continue;
	fake_call(wales, 1, &(struct packet_call){.method = watch_method(), .credit = 1000});
	uint64_t id = fake_taken(bench->board);
	fake_answer(bench->board, id, span_of(body.data, body.len), true);
	assert_int_equal(fake_expect(wales, PACKET_REPLY)->reply.body.len, 0);
	const struct packet *packet = fake_expect(bench->board, PACKET_CREDIT);
	assert_int_equal(packet->credit.call, id);
	assert_int_equal(packet->credit.value, body.len);
	buf_fini(&body);
}

static void test_reply_of_the_wrong_type_is_the_plugins_fault(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.body = FAKE_HELLO});
	fake_answer(bench->board, fake_taken(bench->board), WRONG, false);
	fake_expect_status(bench->ann, 1, LYC_INTERNAL);
	assert_int_equal(bench->node->daemon.router.counters.bad_replies, 1);
	/* In the middle of a stream the callee is told to stop. */
	fake_call(bench->ann, 2, &(struct packet_call){.method = watch_method()});
	uint64_t id = fake_taken(bench->board);
	fake_answer(bench->board, id, WRONG, true);
	fake_expect_status(bench->ann, 2, LYC_INTERNAL);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	call_bench_expect_quiet(bench);
}

static void test_reply_larger_than_asked_for_is_refused(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1, &(struct packet_call){.body = FAKE_HELLO, .max_reply = 6});
	fake_answer(bench->board, fake_taken(bench->board), FAKE_HELLO, false);
	fake_expect_status(bench->ann, 1, LYC_RESOURCE_EXHAUSTED);
	fake_call(bench->ann, 2, &(struct packet_call){.body = FAKE_HELLO, .max_reply = 7});
	fake_answer(bench->board, fake_taken(bench->board), FAKE_HELLO, false);
	fake_expect_status(bench->ann, 2, LYC_OK);
}

/* The net under the plugin: what the caller may not see is cut, and counted. */
static void test_reply_cuts_what_the_caller_may_not_see(void **state)
{
	struct call_bench *bench = *state;
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
	fake_call(wales, 1, &(struct packet_call){.body = FAKE_HELLO});
	fake_answer(bench->board, fake_taken(bench->board), whole, false);
	const struct packet *packet = fake_expect(wales, PACKET_REPLY);
	assert_non_null(memmem(packet->reply.body.data, packet->reply.body.len, "open-one", 8));
	assert_null(memmem(packet->reply.body.data, packet->reply.body.len, "closed-one", 10));
	assert_int_equal(bench->node->daemon.router.counters.cut_parts, 1);
	fake_call(bench->ann, 2, &(struct packet_call){.body = FAKE_HELLO});
	fake_answer(bench->board, fake_taken(bench->board), whole, false);
	packet = fake_expect(bench->ann, PACKET_REPLY);
	assert_true(span_equal(packet->reply.body, whole));
	assert_int_equal(bench->node->daemon.router.counters.cut_parts, 1);
	buf_fini(&body);
}

int main(void)
{
#define REPLY_TEST(name)                                                                           \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		REPLY_TEST(test_reply_of_somebody_else_is_late),
		REPLY_TEST(test_reply_stream_of_replies_ends_with_the_last),
		REPLY_TEST(test_reply_stream_goes_as_far_as_the_credit),
		REPLY_TEST(test_reply_stream_beyond_the_credit_is_ended),
		REPLY_TEST(test_reply_slow_reader_costs_what_it_granted),
		REPLY_TEST(test_reply_cut_of_a_stream_returns_its_credit),
		REPLY_TEST(test_reply_of_the_wrong_type_is_the_plugins_fault),
		REPLY_TEST(test_reply_larger_than_asked_for_is_refused),
		REPLY_TEST(test_reply_cuts_what_the_caller_may_not_see),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

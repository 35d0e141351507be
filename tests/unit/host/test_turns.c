/* Turns: who floods a callee waits for its own calls, and whoever calls beside it does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "call_bench.h"
#include "host/turns.h"

#define BODY_LEN 1000
/* Of the packets of such calls, a little more than fit. */
#define WINDOW_CALLS (TURNS_WINDOW / BODY_LEN)

struct flood {
	struct call_bench *bench;
	struct fake_client *root;
	struct buf body;
	/* What the callee has been given and has not answered, in order. */
	uint64_t given[400];
	size_t first;
	size_t last;
};

static void begin_with(struct flood *flood, struct call_bench *bench, size_t body_len)
{
	*flood = (struct flood){.bench = bench, .root = fake_client_add(bench->node, "root")};
	size_t text = pb_begin(&flood->body, 1);
	for (size_t i = 0; i < body_len; i++)
		buf_add_byte(&flood->body, 'x');
	pb_end(&flood->body, text);
}

static void begin(struct flood *flood, struct call_bench *bench)
{
	begin_with(flood, bench, BODY_LEN);
}

static void call(struct flood *flood, struct fake_client *caller, uint64_t id)
{
	fake_call(caller, id,
		  &(struct packet_call){.body = span_of(flood->body.data, flood->body.len),
					.timeout_ms = 2000});
}

/* Take what the callee has got; returns how many. */
static size_t take(struct flood *flood)
{
	const struct packet *packet;
	size_t before = flood->last;
	while ((packet = fake_next(flood->bench->board))) {
		assert_int_equal(packet->kind, PACKET_CALL);
		flood->given[flood->last++] = packet->call.id;
	}
	return flood->last - before;
}

static void answer_one(struct flood *flood)
{
	assert_true(flood->first < flood->last);
	fake_answer(flood->bench->board, flood->given[flood->first++], FAKE_HELLO, false);
}

/* Both have called: from now on the callee is shared. */
static void share(struct flood *flood)
{
	call(flood, flood->bench->ann, 1000);
	call(flood, flood->root, 1000);
	assert_int_equal(take(flood), 2);
	answer_one(flood);
	answer_one(flood);
	fake_expect_status(flood->bench->ann, 1000, LYC_OK);
	fake_expect_status(flood->root, 1000, LYC_OK);
}

static void test_turns_callee_of_one_caller_gets_all_at_once(void **state)
{
	struct flood flood;
	begin(&flood, *state);
	for (uint64_t id = 1; id <= 100; id++)
		call(&flood, flood.bench->ann, id);
	assert_int_equal(take(&flood), 100);
	for (uint64_t id = 1; id <= 100; id++) {
		answer_one(&flood);
		fake_expect_status(flood.bench->ann, id, LYC_OK);
	}
	call_bench_expect_quiet(flood.bench);
	buf_fini(&flood.body);
}

static void test_turns_another_caller_is_behind_a_window_only(void **state)
{
	struct flood flood;
	begin(&flood, *state);
	share(&flood);
	for (uint64_t id = 1; id <= 100; id++)
		call(&flood, flood.root, id);
	call(&flood, flood.bench->ann, 1);
	size_t before = take(&flood);
	assert_in_range(before, WINDOW_CALLS / 2, WINDOW_CALLS + 1);
	/* Ann's is the last of these, and none of the others comes before it has been answered. */
	for (size_t i = 1; i < before; i++) {
		answer_one(&flood);
		fake_expect_nothing(flood.bench->ann);
	}
	answer_one(&flood);
	fake_expect_status(flood.bench->ann, 1, LYC_OK);
	/* All that waited is given in its order, and answered. */
	for (uint64_t id = 1; id <= 100; id++) {
		fake_expect_status(flood.root, id, LYC_OK);
		take(&flood);
		if (flood.first < flood.last)
			answer_one(&flood);
	}
	assert_int_equal(flood.bench->node->daemon.router.calls.held_len, 0);
	call_bench_expect_quiet(flood.bench);
	buf_fini(&flood.body);
}

/* Of many calls this long, so many are given at once. */
static void expect_given(struct call_bench *bench, size_t body_len, size_t count)
{
	struct flood flood;
	begin_with(&flood, bench, body_len);
	share(&flood);
	for (uint64_t id = 1; id <= 20; id++)
		call(&flood, flood.root, id);
	assert_int_equal(take(&flood), count);
	buf_fini(&flood.body);
}

static void test_turns_eight_calls_may_take_more(void **state)
{
	expect_given(*state, TURNS_WINDOW / 3, 8);
}

static void test_turns_few_calls_take_four_windows_at_most(void **state)
{
	expect_given(*state, 4900, 6);
}

/* It is full with another's calls: who comes then waits, and is not refused for that. */
static void test_turns_full_callee_takes_a_newcomer_when_it_has_room(void **state)
{
	struct flood flood;
	begin(&flood, *state);
	uint64_t count = 0;
	do
		call(&flood, flood.root, ++count);
	while (!fake_next(flood.root));
	call(&flood, flood.bench->ann, 1);
	fake_expect_nothing(flood.bench->ann);
	assert_int_equal(take(&flood), count - 1);
	answer_one(&flood);
	assert_int_equal(take(&flood), 1);
	/* Ann's own: the last that was given. */
	fake_answer(flood.bench->board, flood.given[--flood.last], FAKE_HELLO, false);
	fake_expect_status(flood.bench->ann, 1, LYC_OK);
	buf_fini(&flood.body);
}

static bool says(struct span text, const char *part)
{
	return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

/* Nobody waits for a deadline without bound: beyond it the answer is there at once, says why, and
 * what waits is given when the callee goes on. */
static void test_turns_full_callee_has_a_bounded_queue_of_each_caller(void **state)
{
	struct flood flood;
	begin(&flood, *state);
	uint64_t count = 0;
	do
		call(&flood, flood.root, ++count);
	while (!fake_next(flood.root));
	size_t waiting = 0;
	const struct packet *packet;
	while (!(packet = fake_next(flood.bench->ann)) && waiting < 1000)
		call(&flood, flood.bench->ann, ++waiting);
	assert_non_null(packet);
	assert_int_equal(packet->kind, PACKET_REPLY);
	assert_int_equal(packet->reply.id, waiting);
	assert_int_equal(packet->reply.status, LYC_UNAVAILABLE);
	assert_true(says(packet->reply.text, "is busy"));
	assert_true(says(packet->reply.text, "try again later"));
	assert_in_range(--waiting, TURNS_MAX_HELD / BODY_LEN * 3 / 4, TURNS_MAX_HELD / BODY_LEN);
	take(&flood);
	/* One that waits is cancelled: so there is room for one more. */
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel.id = waiting};
	fake_send(flood.bench->ann, &cancel);
	fake_expect_status(flood.bench->ann, waiting, LYC_CANCELLED);
	call(&flood, flood.bench->ann, waiting);
	fake_expect_nothing(flood.bench->ann);
	/* It goes on: what waited is given in order, as far as there is room. */
	while (flood.first + 1 < flood.last)
		answer_one(&flood);
	assert_in_range(take(&flood), 1, waiting);
	call(&flood, flood.bench->ann, 2000);
	fake_expect_nothing(flood.bench->ann);
	buf_fini(&flood.body);
}

/* Two instances get the calls by turns. One of them does not answer: what waits for it is in nobody
 * else's way. */
static void test_turns_callee_that_stands_still_holds_up_its_own_calls_only(void **state)
{
	struct flood flood;
	begin(&flood, *state);
	struct daemon *daemon = &flood.bench->node->daemon;
	struct fake_client *second = fake_client_add(flood.bench->node, "board.2");
	services_offer(&daemon->services,
		       session_find(&daemon->sessions, 1, fake_text(second->routing_id)),
		       fake_text("lyceum.notice.v1.Board"), fake_text(""));
	for (uint64_t id = 1000; id < 1004; id++) {
		call(&flood, flood.bench->ann, id);
		call(&flood, flood.root, id);
	}
	for (uint64_t id = 1; id <= 100; id++)
		call(&flood, flood.root, id);
	size_t answered = 0;
	const struct packet *packet;
	while ((packet = fake_next(second))) {
		assert_int_equal(packet->kind, PACKET_CALL);
		fake_answer(second, packet->call.id, FAKE_HELLO, false);
		answered++;
	}
	assert_int_equal(answered, 54);
	assert_in_range(take(&flood), WINDOW_CALLS / 2, WINDOW_CALLS + 9);
	buf_fini(&flood.body);
}

/* A plugin that answers later is not held up: its callers get more out while little comes back. */
static void test_turns_window_grows_where_little_is_answered(void **state)
{
	struct flood flood;
	begin(&flood, *state);
	share(&flood);
	for (uint64_t id = 1; id <= 100; id++)
		call(&flood, flood.root, id);
	size_t given = take(&flood);
	assert_in_range(given, WINDOW_CALLS / 2, WINDOW_CALLS + 1);
	for (int i = 0; i < 10; i++)
		fake_tick(flood.bench->world, 10);
	given += take(&flood);
	assert_int_equal(given, 100);
	while (flood.first < flood.last)
		answer_one(&flood);
	for (uint64_t id = 1; id <= 100; id++)
		fake_expect_status(flood.root, id, LYC_OK);
	buf_fini(&flood.body);
}

static void test_turns_call_that_waits_ends_by_its_deadline_or_cancelled(void **state)
{
	struct flood flood;
	struct packet cancel = {.kind = PACKET_CANCEL};
	begin(&flood, *state);
	uint64_t count = 0;
	do
		call(&flood, flood.root, ++count);
	while (!fake_next(flood.root));
	call(&flood, flood.bench->ann, 1);
	call(&flood, flood.bench->ann, 2);
	cancel.cancel.id = 2;
	fake_send(flood.bench->ann, &cancel);
	fake_expect_status(flood.bench->ann, 2, LYC_CANCELLED);
	fake_tick(flood.bench->world, 2100);
	fake_expect_status(flood.bench->ann, 1, LYC_DEADLINE_EXCEEDED);
	assert_int_equal(flood.bench->node->daemon.router.calls.count, 0);
	assert_int_equal(flood.bench->node->daemon.router.calls.held_len, 0);
	buf_fini(&flood.body);
}

/* Neither the one who waits nor the one that is waited for need stay. */
static void test_turns_end_with_caller_and_callee(void **state)
{
	struct flood flood;
	struct packet goodbye = {.kind = PACKET_GOODBYE};
	begin(&flood, *state);
	share(&flood);
	for (uint64_t id = 1; id <= 100; id++) {
		call(&flood, flood.root, id);
		call(&flood, flood.bench->ann, id);
	}
	fake_send(flood.root, &goodbye);
	fake_send(flood.bench->board, &goodbye);
	/* Those that it had been given, and those that nobody serves any more. */
	uint64_t gone = 0;
	for (uint64_t id = 1; id <= 100; id++) {
		const struct packet *packet = fake_expect(flood.bench->ann, PACKET_REPLY);
		assert_int_equal(packet->reply.id, id);
		assert_true(packet->reply.status == LYC_UNAVAILABLE ||
			    packet->reply.status == LYC_UNIMPLEMENTED);
		gone += packet->reply.status == LYC_UNAVAILABLE;
	}
	assert_in_range(gone, 1, WINDOW_CALLS + 1);
	assert_int_equal(flood.bench->node->daemon.router.calls.count, 0);
	assert_int_equal(flood.bench->node->daemon.router.calls.held_len, 0);
	buf_fini(&flood.body);
}

int main(void)
{
#define TURNS_TEST(name)                                                                           \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		TURNS_TEST(test_turns_callee_of_one_caller_gets_all_at_once),
		TURNS_TEST(test_turns_another_caller_is_behind_a_window_only),
		TURNS_TEST(test_turns_eight_calls_may_take_more),
		TURNS_TEST(test_turns_few_calls_take_four_windows_at_most),
		TURNS_TEST(test_turns_full_callee_takes_a_newcomer_when_it_has_room),
		TURNS_TEST(test_turns_full_callee_has_a_bounded_queue_of_each_caller),
		TURNS_TEST(test_turns_callee_that_stands_still_holds_up_its_own_calls_only),
		TURNS_TEST(test_turns_window_grows_where_little_is_answered),
		TURNS_TEST(test_turns_call_that_waits_ends_by_its_deadline_or_cancelled),
		TURNS_TEST(test_turns_end_with_caller_and_callee),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

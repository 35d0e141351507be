/* Calls that wait: for a position, within a limit, and never past their deadline. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call_bench.h"

static const char read_method[] = "lyceum.notice.v1.Board/Read";

static void test_waiting_call_goes_on_at_its_position(void **state)
{
	struct call_bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct wire_position after = {.origin = fake_text("hub"),
				      .epoch = bench->node->epoch,
				      .seq = bench->node->daemon.stream.last_seq + 2};
	struct packet_call waiting = {
		.body = FAKE_HELLO, .after = &after, .after_count = 1, .timeout_ms = 500};
	fake_call(bench->ann, 1, &waiting);
	fake_call(bench->ann, 2, &(struct packet_call){.body = FAKE_HELLO});
	fake_answer(bench->board, fake_taken(bench->board), FAKE_HELLO, false);
	fake_expect_status(bench->ann, 2, LYC_OK);
	fake_post(root, 1, "a", "one", 2, NULL);
	fake_settle(bench->world);
	fake_expect_nothing(bench->board);
	fake_post(root, 2, "a", "two", 2, NULL);
	fake_settle(bench->world);
	const struct packet *packet = fake_expect(bench->board, PACKET_CALL);
	assert_true(span_is(packet->call.method, read_method));
	assert_true(span_is(packet->call.principal, "ann@hub"));
	assert_true(span_equal(packet->call.body, FAKE_HELLO));
	fake_answer(bench->board, packet->call.id, FAKE_HELLO, false);
	fake_expect_status(bench->ann, 1, LYC_OK);
	/* A position that never comes; one call that is cancelled while it waits. */
	after.seq += 100;
	fake_call(bench->ann, 3, &waiting);
	fake_call(bench->ann, 4, &waiting);
	struct packet cancel = {.kind = PACKET_CANCEL};
	cancel.cancel.id = 4;
	fake_send(bench->ann, &cancel);
	fake_expect_status(bench->ann, 4, LYC_CANCELLED);
	fake_pass(bench->world, 500);
	fake_expect_status(bench->ann, 3, LYC_FAILED_PRECONDITION);
	call_bench_expect_quiet(bench);
}

/* A position of the log that was here before says nothing of this one. */
static void test_waiting_call_after_a_former_log_is_refused(void **state)
{
	struct call_bench *bench = *state;
	struct wire_position after = {
		.origin = fake_text("hub"), .epoch = bench->node->epoch - 1, .seq = 1};
	struct packet_call former = {.body = FAKE_HELLO, .after = &after, .after_count = 1};
	fake_call(bench->ann, 1, &former);
	fake_expect_status(bench->ann, 1, LYC_FAILED_PRECONDITION);
	after.epoch = bench->node->epoch + 1;
	fake_call(bench->ann, 2, &former);
	fake_expect_status(bench->ann, 2, LYC_FAILED_PRECONDITION);
	call_bench_expect_quiet(bench);
}

static void test_waiting_calls_for_an_unknown_origin_go_on_when_it_comes(void **state)
{
	struct call_bench *bench = *state;
	struct stream *stream = &bench->node->daemon.stream;
	struct wire_position after = {.origin = fake_text("wales"), .epoch = 5, .seq = 2};
	fake_call(bench->ann, 1,
		  &(struct packet_call){.body = FAKE_HELLO, .after = &after, .after_count = 1});
	struct origin *other = origins_get(&stream->origins, fake_text("cork"));
	assert_non_null(other);
	waiting_advance(&bench->node->daemon.router.waiting);
	daemon_turn(&bench->node->daemon);
	fake_expect_nothing(bench->board);
	struct origin *wales = origins_get(&stream->origins, fake_text("wales"));
	wales->epoch = 5;
	for (wales->seq = 1; wales->seq <= 2; wales->seq++) {
		fake_expect_nothing(bench->board);
		waiting_advance(&bench->node->daemon.router.waiting);
		daemon_turn(&bench->node->daemon);
	}
	fake_answer(bench->board, fake_taken(bench->board), FAKE_HELLO, false);
	fake_expect_status(bench->ann, 1, LYC_OK);
	call_bench_expect_quiet(bench);
}

static void test_waiting_holds_so_many_bytes_of_calls_and_no_more(void **state)
{
	struct call_bench *bench = *state;
	struct router *router = &bench->node->daemon.router;
	struct wire_position after = {
		.origin = fake_text("hub"), .epoch = bench->node->epoch, .seq = 1000};
	struct packet_call waiting = {
		.body = FAKE_HELLO, .after = &after, .after_count = 1, .timeout_ms = 500};
	router->waiting.max_held = 1000;
	uint64_t id = 0;
	const struct packet *packet;
	do {
		fake_call(bench->ann, ++id, &waiting);
		packet = fake_next(bench->ann);
	} while (!packet && id < 100);
	assert_in_range(id, 5, 50);
	assert_int_equal(packet->reply.status, LYC_RESOURCE_EXHAUSTED);
	assert_in_range(router->calls.held_len, 800, 1000);
	fake_pass(bench->world, 600);
	for (uint64_t i = 1; i < id; i++)
		fake_expect_status(bench->ann, i, LYC_FAILED_PRECONDITION);
	assert_int_equal(router->calls.held_len, 0);
	call_bench_expect_quiet(bench);
}

int main(void)
{
#define WAITING_TEST(name)                                                                         \
	cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		WAITING_TEST(test_waiting_call_goes_on_at_its_position),
		WAITING_TEST(test_waiting_call_after_a_former_log_is_refused),
		WAITING_TEST(test_waiting_calls_for_an_unknown_origin_go_on_when_it_comes),
		WAITING_TEST(test_waiting_holds_so_many_bytes_of_calls_and_no_more),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

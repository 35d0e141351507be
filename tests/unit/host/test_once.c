/* Calls with an idempotency key: run once, remembered across restarts, and every way in between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "call_bench.h"

#define OTHER span_of("\x0a\x05other", 7)

static void call(struct fake_client *client, uint64_t id, const char *key, struct span body)
{
	fake_call(client, id,
		  &(struct packet_call){.idempotency_key = fake_text(key), .body = body});
}

/* The last reply to a call: its status and whether it is remembered. */
static void expect(struct fake_client *client, uint64_t id, enum lyc_status status,
		   bool is_remembered)
{
	const struct packet *packet = fake_expect(client, PACKET_REPLY);
	assert_int_equal(packet->reply.id, id);
	assert_int_equal(packet->reply.status, status);
	assert_int_equal(packet->reply.remembered, is_remembered);
	assert_true(status == LYC_OK ? span_equal(packet->reply.body, FAKE_HELLO)
				     : packet->reply.text.len > 0);
}

/* The id under which the plugin got the call, once its mark is on the disk. */
static uint64_t taken(struct call_bench *bench)
{
	fake_settle(bench->world);
	return fake_taken(bench->board);
}

static void expect_quiet(struct call_bench *bench)
{
	fake_settle(bench->world);
	call_bench_expect_quiet(bench);
}

/* One call that ran and was answered. */
static void run_one(struct call_bench *bench, uint64_t id, const char *key)
{
	call(bench->ann, id, key, FAKE_HELLO);
	fake_answer(bench->board, taken(bench), FAKE_HELLO, false);
	fake_settle(bench->world);
	expect(bench->ann, id, LYC_OK, true);
}

static void restart(struct call_bench *bench, bool with_board)
{
	fake_node_restart(bench->node);
	bench->ann = fake_client_add(bench->node, "ann");
	bench->board = with_board ? fake_board_add(bench->node, "board")
				  : fake_client_add(bench->node, "root");
	fake_settle(bench->world);
}

static void test_once_marks_before_it_runs_and_keeps_before_it_answers(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_expect_nothing(bench->board);
	uint64_t id = taken(bench);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_expect_nothing(bench->ann);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_OK, true);
	expect_quiet(bench);
}

static void test_once_gives_the_same_reply_again(void **state)
{
	struct call_bench *bench = *state;
	run_one(bench, 1, "k");
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 2, LYC_OK, true);
	expect_quiet(bench);
	/* Two at the same time: one read of the log. */
	call(bench->ann, 3, "k", FAKE_HELLO);
	call(bench->ann, 4, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 3, LYC_OK, true);
	expect(bench->ann, 4, LYC_OK, true);
	expect_quiet(bench);
}

static void test_once_refuses_another_call_with_the_same_key(void **state)
{
	struct call_bench *bench = *state;
	run_one(bench, 1, "k");
	call(bench->ann, 2, "k", OTHER);
	expect(bench->ann, 2, LYC_INVALID_ARGUMENT, false);
	expect_quiet(bench);
	/* Somebody else's key is another. */
	struct fake_client *root = fake_client_add(bench->node, "root");
	call(root, 1, "k", OTHER);
	fake_answer(bench->board, taken(bench), FAKE_HELLO, false);
	fake_settle(bench->world);
	expect(root, 1, LYC_OK, true);
}

static void test_once_second_call_waits_for_the_first(void **state)
{
	struct call_bench *bench = *state;
	struct fake_client *again = fake_client_add(bench->node, "ann");
	call(bench->ann, 1, "k", FAKE_HELLO);
	call(again, 7, "k", FAKE_HELLO);
	uint64_t id = taken(bench);
	call(again, 8, "k", FAKE_HELLO);
	fake_expect_nothing(bench->board);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	call(again, 9, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_OK, true);
	for (uint64_t number = 7; number <= 9; number++)
		expect(again, number, LYC_OK, true);
	expect_quiet(bench);
}

static void test_once_remembers_across_a_restart(void **state)
{
	struct call_bench *bench = *state;
	run_one(bench, 1, "k");
	restart(bench, true);
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_OK, true);
	expect_quiet(bench);
	/* And while nobody serves the method. */
	restart(bench, false);
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_OK, true);
	call(bench->ann, 2, "new", FAKE_HELLO);
	fake_settle(bench->world);
	assert_int_not_equal(fake_expect(bench->ann, PACKET_REPLY)->reply.status, LYC_OK);
}

static void test_once_does_not_run_again_what_was_started_before_a_crash(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	taken(bench);
	restart(bench, true);
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_UNKNOWN, true);
	expect_quiet(bench);
	/* One whose mark had not come to the disk has not run. */
	call(bench->ann, 2, "unmarked", FAKE_HELLO);
	restart(bench, true);
	run_one(bench, 2, "unmarked");
}

static void test_once_reply_that_a_crash_took_is_not_known(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_answer(bench->board, taken(bench), FAKE_HELLO, false);
	restart(bench, true);
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_UNKNOWN, true);
	expect_quiet(bench);
}

/* ---- what an erasure takes away ---- */

static bool disk_has(const struct fake_node *node, const char *text)
{
	for (size_t i = 0; i < node->record_count; i++) {
		const struct buf *record = &node->records[i].record;
		if (record->len > 0 && memmem(record->data, record->len, text, strlen(text)))
			return true;
	}
	return false;
}

static void erase_one(struct call_bench *bench)
{
	static const char subject[] = "lyceum.notice.v1.Notice.hub.a";
	stream_append_erasure(&bench->node->daemon.stream, fake_text(subject), span_of(NULL, 0),
			      fake_text("hub"), NULL, NULL);
	fake_settle(bench->world);
}

/* Whatever a reply says may be what is erased. */
static void test_once_erasure_takes_the_replies_with_it(void **state)
{
	struct call_bench *bench = *state;
	run_one(bench, 1, "k");
	assert_true(disk_has(bench->node, "hello"));
	erase_one(bench);
	/* At once, before the files are done. */
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 2, LYC_UNKNOWN, true);
	fake_pass(bench->world, 3000);
	assert_false(disk_has(bench->node, "hello"));
	call(bench->ann, 3, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 3, LYC_UNKNOWN, true);
	restart(bench, true);
	call(bench->ann, 4, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 4, LYC_UNKNOWN, true);
	expect_quiet(bench);
	/* What is called from then on is remembered as ever. */
	run_one(bench, 5, "later");
	call(bench->ann, 6, "later", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 6, LYC_OK, true);
}

static void test_once_reply_of_a_call_from_before_an_erasure_is_not_kept(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	uint64_t id = taken(bench);
	erase_one(bench);
	fake_pass(bench->world, 3000);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_OK, false);
	assert_false(disk_has(bench->node, "hello"));
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 2, LYC_UNKNOWN, true);
}

/* It was on its way into the log when the erasure came. */
static void test_once_reply_on_its_way_goes_with_an_erasure(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	uint64_t id = taken(bench);
	bench->node->is_held = true;
	stream_append_erasure(&bench->node->daemon.stream,
			      fake_text("lyceum.notice.v1.Notice.hub.a"), span_of(NULL, 0),
			      fake_text("hub"), NULL, NULL);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	bench->node->is_held = false;
	fake_pass(bench->world, 3000);
	expect(bench->ann, 1, LYC_OK, true);
	assert_false(disk_has(bench->node, "hello"));
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 2, LYC_UNKNOWN, true);
}

static void test_once_plugin_that_dies_leaves_the_outcome_unknown(void **state)
{
	struct call_bench *bench = *state;
	struct packet packet = {.kind = PACKET_GOODBYE};
	call(bench->ann, 1, "k", FAKE_HELLO);
	taken(bench);
	fake_send(bench->board, &packet);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_UNKNOWN, true);
	bench->board = fake_board_add(bench->node, "board");
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 2, LYC_UNKNOWN, true);
	expect_quiet(bench);
}

static void test_once_remembers_a_failure_of_the_plugin(void **state)
{
	struct call_bench *bench = *state;
	struct packet packet = {.kind = PACKET_REPLY};
	call(bench->ann, 1, "k", FAKE_HELLO);
	packet.reply = (struct packet_reply){.id = taken(bench),
					     .status = LYC_NOT_FOUND,
					     .text = fake_text("there is no such notice")};
	fake_send(bench->board, &packet);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_NOT_FOUND, true);
	restart(bench, true);
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	const struct packet *again = fake_expect(bench->ann, PACKET_REPLY);
	assert_int_equal(again->reply.status, LYC_NOT_FOUND);
	assert_true(span_is(again->reply.text, "there is no such notice"));
	expect_quiet(bench);
}

static void test_once_runs_on_when_its_caller_has_gone(void **state)
{
	struct call_bench *bench = *state;
	struct packet packet = {.kind = PACKET_GOODBYE};
	call(bench->ann, 1, "k", FAKE_HELLO);
	uint64_t id = taken(bench);
	fake_send(bench->ann, &packet);
	fake_expect_nothing(bench->board);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_settle(bench->world);
	bench->ann = fake_client_add(bench->node, "ann");
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_OK, true);
	expect_quiet(bench);
}

static void cancel(struct fake_client *client, uint64_t id)
{
	struct packet packet = {.kind = PACKET_CANCEL};
	packet.cancel.id = id;
	fake_send(client, &packet);
}

static void test_once_is_cancelled_when_nobody_waits_any_more(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	call(bench->ann, 2, "k", FAKE_HELLO);
	uint64_t id = taken(bench);
	cancel(bench->ann, 1);
	expect(bench->ann, 1, LYC_CANCELLED, false);
	fake_expect_nothing(bench->board);
	cancel(bench->ann, 2);
	expect(bench->ann, 2, LYC_CANCELLED, false);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	/* What the plugin makes of that is remembered. */
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_settle(bench->world);
	call(bench->ann, 3, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 3, LYC_OK, true);
	/* Before its mark is on the disk it does not begin, and the key stays free. */
	call(bench->ann, 4, "early", FAKE_HELLO);
	cancel(bench->ann, 4);
	expect(bench->ann, 4, LYC_CANCELLED, false);
	expect_quiet(bench);
	run_one(bench, 5, "early");
	restart(bench, true);
	call(bench->ann, 6, "early", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 6, LYC_OK, true);
}

static void test_once_ends_at_its_deadline_and_is_not_run_again(void **state)
{
	struct call_bench *bench = *state;
	fake_call(bench->ann, 1,
		  &(struct packet_call){.idempotency_key = fake_text("k"),
					.body = FAKE_HELLO,
					.timeout_ms = 100});
	uint64_t id = taken(bench);
	fake_pass(bench->world, 200);
	assert_int_equal(fake_expect(bench->board, PACKET_CANCEL)->cancel.id, id);
	expect(bench->ann, 1, LYC_DEADLINE_EXCEEDED, false);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 2, LYC_DEADLINE_EXCEEDED, true);
	expect_quiet(bench);
}

static void test_once_has_bounds_and_says_so(void **state)
{
	struct call_bench *bench = *state;
	struct remembered *remembered = &bench->node->daemon.router.once.remembered;
	remembered->limits.max_keys_of_one = 2;
	remembered->limits.keep_ms = 2000;
	run_one(bench, 1, "a");
	run_one(bench, 2, "b");
	call(bench->ann, 3, "c", FAKE_HELLO);
	expect(bench->ann, 3, LYC_RESOURCE_EXHAUSTED, false);
	/* What is remembered is not affected, nor what comes without a key. */
	call(bench->ann, 4, "a", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 4, LYC_OK, true);
	remembered->limits.max_keys_of_one = 100;
	remembered->limits.max_len = remembered->len;
	call(bench->ann, 5, "c", FAKE_HELLO);
	expect(bench->ann, 5, LYC_RESOURCE_EXHAUSTED, false);
	/* After the stated time the key is forgotten, and the call runs again. */
	fake_pass(bench->world, 2000);
	run_one(bench, 6, "a");
	assert_int_equal(remembered->count, 1);
	expect_quiet(bench);
}

static void test_once_does_not_run_what_it_cannot_mark(void **state)
{
	struct call_bench *bench = *state;
	bench->node->append_status = LYC_RESOURCE_EXHAUSTED;
	call(bench->ann, 1, "k", FAKE_HELLO);
	fake_settle(bench->world);
	expect(bench->ann, 1, LYC_RESOURCE_EXHAUSTED, false);
	bench->node->append_status = LYC_OK;
	expect_quiet(bench);
	/* Nor what nobody serves by then. */
	struct packet packet = {.kind = PACKET_GOODBYE};
	call(bench->ann, 2, "k", FAKE_HELLO);
	fake_send(bench->board, &packet);
	fake_settle(bench->world);
	const struct packet *refusal = fake_expect(bench->ann, PACKET_REPLY);
	assert_false(refusal->reply.remembered);
	assert_int_equal(refusal->reply.status, LYC_UNIMPLEMENTED);
	bench->board = fake_board_add(bench->node, "board");
	run_one(bench, 3, "k");
}

static void test_once_reply_that_cannot_be_kept_is_given_and_not_run_again(void **state)
{
	struct call_bench *bench = *state;
	call(bench->ann, 1, "k", FAKE_HELLO);
	uint64_t id = taken(bench);
	bench->node->append_status = LYC_RESOURCE_EXHAUSTED;
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_settle(bench->world);
	bench->node->append_status = LYC_OK;
	expect(bench->ann, 1, LYC_OK, false);
	call(bench->ann, 2, "k", FAKE_HELLO);
	expect(bench->ann, 2, LYC_UNKNOWN, true);
	expect_quiet(bench);
}

static void test_once_takes_no_streams_and_no_long_keys(void **state)
{
	struct call_bench *bench = *state;
	char wide[130];
	memset(wide, 'k', sizeof(wide));
	wide[129] = '\0';
	call(bench->ann, 1, wide, FAKE_HELLO);
	expect(bench->ann, 1, LYC_INVALID_ARGUMENT, false);
	fake_call(bench->ann, 2,
		  &(struct packet_call){.method = fake_text("lyceum.notice.v1.Board/Watch"),
					.idempotency_key = fake_text("k")});
	expect(bench->ann, 2, LYC_INVALID_ARGUMENT, false);
	fake_call(bench->ann, 3,
		  &(struct packet_call){.method = fake_text("lyceum.v1.Node/Status"),
					.idempotency_key = fake_text("k")});
	expect(bench->ann, 3, LYC_INVALID_ARGUMENT, false);
	expect_quiet(bench);
}

/* Nobody is sent what the daemon remembers, and nobody writes it. */
static void test_once_keeps_its_records_to_itself(void **state)
{
	struct call_bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	struct packet packet = {.kind = PACKET_PUBLISH};
	uint64_t before = bench->node->daemon.stream.last_seq;
	fake_subscribe(root, &(struct packet_subscribe){
				     .id = 1, .pattern = fake_text(">"), .credit = 100000});
	run_one(bench, 1, "k");
	assert_int_equal(bench->node->daemon.stream.last_seq, before + 2);
	fake_expect_nothing(root);
	fake_subscribe(root, &(struct packet_subscribe){.id = 2,
							.pattern = fake_text("lyceum.v1.>"),
							.start = SUBSCRIBE_SEQ,
							.from = before + 1,
							.credit = 100000});
	fake_settle(bench->world);
	assert_int_equal(fake_expect(root, PACKET_GAP)->gap.seq, before + 2);
	static const char *const subjects[] = {"lyceum.v1.KeyedCall", "lyceum.v1.KeyedCall.hub"};
	for (size_t i = 0; i < 2; i++) {
		packet.publish = (struct packet_publish){.id = 1 + i,
							 .subject = fake_text(subjects[i]),
							 .body = span_of("\x0a\x03hub", 5),
							 .durable = true};
		fake_send(root, &packet);
		assert_int_equal(fake_expect(root, PACKET_ACK)->ack.status, LYC_PERMISSION_DENIED);
	}
}

/* The link breaks while the call runs: the same call finds its reply at the home. */
static void test_once_finds_its_reply_behind_the_hub(void **state)
{
	struct call_bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	fake_pass(bench->world, 100);
	struct fake_client *joe = fake_client_add(wales, "ann");
	struct packet_call there = {.at = fake_text("hub"),
				    .idempotency_key = fake_text("k"),
				    .body = FAKE_HELLO,
				    .timeout_ms = 60000};
	fake_call(joe, 1, &there);
	uint64_t id = taken(bench);
	fake_cut(wales);
	daemon_uplink_cut(&wales->daemon);
	daemon_turn(&wales->daemon);
	const struct packet *packet = fake_expect(joe, PACKET_REPLY);
	assert_int_equal(packet->reply.status, LYC_UNAVAILABLE);
	assert_false(packet->reply.remembered);
	fake_answer(bench->board, id, FAKE_HELLO, false);
	fake_pass(bench->world, 3000);
	fake_call(joe, 2, &there);
	fake_settle(bench->world);
	expect(joe, 2, LYC_OK, true);
	fake_expect_nothing(bench->board);
	/* Nothing of it has left the hub. */
	assert_null(memmem(wales->seen_down.data, wales->seen_down.len, "KeyedCall.hub", 13));
}

int main(void)
{
#define ONCE_TEST(name) cmocka_unit_test_setup_teardown(name, call_bench_setup, call_bench_teardown)
	const struct CMUnitTest tests[] = {
		ONCE_TEST(test_once_marks_before_it_runs_and_keeps_before_it_answers),
		ONCE_TEST(test_once_gives_the_same_reply_again),
		ONCE_TEST(test_once_refuses_another_call_with_the_same_key),
		ONCE_TEST(test_once_second_call_waits_for_the_first),
		ONCE_TEST(test_once_remembers_across_a_restart),
		ONCE_TEST(test_once_does_not_run_again_what_was_started_before_a_crash),
		ONCE_TEST(test_once_reply_that_a_crash_took_is_not_known),
		ONCE_TEST(test_once_erasure_takes_the_replies_with_it),
		ONCE_TEST(test_once_reply_of_a_call_from_before_an_erasure_is_not_kept),
		ONCE_TEST(test_once_reply_on_its_way_goes_with_an_erasure),
		ONCE_TEST(test_once_plugin_that_dies_leaves_the_outcome_unknown),
		ONCE_TEST(test_once_remembers_a_failure_of_the_plugin),
		ONCE_TEST(test_once_runs_on_when_its_caller_has_gone),
		ONCE_TEST(test_once_is_cancelled_when_nobody_waits_any_more),
		ONCE_TEST(test_once_ends_at_its_deadline_and_is_not_run_again),
		ONCE_TEST(test_once_has_bounds_and_says_so),
		ONCE_TEST(test_once_does_not_run_what_it_cannot_mark),
		ONCE_TEST(test_once_reply_that_cannot_be_kept_is_given_and_not_run_again),
		ONCE_TEST(test_once_takes_no_streams_and_no_long_keys),
		ONCE_TEST(test_once_keeps_its_records_to_itself),
		ONCE_TEST(test_once_finds_its_reply_behind_the_hub),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

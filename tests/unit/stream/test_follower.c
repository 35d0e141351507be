/* Followers: every record once and in order, whether live or behind, with credit or without, after
 * a restart or a change of label. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/rng.h"
#include "fake_world.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static const char notices[] = "lyceum.notice.v1.Notice.>";

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *root;
	struct fake_client *ann;
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	bench->root = fake_client_add(bench->node, "root");
	bench->ann = fake_client_add(bench->node, "ann");
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

static void follow(struct fake_client *client, struct packet_subscribe subscribe)
{
	subscribe.id = 5;
	if (subscribe.pattern.len == 0)
		subscribe.pattern = fake_text(notices);
	fake_subscribe(client, &subscribe);
}

static void consumed(struct fake_client *client, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = 5, .value = seq};
	fake_send(client, &packet);
}

static void post(struct bench *bench, const char *id, int visibility)
{
	fake_post(bench->root, 0, id, "text", visibility, NULL);
	fake_settle(bench->world);
}

static void post_text(struct bench *bench, const char *id, const char *text)
{
	fake_post(bench->root, 0, id, text, MEMBERS, NULL);
	fake_settle(bench->world);
}

/* How many have come, each the one after `seen`. */
static size_t count_deliveries(struct fake_client *client, uint64_t *seen)
{
	const struct packet *packet;
	size_t count = 0;
	while ((packet = fake_next(client))) {
		if (packet->kind != PACKET_DELIVER)
			continue;
		assert_int_equal(packet->deliver.seq, ++*seen);
		count++;
	}
	return count;
}

/* The next record; word of how far the log is may come before. */
static void expect_deliver(struct fake_client *client, uint64_t seq)
{
	const struct packet *packet = fake_next(client);
	while (packet && packet->kind == PACKET_GAP && packet->gap.missed == 0)
		packet = fake_next(client);
	assert_non_null(packet);
	assert_int_equal(packet->kind, PACKET_DELIVER);
	assert_int_equal(packet->deliver.id, 5);
	assert_int_equal(packet->deliver.seq, seq);
	assert_int_equal(packet->deliver.origin_seq, seq);
}

static void expect_gap(struct fake_client *client, uint64_t missed, uint64_t seq)
{
	const struct packet *packet = fake_expect(client, PACKET_GAP);
	assert_int_equal(packet->gap.id, 5);
	assert_int_equal(packet->gap.missed, missed);
	assert_int_equal(packet->gap.seq, seq);
}

static void test_follower_from_a_sequence_catches_up_and_goes_on_live(void **state)
{
	struct bench *bench = *state;
	for (int i = 0; i < 5; i++)
		post(bench, "a", MEMBERS);
	follow(bench->ann,
	       (struct packet_subscribe){.start = SUBSCRIBE_SEQ, .from = 3, .credit = 100000});
	/* A record is committed while its read is under way. */
	fake_post(bench->root, 0, "b", "text", MEMBERS, NULL);
	fake_commit(bench->node, 1);
	fake_expect_nothing(bench->ann);
	fake_settle(bench->world);
	for (uint64_t seq = 3; seq <= 6; seq++)
		expect_deliver(bench->ann, seq);
	while (fake_next(bench->ann))
		continue;
	post(bench, "c", MEMBERS);
	expect_deliver(bench->ann, 7);
}

static uint64_t wall(const struct bench *bench)
{
	return bench->node->env.wall_ms(bench->node->env.world);
}

/* Also after a restart, before and behind all records, and where nothing came since. */
static void test_follower_from_a_time_begins_with_its_first_record(void **state)
{
	struct bench *bench = *state;
	uint64_t begin = wall(bench);
	for (int i = 0; i < 5; i++) {
		post(bench, "a", MEMBERS);
		fake_pass(bench->world, 100);
	}
	for (int round = 0; round < 2; round++) {
		struct packet_subscribe since = {
			.start = SUBSCRIBE_TIME, .from = begin + 200, .credit = 100000};
		follow(bench->ann, since);
		fake_settle(bench->world);
		for (uint64_t seq = 3; seq <= 5; seq++)
			expect_deliver(bench->ann, seq);
		expect_gap(bench->ann, 0, 5);
		fake_expect_nothing(bench->ann);
		struct fake_client *second = fake_client_add(bench->node, "ann");
		since.from = begin + 201;
		follow(second, since);
		fake_settle(bench->world);
		expect_deliver(second, 4);
		struct fake_client *third = fake_client_add(bench->node, "ann");
		since.from = wall(bench);
		follow(third, since);
		fake_settle(bench->world);
		expect_gap(third, 0, 5);
		fake_expect_nothing(third);
		if (round == 0) {
			fake_node_restart(bench->node);
			bench->root = fake_client_add(bench->node, "root");
			bench->ann = fake_client_add(bench->node, "ann");
		}
	}
	/* From here on it is like any other. */
	post(bench, "b", MEMBERS);
	expect_deliver(bench->ann, 6);
}

static void test_follower_learns_how_far_the_log_is_where_nothing_was_for_it(void **state)
{
	struct bench *bench = *state;
	follow(bench->ann,
	       (struct packet_subscribe){.records_only = true,
					 .credit = 100000,
					 .pattern = fake_text("lyceum.notice.v1.Remark.>")});
	fake_settle(bench->world);
	expect_gap(bench->ann, 0, 0);
	post(bench, "a", MEMBERS);
	post(bench, "b", MEMBERS);
	expect_gap(bench->ann, 0, 1);
	expect_gap(bench->ann, 0, 2);
	fake_expect_nothing(bench->ann);
}

static void test_follower_of_the_last_gets_each_subject_once(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", MEMBERS);
	post(bench, "b", MEMBERS);
	post(bench, "a", MEMBERS);
	follow(bench->ann, (struct packet_subscribe){.start = SUBSCRIBE_LAST, .credit = 100000});
	fake_settle(bench->world);
	expect_deliver(bench->ann, 2);
	expect_deliver(bench->ann, 3);
	post(bench, "b", MEMBERS);
	expect_deliver(bench->ann, 4);
}

static void test_follower_without_credit_waits_and_misses_nothing(void **state)
{
	struct bench *bench = *state;
	follow(bench->ann, (struct packet_subscribe){.records_only = true, .credit = 1});
	fake_settle(bench->world);
	expect_gap(bench->ann, 0, 0);
	for (int i = 0; i < 6; i++)
		post(bench, "a", MEMBERS);
	/* One is sent on a credit of one byte; the others wait in the log. */
	expect_deliver(bench->ann, 1);
	fake_expect_nothing(bench->ann);
	for (uint64_t seq = 1; seq < 6; seq++) {
		consumed(bench->ann, seq);
		fake_settle(bench->world);
		expect_deliver(bench->ann, seq + 1);
		fake_expect_nothing(bench->ann);
	}
	consumed(bench->ann, 6);
	post(bench, "a", MEMBERS);
	expect_deliver(bench->ann, 7);
}

static void test_follower_sees_what_its_principal_may(void **state)
{
	struct bench *bench = *state;
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	while (fake_next(wales))
		continue;
	follow(bench->ann, (struct packet_subscribe){.records_only = true, .credit = 100000});
	post(bench, "a", PRIVATE);
	while (fake_next(bench->ann))
		continue;
	/* ann is of this home; a node's link takes copies, no deliveries. */
	follow(wales, (struct packet_subscribe){.credit = 100000});
	post(bench, "a", PRIVATE);
	expect_deliver(bench->ann, 2);
	const struct packet *packet;
	while ((packet = fake_next(wales)))
		assert_int_not_equal(packet->kind, PACKET_DELIVER);
}

/* What all may see is written once; its credit is each one's own. What one may not see is judged
 * for each. */
static void test_follower_gets_what_others_get_as_its_own(void **state)
{
	struct bench *bench = *state;
	struct fake_client *wales = fake_client_add(bench->node, "wales");
	struct fake_client *followers[] = {bench->ann, bench->root};
	while (fake_next(bench->root) || fake_next(wales))
		continue;
	follow(bench->ann, (struct packet_subscribe){.records_only = true, .credit = 100000});
	follow(bench->root, (struct packet_subscribe){.start = SUBSCRIBE_SEQ, .credit = 1});
	post(bench, "a", PUBLIC);
	post(bench, "b", MEMBERS);
	for (size_t i = 0; i < 2; i++) {
		const struct packet *packet = fake_next(followers[i]);
		while (packet && packet->kind != PACKET_DELIVER)
			packet = fake_next(followers[i]);
		assert_non_null(packet);
		assert_int_equal(packet->deliver.id, 5);
		assert_int_equal(packet->deliver.seq, 1);
		assert_int_equal(packet->deliver.origin_seq, 1);
		assert_true(packet->deliver.time_ms > 0 && packet->deliver.epoch > 0);
		assert_true(span_is(packet->deliver.origin, "hub"));
		assert_true(packet->deliver.principal.len > 0);
		assert_true(packet->deliver.schema != 0);
	}
	expect_deliver(bench->ann, 2);
	/* The first took all that it had. */
	const struct packet *packet;
	while ((packet = fake_next(bench->root)))
		assert_int_not_equal(packet->kind, PACKET_DELIVER);
	consumed(bench->root, 1);
	fake_settle(bench->world);
	expect_deliver(bench->root, 2);
}

static void test_follower_durable_goes_on_where_it_had_come(void **state)
{
	struct bench *bench = *state;
	struct packet_subscribe durable = {.durable = fake_text("index"), .credit = 100000};
	follow(bench->ann, durable);
	for (int i = 0; i < 5; i++)
		post(bench, "a", MEMBERS);
	consumed(bench->ann, 3);
	fake_pass(bench->world, 100);
	fake_node_restart(bench->node);
	bench->root = fake_client_add(bench->node, "root");
	struct fake_client *again = fake_client_add(bench->node, "ann");
	follow(again, durable);
	fake_settle(bench->world);
	expect_deliver(again, 4);
	expect_deliver(again, 5);
	/* A word about what was consumed long ago changes nothing. */
	consumed(again, 2);
	fake_pass(bench->world, 100);
	struct fake_client *third = fake_client_add(bench->node, "ann");
	follow(third, durable);
	fake_settle(bench->world);
	expect_deliver(third, 4);
	/* The name belongs to one: the former is told. */
	const struct packet *packet;
	while ((packet = fake_next(again)) && packet->kind != PACKET_UNSUBSCRIBE)
		continue;
	assert_non_null(packet);
	assert_int_equal(packet->unsubscribe.status, LYC_ABORTED);
	/* Of another person it is another name. */
	follow(bench->root, durable);
	fake_settle(bench->world);
	expect_gap(bench->root, 0, 5);
}

static void test_follower_durable_name_can_be_forgotten(void **state)
{
	struct bench *bench = *state;
	struct packet_subscribe durable = {
		.durable = fake_text("index"), .start = SUBSCRIBE_SEQ, .from = 1, .credit = 100000};
	post(bench, "a", MEMBERS);
	follow(bench->ann, durable);
	fake_settle(bench->world);
	expect_deliver(bench->ann, 1);
	consumed(bench->ann, 1);
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	packet.unsubscribe = (struct packet_unsubscribe){.id = 5, .forget = true};
	fake_send(bench->ann, &packet);
	follow(bench->ann, durable);
	fake_settle(bench->world);
	while (fake_next(bench->ann)->kind == PACKET_GAP)
		continue;
	assert_int_equal(bench->ann->packet.kind, PACKET_DELIVER);
	assert_int_equal(bench->ann->packet.deliver.seq, 1);
}

/* Whoever may not see the record any more learns that, and nothing of who hid it. */
static void test_follower_withdrawal_by_narrowing_names_nobody(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_client *there = fake_client_add(wales, "root");
	fake_pass(bench->world, 200);
	follow(bench->ann, (struct packet_subscribe){.records_only = true, .credit = 100000});
	fake_post(there, 0, "a", "text", MEMBERS, NULL);
	fake_pass(bench->world, 200);
	const struct packet *packet = fake_expect(bench->ann, PACKET_GAP);
	packet = fake_expect(bench->ann, PACKET_DELIVER);
	assert_false(packet->deliver.removed);
	assert_true(span_is(packet->deliver.principal, "wales"));
	fake_post(there, 0, "a", "text", AUDIENCE, "cork");
	fake_pass(bench->world, 200);
	packet = fake_expect(bench->ann, PACKET_DELIVER);
	assert_true(packet->deliver.removed);
	assert_int_equal(packet->deliver.body.len, 0);
	assert_int_equal(packet->deliver.principal.len, 0);
}

static void fail_read(struct fake_node *node)
{
	struct log_read *read = node->reads;
	assert_non_null(read);
	node->reads = read->next;
	read->status = LYC_DATA_LOSS;
	snprintf(read->text, sizeof(read->text), "the log is damaged");
	read->on_done(read);
	daemon_turn(&node->daemon);
}

static void test_follower_that_cannot_read_ends(void **state)
{
	struct bench *bench = *state;
	struct packet_subscribe from = {.start = SUBSCRIBE_SEQ, .from = 1, .credit = 100000};
	post(bench, "a", MEMBERS);
	follow(bench->ann, from);
	fail_read(bench->node);
	const struct packet *packet = fake_expect(bench->ann, PACKET_UNSUBSCRIBE);
	assert_int_equal(packet->unsubscribe.id, 5);
	assert_int_equal(packet->unsubscribe.status, LYC_DATA_LOSS);
	post(bench, "b", MEMBERS);
	fake_expect_nothing(bench->ann);
	follow(bench->ann, from);
	fake_settle(bench->world);
	expect_deliver(bench->ann, 1);
	expect_deliver(bench->ann, 2);
}

/* The last of each subject is where it begins; from there on it gets every record. */
static void test_follower_of_the_last_that_falls_behind_skips_nothing(void **state)
{
	struct bench *bench = *state;
	follow(bench->ann, (struct packet_subscribe){.start = SUBSCRIBE_LAST, .credit = 1});
	fake_settle(bench->world);
	for (int i = 0; i < 5; i++)
		post(bench, "a", MEMBERS);
	for (uint64_t seq = 1; seq <= 5; seq++) {
		expect_deliver(bench->ann, seq);
		consumed(bench->ann, seq);
		fake_settle(bench->world);
	}
}

/* While it is still at the beginning, what it has been given is taken away, and then there is a
 * later record that is not for it: that one does not stand for the withdrawal. */
static void test_follower_of_the_last_learns_of_a_withdrawal_meanwhile(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", MEMBERS);
	post(bench, "b", MEMBERS);
	follow(bench->ann, (struct packet_subscribe){.start = SUBSCRIBE_LAST, .credit = 1});
	fake_settle(bench->world);
	expect_deliver(bench->ann, 1);
	for (int i = 0; i < 2; i++) {
		fake_post(bench->root, 0, "a", "for eve", AUDIENCE, "eve@hub");
		fake_settle(bench->world);
	}
	consumed(bench->ann, 1);
	fake_settle(bench->world);
	expect_deliver(bench->ann, 2);
	consumed(bench->ann, 2);
	fake_settle(bench->world);
	const struct packet *packet = fake_expect(bench->ann, PACKET_DELIVER);
	assert_int_equal(packet->deliver.seq, 3);
	assert_true(packet->deliver.removed);
}

static void test_follower_from_beyond_the_log_begins_at_its_end(void **state)
{
	struct bench *bench = *state;
	post(bench, "a", MEMBERS);
	follow(bench->ann, (struct packet_subscribe){
				   .start = SUBSCRIBE_SEQ, .from = UINT64_MAX, .credit = 100000});
	fake_settle(bench->world);
	expect_gap(bench->ann, 0, 1);
	post(bench, "b", MEMBERS);
	expect_deliver(bench->ann, 2);
}

/* After a restore from a backup the sequences are given anew: a position of before says nothing of
 * them. */
static void test_follower_durable_position_of_a_former_epoch_skips_nothing(void **state)
{
	struct bench *bench = *state;
	struct packet_subscribe durable = {.durable = fake_text("index"), .credit = 100000};
	follow(bench->ann, durable);
	for (int i = 0; i < 6; i++)
		post(bench, "a", MEMBERS);
	consumed(bench->ann, 6);
	fake_pass(bench->world, 100);
	for (; bench->node->record_count > 2; bench->node->record_count--) {
		buf_fini(&bench->node->records[bench->node->record_count - 1].subject);
		buf_fini(&bench->node->records[bench->node->record_count - 1].record);
	}
	bench->node->epoch += 1000;
	fake_node_restart(bench->node);
	bench->root = fake_client_add(bench->node, "root");
	post(bench, "b", MEMBERS);
	struct fake_client *again = fake_client_add(bench->node, "ann");
	follow(again, durable);
	fake_settle(bench->world);
	uint64_t last = 0;
	const struct packet *packet;
	while ((packet = fake_next(again))) {
		if (packet->kind == PACKET_DELIVER)
			last = packet->deliver.seq;
	}
	assert_int_equal(last, 3);
}

/* Random commits, reads, credit and new subscriptions: never twice, never out of order, nothing
 * left out at the end. */
static void test_follower_gets_everything_once_whatever_the_timing(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 60; seed++) {
		struct fake_world *world = fake_world_new(seed);
		struct fake_node *node = fake_node_add(world, "hub", NULL);
		struct fake_client *root = fake_client_add(node, "root");
		struct fake_client *ann = fake_client_add(node, "ann");
		uint64_t seen = 0;
		/* Every second seed reads ahead: short stretches, and credit for several. */
		node->max_read_len = seed % 2 == 0 ? 150 : 0;
		follow(ann, (struct packet_subscribe){.start = SUBSCRIBE_SEQ,
						      .credit = seed % 2 == 0 ? 2000 : 300});
		for (int step = 0; step < 300; step++) {
			uint64_t what = rng_below(&world->rng, 4);
			if (what == 0 && step < 250)
				fake_post(root, 0, "a", "text", MEMBERS, NULL);
			else if (what == 1)
				fake_commit(node, 1 + rng_below(&world->rng, 3));
			else if (what == 2)
				fake_serve(node, 1);
			else if (seen > 0)
				consumed(ann, seen - rng_below(&world->rng, seen < 3 ? seen : 3));
			daemon_turn(&node->daemon);
			if (step > 290)
				fake_settle(world);
			const struct packet *packet;
			while ((packet = fake_next(ann))) {
				if (packet->kind != PACKET_DELIVER)
					continue;
				if (packet->deliver.seq != seen + 1)
					fail_msg("seed %llu: %llu after %llu",
						 (unsigned long long)seed,
						 (unsigned long long)packet->deliver.seq,
						 (unsigned long long)seen);
				seen++;
			}
		}
		for (int round = 0; round < 300 && seen < node->record_count; round++) {
			consumed(ann, seen);
			fake_settle(world);
			const struct packet *packet;
			while ((packet = fake_next(ann)))
				seen += packet->kind == PACKET_DELIVER;
		}
		if (seen != node->record_count)
			fail_msg("seed %llu: %llu of %zu", (unsigned long long)seed,
				 (unsigned long long)seen, node->record_count);
		fake_world_free(world);
	}
}

/* Records of which one stretch of the log has about thirty: while these are sent the next are read,
 * as far as the credit reaches. */
static void test_follower_reads_ahead_and_gets_everything_once(void **state)
{
	enum { COUNT = 120, LEN = 9000 };
	struct bench *bench = *state;
	char text[LEN + 1];
	uint64_t seen = 0;
	memset(text, 'x', LEN);
	text[LEN] = '\0';
	for (int i = 0; i < COUNT; i++)
		post_text(bench, "a", text);
	follow(bench->ann,
	       (struct packet_subscribe){.start = SUBSCRIBE_SEQ, .from = 1, .credit = 80u * LEN});
	fake_serve(bench->node, 1);
	daemon_turn(&bench->node->daemon);
	size_t first = count_deliveries(bench->ann, &seen);
	assert_in_range(first, 20, 40);
	/* The second stretch is asked for already. */
	assert_int_equal(fake_serve(bench->node, 1), 1);
	daemon_turn(&bench->node->daemon);
	assert_int_equal(count_deliveries(bench->ann, &seen), first);
	for (int round = 0; round < COUNT && seen < COUNT; round++) {
		consumed(bench->ann, seen);
		fake_settle(bench->world);
		count_deliveries(bench->ann, &seen);
	}
	assert_int_equal(seen, COUNT);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_follower_from_a_sequence_catches_up_and_goes_on_live),
		on_bench(test_follower_from_a_time_begins_with_its_first_record),
		on_bench(test_follower_learns_how_far_the_log_is_where_nothing_was_for_it),
		on_bench(test_follower_of_the_last_gets_each_subject_once),
		on_bench(test_follower_without_credit_waits_and_misses_nothing),
		on_bench(test_follower_sees_what_its_principal_may),
		on_bench(test_follower_gets_what_others_get_as_its_own),
		on_bench(test_follower_durable_goes_on_where_it_had_come),
		on_bench(test_follower_durable_name_can_be_forgotten),
		on_bench(test_follower_durable_position_of_a_former_epoch_skips_nothing),
		on_bench(test_follower_withdrawal_by_narrowing_names_nobody),
		on_bench(test_follower_that_cannot_read_ends),
		on_bench(test_follower_of_the_last_that_falls_behind_skips_nothing),
		on_bench(test_follower_of_the_last_learns_of_a_withdrawal_meanwhile),
		on_bench(test_follower_from_beyond_the_log_begins_at_its_end),
		on_bench(test_follower_reads_ahead_and_gets_everything_once),
		cmocka_unit_test(test_follower_gets_everything_once_whatever_the_timing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

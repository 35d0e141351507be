/* A group of records: each to one member, a subject always to the same, and what a member leaves
 * unhandled to the others, also when all have gone and the daemon with them. */
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

#define MEMBERS 3
#define MAX_RECORDS 400

static const char notices[] = "lyceum.notice.v1.Notice.>";

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *root;
	struct fake_client *ann[MEMBERS];
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	bench->root = fake_client_add(bench->node, "root");
	for (int i = 0; i < MEMBERS; i++)
		bench->ann[i] = fake_client_add(bench->node, "ann");
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

static void join(struct fake_client *client, uint64_t credit)
{
	fake_subscribe(client, &(struct packet_subscribe){.id = 5,
							  .pattern = fake_text(notices),
							  .group = fake_text("workers"),
							  .durable = fake_text("desk"),
							  .credit = credit});
}

static void post(struct bench *bench, unsigned subject)
{
	char id[20];
	snprintf(id, sizeof(id), "s%u", subject);
	fake_post(bench->root, 0, id, "text", 2, NULL);
	fake_settle(bench->world);
}

static void consumed(struct fake_client *client, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = 5, .value = seq};
	fake_send(client, &packet);
}

static void leave(struct fake_client *client)
{
	struct packet packet = {.kind = PACKET_GOODBYE};
	fake_send(client, &packet);
}

/* The next Deliver, or NULL. */
static const struct packet_deliver *next(struct fake_client *client)
{
	const struct packet *packet = fake_next(client);
	while (packet && packet->kind == PACKET_GAP && packet->gap.missed == 0)
		packet = fake_next(client);
	if (!packet)
		return NULL;
	assert_int_equal(packet->kind, PACKET_DELIVER);
	return &packet->deliver;
}

static void test_group_gives_each_record_to_one_and_a_subject_to_the_same(void **state)
{
	struct bench *bench = *state;
	int who[10];
	unsigned count = 0;
	memset(who, -1, sizeof(who));
	for (int i = 0; i < MEMBERS; i++)
		join(bench->ann[i], 1000000);
	for (unsigned i = 0; i < 100; i++)
		post(bench, i % 10);
	bool has_some[MEMBERS] = {0};
	for (int i = 0; i < MEMBERS; i++) {
		const struct packet_deliver *deliver;
		uint64_t last = 0;
		while ((deliver = next(bench->ann[i]))) {
			unsigned subject = deliver->subject.data[deliver->subject.len - 1] - '0';
			assert_true(who[subject] < 0 || who[subject] == i);
			assert_true(deliver->seq > last);
			last = deliver->seq;
			who[subject] = i;
			has_some[i] = true;
			count++;
		}
	}
	assert_int_equal(count, 100);
	assert_true(has_some[0] + has_some[1] + has_some[2] >= 2);
}

static void test_group_gives_what_a_member_leaves_to_the_others(void **state)
{
	struct bench *bench = *state;
	const struct packet_deliver *deliver;
	uint64_t handled[MEMBERS] = {0};
	bool is_done[101] = {0};
	for (int i = 0; i < MEMBERS; i++)
		join(bench->ann[i], 1000000);
	for (unsigned i = 0; i < 100; i++)
		post(bench, i % 10);
	/* Each handles its first five; then one dies. */
	for (int i = 0; i < MEMBERS; i++) {
		for (int k = 0; k < 5 && (deliver = next(bench->ann[i])); k++) {
			handled[i] = deliver->seq;
			is_done[deliver->seq] = true;
		}
		if (handled[i])
			consumed(bench->ann[i], handled[i]);
	}
	leave(bench->ann[0]);
	fake_settle(bench->world);
	unsigned again = 0;
	for (int i = 1; i < MEMBERS; i++) {
		while ((deliver = next(bench->ann[i]))) {
			assert_false(is_done[deliver->seq]);
			is_done[deliver->seq] = true;
			again++;
			/* An older one may come behind a newer: the last handled counts. */
			consumed(bench->ann[i], deliver->seq);
		}
	}
	for (uint64_t seq = 1; seq <= 100; seq++)
		assert_true(is_done[seq]);
	assert_true(again >= 85);
	/* All is handled: a new group finds nothing, also after a restart. */
	fake_pass(bench->world, 100);
	fake_node_restart(bench->node);
	struct fake_client *late = fake_client_add(bench->node, "ann");
	join(late, 1000000);
	fake_settle(bench->world);
	assert_null(next(late));
}

static void test_group_has_one_durable_place(void **state)
{
	struct bench *bench = *state;
	const struct packet_deliver *deliver;
	join(bench->ann[0], 1000000);
	for (unsigned i = 0; i < 20; i++)
		post(bench, i);
	for (int i = 0; i < 8; i++)
		deliver = next(bench->ann[0]);
	assert_int_equal(deliver->seq, 8);
	consumed(bench->ann[0], 8);
	fake_pass(bench->world, 100);
	fake_node_restart(bench->node);
	bench->root = fake_client_add(bench->node, "root");
	/* Two others go on where it was. */
	bool is_done[23] = {0};
	for (int i = 1; i < MEMBERS; i++) {
		bench->ann[i] = fake_client_add(bench->node, "ann");
		join(bench->ann[i], 1000000);
	}
	for (unsigned i = 20; i < 22; i++)
		post(bench, i);
	fake_settle(bench->world);
	for (int i = 1; i < MEMBERS; i++) {
		while ((deliver = next(bench->ann[i]))) {
			assert_false(is_done[deliver->seq]);
			is_done[deliver->seq] = true;
		}
	}
	for (uint64_t seq = 1; seq <= 22; seq++)
		assert_int_equal(is_done[seq], seq > 8);
	/* Somebody else's group of that name is another. */
	struct fake_client *root = fake_client_add(bench->node, "root");
	join(root, 1000000);
	fake_settle(bench->world);
	assert_null(next(root));
}

static void test_group_refuses_members_that_differ(void **state)
{
	struct bench *bench = *state;
	join(bench->ann[0], 1000);
	const struct packet_subscribe wrong[] = {
		{.pattern = fake_text("lyceum.notice.v1.>"), .durable = fake_text("desk")},
		{.pattern = fake_text(notices), .durable = fake_text("other")},
		{.pattern = fake_text(notices), .start = SUBSCRIBE_SEQ},
		{.pattern = fake_text(notices),
		 .durable = fake_text("desk"),
		 .start = SUBSCRIBE_LAST},
	};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct packet_subscribe subscribe = wrong[i];
		subscribe.id = 10 + i;
		subscribe.group = fake_text("workers");
		fake_subscribe(bench->ann[1], &subscribe);
		const struct packet *packet = fake_expect(bench->ann[1], PACKET_UNSUBSCRIBE);
		assert_int_equal(packet->unsubscribe.id, 10 + i);
		assert_int_equal(packet->unsubscribe.status, LYC_INVALID_ARGUMENT);
	}
}

/* Of this moment, kept for nobody: records and messages alike go to one. */
static void test_group_of_the_moment_shares_records_too(void **state)
{
	struct bench *bench = *state;
	unsigned count = 0;
	for (int i = 0; i < MEMBERS; i++)
		fake_subscribe(bench->ann[i],
			       &(struct packet_subscribe){.id = 5,
							  .pattern = fake_text(notices),
							  .group = fake_text("workers"),
							  .credit = 1000000});
	for (unsigned i = 0; i < 30; i++)
		post(bench, i % 10);
	for (int i = 0; i < MEMBERS; i++) {
		while (next(bench->ann[i]))
			count++;
	}
	assert_int_equal(count, 30);
}

/* Members come, go, dawdle and crash in any order: every record is handled in the end. */
static void test_group_loses_nothing_whatever_its_members_do(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 20; seed++) {
		struct bench *bench;
		setup((void **)&bench);
		struct rng rng;
		bool is_done[MAX_RECORDS + 1] = {0};
		bool is_in[MEMBERS] = {0};
		unsigned posted = 0;
		rng_init(&rng, seed);
		for (int step = 0; step < 150; step++) {
			unsigned i = (unsigned)rng_below(&rng, MEMBERS);
			unsigned what = (unsigned)rng_below(&rng, 10);
			const struct packet_deliver *deliver;
			if (what < 5 && posted < MAX_RECORDS) {
				post(bench, (unsigned)rng_below(&rng, 12));
				posted++;
			} else if (what < 6 && is_in[i]) {
				struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
				packet.unsubscribe.id = 5;
				fake_send(bench->ann[i], &packet);
				while (fake_next(bench->ann[i]))
					continue;
				is_in[i] = false;
			} else if (what < 8 && !is_in[i]) {
				join(bench->ann[i], 200 + rng_below(&rng, 2000));
				is_in[i] = true;
			} else if (is_in[i] && (deliver = next(bench->ann[i]))) {
				is_done[deliver->seq] = true;
				consumed(bench->ann[i], deliver->seq);
			}
			if (rng_below(&rng, 3))
				fake_settle(bench->world);
			else
				fake_serve(bench->node, 1);
		}
		/* The first member of all begins with what comes: so one that was there from the
		 * start is needed for the whole to be told. */
		for (int i = 0; i < MEMBERS; i++) {
			if (!is_in[i])
				join(bench->ann[i], 100000);
		}
		fake_settle(bench->world);
		uint64_t first = 0;
		for (int round = 0; round < 2000; round++) {
			bool is_idle = true;
			for (int i = 0; i < MEMBERS; i++) {
				const struct packet_deliver *deliver = next(bench->ann[i]);
				if (!deliver)
					continue;
				is_idle = false;
				is_done[deliver->seq] = true;
				consumed(bench->ann[i], deliver->seq);
				fake_settle(bench->world);
			}
			if (is_idle)
				break;
		}
		for (uint64_t seq = 1; seq <= posted; seq++) {
			if (is_done[seq] && first == 0)
				first = seq;
			if (first > 0)
				assert_true(is_done[seq]);
		}
		teardown((void **)&bench);
	}
}

int main(void)
{
#define GROUP_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		GROUP_TEST(test_group_gives_each_record_to_one_and_a_subject_to_the_same),
		GROUP_TEST(test_group_gives_what_a_member_leaves_to_the_others),
		GROUP_TEST(test_group_has_one_durable_place),
		GROUP_TEST(test_group_refuses_members_that_differ),
		GROUP_TEST(test_group_of_the_moment_shares_records_too),
		cmocka_unit_test(test_group_loses_nothing_whatever_its_members_do),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

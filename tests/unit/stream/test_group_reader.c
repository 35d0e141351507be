/* What a group's members are read from the log: as far as each one's credit goes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"

#define MEMBERS 2
#define RECORDS 100

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
	fake_subscribe(client,
		       &(struct packet_subscribe){.id = 5,
						  .pattern = fake_text("lyceum.notice.v1.Notice.>"),
						  .group = fake_text("workers"),
						  .start = SUBSCRIBE_SEQ,
						  .from = 1,
						  .credit = credit});
}

static void post_all(struct bench *bench)
{
	for (unsigned i = 0; i < RECORDS; i++) {
		char id[20];
		snprintf(id, sizeof(id), "s%u", i % 10);
		fake_post(bench->root, 0, id, "text", 2, NULL);
		fake_settle(bench->world);
	}
}

static void consumed(struct bench *bench, struct fake_client *client, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = 5, .value = seq};
	fake_send(client, &packet);
	fake_settle(bench->world);
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

/* One without credit holds back its own subjects only, and gets them in order when it reads on. */
static void test_group_reader_holds_up_only_what_has_no_credit(void **state)
{
	struct bench *bench = *state;
	const struct packet_deliver *deliver;
	unsigned fast = 0;
	unsigned slow = 0;
	uint64_t last = 0;
	join(bench->ann[0], 1);
	join(bench->ann[1], 1000000);
	post_all(bench);
	while (next(bench->ann[1]))
		fast++;
	assert_true(fast > 0 && fast < RECORDS);
	while ((deliver = next(bench->ann[0]))) {
		assert_true(deliver->seq > last);
		last = deliver->seq;
		slow++;
		consumed(bench, bench->ann[0], deliver->seq);
	}
	assert_int_equal(fast + slow, RECORDS);
}

static void test_group_reader_begins_with_what_is_in_the_log(void **state)
{
	struct bench *bench = *state;
	const struct packet_deliver *deliver;
	uint64_t seq = 0;
	post_all(bench);
	join(bench->ann[0], 100);
	fake_settle(bench->world);
	while ((deliver = next(bench->ann[0]))) {
		assert_int_equal(deliver->seq, ++seq);
		consumed(bench, bench->ann[0], seq);
	}
	assert_int_equal(seq, RECORDS);
}

int main(void)
{
#define READER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		READER_TEST(test_group_reader_holds_up_only_what_has_no_credit),
		READER_TEST(test_group_reader_begins_with_what_is_in_the_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

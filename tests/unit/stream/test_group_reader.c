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
#include "store/lost.h"

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

/* What lies at `last` says that all from `first` on is lost; of a single one it says the subject.
 */
static void lose(struct bench *bench, uint64_t first, uint64_t last)
{
	struct fake_record *record = &bench->node->records[last - 1];
	struct lost lost = {.first_seq = first, .last_seq = last};
	if (first == last)
		lost.subject = span_of(record->subject.data, record->subject.len);
	buf_clear(&record->record);
	lost_write(&record->record, &lost);
	for (uint64_t seq = first; seq < last; seq++) {
		buf_fini(&bench->node->records[seq - 1].subject);
		buf_fini(&bench->node->records[seq - 1].record);
	}
}

/* What a member was told: records, and how many are missing. */
struct told {
	unsigned delivered;
	uint64_t missed;
	uint64_t gap_seqs[RECORDS];
	unsigned gap_count;
	uint64_t last_seq;
};

/* All that lies there for it; says that it has handled what it was sent. */
static void take_all(struct bench *bench, struct fake_client *client, struct told *told)
{
	const struct packet *packet;
	while ((packet = fake_next(client))) {
		if (packet->kind == PACKET_GAP && packet->gap.missed > 0) {
			told->missed += packet->gap.missed;
			told->gap_seqs[told->gap_count++] = packet->gap.seq;
		} else if (packet->kind == PACKET_DELIVER) {
			told->delivered++;
			told->last_seq = packet->deliver.seq;
			consumed(bench, client, packet->deliver.seq);
		}
	}
}

static bool has_gap(const struct told *told, uint64_t seq)
{
	for (unsigned i = 0; i < told->gap_count; i++) {
		if (told->gap_seqs[i] == seq)
			return true;
	}
	return false;
}

/* One member is told of each, where the subject is known the one that has it. */
static void test_group_reader_tells_of_records_that_are_lost(void **state)
{
	struct bench *bench = *state;
	struct told told[MEMBERS] = {0};
	post_all(bench);
	lose(bench, 4, 4);
	lose(bench, 7, 9);
	lose(bench, RECORDS, RECORDS);
	for (int i = 0; i < MEMBERS; i++)
		join(bench->ann[i], 1000000);
	fake_settle(bench->world);
	for (int i = 0; i < MEMBERS; i++)
		take_all(bench, bench->ann[i], &told[i]);
	assert_int_equal(told[0].delivered + told[1].delivered, RECORDS - 5);
	assert_int_equal(told[0].missed + told[1].missed, 5);
	assert_int_equal(told[0].gap_count + told[1].gap_count, 3);
	int other = has_gap(&told[0], 4) ? 1 : 0;
	assert_true(has_gap(&told[!other], 4));
	assert_true(has_gap(&told[0], 9) != has_gap(&told[1], 9));
	assert_true(has_gap(&told[0], RECORDS) != has_gap(&told[1], RECORDS));
	/* The next one of that subject. */
	fake_post(bench->root, 0, "s3", "text", 2, NULL);
	fake_settle(bench->world);
	take_all(bench, bench->ann[!other], &told[!other]);
	assert_int_equal(told[!other].last_seq, RECORDS + 1);
}

/* They were whole when they were given to a member, and are damaged before it has credit. */
static void test_group_reader_tells_of_what_is_lost_while_it_waits(void **state)
{
	struct bench *bench = *state;
	struct told told = {0};
	join(bench->ann[0], 1);
	post_all(bench);
	lose(bench, 2, 2);
	lose(bench, 50, 59);
	take_all(bench, bench->ann[0], &told);
	assert_int_equal(told.delivered, RECORDS - 11);
	assert_int_equal(told.missed, 11);
	assert_int_equal(told.gap_count, 2);
	assert_true(has_gap(&told, 2) && has_gap(&told, 59));
}

int main(void)
{
#define READER_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		READER_TEST(test_group_reader_holds_up_only_what_has_no_credit),
		READER_TEST(test_group_reader_begins_with_what_is_in_the_log),
		READER_TEST(test_group_reader_tells_of_records_that_are_lost),
		READER_TEST(test_group_reader_tells_of_what_is_lost_while_it_waits),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Retention: what goes and what stays, that followers hear of it, and that a daemon which begins
 * again after a removal is where it was. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"
#include "lyceum/v1/config.pb-c.h"
#include "stream/retention.h"

enum { MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

struct bench {
	struct fake_world *world;
	void (*configure)(struct fake_node *node, Lyceum__V1__Config *config);
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_client *root; /* at the hub */
	struct fake_client *ann;

	/* The one stream of this daemon; NULL: of the hub. */
	const char *where;
	Lyceum__V1__StreamConfig stream;
	Lyceum__V1__StreamConfig *streams[1];
	char *subjects[1];
	Lyceum__V1__Acknowledgement acknowledgement;
	char *durable[1];
};

static struct bench *the_bench;

static void configure(struct fake_node *node, Lyceum__V1__Config *config)
{
	struct bench *bench = the_bench;
	bench->configure(node, config);
	if (strcmp(node->name, bench->where ? bench->where : "hub") != 0)
		return;
	config->streams = bench->streams;
	config->n_streams = 1;
}

static int setup(void **state)
{
	struct bench *bench = the_bench = mem_new(struct bench);
	lyceum__v1__stream_config__init(&bench->stream);
	lyceum__v1__acknowledgement__init(&bench->acknowledgement);
	bench->streams[0] = &bench->stream;
	bench->subjects[0] = (char *)(uintptr_t) "lyceum.notice.v1.>";
	bench->stream.name = (char *)(uintptr_t) "notices";
	bench->stream.subjects = bench->subjects;
	bench->stream.n_subjects = 1;
	bench->stream.check_every = (char *)(uintptr_t) "1s";
	bench->world = fake_world_new(1);
	bench->configure = bench->world->hooks.configure;
	bench->world->hooks.configure = configure;
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

static void start(struct bench *bench)
{
	bench->hub = fake_node_add(bench->world, "hub", NULL);
	bench->root = fake_client_add(bench->hub, "root");
	bench->ann = fake_client_add(bench->hub, "ann");
}

static void post(struct bench *bench, const char *id, const char *text)
{
	fake_post(bench->root, 0, id, text, MEMBERS, NULL);
	fake_settle(bench->world);
}

/* What the log has of the notice, by its sequence; 0: nothing. */
static uint64_t held(struct fake_node *node, const char *id)
{
	char subject[80];
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.hub.%s", id);
	return node->env.last_of(node, fake_text(subject));
}

static size_t count(const struct fake_node *node, const char *prefix)
{
	size_t count = 0;
	for (size_t i = 0; i < node->record_count; i++) {
		const struct buf *subject = &node->records[i].subject;
		count += subject->len >= strlen(prefix) &&
			 memcmp(subject->data, prefix, strlen(prefix)) == 0;
	}
	return count;
}

static void follow(struct fake_client *client, const char *durable)
{
	struct packet_subscribe subscribe = {.id = 5,
					     .pattern = fake_text("lyceum.notice.v1.Notice.>"),
					     .start = SUBSCRIBE_SEQ,
					     .from = 1,
					     .credit = 100000};
	if (durable)
		subscribe.durable = fake_text(durable);
	fake_subscribe(client, &subscribe);
	fake_settle(client->node->world);
}

/* A table by id, as a client folds what is delivered to it: 1 for each that it has. */
static void fold(struct fake_client *client, bool table[4])
{
	const struct packet *packet;
	while ((packet = fake_next(client))) {
		if (packet->kind != PACKET_DELIVER)
			continue;
		char id = (char)packet->deliver.subject.data[packet->deliver.subject.len - 1];
		assert_in_range(id, 'a', 'd');
		table[id - 'a'] = !packet->deliver.removed;
	}
}

static void test_retention_by_age_removes_and_tells(void **state)
{
	struct bench *bench = *state;
	bench->stream.max_age = (char *)(uintptr_t) "10s";
	start(bench);
	bool live[4] = {0};
	follow(bench->ann, NULL);
	post(bench, "a", "one");
	post(bench, "b", "two");
	fake_pass(bench->world, 6000);
	post(bench, "b", "three");
	fold(bench->ann, live);
	assert_true(live[0] && live[1]);
	assert_int_not_equal(held(bench->hub, "a"), 0);
	fake_pass(bench->world, 6000);
	assert_int_equal(held(bench->hub, "a"), 0);
	assert_int_equal(held(bench->hub, "b"), 3);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 1);
	/* The running table and a fresh one are equal. */
	fold(bench->ann, live);
	bool fresh[4] = {0};
	struct fake_client *other = fake_client_add(bench->hub, "root");
	follow(other, NULL);
	fold(other, fresh);
	assert_memory_equal(live, fresh, sizeof(live));
	assert_true(!live[0] && live[1]);
}

static void test_retention_is_told_to_who_was_away(void **state)
{
	struct bench *bench = *state;
	bench->stream.max_age = (char *)(uintptr_t) "5s";
	start(bench);
	bool table[4] = {0};
	follow(bench->ann, "inbox");
	post(bench, "a", "one");
	fold(bench->ann, table);
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = 5, .value = 1};
	fake_send(bench->ann, &packet);
	fake_pass(bench->world, 100);
	fake_client_free(bench->ann);
	fake_node_restart(bench->hub);
	fake_pass(bench->world, 8000);
	assert_int_equal(held(bench->hub, "a"), 0);
	bench->ann = fake_client_add(bench->hub, "ann");
	follow(bench->ann, "inbox");
	assert_true(table[0]);
	fold(bench->ann, table);
	assert_false(table[0]);
}

static void test_retention_by_size_keeps_the_newest(void **state)
{
	struct bench *bench = *state;
	bench->stream.max_bytes = 2000;
	start(bench);
	char text[201];
	memset(text, 'x', 200);
	text[200] = '\0';
	for (int i = 0; i < 40; i++) {
		char id[2] = {(char)('a' + i % 4), '\0'};
		post(bench, id, text);
	}
	fake_pass(bench->world, 3000);
	struct retention_state found = retention_state(bench->hub->daemon.stream.retention, 0);
	assert_in_range(found.bytes, 1500, 2200);
	assert_int_equal(found.record_count, count(bench->hub, "lyceum.notice.v1."));
	assert_int_equal(held(bench->hub, "d"), 40);
}

static void test_retention_of_the_last_per_subject_keeps_it(void **state)
{
	struct bench *bench = *state;
	bench->stream.last_per_subject = true;
	start(bench);
	for (int i = 0; i < 10; i++)
		post(bench, "a", "text");
	post(bench, "b", "text");
	fake_remove(bench->root, 0, "b");
	fake_settle(bench->world);
	fake_pass(bench->world, 3000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 2);
	assert_int_equal(held(bench->hub, "a"), 10);
	assert_int_equal(held(bench->hub, "b"), 12);
	/* Nothing was lost, so nothing is told. */
	assert_int_equal(count(bench->hub, TRIMMED_SUBJECT), 0);
}

static void test_retention_keeps_what_took_something_away(void **state)
{
	struct bench *bench = *state;
	bench->stream.last_per_subject = true;
	start(bench);
	fake_post(bench->root, 0, "a", "for all", MEMBERS, NULL);
	fake_settle(bench->world);
	for (int i = 0; i < 5; i++) {
		fake_post(bench->root, 0, "a", "for nobody", PRIVATE, NULL);
		fake_settle(bench->world);
	}
	fake_pass(bench->world, 3000);
	/* A node that was away and has the first still learns that it is not its business. */
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 2);
	post(bench, "a", "for all again");
	post(bench, "a", "for all again");
	fake_pass(bench->world, 3000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 1);
}

/* On its way through the hub a narrowing is a withdrawal: who was away still has to learn of it. */
static void test_retention_keeps_a_withdrawal_that_later_readers_do_not_cover(void **state)
{
	struct bench *bench = *state;
	bench->stream.last_per_subject = true;
	start(bench);
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->hub);
	struct fake_client *root = fake_client_add(wales, "root");
	fake_pass(bench->world, 1000);
	fake_post(root, 0, "a", "for all", MEMBERS, NULL);
	fake_settle(bench->world);
	fake_post(root, 0, "a", "for nobody", PRIVATE, NULL);
	fake_settle(bench->world);
	fake_post(root, 0, "a", "for cork", AUDIENCE, "cork");
	fake_pass(bench->world, 3000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1.Notice.wales.a"), 2);
	/* The same once more takes nothing away from others, and it is the last that counts. */
	fake_post(root, 0, "a", "for cork again", AUDIENCE, "cork");
	fake_pass(bench->world, 3000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1.Notice.wales.a"), 2);
	fake_post(root, 0, "a", "for all again", MEMBERS, NULL);
	fake_pass(bench->world, 3000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1.Notice.wales.a"), 1);
}

static void test_retention_waits_for_the_acknowledgement(void **state)
{
	struct bench *bench = *state;
	bench->durable[0] = (char *)(uintptr_t) "ann/inbox";
	bench->acknowledgement.durable = bench->durable;
	bench->acknowledgement.n_durable = 1;
	bench->stream.until_acknowledged = &bench->acknowledgement;
	start(bench);
	post(bench, "a", "one");
	post(bench, "b", "two");
	fake_pass(bench->world, 3000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 2);
	follow(bench->ann, "inbox");
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = 5, .value = 1};
	fake_send(bench->ann, &packet);
	fake_pass(bench->world, 3000);
	assert_int_equal(held(bench->hub, "a"), 0);
	assert_int_equal(held(bench->hub, "b"), 2);
}

static void test_retention_waits_for_the_hub(void **state)
{
	struct bench *bench = *state;
	bench->where = "wales";
	bench->acknowledgement.hub = true;
	bench->stream.until_acknowledged = &bench->acknowledgement;
	start(bench);
	bench->wales = fake_node_add(bench->world, "wales", bench->hub);
	bench->wales->is_refused = true;
	fake_cut(bench->wales);
	struct fake_client *there = fake_client_add(bench->wales, "root");
	fake_post(there, 0, "a", "from wales", MEMBERS, NULL);
	fake_pass(bench->world, 4000);
	assert_int_equal(count(bench->wales, "lyceum.notice.v1."), 1);
	bench->wales->is_refused = false;
	fake_pass(bench->world, 9000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 1);
	assert_int_equal(count(bench->wales, "lyceum.notice.v1."), 0);
}

static void test_retention_waits_for_a_node_that_is_away(void **state)
{
	struct bench *bench = *state;
	bench->acknowledgement.nodes = true;
	bench->stream.until_acknowledged = &bench->acknowledgement;
	start(bench);
	fake_node_add(bench->world, "wales", bench->hub);
	fake_node_add(bench->world, "cork", bench->hub);
	post(bench, "a", "one");
	fake_pass(bench->world, 3000);
	/* derry has never been there. */
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 1);
	fake_node_add(bench->world, "derry", bench->hub);
	fake_pass(bench->world, 5000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 0);
}

static void test_retention_leaves_positions_where_they_were(void **state)
{
	struct bench *bench = *state;
	bench->stream.max_age = (char *)(uintptr_t) "5s";
	start(bench);
	bench->wales = fake_node_add(bench->world, "wales", bench->hub);
	fake_pass(bench->world, 500);
	struct fake_client *there = fake_client_add(bench->wales, "root");
	fake_post(there, 0, "a", "from wales", MEMBERS, NULL);
	fake_post(there, 0, "b", "from wales", MEMBERS, NULL);
	fake_settle(bench->world);
	size_t before = bench->hub->record_count;
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 2);
	fake_pass(bench->world, 8000);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 0);
	uint64_t last_seq = bench->hub->daemon.stream.last_seq;
	fake_node_restart(bench->hub);
	assert_int_equal(bench->hub->daemon.stream.last_seq, last_seq);
	fake_pass(bench->world, 8000);
	/* They are not asked for again, and the next one comes. */
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 0);
	there = fake_client_add(bench->wales, "root"); /* the other said nothing for too long */
	fake_post(there, 0, "c", "from wales", MEMBERS, NULL);
	fake_settle(bench->world);
	assert_int_equal(count(bench->hub, "lyceum.notice.v1."), 1);
	assert_true(bench->hub->record_count > before);
	/* Each keeps what its own streams say. */
	assert_int_equal(count(bench->wales, "lyceum.notice.v1."), 3);
}

static void test_retention_forgets_what_it_told_after_a_week(void **state)
{
	struct bench *bench = *state;
	bench->stream.max_age = (char *)(uintptr_t) "5s";
	start(bench);
	post(bench, "a", "one");
	fake_pass(bench->world, 7000);
	assert_int_equal(count(bench->hub, TRIMMED_SUBJECT), 1);
	bench->world->now_ms += 8ull * 86400000;
	fake_pass(bench->world, 700);
	bench->world->now_ms += 700000;
	fake_pass(bench->world, 700);
	assert_int_equal(count(bench->hub, TRIMMED_SUBJECT), 0);
	assert_int_equal(bench->hub->daemon.stream.last_seq, bench->hub->record_count);
}

static void test_retention_tries_again_what_was_cut_short(void **state)
{
	struct bench *bench = *state;
	bench->stream.max_age = (char *)(uintptr_t) "5s";
	start(bench);
	post(bench, "a", "one");
	/* It has told, and has not removed. */
	for (int i = 0; i < 2000 && !bench->hub->removal; i++) {
		fake_tick(bench->world, 10);
		fake_commit(bench->hub, SIZE_MAX);
		if (!bench->hub->removal)
			fake_serve(bench->hub, SIZE_MAX);
	}
	assert_non_null(bench->hub->removal);
	fake_node_restart(bench->hub);
	assert_int_equal(held(bench->hub, "a"), 1);
	fake_pass(bench->world, 4000);
	assert_int_equal(held(bench->hub, "a"), 0);
}

#define RETENTION_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		RETENTION_TEST(test_retention_by_age_removes_and_tells),
		RETENTION_TEST(test_retention_is_told_to_who_was_away),
		RETENTION_TEST(test_retention_by_size_keeps_the_newest),
		RETENTION_TEST(test_retention_of_the_last_per_subject_keeps_it),
		RETENTION_TEST(test_retention_keeps_what_took_something_away),
		RETENTION_TEST(test_retention_keeps_a_withdrawal_that_later_readers_do_not_cover),
		RETENTION_TEST(test_retention_waits_for_the_acknowledgement),
		RETENTION_TEST(test_retention_waits_for_the_hub),
		RETENTION_TEST(test_retention_waits_for_a_node_that_is_away),
		RETENTION_TEST(test_retention_leaves_positions_where_they_were),
		RETENTION_TEST(test_retention_forgets_what_it_told_after_a_week),
		RETENTION_TEST(test_retention_tries_again_what_was_cut_short),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* A daemon that begins from a summary knows the same as one that replays its whole log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "fake_world.h"
#include "node/summary.h"

#define PUBLISHES 400

enum { MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static struct fake_world *world;
static struct fake_node *hub;
static struct fake_node *wales;
static struct fake_node *cork;

static int setup(void **state)
{
	(void)state;
	world = fake_world_new(11);
	hub = fake_node_add(world, "hub", NULL);
	wales = fake_node_add(world, "wales", hub);
	cork = fake_node_add(world, "cork", hub);
	fake_pass(world, 1000);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	fake_world_free(world);
	return 0;
}

/* Publishes, withdrawals and label changes at all three. */
static void work(size_t count)
{
	struct fake_node *const nodes[] = {hub, wales, cork};
	struct fake_client *roots[3];
	for (size_t i = 0; i < 3; i++)
		roots[i] = fake_client_add(nodes[i], "root");
	for (size_t i = 0; i < count; i++) {
		struct fake_client *root = roots[rng_below(&world->rng, 3)];
		char id[8];
		char text[24];
		snprintf(id, sizeof(id), "%u", (unsigned)rng_below(&world->rng, 9));
		snprintf(text, sizeof(text), "%zu", i);
		int visibility = 1 + (int)rng_below(&world->rng, 4);
		if (rng_below(&world->rng, 5) == 0)
			fake_remove(root, 1, id);
		else
			fake_post(root, 1, id, text, visibility,
				  visibility == AUDIENCE ? "cork" : NULL);
		fake_settle(world);
	}
	fake_pass(world, 2000);
}

/* Fields of a summary in an order that does not depend on how the daemon came to them. */
static int by_bytes(const void *a, const void *b)
{
	const struct span *left = a;
	const struct span *right = b;
	size_t len = left->len < right->len ? left->len : right->len;
	int order = memcmp(left->data, right->data, len);
	return order ? order : (left->len > right->len) - (left->len < right->len);
}

static void write_sorted(struct fake_node *node, struct buf *to)
{
	static struct span fields[10000];
	struct buf bytes = {0};
	size_t count = 0;
	/* Heads say how far an origin is though nothing of that came here; a replay does not know
	 * that. */
	struct origins *origins = &node->daemon.stream.origins;
	uint64_t seqs[FAKE_MAX_NODES];
	assert_true(origins->count <= FAKE_MAX_NODES);
	for (size_t i = 0; i < origins->count; i++) {
		seqs[i] = origins->items[i].seq;
		origins->items[i].seq = 0;
		/* So it was with the epochs that are over. */
		for (size_t j = 0; i > 0 && j < origins->items[i].former_count; j++)
			origins->items[i].formers[j].seq = 0;
	}
	summary_write(&node->daemon, &bytes);
	for (size_t i = 0; i < origins->count; i++)
		origins->items[i].seq = seqs[i];
	struct pb_reader reader = pb_reader_of(span_of(bytes.data, bytes.len));
	struct pb_field field;
	const uint8_t *before = reader.at;
	while (pb_read_field(&reader, &field)) {
		assert_true(count < 10000);
		fields[count++] = span_of(before, (size_t)(reader.at - before));
		before = reader.at;
	}
	qsort(fields, count, sizeof(*fields), by_bytes);
	for (size_t i = 0; i < count; i++)
		buf_add(to, fields[i].data, fields[i].len);
	buf_fini(&bytes);
}

static void forget_summary(struct fake_node *node)
{
	node->env.save(node, STORE_SUMMARY_KEY, span_of(NULL, 0));
}

/* Begin again both ways, with nobody to talk to in between. */
static void compare(struct fake_node *node)
{
	struct buf replayed = {0};
	struct buf restored = {0};
	struct buf saved = {0};
	node->env.load(node, STORE_SUMMARY_KEY, &saved);
	assert_true(saved.len > 0);
	fake_node_restart(node);
	assert_true(node->daemon.summary.seq > 0);
	write_sorted(node, &restored);
	forget_summary(node);
	fake_node_restart(node);
	assert_int_equal(node->daemon.summary.seq, 0);
	write_sorted(node, &replayed);
	assert_int_equal(restored.len, replayed.len);
	assert_memory_equal(restored.data, replayed.data, restored.len);
	buf_fini(&replayed);
	buf_fini(&restored);
	buf_fini(&saved);
}

static void test_summary_equals_a_replay(void **state)
{
	(void)state;
	struct fake_node *const nodes[] = {hub, wales, cork};
	work(PUBLISHES);
	for (size_t i = 0; i < 3; i++)
		summary_save(&nodes[i]->daemon);
	for (size_t i = 0; i < 3; i++)
		compare(nodes[i]);
	/* Also when the log went on behind it, with a link that was down. */
	fake_pass(world, 10000);
	wales->is_refused = true;
	fake_cut(wales);
	work(50);
	for (size_t i = 0; i < 3; i++)
		summary_save(&nodes[i]->daemon);
	work(70);
	assert_true(wales->daemon.uplink.link->outbox_count > 0);
	for (size_t i = 0; i < 3; i++)
		compare(nodes[i]);
	wales->is_refused = false;
	fake_pass(world, 20000);
	assert_int_equal(wales->daemon.uplink.link->outbox_count, 0);
}

static void test_summary_knows_the_time_of_the_last_record(void **state)
{
	(void)state;
	work(20);
	work(20);
	const struct stream *stream = &wales->daemon.stream;
	uint64_t latest_ms = stream->moments.latest_ms;
	assert_true(latest_ms > stream->moments.items[0].time_ms);
	summary_save(&wales->daemon);
	wales->is_refused = true;
	fake_node_restart(wales);
	assert_true(wales->daemon.summary.seq > 0);
	assert_int_equal(stream->moments.latest_ms, latest_ms);
	assert_int_equal(stream->moments.count, 1);
	assert_true(moments_find(&stream->moments, latest_ms, stream->last_seq) <=
		    stream->last_seq);
}

static void test_summary_equals_a_replay_after_restores(void **state)
{
	(void)state;
	struct fake_node *const nodes[] = {hub, wales, cork};
	work(100);
	struct fake_backup *of_hub = fake_backup_new(hub);
	struct fake_backup *of_wales = fake_backup_new(wales);
	work(100);
	fake_node_restore(wales, of_wales, true);
	fake_pass(world, 20000);
	work(50);
	fake_node_restore(hub, of_hub, false);
	fake_pass(world, 20000);
	work(50);
	assert_true(hub->daemon.stream.taken_back_count > 0);
	assert_true(wales->daemon.stream.taken_back_count > 0);
	assert_int_equal(hub->daemon.stream.origins.items[0].former_count, 1);
	for (size_t i = 0; i < 3; i++)
		summary_save(&nodes[i]->daemon);
	for (size_t i = 0; i < 3; i++) {
		uint64_t count = nodes[i]->daemon.stream.taken_back_count;
		compare(nodes[i]);
		assert_int_equal(nodes[i]->daemon.stream.taken_back_count, count);
	}
	fake_backup_free(of_hub);
	fake_backup_free(of_wales);
}

static void test_summary_counts_the_outbox_from_what_was_confirmed_since(void **state)
{
	(void)state;
	wales->is_refused = true;
	fake_cut(wales);
	work(200);
	summary_save(&wales->daemon);
	uint64_t waiting = wales->daemon.uplink.link->outbox_count;
	assert_true(waiting > 10);
	wales->is_refused = false;
	fake_pass(world, 20000);
	assert_int_equal(wales->daemon.uplink.link->outbox_count, 0);
	fake_pass(world, 6000); /* how far the hub has confirmed is saved now and then */
	fake_node_restart(wales);
	assert_true(wales->daemon.summary.seq > 0);
	assert_int_equal(wales->daemon.uplink.link->outbox_count, 0);
}

static void test_summary_of_another_epoch_or_beyond_the_log_is_not_taken(void **state)
{
	(void)state;
	work(40);
	summary_save(&hub->daemon);
	hub->epoch++;
	fake_node_restart(hub);
	assert_int_equal(hub->daemon.summary.seq, 0);
	hub->epoch--;
	fake_node_restart(hub);
	assert_true(hub->daemon.summary.seq > 0);
	/* The log was set back. */
	hub->record_count--;
	fake_node_restart(hub);
	assert_int_equal(hub->daemon.summary.seq, 0);
	hub->record_count++;
}

static void test_summary_cut_off_anywhere_harms_nothing(void **state)
{
	(void)state;
	struct buf saved = {0};
	work(40);
	summary_save(&hub->daemon);
	hub->env.load(hub, STORE_SUMMARY_KEY, &saved);
	uint64_t last = hub->daemon.stream.last_seq;
	for (size_t len = 0; len < saved.len; len += 7) {
		hub->env.save(hub, STORE_SUMMARY_KEY, span_of(saved.data, len));
		fake_node_restart(hub);
		assert_int_equal(hub->daemon.stream.last_seq, last);
	}
	buf_fini(&saved);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_summary_equals_a_replay, setup, teardown),
		cmocka_unit_test_setup_teardown(test_summary_knows_the_time_of_the_last_record,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_summary_equals_a_replay_after_restores, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_summary_counts_the_outbox_from_what_was_confirmed_since, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_summary_of_another_epoch_or_beyond_the_log_is_not_taken, setup,
			teardown),
		cmocka_unit_test_setup_teardown(test_summary_cut_off_anywhere_harms_nothing, setup,
						teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

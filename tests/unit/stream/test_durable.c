/* Durable names: each costs a file, so a peer has a bounded number of them and can give them back.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_world.h"
#include "stream/durable.h"

#define MAX_NAMES 64

static int setup(void **state)
{
	struct fake_world *world = fake_world_new(1);
	fake_node_add(world, "hub", NULL);
	*state = world;
	return 0;
}

static int teardown(void **state)
{
	fake_world_free(*state);
	return 0;
}

/* Ask for it and leave again; the status of the refusal, or OK. */
static enum lyc_status visit(struct fake_client *client, const char *name, bool forget)
{
	fake_subscribe(client, &(struct packet_subscribe){.id = 1,
							  .pattern = fake_text("a.>"),
							  .durable = fake_text(name),
							  .credit = 1});
	enum lyc_status status = LYC_OK;
	const struct packet *packet;
	while ((packet = fake_next(client))) {
		if (packet->kind == PACKET_UNSUBSCRIBE)
			status = (enum lyc_status)packet->unsubscribe.status;
	}
	struct packet end = {.kind = PACKET_UNSUBSCRIBE};
	end.unsubscribe = (struct packet_unsubscribe){.id = 1, .forget = forget};
	fake_send(client, &end);
	return status;
}

static size_t saved(const struct fake_node *node)
{
	size_t count = 0;
	for (const struct fake_value *value = node->values; value; value = value->next)
		count += value->value.len > 0 && strncmp(value->key, "durable.", 8) == 0;
	return count;
}

static void test_durable_names_of_a_peer_are_bounded(void **state)
{
	struct fake_world *world = *state;
	struct fake_node *node = world->nodes[0];
	struct fake_client *ann = fake_client_add(node, "ann");
	struct fake_client *root = fake_client_add(node, "root");
	char name[16];
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		enum lyc_status status = visit(ann, name, false);
		assert_int_equal(status, i < MAX_NAMES ? LYC_OK : LYC_RESOURCE_EXHAUSTED);
	}
	assert_int_equal(saved(node), MAX_NAMES);
	/* One that is there goes on, and others are not concerned. */
	assert_int_equal(visit(ann, "n3", false), LYC_OK);
	assert_int_equal(visit(root, "n3", false), LYC_OK);
	/* The bound outlasts the daemon. */
	fake_node_restart(node);
	ann = fake_client_add(node, "ann");
	assert_int_equal(visit(ann, "another", false), LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(visit(ann, "n3", true), LYC_OK);
	assert_int_equal(visit(ann, "another", false), LYC_OK);
	assert_int_equal(visit(ann, "one more", false), LYC_RESOURCE_EXHAUSTED);
}

static void test_durable_name_that_is_forgotten_leaves_nothing(void **state)
{
	struct fake_world *world = *state;
	struct fake_node *node = world->nodes[0];
	struct fake_client *ann = fake_client_add(node, "ann");
	char name[16];
	for (unsigned i = 0; i < 200; i++) {
		snprintf(name, sizeof(name), "n%u", i);
		assert_int_equal(visit(ann, name, true), LYC_OK);
	}
	fake_pass(world, 100);
	assert_int_equal(saved(node), 0);
}

#define on_world(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static bool has_room;

/* Of "desk" and "desks" only the longer has come to the disk. */
static bool is_on_disk(void *world, const char *key)
{
	char name[16];
	(void)world;
	durable_name(key, name, sizeof(name));
	return has_room || strcmp(name, "desks") == 0;
}

static size_t count_on_disk(void *world, const char *prefix)
{
	(void)world;
	char name[16];
	durable_name(prefix, name, sizeof(name));
	return has_room || strncmp("desks", name, strlen(name)) == 0;
}

/* Who was told that she follows would not be asked again for what a crash made her miss. */
static void test_durable_name_is_on_the_disk_before_anything_is_said(void **state)
{
	struct fake_world *world = *state;
	struct fake_node *node = world->nodes[0];
	struct fake_client *root = fake_client_add(node, "root");
	has_room = false;
	node->daemon.env.saved_count = count_on_disk;
	node->daemon.env.is_saved = is_on_disk;
	fake_subscribe(root, &(struct packet_subscribe){.id = 1,
							.pattern = fake_text("lyceum.notice.v1.>"),
							.durable = fake_text("desk"),
							.records_only = true,
							.credit = 100000});
	fake_post(root, 2, "a", "missed by nobody", 2, NULL);
	fake_pass(world, 100);
	assert_int_equal(fake_expect(root, PACKET_ACK)->ack.status, LYC_OK);
	fake_expect_nothing(root);
	has_room = true;
	fake_pass(world, 100);
	assert_int_equal(fake_expect(root, PACKET_DELIVER)->deliver.seq, node->record_count);
	assert_int_equal(fake_expect(root, PACKET_GAP)->gap.missed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_world(test_durable_names_of_a_peer_are_bounded),
		on_world(test_durable_name_that_is_forgotten_leaves_nothing),
		on_world(test_durable_name_is_on_the_disk_before_anything_is_said),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

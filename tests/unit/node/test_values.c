/* What a daemon does and says where a small value beside its log was damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_world.h"
#include "node/values.h"
#include "stream/durable.h"

#define MEMBERS 2

static const char *damaged[3];

static bool was_damaged(void *world, const char *key)
{
	(void)world;
	for (size_t i = 0; i < 3; i++) {
		if (damaged[i] && strcmp(damaged[i], key) == 0)
			return true;
	}
	return false;
}

static void name_damaged(void *world, void (*on_key)(const char *key, void *arg), void *arg)
{
	(void)world;
	for (size_t i = 0; i < 3; i++) {
		if (damaged[i])
			on_key(damaged[i], arg);
	}
}

static struct fake_node *new_node(struct fake_world *world, const char *name, struct fake_node *hub)
{
	struct fake_node *node = fake_node_add(world, name, hub);
	node->env.was_damaged = node->daemon.env.was_damaged = was_damaged;
	node->env.damaged = node->daemon.env.damaged = name_damaged;
	return node;
}

static size_t count_delivered(struct fake_client *client)
{
	size_t count = 0;
	const struct packet *packet;
	while ((packet = fake_next(client)))
		count += packet->kind == PACKET_DELIVER;
	return count;
}

/* It asks for what is new, because it thinks that its place is kept. */
static void test_value_of_a_place_lost_means_the_oldest_record(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *hub = new_node(world, "hub", NULL);
	struct fake_client *root = fake_client_add(hub, "root");
	for (uint64_t i = 1; i <= 3; i++)
		fake_post(root, i, "a", "text", MEMBERS, NULL);
	fake_pass(world, 100);
	char *key = durable_key("root", fake_text("inbox"));
	struct packet_subscribe subscribe = {.id = 7,
					     .pattern = fake_text("lyceum.notice.v1.>"),
					     .durable = fake_text("inbox"),
					     .credit = 1000000};
	(void)count_delivered(root);
	fake_subscribe(root, &subscribe);
	fake_pass(world, 100);
	assert_int_equal(count_delivered(root), 0);
	fake_client_free(root);
	fake_pass(world, 100);

	damaged[0] = key;
	struct fake_value *value = hub->values;
	while (strcmp(value->key, key) != 0)
		value = value->next;
	buf_clear(&value->value);
	root = fake_client_add(hub, "root");
	fake_subscribe(root, &subscribe);
	/* Its place is saved first. */
	fake_pass(world, 2000);
	assert_int_equal(count_delivered(root), 3);
	struct damaged_value named[2];
	assert_int_equal(values_list(&hub->daemon, named, 2), 1);
	assert_non_null(strstr(named[0].text, "'inbox': it begins at the oldest record"));
	assert_non_null(strstr(named[0].file, "meta/.damaged-durable."));
	fake_world_free(world);
	damaged[0] = NULL;
	free(key);
}

static void test_value_that_says_to_wait_lost_means_waiting(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *hub = new_node(world, "hub", NULL);
	struct fake_node *wales = new_node(world, "wales", hub);
	damaged[0] = "waits";
	fake_node_restart(wales);
	assert_true(wales->daemon.stream.is_waiting);
	fake_node_restart(hub);
	assert_false(hub->daemon.stream.is_waiting);
	damaged[0] = NULL;
	fake_world_free(world);
}

static void test_values_are_told_with_what_they_meant(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *hub = new_node(world, "hub", NULL);
	struct damaged_value named[3];
	assert_int_equal(values_list(&hub->daemon, named, 3), 0);
	damaged[0] = "log";
	damaged[1] = "given.6162";
	damaged[2] = "something-of-tomorrow";
	assert_int_equal(values_list(&hub->daemon, named, 2), 2);
	assert_int_equal(values_list(&hub->daemon, named, 3), 3);
	assert_string_equal(named[0].file, "meta/.damaged-log");
	assert_non_null(strstr(named[0].text, "a new epoch"));
	assert_non_null(strstr(named[1].text, "asked for all of them"));
	assert_non_null(strstr(named[2].text, "does not know"));
	memset(damaged, 0, sizeof(damaged));
	fake_world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_of_a_place_lost_means_the_oldest_record),
		cmocka_unit_test(test_value_that_says_to_wait_lost_means_waiting),
		cmocka_unit_test(test_values_are_told_with_what_they_meant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

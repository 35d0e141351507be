/* A schema that the log does not take at first is in it before anything that is written with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_world.h"

enum { MEMBERS = 2 };

static size_t place_of(const struct fake_node *node, const char *prefix)
{
	for (size_t i = 0; i < node->record_count; i++) {
		const struct buf *subject = &node->records[i].subject;
		if (subject->len >= strlen(prefix) &&
		    memcmp(subject->data, prefix, strlen(prefix)) == 0)
			return i + 1;
	}
	return 0;
}

static void test_kept_schema_comes_before_what_is_written_with_it(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *node = fake_node_add(world, "hub", NULL);
	struct fake_client *root = fake_client_add(node, "root");
	struct fake_client *board = fake_client_add(node, "board");
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 1,
					      .services = &service,
					      .service_count = 1,
					      .schema = schema_bytes(world->schema)};
	node->append_status = LYC_RESOURCE_EXHAUSTED;
	fake_send(board, &packet);
	assert_int_equal(fake_expect(board, PACKET_REGISTERED)->registered.status, LYC_OK);
	fake_post(root, 1, "a", "too early", MEMBERS, NULL);
	fake_commit(node, SIZE_MAX);
	daemon_turn(&node->daemon);
	assert_int_equal(fake_expect(root, PACKET_ACK)->ack.status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(node->record_count, 0);
	node->append_status = LYC_OK;
	fake_post(root, 2, "a", "text", MEMBERS, NULL);
	fake_settle(world);
	assert_int_equal(fake_expect(root, PACKET_ACK)->ack.status, LYC_OK);
	assert_int_equal(place_of(node, "lyceum.v1.SchemaVersion.hub."), 1);
	assert_int_equal(place_of(node, "lyceum.notice.v1.Notice.hub.a"), 2);
	/* Once is enough. */
	fake_pass(world, 500);
	assert_int_equal(node->record_count, 2);
	fake_world_free(world);
}

/* Also where nothing is published; and a daemon that ends before has nothing left over. */
static void test_kept_schema_is_tried_again_by_itself(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct fake_node *node = fake_node_add(world, "hub", NULL);
	struct fake_client *board = fake_client_add(node, "board");
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 1,
					      .services = &service,
					      .service_count = 1,
					      .schema = schema_bytes(world->schema)};
	fake_send(board, &packet);
	for (int i = 0; i < 5; i++) {
		node->append_status = LYC_RESOURCE_EXHAUSTED;
		fake_commit(node, SIZE_MAX);
		fake_tick(world, 60);
	}
	assert_int_equal(node->record_count, 0);
	node->append_status = LYC_OK;
	fake_pass(world, 200);
	assert_int_equal(place_of(node, "lyceum.v1.SchemaVersion.hub."), 1);
	fake_world_free(world);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_kept_schema_comes_before_what_is_written_with_it),
		cmocka_unit_test(test_kept_schema_is_tried_again_by_itself),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a subscriber asks for: refusals with their reasons, and the end of a subscription. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "fake_world.h"

struct bench {
	struct fake_world *world;
	struct fake_node *node;
	struct fake_client *ann;
};

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
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

static void expect_refusal(struct fake_client *client, uint64_t id, enum lyc_status status)
{
	const struct packet *packet = fake_expect(client, PACKET_UNSUBSCRIBE);
	assert_int_equal(packet->unsubscribe.id, id);
	assert_int_equal(packet->unsubscribe.status, status);
	assert_true(packet->unsubscribe.text.len > 0);
	fake_expect_nothing(client);
}

static void test_subscribe_refuses_what_is_no_pattern(void **state)
{
	struct bench *bench = *state;
	static const char *const patterns[] = {"", "a..b", ">.a", "a.b>", "a b", ".a"};
	for (size_t i = 0; i < 6; i++) {
		fake_subscribe(bench->ann, &(struct packet_subscribe){
						   .id = i, .pattern = fake_text(patterns[i])});
		expect_refusal(bench->ann, i, LYC_INVALID_ARGUMENT);
	}
	assert_int_equal(bench->node->daemon.topics.count, 0);
}

static void test_subscribe_refuses_a_number_in_use_and_a_long_name(void **state)
{
	struct bench *bench = *state;
	struct packet_subscribe subscribe = {.id = 1, .pattern = fake_text(">"), .credit = 100};
	fake_subscribe(bench->ann, &subscribe);
	fake_expect_nothing(bench->ann);
	fake_subscribe(bench->ann, &subscribe);
	expect_refusal(bench->ann, 1, LYC_RESOURCE_EXHAUSTED);
	subscribe.id = 2;
	subscribe.durable = fake_text("0123456789012345678901234567890123");
	fake_subscribe(bench->ann, &subscribe);
	expect_refusal(bench->ann, 2, LYC_INVALID_ARGUMENT);
	assert_int_equal(bench->node->daemon.topics.count, 1);
}

static void test_subscribe_has_a_bound_for_each_peer(void **state)
{
	struct bench *bench = *state;
	uint64_t id = 0;
	const struct packet *packet = NULL;
	while (!packet && id < 10000) {
		fake_subscribe(bench->ann,
			       &(struct packet_subscribe){.id = ++id, .pattern = fake_text("a.b")});
		packet = fake_next(bench->ann);
	}
	assert_non_null(packet);
	assert_int_equal(packet->unsubscribe.status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(bench->node->daemon.topics.count, id - 1);
	/* Others are not concerned. */
	struct fake_client *root = fake_client_add(bench->node, "root");
	fake_subscribe(root, &(struct packet_subscribe){.id = 1, .pattern = fake_text("a.b")});
	fake_expect_nothing(root);
}

/* The subscriber leaves while its read is under way: nobody is left to send to. */
static void test_subscribe_may_end_while_the_log_is_read(void **state)
{
	struct bench *bench = *state;
	struct fake_client *root = fake_client_add(bench->node, "root");
	fake_post(root, 0, "a", "text", 2, NULL);
	fake_settle(bench->world);
	fake_subscribe(bench->ann, &(struct packet_subscribe){.id = 1,
							      .pattern = fake_text(">"),
							      .start = SUBSCRIBE_SEQ,
							      .credit = 10000});
	assert_non_null(bench->node->reads);
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	packet.unsubscribe.id = 1;
	fake_send(bench->ann, &packet);
	fake_settle(bench->world);
	fake_expect_nothing(bench->ann);
	assert_true(list_is_empty(&bench->node->daemon.stream.followers));
	fake_send(bench->ann, &packet);
	fake_expect_nothing(bench->ann);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_subscribe_refuses_what_is_no_pattern),
		on_bench(test_subscribe_refuses_a_number_in_use_and_a_long_name),
		on_bench(test_subscribe_has_a_bound_for_each_peer),
		on_bench(test_subscribe_may_end_while_the_log_is_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

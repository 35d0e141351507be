/* Transient messages: to whoever is there and may see them, one of each group, and nobody misses
 * any without being told. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "base/pb.h"
#include "fake_world.h"

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

/* A Remark to "lyceum.notice.v1.Remark.<last>", with a label of this visibility; 0: none. */
static void remark(struct fake_client *client, const char *last, int visibility)
{
	char subject[80];
	const uint8_t label[] = {0x10, (uint8_t)visibility};
	struct packet packet = {.kind = PACKET_PUBLISH};
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Remark.%s", last);
	packet.publish = (struct packet_publish){.subject = fake_text(subject),
						 .body = span_of("\x0a\x01x", 3),
						 .label = span_of(label, visibility ? 2 : 0)};
	fake_send(client, &packet);
}

static void subscribe(struct fake_client *client, uint64_t id, const char *pattern,
		      const char *group, uint64_t credit)
{
	fake_subscribe(client, &(struct packet_subscribe){.id = id,
							  .pattern = fake_text(pattern),
							  .group = fake_text(group),
							  .credit = credit});
}

static size_t delivered(struct fake_client *client)
{
	size_t count = 0;
	const struct packet *packet;
	while ((packet = fake_next(client)))
		count += packet->kind == PACKET_DELIVER;
	return count;
}

static void test_fan_out_reaches_each_matching_subscription_once(void **state)
{
	struct bench *bench = *state;
	subscribe(bench->ann, 1, "lyceum.notice.v1.Remark.*", "", 10000);
	subscribe(bench->ann, 2, ">", "", 10000);
	subscribe(bench->root, 1, "lyceum.notice.v1.Remark.x", "", 10000);
	remark(bench->root, "x", 0);
	assert_int_equal(delivered(bench->ann), 2);
	/* Whoever published it gets it, too, if it asked. */
	const struct packet *packet = fake_expect(bench->root, PACKET_DELIVER);
	assert_true(span_is(packet->deliver.subject, "lyceum.notice.v1.Remark.x"));
	assert_true(span_is(packet->deliver.origin, "hub"));
	assert_true(span_is(packet->deliver.principal, "hub"));
	assert_int_equal(packet->deliver.seq, 0);
	remark(bench->root, "y", 0);
	assert_int_equal(delivered(bench->ann), 2);
	fake_expect_nothing(bench->root);
	/* Nothing of it is kept. */
	fake_settle(bench->world);
	assert_int_equal(bench->node->record_count, 0);
}

/* The key of the body is the end of the subject, whether the publisher says it or leaves it to the
 * daemon. */
static void test_fan_out_sends_the_subject_with_its_key(void **state)
{
	struct bench *bench = *state;
	static const char *const subjects[] = {"lyceum.notice.v1.Notice",
					       "lyceum.notice.v1.Notice.hub.7"};
	struct buf body = {0};
	fake_notice(&body, "hub", "7", "text", 2, NULL);
	subscribe(bench->ann, 1, "lyceum.notice.v1.Notice.*.7", "", 10000);
	for (size_t i = 0; i < 2; i++) {
		struct packet packet = {.kind = PACKET_PUBLISH};
		packet.publish = (struct packet_publish){.subject = fake_text(subjects[i]),
							 .body = span_of(body.data, body.len)};
		fake_send(bench->root, &packet);
		const struct packet *got = fake_expect(bench->ann, PACKET_DELIVER);
		assert_true(span_is(got->deliver.subject, subjects[1]));
		fake_expect_nothing(bench->ann);
	}
	buf_fini(&body);
}

static void test_fan_out_without_credit_is_told_as_a_gap(void **state)
{
	struct bench *bench = *state;
	subscribe(bench->ann, 1, ">", "", 1);
	for (int i = 0; i < 5; i++)
		remark(bench->root, "x", 0);
	assert_int_equal(delivered(bench->ann), 1);
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.id = 1, .value = 10000};
	fake_send(bench->ann, &packet);
	const struct packet *gap = fake_expect(bench->ann, PACKET_GAP);
	assert_int_equal(gap->gap.missed, 4);
	remark(bench->root, "x", 0);
	assert_int_equal(delivered(bench->ann), 1);
	fake_send(bench->ann, &packet);
	fake_expect_nothing(bench->ann);
}

/* What a Deliver takes is what the subscriber counts, also where the frame went out at once. */
static void test_fan_out_takes_the_credit_that_comes_back(void **state)
{
	struct bench *bench = *state;
	struct buf body = {0};
	char *text = mem_get(WIRE_FRAME_LEN + 1);
	memset(text, 'x', WIRE_FRAME_LEN + 1);
	pb_write_bytes(&body, 1, text, WIRE_FRAME_LEN + 1);
	subscribe(bench->ann, 1, ">", "", 1);
	for (int i = 0; i < 3; i++) {
		struct packet packet = {.kind = PACKET_PUBLISH};
		packet.publish =
			(struct packet_publish){.subject = fake_text("lyceum.notice.v1.Remark.x"),
						.body = span_of(body.data, body.len)};
		fake_send(bench->root, &packet);
		size_t len = fake_expect(bench->ann, PACKET_DELIVER)->len;
		packet = (struct packet){.kind = PACKET_CREDIT};
		packet.credit = (struct packet_credit){.id = 1, .value = len};
		fake_send(bench->ann, &packet);
	}
	fake_expect_nothing(bench->ann);
	free(text);
	buf_fini(&body);
}

static void test_fan_out_gives_a_subject_to_one_of_a_group(void **state)
{
	struct bench *bench = *state;
	struct fake_client *members[3] = {bench->ann, bench->root,
					  fake_client_add(bench->node, "board")};
	struct fake_client *other = fake_client_add(bench->node, "board.2");
	for (size_t i = 0; i < 3; i++)
		subscribe(members[i], 1, "lyceum.notice.>", "workers", 1000000);
	subscribe(other, 1, "lyceum.notice.v1.Remark.*", "auditors", 1000000);
	size_t shares[3] = {0};
	for (int i = 0; i < 60; i++) {
		char last[8];
		snprintf(last, sizeof(last), "s%d", i);
		size_t chosen = 3;
		/* The same subject goes to the same member, so that its order holds. */
		for (int again = 0; again < 2; again++) {
			remark(bench->root, last, 0);
			for (size_t k = 0; k < 3; k++) {
				size_t count = delivered(members[k]);
				assert_in_range(count, 0, 1);
				if (count == 0)
					continue;
				assert_true(again == 0 ? chosen == 3 : chosen == k);
				chosen = k;
				shares[k]++;
			}
			assert_int_equal(delivered(other), 1);
		}
		assert_int_not_equal(chosen, 3);
	}
	assert_int_equal(shares[0] + shares[1] + shares[2], 120);
	for (size_t k = 0; k < 3; k++)
		assert_in_range(shares[k], 10, 90);
}

static void test_fan_out_gives_a_large_group_each_message_once(void **state)
{
	struct bench *bench = *state;
	for (uint64_t id = 1; id <= 200; id++)
		subscribe(id % 2 ? bench->ann : bench->root, id, "lyceum.notice.>", "workers",
			  1000000);
	for (int i = 0; i < 20; i++) {
		char last[8];
		snprintf(last, sizeof(last), "s%d", i);
		remark(bench->root, last, 0);
		assert_int_equal(delivered(bench->ann) + delivered(bench->root), 1);
	}
}

/* A member that cannot have a message leaves it to the others; only where nobody has credit it is
 * missed, and told. */
static void test_fan_out_to_a_group_goes_to_whoever_can_take_it(void **state)
{
	struct bench *bench = *state;
	subscribe(bench->ann, 1, "lyceum.notice.>", "workers", 1);
	subscribe(bench->root, 1, "lyceum.notice.>", "workers", 1000000);
	size_t shares[2] = {0};
	for (int i = 0; i < 40; i++) {
		char last[8];
		snprintf(last, sizeof(last), "s%d", i);
		remark(bench->root, last, 0);
		shares[0] += delivered(bench->ann);
		shares[1] += delivered(bench->root);
	}
	assert_int_equal(shares[0], 1);
	assert_int_equal(shares[1], 39);
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	packet.unsubscribe.id = 1;
	fake_send(bench->root, &packet);
	remark(bench->root, "x", 0);
	packet = (struct packet){.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.id = 1, .value = 10000};
	fake_send(bench->ann, &packet);
	assert_int_equal(fake_expect(bench->ann, PACKET_GAP)->gap.missed, 1);
}

/* Who may not see a message is not the one of the group that gets it. */
static void test_fan_out_to_a_group_passes_over_who_may_not_see_it(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_client *there = fake_client_add(wales, "root");
	fake_pass(bench->world, 100);
	subscribe(bench->ann, 1, "lyceum.notice.>", "workers", 1000000);
	subscribe(bench->root, 1, "lyceum.notice.>", "workers", 1000000);
	fake_settle(bench->world);
	/* For ann's group at the hub only. */
	struct buf label = {0};
	pb_write_uint(&label, 2, 3);
	pb_write_text(&label, 3, "policy");
	pb_write_text(&label, 3, "ann@hub");
	for (int i = 0; i < 20; i++) {
		char subject[80];
		snprintf(subject, sizeof(subject), "lyceum.notice.v1.Remark.s%d", i);
		struct packet packet = {.kind = PACKET_PUBLISH};
		packet.publish = (struct packet_publish){.subject = fake_text(subject),
							 .body = span_of("\x0a\x01x", 3),
							 .label = span_of(label.data, label.len)};
		fake_send(there, &packet);
		fake_settle(bench->world);
		assert_int_equal(delivered(bench->root), 0);
		assert_int_equal(delivered(bench->ann), 1);
	}
	buf_fini(&label);
}

static void test_fan_out_keeps_labels(void **state)
{
	struct bench *bench = *state;
	struct fake_node *wales = fake_node_add(bench->world, "wales", bench->node);
	struct fake_client *there = fake_client_add(wales, "ann");
	fake_pass(bench->world, 100);
	subscribe(bench->ann, 1, ">", "", 100000);
	subscribe(there, 1, ">", "", 100000);
	fake_settle(bench->world);
	static const size_t reaches[] = {
		1, 1, 1, 0, 0}; /* none, PUBLIC, MEMBERS, AUDIENCE of nobody, PRIVATE */
	for (int visibility = 0; visibility <= 4; visibility++) {
		remark(bench->root, "x", visibility);
		fake_settle(bench->world);
		assert_int_equal(delivered(bench->ann), 1);
		assert_int_equal(delivered(there), reaches[visibility]);
	}
}

static void test_fan_out_is_acknowledged_and_checked(void **state)
{
	struct bench *bench = *state;
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = 4,
						 .subject = fake_text("lyceum.notice.v1.Remark"),
						 .body = span_of("\x0a\x01x", 3)};
	subscribe(bench->ann, 1, ">", "", 100000);
	fake_send(bench->root, &packet);
	assert_int_equal(fake_expect(bench->root, PACKET_ACK)->ack.status, LYC_OK);
	assert_int_equal(delivered(bench->ann), 1);
	/* A rule is broken: the text is required. */
	packet.publish.body = span_of(NULL, 0);
	fake_send(bench->root, &packet);
	assert_int_equal(fake_expect(bench->root, PACKET_ACK)->ack.status, LYC_INVALID_ARGUMENT);
	assert_int_equal(delivered(bench->ann), 0);
}

static void test_fan_out_leaves_out_who_wants_records_only(void **state)
{
	struct bench *bench = *state;
	fake_subscribe(bench->ann, &(struct packet_subscribe){.id = 1,
							      .pattern = fake_text(">"),
							      .records_only = true,
							      .credit = 10000});
	fake_settle(bench->world);
	remark(bench->root, "x", 0);
	assert_int_equal(delivered(bench->ann), 0);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_fan_out_reaches_each_matching_subscription_once),
		on_bench(test_fan_out_sends_the_subject_with_its_key),
		on_bench(test_fan_out_without_credit_is_told_as_a_gap),
		on_bench(test_fan_out_takes_the_credit_that_comes_back),
		on_bench(test_fan_out_gives_a_subject_to_one_of_a_group),
		on_bench(test_fan_out_gives_a_large_group_each_message_once),
		on_bench(test_fan_out_to_a_group_goes_to_whoever_can_take_it),
		on_bench(test_fan_out_to_a_group_passes_over_who_may_not_see_it),
		on_bench(test_fan_out_keeps_labels),
		on_bench(test_fan_out_is_acknowledged_and_checked),
		on_bench(test_fan_out_leaves_out_who_wants_records_only),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

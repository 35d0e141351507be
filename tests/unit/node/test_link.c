/* Links: records go both ways once and in order, labels hold, and what breaks is made good. */
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
#include "net_bench.h"
#include "schema_file.h"

enum { PUBLIC = 1, MEMBERS = 2, AUDIENCE = 3, PRIVATE = 4 };

static struct link *uplink_of(struct fake_node *node)
{
	return node->daemon.uplink.link;
}

static uint64_t position_of(struct fake_node *node, const char *origin)
{
	const struct origin *found = origins_find(&node->daemon.stream.origins, fake_text(origin));
	return found ? found->seq : 0;
}

static void test_link_copies_both_ways_once(void **state)
{
	struct net *net = *state;
	fake_post(net->at_hub, 1, "a", "of-the-hub", MEMBERS, NULL);
	fake_post(net->at_wales, 1, "b", "of-wales", MEMBERS, NULL);
	fake_post(net->at_cork, 1, "c", "of-cork", PUBLIC, NULL);
	fake_pass(net->world, 3000);
	static const char *const texts[] = {"of-the-hub", "of-wales", "of-cork"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fake_count_of(net->hub, texts[i]), 1);
		assert_int_equal(fake_count_of(net->wales, texts[i]), 1);
		assert_int_equal(fake_count_of(net->cork, texts[i]), 1);
	}
}

static void test_link_labels_decide_how_far_a_record_goes(void **state)
{
	struct net *net = *state;
	fake_post(net->at_wales, 1, "a", "for-cork", AUDIENCE, "cork");
	fake_post(net->at_wales, 2, "b", "for-derry", AUDIENCE, "derry");
	fake_post(net->at_wales, 3, "c", "for-eve", AUDIENCE, "eve@cork");
	fake_post(net->at_wales, 4, "d", "of-our-own", PRIVATE, NULL);
	fake_post(net->at_wales, 5, "e", "unlabelled", 0, NULL);
	fake_pass(net->world, 3000);
	static const struct {
		const char *text;
		size_t at_hub;
		size_t at_cork;
	} cases[] = {{"for-cork", 1, 1},
		     {"for-derry", 1, 0},
		     {"for-eve", 1, 1},
		     {"of-our-own", 0, 0},
		     {"unlabelled", 0, 0}};
	for (size_t i = 0; i < 5; i++) {
		assert_int_equal(fake_count_of(net->wales, cases[i].text), 1);
		assert_int_equal(fake_count_of(net->hub, cases[i].text), cases[i].at_hub);
		assert_int_equal(fake_count_of(net->cork, cases[i].text), cases[i].at_cork);
	}
	/* Neither did it travel and get refused there. */
	const struct buf *up = &net->wales->seen_up;
	assert_null(memmem(up->data, up->len, "of-our-own", 10));
	assert_null(memmem(up->data, up->len, "unlabelled", 10));
	assert_null(memmem(net->cork->seen_down.data, net->cork->seen_down.len, "for-derry", 9));
}

/* A record from before its part could be labelled leaves its home by today's schema: without it. */
static void test_link_cuts_what_has_become_labelled_since(void **state)
{
	(void)state;
	struct fake_world *world = fake_world_new(1);
	struct schema *today = world->schema;
	world->schema = schema_file_before(NOTICE_SET, "Notice", "Part", "label");
	struct fake_node *hub = fake_node_add(world, "hub", NULL);
	struct fake_node *wales = fake_node_add(world, "wales", hub);
	fake_cut(wales);
	wales->is_refused = true;
	fake_settle(world);
	struct fake_client *root = fake_client_add(wales, "root");
	struct buf body = {0};
	fake_notice(&body, "wales", "a", "for-all", MEMBERS, NULL);
	size_t part = pb_begin(&body, 5);
	pb_write_text(&body, 1, "held-before");
	pb_end(&body, part);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = 1,
						 .subject = fake_text("lyceum.notice.v1.Notice"),
						 .body = span_of(body.data, body.len),
						 .durable = true};
	fake_send(root, &packet);
	fake_pass(world, 100);
	assert_int_equal(fake_count_of(wales, "held-before"), 1);
	assert_int_equal(fake_count_of(hub, "for-all"), 0);

	/* Its plugin brings the label; then the link comes up. */
	assert_int_equal(types_add(&wales->daemon.types, today, true, NULL), LYC_OK);
	wales->is_refused = false;
	fake_pass(world, 60000);
	assert_int_equal(fake_count_of(hub, "for-all"), 1);
	assert_int_equal(fake_count_of(hub, "held-before"), 0);
	assert_int_equal(fake_count_of(wales, "held-before"), 1);
	buf_fini(&body);
	schema_unref(today);
	fake_world_free(world);
}

static void test_link_narrowing_reaches_former_readers_as_a_withdrawal(void **state)
{
	struct net *net = *state;
	fake_post(net->at_wales, 1, "a", "once-open", MEMBERS, NULL);
	fake_pass(net->world, 1000);
	fake_post(net->at_wales, 2, "a", "now-closed", PRIVATE, NULL);
	fake_pass(net->world, 1000);
	assert_int_equal(
		fake_count_of(net->cork, "now-closed") + fake_count_of(net->hub, "now-closed"), 0);
	assert_int_equal(net->cork->record_count, 2);
	struct record record;
	const struct buf *last = &net->cork->records[1].record;
	assert_int_equal(record_read(span_of(last->data, last->len), &record), LYC_OK);
	assert_true(record.removed);
	assert_int_equal(record.body.len, 0);
	/* And what is private and never went out is withdrawn without a word. */
	fake_post(net->at_wales, 3, "b", "never-out", PRIVATE, NULL);
	fake_remove(net->at_wales, 4, "b");
	fake_pass(net->world, 1000);
	assert_int_equal(net->cork->record_count, 2);
}

/* Positions pass over what a reader may not see, so that nobody waits for it. */
static void test_link_positions_cover_what_stays_at_home(void **state)
{
	struct net *net = *state;
	for (uint64_t i = 1; i <= 5; i++)
		fake_post(net->at_wales, i, "a", "own", PRIVATE, NULL);
	fake_pass(net->world, 2500);
	assert_int_equal(position_of(net->hub, "wales"), 5);
	assert_int_equal(position_of(net->cork, "wales"), 5);
	assert_int_equal(net->cork->record_count, 0);
	const struct origin *wales =
		origins_find(&net->cork->daemon.stream.origins, fake_text("wales"));
	uint64_t wall = net->cork->env.wall_ms(net->cork);
	assert_true(origin_age_ms(wales, net->world->now_ms, wall) <= 2000);
	/* Cut off from the network, what it knows grows old. */
	net->wales->is_refused = true;
	fake_cut(net->wales);
	fake_pass(net->world, 8000);
	wall = net->cork->env.wall_ms(net->cork);
	wales = origins_find(&net->cork->daemon.stream.origins, fake_text("wales"));
	assert_true(origin_age_ms(wales, net->world->now_ms, wall) >= 6000);
}

/* Time passes and frames are delivered, while the hub's disk is busy. */
static void pass_without_disk(struct net *net, int rounds)
{
	for (int i = 0; i < rounds; i++) {
		fake_tick(net->world, 200);
		fake_serve(net->wales, 10);
		daemon_turn(&net->wales->daemon);
		while (fake_deliver_up(net->wales) || fake_deliver_down(net->wales))
			continue;
	}
}

static void test_link_outbox_is_what_the_hub_has_not_confirmed(void **state)
{
	struct net *net = *state;
	net->wales->is_refused = true;
	fake_cut(net->wales);
	fake_pass(net->world, 6000);
	assert_null(uplink_of(net->wales)->session);
	for (uint64_t i = 1; i <= 4; i++)
		fake_post(net->at_wales, i, i == 2 ? "b" : "a", "waiting",
			  i == 2 ? PRIVATE : MEMBERS, NULL);
	fake_pass(net->world, 100);
	assert_int_equal(uplink_of(net->wales)->outbox_count, 3);
	/* It is the same after a new start, and empty once the hub has everything on its disk. */
	fake_node_restart(net->wales);
	assert_int_equal(uplink_of(net->wales)->outbox_count, 3);
	net->wales->is_refused = false;
	pass_without_disk(net, 20);
	assert_int_equal(uplink_of(net->wales)->outbox_count, 3);
	fake_commit(net->hub, 1);
	pass_without_disk(net, 10);
	assert_in_range(uplink_of(net->wales)->outbox_count, 2, 3);
	fake_pass(net->world, 8000);
	assert_non_null(uplink_of(net->wales)->session);
	assert_int_equal(uplink_of(net->wales)->outbox_count, 0);
	assert_int_equal(fake_count_of(net->cork, "waiting"), 3);
	fake_node_restart(net->wales);
	assert_int_equal(uplink_of(net->wales)->outbox_count, 0);
}

static void test_link_says_why_the_hub_is_not_reached(void **state)
{
	struct net *net = *state;
	struct uplink *uplink = &net->wales->daemon.uplink;
	assert_string_equal(uplink->logged, "");
	net->wales->is_refused = true;
	net->wales->uplink_fault = "the hub does not know this node's key";
	fake_node_restart(net->wales);
	assert_string_equal(uplink_of(net->wales)->text, "trying");
	/* Known at once, not when the attempt's time is over. */
	fake_pass(net->world, 300);
	assert_string_equal(uplink_of(net->wales)->text, "the hub does not know this node's key");
	assert_string_equal(uplink->logged, "the hub does not know this node's key");
	net->wales->uplink_fault = NULL;
	fake_pass(net->world, 8000);
	assert_string_equal(uplink->logged, "no answer");
	net->wales->is_refused = false;
	fake_pass(net->world, 8000);
	assert_non_null(uplink_of(net->wales)->session);
	assert_string_equal(uplink->logged, "");
}

/* Records that came over the former connection are still on their way to the disk when the new one
 * asks for what is missing. */
static void test_link_copies_under_way_to_the_disk_are_not_taken_twice(void **state)
{
	struct net *net = *state;
	fake_post(net->at_wales, 1, "a", "only-once", MEMBERS, NULL);
	fake_commit(net->wales, 1);
	fake_serve(net->wales, 1);
	daemon_turn(&net->wales->daemon);
	while (fake_deliver_up(net->wales))
		continue;
	assert_non_null(net->hub->appends);
	/* The link breaks and comes back while the hub's disk is busy. */
	fake_cut(net->wales);
	pass_without_disk(net, 40);
	assert_non_null(uplink_of(net->wales)->session);
	fake_pass(net->world, 2000);
	assert_int_equal(fake_count_of(net->hub, "only-once"), 1);
	assert_int_equal(fake_count_of(net->cork, "only-once"), 1);
	assert_int_equal(uplink_of(net->wales)->outbox_count, 0);
}

/* Disk full: what was under way is asked for again, and what comes meanwhile does not take its
 * place. */
static void test_link_copies_that_the_disk_refused_come_again(void **state)
{
	struct net *net = *state;
	fake_post(net->at_wales, 1, "a", "first-try", MEMBERS, NULL);
	fake_post(net->at_wales, 2, "b", "second-one", MEMBERS, NULL);
	fake_commit(net->wales, 2);
	fake_serve(net->wales, 1);
	daemon_turn(&net->wales->daemon);
	while (fake_deliver_up(net->wales))
		continue;
	net->hub->append_status = LYC_RESOURCE_EXHAUSTED;
	assert_int_equal(fake_commit(net->hub, 2), 2);
	net->hub->append_status = LYC_OK;
	fake_post(net->at_wales, 3, "c", "third-one", MEMBERS, NULL);
	fake_pass(net->world, 5000);
	static const char *const texts[] = {"first-try", "second-one", "third-one"};
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(fake_count_of(net->hub, texts[i]), 1);
		assert_int_equal(fake_count_of(net->cork, texts[i]), 1);
	}
	assert_int_equal(uplink_of(net->wales)->outbox_count, 0);
}

static void note(struct fake_client *client, const char *text)
{
	struct buf body = {0};
	buf_add_byte(&body, 0x0a);
	buf_add_byte(&body, (uint8_t)strlen(text));
	buf_add_text(&body, text);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.subject = fake_text("lyceum.notice.v1.Remark.x"),
						 .body = span_of(body.data, body.len)};
	fake_send(client, &packet);
	buf_fini(&body);
}

static void test_link_carries_transient_messages_that_somebody_wants(void **state)
{
	struct net *net = *state;
	note(net->at_wales, "nobody-listens");
	fake_settle(net->world);
	assert_null(memmem(net->wales->seen_up.data, net->wales->seen_up.len, "nobody", 6));
	for (uint64_t id = 1; id <= 2; id++)
		fake_subscribe(net->at_cork,
			       &(struct packet_subscribe){.id = id,
							  .pattern = fake_text("lyceum.notice.>"),
							  .credit = 10000});
	fake_settle(net->world);
	note(net->at_wales, "somebody-does");
	note(net->at_cork, "at-cork-itself");
	fake_settle(net->world);
	for (int i = 0; i < 4; i++) {
		const struct packet *packet = fake_expect(net->at_cork, PACKET_DELIVER);
		assert_true(span_is(packet->deliver.origin, i < 2 ? "cork" : "wales"));
	}
	fake_expect_nothing(net->at_cork);
	/* Both gone: the interest is withdrawn all the way. */
	for (uint64_t id = 1; id <= 2; id++) {
		struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
		packet.unsubscribe.id = id;
		fake_send(net->at_cork, &packet);
	}
	fake_settle(net->world);
	note(net->at_wales, "again-nobody");
	fake_settle(net->world);
	assert_null(memmem(net->wales->seen_up.data, net->wales->seen_up.len, "again-nobody", 12));
}

/* "Your subscription is refused" comes in the packet with which the other side ends one of its own,
 * and the numbers of both sides are the same. */
static void test_link_refusal_ends_nothing_of_the_other_side(void **state)
{
	struct net *net = *state;
	fake_subscribe(net->at_wales, &(struct packet_subscribe){
					      .id = 9, .pattern = fake_text(">"), .credit = 10000});
	fake_settle(net->world);
	for (uint64_t number = 1; number <= 3; number++) {
		struct buf frame = {0};
		struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
		packet.unsubscribe = (struct packet_unsubscribe){.id = number,
								 .status = LYC_PERMISSION_DENIED,
								 .text = fake_text("not this")};
		packet_write(&frame, &packet);
		char id[40];
		snprintf(id, sizeof(id), "wales#%u", net->wales->connection);
		daemon_frame(&net->hub->daemon, 1, fake_text(id), "wales", -1,
			     span_of(frame.data, frame.len));
		daemon_frame(&net->wales->daemon, PORT_UPLINK, span_of(NULL, 0), "hub", -1,
			     span_of(frame.data, frame.len));
		buf_fini(&frame);
	}
	note(net->at_cork, "still-there");
	fake_settle(net->world);
	fake_expect(net->at_wales, PACKET_DELIVER);
}

static void test_link_interest_is_told_again_after_a_break(void **state)
{
	struct net *net = *state;
	fake_subscribe(net->at_cork, &(struct packet_subscribe){
					     .id = 1, .pattern = fake_text(">"), .credit = 10000});
	fake_settle(net->world);
	fake_cut(net->cork);
	fake_cut(net->wales);
	fake_pass(net->world, 10000);
	while (fake_next(net->at_cork))
		continue;
	note(net->at_wales, "after-the-break");
	fake_settle(net->world);
	fake_expect(net->at_cork, PACKET_DELIVER);
	fake_expect_nothing(net->at_cork);
}

static enum lyc_status take_from(struct fake_node *node, const char *origin, uint64_t seq)
{
	struct record record = {.origin = fake_text(origin),
				.epoch = 1,
				.origin_seq = seq,
				.subject = fake_text("lyceum.notice.v1.Remark.x"),
				.body = fake_text("\x0a\x01x"),
				.label = span_of("\x10\x02", 2)};
	struct buf bytes = {0};
	struct lyc_error error;
	record_write(&bytes, &record);
	enum lyc_status status = stream_append_copy(
		&node->daemon.stream, span_of(bytes.data, bytes.len), NULL, NULL, &error);
	buf_fini(&bytes);
	return status;
}

/* More origins than one packet has positions for: none comes twice, and of each it is known how old
 * it is. */
static void test_link_of_many_origins_sends_each_record_once(void **state)
{
	struct net *net = *state;
	for (unsigned i = 0; i < 150; i++) {
		char name[8];
		snprintf(name, sizeof(name), "n%03u", i);
		assert_int_equal(take_from(net->hub, name, 7), LYC_OK);
	}
	fake_pass(net->world, 3000);
	const struct link *link = links_find(&net->hub->daemon.links, "wales");
	assert_int_equal(link->copied_count, 150);
	assert_int_equal(net->wales->record_count, 150);
	fake_cut(net->wales);
	fake_pass(net->world, 20000);
	assert_non_null(link->session);
	assert_int_equal(link->copied_count, 150);
	assert_int_equal(net->wales->record_count, 150);
	const struct origins *origins = &net->wales->daemon.stream.origins;
	size_t heard_of = 0;
	for (size_t i = 0; i < origins->count; i++)
		heard_of += origins->items[i].is_heard_of;
	assert_in_range(heard_of, 150, 153);
}

static void test_link_node_may_not_send_the_records_of_others(void **state)
{
	struct net *net = *state;
	struct record record = {.origin = fake_text("derry"),
				.epoch = 1,
				.origin_seq = 1,
				.subject = fake_text("lyceum.notice.v1.Remark.x"),
				.label = span_of("\x10\x02", 2)};
	struct buf bytes = {0};
	struct buf frame = {0};
	record_write(&bytes, &record);
	packet_write_copy(&frame, span_of(bytes.data, bytes.len));
	char id[40];
	snprintf(id, sizeof(id), "wales#%u", net->wales->connection);
	daemon_frame(&net->hub->daemon, 1, fake_text(id), "wales", -1,
		     span_of(frame.data, frame.len));
	assert_null(net->hub->appends);
	assert_int_equal(net->hub->daemon.links.refused_copies, 1);
	buf_fini(&bytes);
	buf_fini(&frame);
}

/* One node cannot cut the others off with what it says that it serves. */
static void test_link_register_takes_only_what_can_be_a_service(void **state)
{
	struct net *net = *state;
	enum { COUNT = 200, LONG = 5000 };
	struct span names[COUNT + 2];
	char *text = mem_get(LONG);
	memset(text, 'x', LONG);
	for (size_t i = 0; i < COUNT; i++)
		names[i] = span_of(text, LONG);
	names[COUNT] = fake_text("a name with spaces");
	names[COUNT + 1] = fake_text("a.good.Name");
	struct packet_register reg = {.services = names, .service_count = COUNT + 2};
	link_register(links_find(&net->hub->daemon.links, "wales"), &reg);
	fake_pass(net->world, 1000);
	free(text);
	assert_int_equal(HASH_CNT(by_name, net->hub->daemon.services.by_name), 1);
	assert_non_null(services_find(&net->cork->daemon.services, fake_text("a.good.Name")));
	assert_int_equal(net->cork->daemon.counters.malformed, 0);
	assert_non_null(uplink_of(net->cork)->session);
	/* What is withdrawn is gone. */
	reg.service_count = 0;
	link_register(links_find(&net->hub->daemon.links, "wales"), &reg);
	assert_int_equal(HASH_CNT(by_name, net->hub->daemon.services.by_name), 0);
}

static void test_link_credit_is_one_number_on_both_sides(void **state)
{
	struct net *net = *state;
	const struct session *down = links_find(&net->hub->daemon.links, "wales")->session;
	const struct session *up = uplink_of(net->wales)->session;
	assert_int_equal(down->call_credit,
			 net->wales->daemon.limits.call_credit * LINK_CREDIT_SCALE);
	assert_int_equal(up->call_credit, net->hub->daemon.limits.call_credit * LINK_CREDIT_SCALE);
}

/* However much the peer says that it takes at once. */
static void test_link_follow_credit_has_a_maximum(void **state)
{
	struct net *net = *state;
	struct link *link = links_find(&net->hub->daemon.links, "wales");
	link_follow(link, &(struct packet_follow){.credit = UINT64_MAX});
	assert_int_equal(link->credit, WIRE_MAX_FOLLOW_CREDIT);
}

#define with_net(test) cmocka_unit_test_setup_teardown(test, net_setup, net_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		with_net(test_link_copies_both_ways_once),
		with_net(test_link_labels_decide_how_far_a_record_goes),
		cmocka_unit_test(test_link_cuts_what_has_become_labelled_since),
		with_net(test_link_narrowing_reaches_former_readers_as_a_withdrawal),
		with_net(test_link_positions_cover_what_stays_at_home),
		with_net(test_link_outbox_is_what_the_hub_has_not_confirmed),
		with_net(test_link_register_takes_only_what_can_be_a_service),
		with_net(test_link_credit_is_one_number_on_both_sides),
		with_net(test_link_follow_credit_has_a_maximum),
		with_net(test_link_says_why_the_hub_is_not_reached),
		with_net(test_link_copies_under_way_to_the_disk_are_not_taken_twice),
		with_net(test_link_copies_that_the_disk_refused_come_again),
		with_net(test_link_carries_transient_messages_that_somebody_wants),
		with_net(test_link_refusal_ends_nothing_of_the_other_side),
		with_net(test_link_interest_is_told_again_after_a_break),
		with_net(test_link_of_many_origins_sends_each_record_once),
		with_net(test_link_node_may_not_send_the_records_of_others),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

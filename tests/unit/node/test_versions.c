/* A newer version of a type comes from another home, while the plugin here brings the older one. */
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
#include "schema_file.h"
#include "stream/record.h"

enum { MEMBERS = 2, AUDIENCE = 3 };

/* A hub whose plugin knows nothing of labels in a Part, and derry, which has them. */
struct net {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_client *derry;
	struct fake_client *ann;
	struct schema *newer;
	uint64_t sent;
};

static int setup(void **state)
{
	struct net *net = mem_new(struct net);
	net->world = fake_world_new(1);
	net->newer = net->world->schema;
	net->world->schema = schema_file_before(NOTICE_SET, "Notice", "Part", "label");
	net->hub = fake_node_add(net->world, "hub", NULL);
	net->derry = fake_client_add(net->hub, "derry");
	net->ann = fake_client_add(net->hub, "ann");
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;
	fake_world_free(net->world);
	schema_unref(net->newer);
	free(net);
	return 0;
}

static void send_copy(struct net *net, struct record *record)
{
	struct buf bytes = {0};
	struct buf frame = {0};
	size_t before = net->hub->record_count;
	record->origin = fake_text("derry");
	record->epoch = 1;
	record->origin_seq = ++net->sent;
	record_write(&bytes, record);
	packet_write_copy(&frame, span_of(bytes.data, bytes.len));
	fake_send_bytes(net->derry, span_of(frame.data, frame.len));
	fake_settle(net->world);
	assert_int_equal(net->hub->record_count, before + 1);
	buf_fini(&bytes);
	buf_fini(&frame);
}

static void send_newer_schema(struct net *net)
{
	struct buf body = {0};
	struct span set = schema_bytes(net->newer);
	char id[20];
	char subject[80];
	snprintf(id, sizeof(id), "%016llx", (unsigned long long)schema_id(net->newer));
	snprintf(subject, sizeof(subject), "lyceum.v1.SchemaVersion.derry.%s", id);
	pb_write_text(&body, 1, "derry");
	pb_write_text(&body, 2, id);
	pb_write_bytes(&body, 3, set.data, set.len);
	struct record record = {.subject = fake_text(subject),
				.body = span_of(body.data, body.len)};
	send_copy(net, &record);
	buf_fini(&body);
}

/* A Notice of derry with a part that is for cork alone. */
static void write_notice(struct buf *to)
{
	fake_notice(to, "derry", "a", "open", MEMBERS, NULL);
	size_t part = pb_begin(to, 5);
	pb_write_text(to, 1, "for cork");
	size_t label = pb_begin(to, 2);
	pb_write_uint(to, 2, AUDIENCE);
	pb_write_text(to, 3, "cork");
	pb_end(to, label);
	pb_end(to, part);
}

static void send_notice(struct net *net)
{
	struct buf body = {0};
	write_notice(&body);
	struct record record = {.subject = fake_text("lyceum.notice.v1.Notice.derry.a"),
				.schema = schema_id(net->newer),
				.body = span_of(body.data, body.len)};
	send_copy(net, &record);
	buf_fini(&body);
}

static void subscribe(struct net *net, uint64_t id)
{
	const struct packet_subscribe subscribe = {.id = id,
						   .pattern = fake_text("lyceum.notice.v1.>"),
						   .start = SUBSCRIBE_SEQ,
						   .from = 1,
						   .credit = 100000};
	fake_subscribe(net->ann, &subscribe);
	fake_settle(net->world);
}

/* The body of the one record that ann is given, without its part; false: none. */
static bool is_given_cut(struct net *net)
{
	const struct packet *packet;
	bool is_given = false;
	while ((packet = fake_next(net->ann))) {
		if (packet->kind != PACKET_DELIVER)
			continue;
		struct span body = packet->deliver.body;
		assert_non_null(memmem(body.data, body.len, "open", 4));
		assert_null(memmem(body.data, body.len, "for cork", 8));
		assert_false(is_given);
		is_given = true;
	}
	return is_given;
}

static void test_record_is_held_until_its_version_is_known(void **state)
{
	struct net *net = *state;
	subscribe(net, 1);
	send_notice(net);
	assert_false(is_given_cut(net));
	const struct held *held = &net->hub->daemon.stream.held;
	assert_int_equal(held->count, 1);
	assert_int_equal(held->types[0].schema, schema_id(net->newer));
	assert_int_equal(held->types[0].count, 1);
	send_newer_schema(net);
	assert_int_equal(held->count, 0);
	subscribe(net, 2);
	assert_true(is_given_cut(net));
}

static bool is_sought(struct span origin, void *arg)
{
	const bool *may_come_back = arg;
	return *may_come_back && span_is(origin, "derry");
}

/* The schema was in the log before, and has been damaged. */
static void test_followers_wait_for_a_schema_that_may_come_back(void **state)
{
	struct net *net = *state;
	bool may_come_back = true;
	net->hub->daemon.stream.is_sought = is_sought;
	net->hub->daemon.stream.is_sought_arg = &may_come_back;
	subscribe(net, 1);
	send_notice(net);
	assert_false(is_given_cut(net));
	fake_pass(net->world, 2000);
	assert_false(is_given_cut(net));
	send_newer_schema(net);
	may_come_back = false;
	fake_pass(net->world, 2000);
	assert_true(is_given_cut(net));
}

static void test_groups_wait_for_it_too(void **state)
{
	struct net *net = *state;
	bool may_come_back = true;
	net->hub->daemon.stream.is_sought = is_sought;
	net->hub->daemon.stream.is_sought_arg = &may_come_back;
	const struct packet_subscribe live = {.id = 1,
					      .pattern = fake_text("lyceum.notice.v1.>"),
					      .start = SUBSCRIBE_SEQ,
					      .from = 1,
					      .group = fake_text("live"),
					      .credit = 100000};
	fake_subscribe(net->ann, &live);
	fake_settle(net->world);
	send_notice(net);
	fake_pass(net->world, 2000);
	assert_false(is_given_cut(net));
	send_newer_schema(net);
	may_come_back = false;
	fake_pass(net->world, 2000);
	assert_true(is_given_cut(net));
}

static void test_followers_pass_what_nobody_can_explain(void **state)
{
	struct net *net = *state;
	bool may_come_back = true;
	net->hub->daemon.stream.is_sought = is_sought;
	net->hub->daemon.stream.is_sought_arg = &may_come_back;
	subscribe(net, 1);
	send_notice(net);
	may_come_back = false;
	fake_pass(net->world, 2000);
	send_newer_schema(net);
	fake_pass(net->world, 2000);
	assert_false(is_given_cut(net));
}

static void test_record_is_cut_by_the_version_that_it_was_written_with(void **state)
{
	struct net *net = *state;
	subscribe(net, 1);
	send_newer_schema(net);
	send_notice(net);
	assert_int_equal(net->hub->daemon.stream.held.count, 0);
	assert_true(is_given_cut(net));
}

/* It passes on what it does not understand. */
static void test_reply_of_an_older_plugin_is_cut_by_the_newer_version(void **state)
{
	struct net *net = *state;
	struct buf body = {0};
	struct fake_client *board = fake_board_add(net->hub, "board");
	send_newer_schema(net);
	struct packet call = {.kind = PACKET_CALL};
	call.call = (struct packet_call){
		.id = 7, .method = fake_text("lyceum.notice.v1.Board/Read"), .timeout_ms = 1000};
	fake_send(net->ann, &call);
	fake_settle(net->world);
	const struct packet *given = fake_expect(board, PACKET_CALL);
	struct packet reply = {.kind = PACKET_REPLY};
	size_t notice = pb_begin(&body, 2);
	write_notice(&body);
	pb_end(&body, notice);
	reply.reply =
		(struct packet_reply){.id = given->call.id, .body = span_of(body.data, body.len)};
	fake_send(board, &reply);
	fake_settle(net->world);
	const struct packet *got = fake_expect(net->ann, PACKET_REPLY);
	assert_int_equal(got->reply.status, LYC_OK);
	assert_non_null(memmem(got->reply.body.data, got->reply.body.len, "open", 4));
	assert_null(memmem(got->reply.body.data, got->reply.body.len, "for cork", 8));
	buf_fini(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_record_is_held_until_its_version_is_known,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_followers_wait_for_a_schema_that_may_come_back,
						setup, teardown),
		cmocka_unit_test_setup_teardown(test_groups_wait_for_it_too, setup, teardown),
		cmocka_unit_test_setup_teardown(test_followers_pass_what_nobody_can_explain, setup,
						teardown),
		cmocka_unit_test_setup_teardown(
			test_record_is_cut_by_the_version_that_it_was_written_with, setup,
			teardown),
		cmocka_unit_test_setup_teardown(
			test_reply_of_an_older_plugin_is_cut_by_the_newer_version, setup, teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

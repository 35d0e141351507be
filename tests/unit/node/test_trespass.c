/* What a node may not do to others: take their keys, redefine their types, speak in their name. */
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
#include "google/protobuf/descriptor.pb-c.h"
#include "lyceum/v1/node.pb-c.h"
#include "stream/record.h"

enum { MEMBERS = 2 };

/* A hub with an honest node, and a connection of derry's that sends what it likes. */
struct net {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_client *at_wales;
	struct fake_client *derry;
};

static int setup(void **state)
{
	struct net *net = mem_new(struct net);
	net->world = fake_world_new(1);
	net->hub = fake_node_add(net->world, "hub", NULL);
	net->wales = fake_node_add(net->world, "wales", net->hub);
	fake_settle(net->world);
	net->at_wales = fake_client_add(net->wales, "root");
	net->derry = fake_client_add(net->hub, "derry");
	fake_settle(net->world);
	*state = net;
	return 0;
}

static int teardown(void **state)
{
	struct net *net = *state;
	fake_world_free(net->world);
	free(net);
	return 0;
}

static void test_node_cannot_take_over_a_key(void **state)
{
	struct net *net = *state;
	fake_post(net->at_wales, 1, "a", "ours", MEMBERS, NULL);
	fake_pass(net->world, 2000);
	assert_int_equal(fake_ack_of(net->at_wales), LYC_OK);
	size_t before = net->hub->record_count;
	struct record record = {.origin = fake_text("derry"),
				.epoch = 1,
				.origin_seq = 1,
				.subject = fake_text("lyceum.notice.v1.Notice.wales.a"),
				.removed = true};
	fake_send_copy(net->derry, &record);
	assert_int_equal(net->hub->record_count, before);
	/* Nor one that is not there yet. */
	record.origin_seq = 2;
	record.subject = fake_text("lyceum.notice.v1.Notice.wales.b");
	fake_send_copy(net->derry, &record);
	assert_int_equal(net->hub->record_count, before);
	fake_post(net->at_wales, 2, "a", "still ours", MEMBERS, NULL);
	fake_pass(net->world, 2000);
	assert_int_equal(fake_ack_of(net->at_wales), LYC_OK);
	assert_int_equal(net->hub->record_count, before + 1);
}

/* A set in which lyceum.notice.v1.Notice has one field and no label. */
static void write_other_notice(struct buf *to)
{
	size_t file = pb_begin(to, 1);
	pb_write_text(to, 1, "other.proto");
	pb_write_text(to, 2, "lyceum.notice.v1");
	size_t message = pb_begin(to, 4);
	pb_write_text(to, 1, "Notice");
	size_t field = pb_begin(to, 2);
	pb_write_text(to, 1, "home");
	pb_write_uint(to, 3, 1);
	pb_write_uint(to, 4, 1);
	pb_write_uint(to, 5, SCHEMA_STRING);
	pb_end(to, field);
	pb_end(to, message);
	pb_write_text(to, 12, "proto3");
	pb_end(to, file);
}

static void test_node_cannot_redefine_a_type(void **state)
{
	struct net *net = *state;
	struct buf set = {0};
	struct buf body = {0};
	write_other_notice(&set);
	pb_write_text(&body, 1, "derry");
	pb_write_text(&body, 2, "0123");
	pb_write_bytes(&body, 3, set.data, set.len);
	struct record record = {.origin = fake_text("derry"),
				.epoch = 1,
				.origin_seq = 1,
				.subject = fake_text("lyceum.v1.SchemaVersion.derry.0123"),
				.body = span_of(body.data, body.len)};
	size_t before = net->hub->record_count;
	fake_send_copy(net->derry, &record);
	/* It is kept, for derry's own records, and changes nothing for the others. */
	assert_int_equal(net->hub->record_count, before + 1);
	const struct schema_message *notice =
		types_message(&net->hub->daemon.types, fake_text("lyceum.notice.v1.Notice"));
	assert_non_null(notice->label);
	assert_int_equal(notice->key_count, 2);
	buf_fini(&set);
	buf_fini(&body);
}

/* In a schema of its own the type has no keys, so that nothing in the subject names a home. */
static void test_node_cannot_hide_a_home_behind_a_schema_of_its_own(void **state)
{
	struct net *net = *state;
	struct buf set = {0}, body = {0}, notice = {0};
	struct schema *schema;
	struct lyc_error error;
	write_other_notice(&set);
	assert_int_equal(schema_new(set.data, set.len, &schema, &error), LYC_OK);
	pb_write_text(&body, 1, "derry");
	pb_write_text(&body, 2, "0123");
	pb_write_bytes(&body, 3, set.data, set.len);
	struct record record = {.origin = fake_text("derry"),
				.epoch = 1,
				.origin_seq = 1,
				.subject = fake_text("lyceum.v1.SchemaVersion.derry.0123"),
				.body = span_of(body.data, body.len)};
	fake_send_copy(net->derry, &record);
	assert_non_null(types_schema(&net->hub->daemon.types, schema_id(schema)));
	fake_post(net->at_wales, 1, "a", "ours", MEMBERS, NULL);
	fake_pass(net->world, 2000);
	assert_int_equal(fake_ack_of(net->at_wales), LYC_OK);
	size_t before = net->hub->record_count;
	fake_notice(&notice, "wales", "forged", "written by derry", MEMBERS, NULL);
	record = (struct record){.origin = fake_text("derry"),
				 .epoch = 1,
				 .origin_seq = 2,
				 .subject = fake_text("lyceum.notice.v1.Notice.wales.forged"),
				 .schema = schema_id(schema),
				 .body = span_of(notice.data, notice.len)};
	fake_send_copy(net->derry, &record);
	record.origin_seq = 3;
	record.subject = fake_text("lyceum.notice.v1.Notice.wales.a");
	fake_send_copy(net->derry, &record);
	assert_int_equal(net->hub->record_count, before);
	fake_post(net->at_wales, 2, "a", "still ours", MEMBERS, NULL);
	fake_pass(net->world, 2000);
	assert_int_equal(fake_ack_of(net->at_wales), LYC_OK);
	schema_unref(schema);
	buf_fini(&set);
	buf_fini(&body);
	buf_fini(&notice);
}

static void test_node_writes_no_other_home_into_a_body(void **state)
{
	struct net *net = *state;
	struct buf notice = {0};
	const struct schema_message *type =
		types_message(&net->hub->daemon.types, fake_text("lyceum.notice.v1.Notice"));
	size_t before = net->hub->record_count;
	fake_notice(&notice, "cork", "a", "as if cork had said it", MEMBERS, NULL);
	struct record record = {.origin = fake_text("derry"),
				.epoch = 1,
				.origin_seq = 1,
				.subject = fake_text("lyceum.notice.v1.Notice.derry.a"),
				.schema = schema_id(type->schema),
				.body = span_of(notice.data, notice.len)};
	fake_send_copy(net->derry, &record);
	assert_int_equal(net->hub->record_count, before);
	buf_clear(&notice);
	fake_notice(&notice, "derry", "a", "what derry says", MEMBERS, NULL);
	record.origin_seq = 2;
	record.body = span_of(notice.data, notice.len);
	fake_send_copy(net->derry, &record);
	assert_int_equal(net->hub->record_count, before + 1);
	buf_fini(&notice);
}

/* The tests' set with one method more in the Board; `is_broken`: and a Notice without its label. */
static void write_other_board(const struct schema *schema, bool is_broken, struct buf *to)
{
	struct span bytes = schema_bytes(schema);
	Google__Protobuf__FileDescriptorSet *set =
		google__protobuf__file_descriptor_set__unpack(NULL, bytes.len, bytes.data);
	assert_non_null(set);
	Google__Protobuf__FileDescriptorProto *file = set->file[set->n_file - 1];
	Google__Protobuf__ServiceDescriptorProto *board = file->service[0];
	Google__Protobuf__MethodDescriptorProto *methods[8];
	Google__Protobuf__MethodDescriptorProto more = *board->method[0];
	Google__Protobuf__MethodDescriptorProto **kept = board->method;
	size_t fields = file->message_type[0]->n_field;
	more.name = (char *)(uintptr_t) "Take";
	memcpy(methods, kept, board->n_method * sizeof(methods[0]));
	methods[board->n_method++] = &more;
	board->method = methods;
	if (is_broken)
		file->message_type[0]->n_field = 3;
	size_t len = google__protobuf__file_descriptor_set__get_packed_size(set);
	assert_true(buf_reserve(to, len));
	to->len = google__protobuf__file_descriptor_set__pack(set, to->data);
	board->method = kept;
	board->n_method--;
	file->message_type[0]->n_field = fields;
	google__protobuf__file_descriptor_set__free_unpacked(set, NULL);
}

static void send_schema(struct net *net, uint64_t seq, const char *id, const struct buf *set)
{
	struct buf body = {0};
	struct buf subject = {0};
	pb_write_text(&body, 1, "derry");
	pb_write_text(&body, 2, id);
	pb_write_bytes(&body, 3, set->data, set->len);
	buf_add_format(&subject, "lyceum.v1.SchemaVersion.derry.%s", id);
	struct record record = {.origin = fake_text("derry"),
				.epoch = 1,
				.origin_seq = seq,
				.subject = span_of(subject.data, subject.len),
				.body = span_of(body.data, body.len)};
	size_t before = net->hub->record_count;
	fake_send_copy(net->derry, &record);
	assert_int_equal(net->hub->record_count, before + 1);
	buf_fini(&body);
	buf_fini(&subject);
}

/* What the hub says of the Board, and of all schemas that it holds. */
static Lyceum__V1__ServiceInfo *board_of(const Lyceum__V1__ServicesReply *reply)
{
	for (size_t i = 0; i < reply->n_service; i++) {
		if (strcmp(reply->service[i]->name, "lyceum.notice.v1.Board") == 0)
			return reply->service[i];
	}
	return NULL;
}

static const struct packet *ask(struct fake_client *client, const char *method)
{
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = (struct packet_call){.id = 7, .method = fake_text(method)};
	fake_send(client, &packet);
	const struct packet *answer = fake_expect(client, PACKET_REPLY);
	assert_int_equal(answer->reply.status, LYC_OK);
	return answer;
}

static bool tells_schema(struct fake_client *client, uint64_t id)
{
	const struct packet *answer = ask(client, "lyceum.v1.Node/Schema");
	Lyceum__V1__SchemaReply *reply = lyceum__v1__schema_reply__unpack(
		NULL, answer->reply.body.len, answer->reply.body.data);
	bool is_told = false;
	assert_non_null(reply);
	for (size_t i = 0; i < reply->n_schema; i++)
		is_told = is_told || reply->schema[i]->id == id;
	lyceum__v1__schema_reply__free_unpacked(reply, NULL);
	return is_told;
}

static void test_node_cannot_redefine_a_service(void **state)
{
	struct net *net = *state;
	struct fake_client *root = fake_client_add(net->hub, "root");
	struct fake_client *board = fake_client_add(net->hub, "board");
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_REGISTER};
	uint64_t id = schema_id(net->world->schema);
	struct buf set = {0};
	struct buf broken = {0};
	struct schema *schema = NULL;
	packet.reg = (struct packet_register){.id = 1,
					      .services = &service,
					      .service_count = 1,
					      .schema = schema_bytes(net->world->schema)};
	fake_send(board, &packet);
	assert_int_equal(fake_expect(board, PACKET_REGISTERED)->registered.status, LYC_OK);
	fake_settle(net->world);
	write_other_board(net->world->schema, false, &set);
	send_schema(net, 1, "0123", &set);
	fake_post(root, 3, "a", "a record of the package", MEMBERS, NULL);
	fake_settle(net->world);
	assert_int_equal(fake_ack_of(root), LYC_OK);
	write_other_board(net->world->schema, true, &broken);
	send_schema(net, 2, "0124", &broken);

	const struct packet *answer = ask(root, "lyceum.v1.Node/Services");
	Lyceum__V1__ServicesReply *reply = lyceum__v1__services_reply__unpack(
		NULL, answer->reply.body.len, answer->reply.body.data);
	assert_non_null(reply);
	const Lyceum__V1__ServiceInfo *info = board_of(reply);
	assert_non_null(info);
	assert_true(info->schema == id);
	assert_int_equal(info->n_method, 3);
	assert_string_equal(info->by, "board");
	lyceum__v1__services_reply__free_unpacked(reply, NULL);
	assert_true(tells_schema(root, id));
	assert_int_equal(schema_new(broken.data, broken.len, &schema, NULL), LYC_OK);
	assert_non_null(types_schema(&net->hub->daemon.types, schema_id(schema)));
	assert_false(tells_schema(root, schema_id(schema)));
	schema_unref(schema);
	buf_fini(&set);
	buf_fini(&broken);
}

static void test_node_appends_nothing_to_the_hubs_log(void **state)
{
	struct net *net = *state;
	size_t before = net->hub->record_count;
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = 9,
						 .subject = fake_text("lyceum.notice.v1.Remark"),
						 .body = span_of("\x0a\x01x", 3),
						 .durable = true};
	fake_send(net->derry, &packet);
	fake_settle(net->world);
	assert_int_equal(fake_ack_of(net->derry), LYC_PERMISSION_DENIED);
	assert_int_equal(net->hub->record_count, before);
}

static void test_node_speaks_in_no_other_nodes_name(void **state)
{
	struct net *net = *state;
	struct fake_client *listener = fake_client_add(net->hub, "root");
	fake_subscribe(listener,
		       &(struct packet_subscribe){.id = 1,
						  .pattern = fake_text("lyceum.notice.v1.Remark"),
						  .credit = 100000});
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = 9,
						 .subject = fake_text("lyceum.notice.v1.Remark"),
						 .body = span_of("\x0a\x01x", 3),
						 .origin = fake_text("wales")};
	fake_send(net->derry, &packet);
	fake_settle(net->world);
	assert_int_equal(fake_ack_of(net->derry), LYC_PERMISSION_DENIED);
	fake_expect_nothing(listener);
	packet.publish.origin = fake_text("derry");
	fake_send(net->derry, &packet);
	fake_settle(net->world);
	const struct packet *heard = fake_expect(listener, PACKET_DELIVER);
	assert_true(span_is(heard->deliver.origin, "derry"));
}

static void test_home_in_the_key_is_ones_own(void **state)
{
	struct net *net = *state;
	struct buf body = {0};
	fake_notice(&body, "cork", "a", "planted", MEMBERS, NULL);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = 9,
						 .subject = fake_text("lyceum.notice.v1.Notice"),
						 .body = span_of(body.data, body.len),
						 .durable = true};
	size_t before = net->wales->record_count;
	fake_send(net->at_wales, &packet);
	fake_settle(net->world);
	assert_int_equal(fake_ack_of(net->at_wales), LYC_FAILED_PRECONDITION);
	assert_int_equal(net->wales->record_count, before);
	buf_fini(&body);
}

static void test_person_is_no_node(void **state)
{
	struct net *net = *state;
	struct fake_client *ann = fake_client_new(net->hub, "ann");
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){.version = WIRE_VERSION, .epoch = 5};
	fake_send(ann, &packet);
	const struct packet *answer = fake_expect(ann, PACKET_GOODBYE);
	assert_int_equal(answer->goodbye.reason, GOODBYE_DENIED);
	assert_non_null(memmem(answer->goodbye.text.data, answer->goodbye.text.len, "NODE", 4));
}

static void test_older_log_is_refused_with_a_sentence(void **state)
{
	struct net *net = *state;
	fake_post(net->at_wales, 1, "a", "ours", MEMBERS, NULL);
	fake_pass(net->world, 2000);
	net->wales->epoch--;
	fake_node_restart(net->wales);
	fake_pass(net->world, 2000);
	struct link *uplink = net->wales->daemon.uplink.link;
	assert_null(uplink->session);
	assert_non_null(strstr(uplink->text, "older"));
}

#define TRESPASS(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TRESPASS(test_node_cannot_take_over_a_key),
		TRESPASS(test_node_cannot_redefine_a_type),
		TRESPASS(test_node_cannot_hide_a_home_behind_a_schema_of_its_own),
		TRESPASS(test_node_writes_no_other_home_into_a_body),
		TRESPASS(test_node_cannot_redefine_a_service),
		TRESPASS(test_node_appends_nothing_to_the_hubs_log),
		TRESPASS(test_node_speaks_in_no_other_nodes_name),
		TRESPASS(test_home_in_the_key_is_ones_own),
		TRESPASS(test_person_is_no_node),
		TRESPASS(test_older_log_is_refused_with_a_sentence),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

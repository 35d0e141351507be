/* Peers of a daemon without sockets, and what tests say again and again. */
#include "fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "lyceum/v1/config.pb-c.h"
#include "schema_file.h"

static char *const names[] = {"ann", "root", "wales", "cork", "derry"};
static const Lyceum__V1__Role roles[] = {LYCEUM__V1__ROLE__PERSON, LYCEUM__V1__ROLE__OPERATOR,
					 LYCEUM__V1__ROLE__NODE, LYCEUM__V1__ROLE__NODE,
					 LYCEUM__V1__ROLE__NODE};
static char *policy_group[] = {"policy"};
static Lyceum__V1__PeerKey keys[5];
static Lyceum__V1__PeerKey *key_items[5];

static void configure(struct fake_node *node, Lyceum__V1__Config *config)
{
	for (size_t i = 0; i < 5; i++) {
		lyceum__v1__peer_key__init(&keys[i]);
		keys[i].name = names[i];
		keys[i].public_key = (char *)(uintptr_t)FAKE_KEY;
		keys[i].role = roles[i];
		key_items[i] = &keys[i];
	}
	keys[0].groups = policy_group;
	keys[0].n_groups = 1;
	config->keys = key_items;
	config->n_keys = node->hub ? 2 : 5;
}

static void prepare(struct fake_node *node)
{
	policy_grant(&node->daemon.policy, "board", "", ROLE_PLUGIN);
	policy_grant(&node->daemon.policy, "board.2", "", ROLE_PLUGIN);
}

struct fake_world *fake_world_new(uint64_t seed)
{
	const struct fake_hooks hooks = {.configure = configure, .prepare = prepare};
	struct fake_world *world = fake_world_make(seed, &hooks);
	world->schema = schema_file_compile(NOTICE_SET, NULL);
	return world;
}

const struct packet *fake_expect(struct fake_client *client, enum packet_kind kind)
{
	const struct packet *packet = fake_next(client);
	if (!packet)
		fail_msg("'%s' got nothing instead of a packet of kind %d", client->identity,
			 (int)kind);
	if (packet->kind != kind)
		fail_msg("'%s' got a packet of kind %d instead of %d", client->identity,
			 (int)packet->kind, (int)kind);
	return packet;
}

void fake_expect_nothing(struct fake_client *client)
{
	const struct packet *packet = fake_next(client);
	if (packet)
		fail_msg("'%s' got a packet of kind %d", client->identity, (int)packet->kind);
}

void fake_expect_goodbye(struct fake_client *client, enum goodbye_reason reason)
{
	const struct packet *packet = fake_expect(client, PACKET_GOODBYE);
	assert_int_equal(packet->goodbye.reason, reason);
	assert_true(packet->goodbye.text.len > 0);
}

void fake_hello_as(struct fake_client *client, uint32_t version)
{
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){.version = version, .call_credit = 1000};
	fake_send(client, &packet);
}

void fake_ping(struct fake_client *client, uint64_t id)
{
	struct packet packet = {.kind = PACKET_PING};
	packet.ping.id = id;
	fake_send(client, &packet);
}

struct fake_client *fake_client_add(struct fake_node *node, const char *identity)
{
	struct fake_client *client = fake_client_new(node, identity);
	fake_hello(client);
	fake_expect(client, PACKET_WELCOME);
	return client;
}

struct fake_client *fake_board_add(struct fake_node *node, const char *identity)
{
	struct fake_client *client = fake_client_add(node, identity);
	struct span service = fake_text("lyceum.notice.v1.Board");
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.id = 1, .services = &service, .service_count = 1};
	fake_send(client, &packet);
	assert_int_equal(fake_expect(client, PACKET_REGISTERED)->registered.status, LYC_OK);
	return client;
}

/* ---- what tests say again and again ---- */

void fake_notice(struct buf *to, const char *home, const char *id, const char *text, int visibility,
		 const char *audience)
{
	pb_write_text(to, 1, home);
	pb_write_text(to, 2, id);
	pb_write_text(to, 3, text);
	if (visibility == 0)
		return;
	size_t label = pb_begin(to, 4);
	pb_write_uint(to, 2, (uint64_t)visibility);
	pb_write_text(to, 3, audience);
	pb_end(to, label);
}

void fake_post(struct fake_client *client, uint64_t publish_id, const char *id, const char *text,
	       int visibility, const char *audience)
{
	struct buf body = {0};
	fake_notice(&body, client->node->name, id, text, visibility, audience);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.id = publish_id,
						 .subject = fake_text("lyceum.notice.v1.Notice"),
						 .body = span_of(body.data, body.len),
						 .durable = true};
	fake_send(client, &packet);
	buf_fini(&body);
}

void fake_remove(struct fake_client *client, uint64_t publish_id, const char *id)
{
	char subject[120];
	snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.%s.%s", client->node->name, id);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){
		.id = publish_id, .subject = fake_text(subject), .durable = true, .remove = true};
	fake_send(client, &packet);
}

void fake_subscribe(struct fake_client *client, const struct packet_subscribe *subscribe)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = *subscribe;
	fake_send(client, &packet);
}

void fake_call(struct fake_client *client, uint64_t id, const struct packet_call *call)
{
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = *call;
	packet.call.id = id;
	if (packet.call.method.len == 0)
		packet.call.method = fake_text("lyceum.notice.v1.Board/Read");
	fake_send(client, &packet);
}

void fake_answer(struct fake_client *client, uint64_t id, struct span body, bool more)
{
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){.id = id, .body = body, .more = more};
	fake_send(client, &packet);
}

uint64_t fake_taken(struct fake_client *client)
{
	return fake_expect(client, PACKET_CALL)->call.id;
}

void fake_expect_status(struct fake_client *client, uint64_t id, enum lyc_status status)
{
	const struct packet *packet = fake_expect(client, PACKET_REPLY);
	assert_int_equal(packet->reply.id, id);
	assert_int_equal(packet->reply.status, status);
	assert_true(status == LYC_OK || packet->reply.text.len > 0);
	assert_false(packet->reply.more);
}

enum lyc_status fake_ack_of(struct fake_client *client)
{
	const struct packet *packet = fake_next(client);
	while (packet && packet->kind != PACKET_ACK)
		packet = fake_next(client);
	assert_non_null(packet);
	return (enum lyc_status)packet->ack.status;
}

void fake_send_copy(struct fake_client *link, const struct record *record)
{
	struct buf bytes = {0};
	struct buf frame = {0};
	record_write(&bytes, record);
	packet_write_copy(&frame, span_of(bytes.data, bytes.len));
	fake_send_bytes(link, span_of(frame.data, frame.len));
	fake_settle(link->node->world);
	buf_fini(&bytes);
	buf_fini(&frame);
}

struct record fake_record_at(const struct fake_node *node, size_t index)
{
	struct record record;
	assert_true(index < node->record_count);
	const struct buf *bytes = &node->records[index].record;
	assert_int_equal(record_read(span_of(bytes->data, bytes->len), &record), LYC_OK);
	return record;
}

size_t fake_count_of(const struct fake_node *node, const char *text)
{
	size_t count = 0;
	for (size_t i = 0; i < node->record_count; i++) {
		const struct buf *record = &node->records[i].record;
		count += memmem(record->data, record->len, text, strlen(text)) != NULL;
	}
	return count;
}

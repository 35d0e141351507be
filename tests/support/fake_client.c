/* Peers of a daemon without sockets, and what tests say again and again. */
#include "fake_world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "base/pb.h"

struct span fake_text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

struct fake_client *fake_client_new(struct fake_node *node, const char *identity)
{
	struct fake_world *world = node->world;
	struct fake_client *client = mem_new(struct fake_client);
	ensure(world->client_count < FAKE_MAX_CLIENTS);
	client->node = node;
	snprintf(client->identity, sizeof(client->identity), "%s", identity);
	snprintf(client->routing_id, sizeof(client->routing_id), "client%zu", world->client_count);
	world->clients[world->client_count++] = client;
	return client;
}

void fake_send_bytes(struct fake_client *client, struct span frame)
{
	daemon_frame(&client->node->daemon, FAKE_LISTENER, fake_text(client->routing_id),
		     client->identity, 42, frame);
	daemon_turn(&client->node->daemon);
}

void fake_send(struct fake_client *client, const struct packet *packet)
{
	buf_clear(&client->out);
	packet_write(&client->out, packet);
	fake_send_bytes(client, span_of(client->out.data, client->out.len));
}

const struct packet *fake_next(struct fake_client *client)
{
	for (;;) {
		if (client->is_reading) {
			enum frame_result result = frame_next(&client->reader, &client->packet);
			assert_true(result == FRAME_PACKET || result == FRAME_END);
			if (result == FRAME_PACKET)
				return &client->packet;
			client->is_reading = false;
		}
		buf_fini(&client->frame);
		if (!fake_frames_take(&client->in, &client->frame))
			return NULL;
		frame_start(&client->reader, span_of(client->frame.data, client->frame.len));
		client->is_reading = true;
	}
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

struct fake_client *fake_client_add(struct fake_node *node, const char *identity)
{
	struct fake_client *client = fake_client_new(node, identity);
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){
		.version = WIRE_VERSION, .software = fake_text("test"), .call_credit = 150000};
	fake_send(client, &packet);
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

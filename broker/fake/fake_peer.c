/* Peers of a daemon without sockets. */
#include "fake/fake_node.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"

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
	snprintf(client->routing_id, sizeof(client->routing_id), "client%zu",
		 ++world->clients_ever);
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
			ensure(result == FRAME_PACKET || result == FRAME_END);
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

void fake_hello(struct fake_client *client)
{
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){
		.version = WIRE_VERSION, .software = fake_text("test"), .call_credit = 150000};
	fake_send(client, &packet);
}

void fake_client_free(struct fake_client *client)
{
	struct fake_world *world = client->node->world;
	size_t at = 0;
	while (world->clients[at] != client)
		at++;
	world->client_count--;
	memmove(&world->clients[at], &world->clients[at + 1],
		(world->client_count - at) * sizeof(client));
	fake_frames_drop(&client->in);
	buf_fini(&client->frame);
	buf_fini(&client->out);
	free(client);
}

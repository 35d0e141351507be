/* Sessions from a peer's side. */
#include "sim_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "sim_node.h"

#define BEAT_US (SIM_HEARTBEAT_MS * 1000u / 2)

struct span text_span(const char *text)
{
	return span_of(text, strlen(text));
}

struct sim_peer *sim_peer_new(struct sim *sim, struct sim_node *node, const char *identity,
			      const struct peer_role *role, void *state)
{
	struct sim_peer *peer = mem_new(struct sim_peer);
	ensure(sim->peer_count < SIM_PEERS_MAX);
	peer->sim = sim;
	peer->node = node;
	peer->role = role;
	peer->state = state;
	snprintf(peer->identity, sizeof(peer->identity), "%s", identity);
	sim->peers[sim->peer_count++] = peer;
	return peer;
}

void sim_peer_free(struct sim_peer *peer)
{
	if (peer->role->free)
		peer->role->free(peer);
	buf_fini(&peer->out);
	free(peer);
}

static void connect(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session != session || !peer->is_started || peer->line)
		return;
	peer->line = line_open(peer->sim, peer->node, NULL, peer, peer->identity);
}

void sim_peer_start(struct sim_peer *peer, uint64_t delay_us)
{
	peer->is_started = true;
	sim_in(peer->sim, delay_us, connect, peer, peer->session);
}

static void leave(struct sim_peer *peer)
{
	bool was_up = peer->is_up;
	if (peer->line)
		line_close(peer->line);
	peer->line = NULL;
	peer->is_up = false;
	peer->session++;
	if (was_up && !peer->sim->is_over)
		peer->role->on_down(peer);
}

void sim_peer_stop(struct sim_peer *peer)
{
	if (!peer)
		return;
	peer->is_started = false;
	leave(peer);
}

void sim_peer_lost(struct sim_peer *peer)
{
	if (!peer->line)
		return;
	leave(peer);
	if (peer->is_started)
		sim_in(peer->sim, sim_around(peer->sim, 200000), connect, peer, peer->session);
}

static void give_up(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session == session)
		sim_peer_lost(peer);
}

void sim_peer_send(struct sim_peer *peer, const struct packet *packet)
{
	if (!peer->line)
		return;
	buf_clear(&peer->out);
	packet_write(&peer->out, packet);
	struct buf frame = {0};
	buf_add(&frame, peer->out.data, peer->out.len);
	if (line_send(peer->line, LINE_UP, &frame) == LYC_OK)
		return;
	/* A client that cannot send what it said it would begins anew. */
	buf_fini(&frame);
	sim_peer_in(peer, 0, give_up);
}

void sim_peer_in(struct sim_peer *peer, uint64_t delay_us, sim_event_fn run)
{
	sim_in(peer->sim, delay_us, run, peer, peer->session);
}

static void beat(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session != session)
		return;
	if (peer->sim->now_us - peer->heard_us > 6ull * BEAT_US) {
		sim_peer_lost(peer);
		return;
	}
	struct packet packet = {.kind = PACKET_PING};
	packet.ping.id = 7;
	sim_peer_send(peer, &packet);
	sim_peer_in(peer, BEAT_US, beat);
}

static void say_hello(struct sim_peer *peer)
{
	struct packet packet = {.kind = PACKET_HELLO};
	packet.hello = (struct packet_hello){
		.version = WIRE_VERSION, .software = text_span("sim"), .call_credit = 50000};
	sim_peer_send(peer, &packet);
}

void sim_peer_connected(struct sim_peer *peer)
{
	peer->heard_us = peer->sim->now_us;
	say_hello(peer);
	sim_peer_in(peer, BEAT_US, beat);
}

static void take(struct sim_peer *peer, const struct packet *packet)
{
	struct packet pong = {.kind = PACKET_PONG};
	switch (packet->kind) {
	case PACKET_WELCOME:
		if (peer->is_up)
			break;
		peer->is_up = true;
		peer->epoch = packet->welcome.epoch;
		peer->role->on_up(peer);
		break;
	case PACKET_PING:
		pong.pong.id = packet->ping.id;
		sim_peer_send(peer, &pong);
		break;
	case PACKET_GOODBYE:
		sim_peer_lost(peer);
		break;
	default:
		if (peer->is_up)
			peer->role->on_packet(peer, packet);
	}
}

void sim_peer_frame(struct sim_peer *peer, struct span frame)
{
	struct packet packet;
	enum frame_result result;
	uint64_t session = peer->session;
	peer->heard_us = peer->sim->now_us;
	frame_start(&peer->reader, frame);
	while (peer->session == session && (result = frame_next(&peer->reader, &packet)) > 0) {
		if (result == FRAME_PACKET)
			take(peer, &packet);
	}
}

uint32_t sim_peer_bit(const struct sim_peer *peer)
{
	return peer->role->reader_bit(peer->node->index);
}

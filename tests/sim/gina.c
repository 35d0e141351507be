/* Members of a group: they handle what they are sent in order, some of them late; now and then one
 * leaves and comes back. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "shared.h"
#include "writes.h"

#define CREDIT 1500
#define MAX_HELD 256
#define MEMBERS 3

struct gina {
	uint64_t id; /* of the subscription; 0: has left */
	uint64_t held[MAX_HELD];
	size_t held_count;
};

static struct gina *gina_of(const struct sim_peer *peer)
{
	return peer->state;
}

static void join(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	struct gina *gina = gina_of(peer);
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	if (peer->session != session || gina->id > 0)
		return;
	gina->id = ++peer->next_id;
	gina->held_count = 0;
	packet.subscribe = (struct packet_subscribe){.id = gina->id,
						     .pattern = text_span(SHARED_PATTERN),
						     .start = SUBSCRIBE_SEQ,
						     .from = 1,
						     .credit = CREDIT,
						     .durable = text_span(SHARED_NAME),
						     .group = text_span(SHARED_NAME),
						     .records_only = true};
	sim_peer_send(peer, &packet);
}

static void leave(struct sim_peer *peer)
{
	struct gina *gina = gina_of(peer);
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	packet.unsubscribe.id = gina->id;
	gina->id = 0;
	sim_peer_send(peer, &packet);
	sim_peer_in(peer, sim_around(peer->sim, 100000), join);
}

static void handle(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	struct sim *sim = peer->sim;
	struct gina *gina = gina_of(peer);
	if (peer->session != session || gina->id == 0 || gina->held_count == 0)
		return;
	size_t count = 1 + (size_t)sim_below(sim, gina->held_count);
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = gina->id, .value = gina->held[count - 1]};
	for (size_t i = 0; i < count; i++)
		shared_handled(peer, gina->held[i]);
	memmove(gina->held, gina->held + count, (gina->held_count - count) * sizeof(*gina->held));
	gina->held_count -= count;
	sim_peer_send(peer, &packet);
	if (!sim->is_calm && sim_chance(sim, 10))
		leave(peer);
	else if (gina->held_count > 0)
		sim_peer_in(peer, 3000, handle);
}

static void delivered(struct sim_peer *peer, const struct packet_deliver *deliver)
{
	struct sim *sim = peer->sim;
	struct gina *gina = gina_of(peer);
	if (deliver->id != gina->id)
		return;
	sim->counts.shared++;
	if (gina->held_count == MAX_HELD) {
		sim_broken(sim, PROMISE_BOUNDED, "a member at %s is sent more than its credit",
			   peer->node->name);
		return;
	}
	gina->held[gina->held_count++] = deliver->seq;
	bool is_late = !sim->is_calm && sim_chance(sim, 50);
	if (gina->held_count == 1 || is_late)
		sim_peer_in(peer, is_late ? 700000 : 3000, handle);
}

static void on_up(struct sim_peer *peer)
{
	join(peer, peer->session);
}

static void on_down(struct sim_peer *peer)
{
	gina_of(peer)->id = 0;
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	struct gina *gina = gina_of(peer);
	if (packet->kind == PACKET_DELIVER) {
		delivered(peer, &packet->deliver);
	} else if (packet->kind == PACKET_UNSUBSCRIBE && packet->unsubscribe.id == gina->id) {
		gina->id = 0;
		sim_peer_in(peer, 50000, join);
	}
}

static void on_sent(struct sim_peer *peer, struct span frame)
{
	static struct frame_reader reader;
	struct packet packet;
	enum frame_result result;
	frame_start(&reader, frame);
	while ((result = frame_next(&reader, &packet)) > 0) {
		if (result == FRAME_PACKET && packet.kind == PACKET_DELIVER &&
		    packet.deliver.id == gina_of(peer)->id)
			shared_sent(peer, &packet.deliver);
	}
}

static void gina_free(struct sim_peer *peer)
{
	free(peer->state);
}

void shared_play(struct sim *sim)
{
	static const struct peer_role role = {.on_up = on_up,
					      .on_down = on_down,
					      .on_packet = on_packet,
					      .on_sent = on_sent,
					      .free = gina_free,
					      .reader_bit = writes_operator_bit};
	size_t first = sim_below(sim, SIM_NODES);
	size_t second = (first + 1 + sim_below(sim, SIM_NODES - 1)) % SIM_NODES;
	for (size_t i = 0; i < 2 * MEMBERS - 1; i++) {
		struct sim_node *node = sim->nodes[i % 2 ? second : first];
		sim->shared[node->index].is_played = true;
		sim_peer_start(sim_peer_new(sim, node, SHARED_OWNER, &role, mem_new(struct gina)),
			       sim_around(sim, 200000));
	}
}

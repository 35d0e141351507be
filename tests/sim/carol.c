/* Following records. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "damage.h"
#include "heard.h"
#include "reader.h"
#include "sim_node.h"
#include "writes.h"

enum { DURABLE = 1, NEXT = 2, FRESH = 100, GROUP = 4 };

#define CREDIT 3000
#define NAME_KEPT_US 1000000u

struct carol_state {
	struct carol carol;
	uint64_t fresh_id;
	uint64_t epoch;
};

static struct carol *carol(const struct sim_peer *peer)
{
	return &((struct carol_state *)peer->state)->carol;
}

const struct carol *carol_of(const struct sim_peer *peer)
{
	return carol(peer);
}

static void subscribe(struct sim_peer *peer, struct packet_subscribe subscribe)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	subscribe.credit = CREDIT;
	packet.subscribe = subscribe;
	sim_peer_send(peer, &packet);
}

static void follow_durable(struct sim_peer *peer)
{
	struct carol *state = carol(peer);
	/* A name that has been used for a while is found again, whatever `start` says; a full disk
	 * keeps it later. */
	bool is_known = peer->node->has_kept_name && state->durable_used_us > 0 &&
			peer->sim->now_us - state->durable_used_us > NAME_KEPT_US;
	state->durable_session_seq = 0;
	subscribe(peer, (struct packet_subscribe){.id = DURABLE,
						  .pattern = text_span("lyceum.notice.v1.>"),
						  .start = is_known ? SUBSCRIBE_NOW : SUBSCRIBE_SEQ,
						  .from = 1,
						  .durable = text_span("d"),
						  .records_only = true});
}

static void follow_next(struct sim_peer *peer)
{
	subscribe(peer, (struct packet_subscribe){.id = NEXT,
						  .pattern = text_span("lyceum.notice.v1.Notice.>"),
						  .start = SUBSCRIBE_SEQ,
						  .from = carol(peer)->next_seq + 1,
						  .records_only = true});
}

void carol_refresh(struct sim_peer *peer)
{
	struct carol_state *state = peer->state;
	if (!peer->is_up)
		return;
	if (state->fresh_id) {
		struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
		packet.unsubscribe.id = state->fresh_id;
		sim_peer_send(peer, &packet);
	}
	state->fresh_id = FRESH + ++peer->next_id;
	view_clear(&state->carol.fresh);
	state->carol.fresh_told = 0;
	subscribe(peer, (struct packet_subscribe){.id = state->fresh_id,
						  .pattern = text_span("lyceum.notice.v1.Notice.>"),
						  .start = SUBSCRIBE_LAST,
						  .records_only = true});
}

/* A restored log gives its sequences anew: what was folded of the former one is worth nothing. The
 * durable name goes on behind the place that the backup has of it. */
static void begin_anew(struct carol_state *state, uint64_t epoch)
{
	struct carol *carol = &state->carol;
	view_clear(&carol->folded);
	view_clear(&carol->fresh);
	memset(carol->seen_next, 0, sizeof(carol->seen_next));
	memset(carol->seen_origin, 0, sizeof(carol->seen_origin));
	memset(carol->origin_seq, 0, sizeof(carol->origin_seq));
	memset(carol->origin_epoch, 0, sizeof(carol->origin_epoch));
	carol->next_seq = carol->next_told = carol->fresh_told = 0;
	carol->durable_to = carol->durable_held = carol->durable_used_us = 0;
	state->epoch = epoch;
}

static void on_up(struct sim_peer *peer)
{
	if (((struct carol_state *)peer->state)->epoch != peer->epoch)
		begin_anew(peer->state, peer->epoch);
	((struct carol_state *)peer->state)->fresh_id = 0;
	follow_durable(peer);
	follow_next(peer);
	carol_refresh(peer);
	subscribe(peer, (struct packet_subscribe){.id = GROUP,
						  .pattern = text_span("lyceum.notice.v1.Remark.>"),
						  .group = text_span("g")});
}

static void on_down(struct sim_peer *peer)
{
	(void)peer;
}

static void give_back(struct sim_peer *peer, enum packet_kind kind, uint64_t id, uint64_t value)
{
	struct packet packet = {.kind = kind};
	if (kind == PACKET_CONSUMED)
		packet.consumed = (struct packet_number){.id = id, .value = value};
	else
		packet.credit = (struct packet_credit){.id = id, .value = value};
	sim_peer_send(peer, &packet);
}

/* Slow now and then: what was handed out is consumed later. */
static void consume_durable(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session == session)
		give_back(peer, PACKET_CONSUMED, DURABLE, carol(peer)->durable_held);
}

/* Was it there before? */
static bool note_seq(struct sim_peer *peer, uint8_t *seen, uint64_t seq)
{
	seq = reader_place(seq);
	if (seq >= READER_SEQS) {
		sim_broken(peer->sim, PROMISE_BOUNDED, "the log of %s is longer than expected",
			   peer->node->name);
		return false;
	}
	bool is_known = seen[seq] != 0;
	seen[seq] = 1;
	return is_known;
}

static void durable(struct sim_peer *peer, const struct packet_deliver *deliver)
{
	struct carol *state = carol(peer);
	if (deliver->seq <= state->durable_session_seq)
		sim_broken(peer->sim, PROMISE_ORDER,
			   "the durable follower at %s got sequence %llu after %llu",
			   peer->node->name, (unsigned long long)deliver->seq,
			   (unsigned long long)state->durable_session_seq);
	state->durable_session_seq = deliver->seq;
	(void)note_seq(peer, state->seen_durable, deliver->seq);
	if (deliver->seq > state->durable_to)
		state->durable_to = deliver->seq;
	if (state->durable_used_us == 0)
		state->durable_used_us = peer->sim->now_us;
	if (deliver->seq > state->durable_held)
		state->durable_held = deliver->seq;
	uint64_t delay = sim_chance(peer->sim, 50) && !peer->sim->is_calm ? 1500000 : 3000;
	sim_peer_in(peer, delay, consume_durable);
}

static void next(struct sim_peer *peer, const struct packet_deliver *deliver)
{
	struct sim *sim = peer->sim;
	struct carol *state = carol(peer);
	if (deliver->seq <= state->next_seq)
		sim_broken(sim, PROMISE_ORDER, "the follower at %s got sequence %llu after %llu",
			   peer->node->name, (unsigned long long)deliver->seq,
			   (unsigned long long)state->next_seq);
	state->next_seq = deliver->seq;
	if (deliver->seq > state->next_told)
		state->next_told = deliver->seq;
	(void)note_seq(peer, state->seen_next, deliver->seq);
	for (size_t i = 0; i < SIM_NODES; i++) {
		if (!span_is(deliver->origin, sim_node_names[i]))
			continue;
		bool is_later = deliver->epoch > state->origin_epoch[i] ||
				(deliver->epoch == state->origin_epoch[i] &&
				 deliver->origin_seq > state->origin_seq[i]);
		bool is_again = note_seq(peer, state->seen_origin[i], deliver->origin_seq) &&
				deliver->epoch == state->origin_epoch[i];
		/* One that was lost when the daemon began may have come anew. */
		if (!is_later && !(is_again && sim->counts.lost > 0))
			sim_broken(sim, is_again ? PROMISE_ONCE : PROMISE_ORDER,
				   "the follower at %s got record %llu of %s after %llu",
				   peer->node->name, (unsigned long long)deliver->origin_seq,
				   sim_node_names[i], (unsigned long long)state->origin_seq[i]);
		state->origin_epoch[i] = deliver->epoch;
		state->origin_seq[i] = deliver->origin_seq;
	}
	view_fold(&state->folded, deliver);
	give_back(peer, PACKET_CONSUMED, NEXT, deliver->seq);
}

/* What retention has emptied is told as a withdrawal without a sequence. */
static void taken(struct sim_peer *peer, const struct packet *packet)
{
	struct carol_state *state = peer->state;
	const struct packet_deliver *deliver = &packet->deliver;
	if (!deliver->removed)
		sim_broken(peer->sim, PROMISE_ORDER, "a follower at %s got a message of the moment",
			   peer->node->name);
	if (deliver->id == NEXT)
		view_fold(&state->carol.folded, deliver);
	else if (deliver->id == state->fresh_id)
		view_fold(&state->carol.fresh, deliver);
	give_back(peer, PACKET_CREDIT, deliver->id, packet->len);
}

static void delivered(struct sim_peer *peer, const struct packet *packet)
{
	const struct packet_deliver *deliver = &packet->deliver;
	struct carol_state *state = peer->state;
	peer->sim->counts.delivers++;
	damage_check_bytes(peer, deliver);
	if (deliver->seq == 0 && deliver->id != GROUP) {
		taken(peer, packet);
	} else if (deliver->id == DURABLE) {
		durable(peer, deliver);
	} else if (deliver->id == NEXT) {
		next(peer, deliver);
	} else if (deliver->id == state->fresh_id) {
		view_fold(&state->carol.fresh, deliver);
		if (deliver->seq > state->carol.fresh_told)
			state->carol.fresh_told = deliver->seq;
		give_back(peer, PACKET_CONSUMED, deliver->id, deliver->seq);
	} else if (deliver->id == GROUP) {
		heard_in_group(peer->sim, peer->node, deliver);
		give_back(peer, PACKET_CREDIT, GROUP, packet->len);
	}
}

static void told(struct sim_peer *peer, const struct packet_gap *gap)
{
	struct carol *state = carol(peer);
	if (gap->missed > 0)
		return;
	if (gap->id == DURABLE && gap->seq > state->durable_to)
		state->durable_to = gap->seq;
	if (gap->id == ((struct carol_state *)peer->state)->fresh_id &&
	    gap->seq > state->fresh_told)
		state->fresh_told = gap->seq;
	if (gap->id == NEXT && gap->seq > state->next_told)
		state->next_told = gap->seq;
}

/* A full disk may not take what is left of a damaged segment: the log cannot be read for a while.
 */
static void refresh_again(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session == session)
		carol_refresh(peer);
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	if (packet->kind == PACKET_DELIVER)
		delivered(peer, packet);
	else if (packet->kind == PACKET_GAP)
		told(peer, &packet->gap);
	else if (packet->kind == PACKET_UNSUBSCRIBE && packet->unsubscribe.id == DURABLE)
		follow_durable(peer);
	else if (packet->kind == PACKET_UNSUBSCRIBE && packet->unsubscribe.id == NEXT)
		follow_next(peer);
	else if (packet->kind == PACKET_UNSUBSCRIBE && peer->sim->has_damage)
		sim_peer_in(peer, 100000, refresh_again);
}

static void carol_free(struct sim_peer *peer)
{
	view_clear(&carol(peer)->folded);
	view_clear(&carol(peer)->fresh);
	free(peer->state);
}

struct sim_peer *carol_new(struct sim *sim, struct sim_node *node)
{
	static const struct peer_role role = {.on_up = on_up,
					      .on_down = on_down,
					      .on_packet = on_packet,
					      .free = carol_free,
					      .reader_bit = writes_operator_bit};
	return sim_peer_new(sim, node, "carol", &role, mem_new(struct carol_state));
}

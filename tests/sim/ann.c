/* Listening to what comes by, slowly. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "heard.h"
#include "reader.h"
#include "writes.h"

enum { ALONE = 1, GROUP = 2, NOTICES = 3, GULP = 50 };

#define CREDIT 400

struct ann {
	uint64_t owed[4]; /* bytes by subscription */
	/* Of each stream, the place that was heard last in this session. */
	uint8_t last[WRITER_STREAMS_MAX];
	uint64_t missed; /* seen from the numbers of those who speak here */
	uint64_t told;
};

bool heard_place(struct span body, uint64_t *ret_stream, uint64_t *ret_count)
{
	const uint8_t *at = body.len ? memmem(body.data, body.len, "#0;s", 4) : NULL;
	uint64_t numbers[2] = {0};
	if (!at)
		return false;
	at += 4;
	for (int i = 0; at < span_end(body) && *at != ';'; at++) {
		if (*at == 'c')
			i = 1;
		else
			numbers[i] = 10 * numbers[i] + (uint64_t)(*at - '0');
	}
	*ret_stream = numbers[0];
	*ret_count = numbers[1];
	return numbers[0] < WRITER_STREAMS_MAX && numbers[1] < WRITER_COUNT_MAX;
}

void heard_in_group(struct sim *sim, const struct sim_node *node,
		    const struct packet_deliver *deliver)
{
	uint64_t stream;
	uint64_t count;
	if (deliver->seq > 0 || !heard_place(deliver->body, &stream, &count))
		return;
	uint8_t bit = (uint8_t)(1u << node->index);
	if (sim->heard->groups[stream][count] & bit)
		sim_broken(sim, PROMISE_ONCE, "two members of the group at %s got one message",
			   node->name);
	sim->heard->groups[stream][count] |= bit;
}

static struct ann *ann_of(const struct sim_peer *peer)
{
	return peer->state;
}

static void subscribe(struct sim_peer *peer, uint64_t id, const char *pattern, const char *group)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){.id = id,
						     .pattern = text_span(pattern),
						     .credit = CREDIT,
						     .group = text_span(group)};
	sim_peer_send(peer, &packet);
}

void ann_gulp(struct sim_peer *peer)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){.id = GULP + ++peer->next_id,
						     .pattern = text_span("lyceum.notice.v1.>"),
						     .start = SUBSCRIBE_SEQ,
						     .from = 1,
						     .credit = 8u << 20,
						     .records_only = true};
	if (peer->is_up)
		sim_peer_send(peer, &packet);
}

static void give_credit(struct sim_peer *peer, uint64_t id)
{
	struct ann *ann = ann_of(peer);
	struct packet packet = {.kind = PACKET_CREDIT};
	if (ann->owed[id] == 0)
		return;
	packet.credit = (struct packet_credit){.id = id, .value = ann->owed[id]};
	ann->owed[id] = 0;
	sim_peer_send(peer, &packet);
}

void ann_catch_up(struct sim_peer *peer)
{
	if (!peer->is_up)
		return;
	for (uint64_t id = ALONE; id <= NOTICES; id++)
		give_credit(peer, id);
}

static void read_on(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session != session)
		return;
	ann_catch_up(peer);
	bool is_slow = sim_chance(peer->sim, 150) && !peer->sim->is_calm;
	sim_peer_in(peer, is_slow ? 2000000 : 40000, read_on);
}

static void on_up(struct sim_peer *peer)
{
	struct ann *ann = ann_of(peer);
	*ann = (struct ann){0};
	subscribe(peer, ALONE, "lyceum.notice.v1.Remark.>", "");
	subscribe(peer, GROUP, "lyceum.notice.v1.Remark.>", "g");
	subscribe(peer, NOTICES, "lyceum.notice.v1.Notice.>", "");
	sim_peer_in(peer, 40000, read_on);
}

static void on_down(struct sim_peer *peer)
{
	(void)peer;
}

static void heard_alone(struct sim_peer *peer, const struct packet_deliver *deliver)
{
	struct sim *sim = peer->sim;
	struct ann *ann = ann_of(peer);
	uint64_t stream;
	uint64_t count;
	if (deliver->seq > 0 || !heard_place(deliver->body, &stream, &count))
		return;
	uint8_t last = ann->last[stream];
	if (count <= last) {
		sim_broken(sim, count == last ? PROMISE_ONCE : PROMISE_ORDER,
			   "ann@%s heard message %llu of stream %llu after %u", peer->node->name,
			   (unsigned long long)count, (unsigned long long)stream, last);
		return;
	}
	/* What is said at another daemon may be lost with a link. */
	if (last > 0 && span_is(deliver->origin, peer->node->name))
		ann->missed += count - last - 1;
	ann->last[stream] = (uint8_t)count;
}

void ann_check(struct sim_peer *peer)
{
	const struct ann *ann = ann_of(peer);
	peer->sim->counts.missed += ann->missed;
	if (peer->is_up && ann->missed > ann->told)
		sim_broken(peer->sim, PROMISE_GAP,
			   "ann@%s missed %llu messages and was told of %llu", peer->node->name,
			   (unsigned long long)ann->missed, (unsigned long long)ann->told);
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	struct ann *ann = ann_of(peer);
	if (packet->kind == PACKET_GAP) {
		peer->sim->counts.gaps++;
		if (packet->gap.id == ALONE)
			ann->told += packet->gap.missed;
	}
	if (packet->kind != PACKET_DELIVER || packet->deliver.id > NOTICES)
		return;
	peer->sim->counts.delivers++;
	ann->owed[packet->deliver.id] += packet->len;
	if (packet->deliver.id == ALONE)
		heard_alone(peer, &packet->deliver);
	else if (packet->deliver.id == GROUP)
		heard_in_group(peer->sim, peer->node, &packet->deliver);
}

static void ann_free(struct sim_peer *peer)
{
	free(peer->state);
}

struct sim_peer *ann_new(struct sim *sim, struct sim_node *node)
{
	static const struct peer_role role = {.on_up = on_up,
					      .on_down = on_down,
					      .on_packet = on_packet,
					      .free = ann_free,
					      .reader_bit = writes_person_bit};
	return sim_peer_new(sim, node, "ann", &role, mem_new(struct ann));
}

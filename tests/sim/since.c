/* Each session begins anew, at the time of some record that the log has then, or just beside it. */
#include "since.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "damage.h"
#include "reader.h"
#include "writes.h"

#define OWNER "zoe"
#define CREDIT 6000
#define AGAIN_US 100000
#define ANEW_US 800000
#define FOLLOWERS 2

struct since {
	uint64_t id;
	uint64_t from_ms;
	uint64_t log_seq; /* what the log had; what comes later comes whatever its time */
	uint64_t last_seq;
	uint64_t first_seq; /* 0: none has come */
	uint64_t told_seq;
	uint8_t seen[READER_SEQS];
};

static const struct peer_role role;

static struct since *since_of(const struct sim_peer *peer)
{
	return peer->state;
}

static uint64_t some_time(struct sim_peer *peer)
{
	struct sim *sim = peer->sim;
	struct sim_node *node = peer->node;
	uint64_t last_seq = node->daemon.stream.last_seq;
	uint64_t time_ms = 1;
	struct buf bytes = {0};
	struct lyc_error error = {0};
	struct record record;
	uint64_t seq = last_seq > 0 ? 1 + sim_below(sim, last_seq) : 1;
	if (node->store && store_read_one(node->store, seq, &bytes, &error) == LYC_OK &&
	    record_read(span_of(bytes.data, bytes.len), &record) == LYC_OK)
		time_ms = record.time_ms + sim_below(sim, 3) - 1;
	buf_fini(&bytes);
	return time_ms;
}

static void follow(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	struct since *since = since_of(peer);
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	if (peer->session != session)
		return;
	memset(since, 0, sizeof(*since));
	since->id = ++peer->next_id;
	since->from_ms = some_time(peer);
	since->log_seq = peer->node->daemon.stream.last_seq;
	packet.subscribe =
		(struct packet_subscribe){.id = since->id,
					  .pattern = text_span("lyceum.notice.v1.Notice.>"),
					  .start = SUBSCRIBE_TIME,
					  .from = since->from_ms,
					  .credit = CREDIT,
					  .records_only = true};
	sim_peer_send(peer, &packet);
}

/* Now and then from another time. */
static void begin_anew(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	struct packet packet = {.kind = PACKET_UNSUBSCRIBE};
	if (peer->session != session || peer->sim->is_calm)
		return;
	packet.unsubscribe.id = since_of(peer)->id;
	sim_peer_send(peer, &packet);
	follow(peer, session);
	sim_peer_in(peer, sim_around(peer->sim, ANEW_US), begin_anew);
}

static void on_up(struct sim_peer *peer)
{
	follow(peer, peer->session);
	sim_peer_in(peer, sim_around(peer->sim, ANEW_US), begin_anew);
}

static void on_down(struct sim_peer *peer)
{
	since_of(peer)->id = 0;
}

static void consume(struct sim_peer *peer, uint64_t seq)
{
	struct packet packet = {.kind = PACKET_CONSUMED};
	packet.consumed = (struct packet_number){.id = since_of(peer)->id, .value = seq};
	sim_peer_send(peer, &packet);
}

/* What retention has emptied is told without a sequence. */
static void give_back(struct sim_peer *peer, uint64_t bytes)
{
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.id = since_of(peer)->id, .value = bytes};
	sim_peer_send(peer, &packet);
}

static void delivered(struct sim_peer *peer, const struct packet *packet)
{
	struct since *since = since_of(peer);
	uint64_t seq = packet->deliver.seq;
	uint64_t place = reader_place(seq);
	peer->sim->counts.since++;
	if (seq == 0) {
		give_back(peer, packet->len);
		return;
	}
	if (seq <= since->last_seq)
		sim_broken(peer->sim, PROMISE_ORDER,
			   "who follows from a time at %s got sequence %llu after %llu",
			   peer->node->name, (unsigned long long)seq,
			   (unsigned long long)since->last_seq);
	since->last_seq = seq;
	since->first_seq = since->first_seq ? since->first_seq : seq;
	since->told_seq = seq;
	if (place < READER_SEQS)
		since->seen[place] = 1;
	damage_check_bytes(peer, &packet->deliver);
	consume(peer, seq);
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	struct since *since = since_of(peer);
	if (packet->kind == PACKET_DELIVER && packet->deliver.id == since->id)
		delivered(peer, packet);
	else if (packet->kind == PACKET_GAP && packet->gap.id == since->id &&
		 packet->gap.missed == 0 && packet->gap.seq > since->told_seq)
		since->told_seq = packet->gap.seq;
	else if (packet->kind == PACKET_UNSUBSCRIBE && packet->unsubscribe.id == since->id)
		sim_peer_in(peer, AGAIN_US, follow);
}

static void since_free(struct sim_peer *peer)
{
	free(peer->state);
}

static const struct peer_role role = {.on_up = on_up,
				      .on_down = on_down,
				      .on_packet = on_packet,
				      .free = since_free,
				      .reader_bit = writes_operator_bit};

void since_play(struct sim *sim)
{
	size_t other = 1 + sim_below(sim, SIM_NODES - 1);
	for (size_t i = 0; i < FOLLOWERS; i++) {
		struct sim_node *node = sim->nodes[i * other];
		sim_peer_start(sim_peer_new(sim, node, OWNER, &role, mem_new(struct since)),
			       sim_around(sim, 200000));
	}
}

bool since_has_settled(const struct sim_peer *peer)
{
	return peer->role != &role ||
	       since_of(peer)->told_seq >= peer->node->daemon.stream.last_seq;
}

void since_check(const struct sim_peer *peer, const struct book *book)
{
	const struct since *since = since_of(peer);
	struct sim *sim = peer->sim;
	bool has_begun = false;
	if (peer->role != &role || since->id == 0)
		return;
	for (size_t i = 0; i < book->count && i + 1 < READER_SEQS; i++) {
		const struct record *record = &book->records[i];
		const struct write *write = writes_get(sim->writes, writes_number_in(record->body));
		size_t home;
		size_t id;
		has_begun |= record->subject.len == 0 || record->time_ms >= since->from_ms;
		if (!has_begun && since->seen[i + 1] && i < reader_place(since->log_seq))
			sim_broken(sim, PROMISE_SINCE,
				   "who follows at %s from the time %llu on got sequence %zu, and "
				   "nothing as late lies before it",
				   peer->node->name, (unsigned long long)since->from_ms, i + 1);
		if (!record->removed && write && view_key(record->subject, &home, &id) &&
		    (write->readers & writes_operator_bit(peer->node->index)) &&
		    record->time_ms >= since->from_ms && !since->seen[i + 1] &&
		    !damage_has_had(peer->node, i + 1))
			sim_broken(sim, PROMISE_SINCE,
				   "who follows at %s from the time %llu on did not get sequence "
				   "%zu, of %llu",
				   peer->node->name, (unsigned long long)since->from_ms, i + 1,
				   (unsigned long long)record->time_ms);
	}
}

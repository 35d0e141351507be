/* Asking for erasures, and looking for what is left of them: for the texts of what was published.
 */
#include "erased.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "lyceum/v1/node.pb-c.h"
#include "sim_peer.h"
#include "stream/erasure.h"
#include "stream/record.h"
#include "writes.h"

#define OWNER "zoe"
#define WORK_US 250000
#define MEMBERS 2
#define MAX_CALLS 32

/* ---- what lies on the disks ---- */

static const char *find_on(const struct sim_node *node, const char *text)
{
	return memory_disk_find(node->disk, text_span(text));
}

/* Where a disk has the text of this write, or of its part; NULL: nowhere. */
static const char *find_write(const struct sim_node *node, const struct write *write)
{
	char text[40];
	writes_text(text, sizeof(text), write->readers, write->number);
	const char *path = find_on(node, text);
	if (path || !write->has_parts)
		return path;
	snprintf(text, sizeof(text), "#%llu;",
		 (unsigned long long)(WRITE_PART_BASE + write->number));
	return find_on(node, text);
}

/* Nothing of what was erased of this subject is at that node. */
static void check_gone(struct sim *sim, size_t home, const char *subject, uint64_t seq,
		       const struct sim_node *at)
{
	for (size_t i = 0; i < sim->writes->count && !sim->broken; i++) {
		const struct write *write = &sim->writes->items[i];
		if (write->home != home || write->state != WRITE_ACKED || write->removed ||
		    write->seq == 0 || write->seq >= seq || strcmp(write->subject, subject) != 0)
			continue;
		const char *path = find_write(at, write);
		if (path)
			sim_broken(sim, PROMISE_ERASED,
				   "write %llu of %s was erased with sequence %llu, and %s has it "
				   "in %s",
				   (unsigned long long)write->number, subject,
				   (unsigned long long)seq, at->name, path);
	}
}

static struct sim_node *node_of(struct sim *sim, const char *name)
{
	for (size_t i = 0; i < SIM_NODES; i++) {
		if (strcmp(sim_node_names[i], name) == 0)
			return sim->nodes[i];
	}
	return NULL;
}

/* ---- who asks ---- */

/* What was asked for is known as a removal, whose end only the reply tells. */
struct zoe {
	uint64_t call_id[MAX_CALLS];
	uint64_t write[MAX_CALLS];
};

static void ask(struct sim_peer *peer)
{
	struct sim *sim = peer->sim;
	struct packet packet = {.kind = PACKET_CALL};
	struct buf body = {0};
	struct zoe *zoe = peer->state;
	struct write *write = writes_add(sim->writes, peer->node->index);
	const char *subject = write->subject;
	snprintf(write->subject, sizeof(write->subject), "lyceum.notice.v1.Notice.%s.%u",
		 peer->node->name, (unsigned)sim_below(sim, VIEW_IDS));
	write->epoch = peer->epoch;
	write->readers = UINT32_MAX;
	write->removed = true;
	write->state = WRITE_UNKNOWN;
	pb_write_text(&body, 1, subject);
	packet.call = (struct packet_call){.id = ++peer->next_id,
					   .method = text_span("lyceum.v1.Node/Erase"),
					   .body = span_of(body.data, body.len),
					   .timeout_ms = 100 + (uint32_t)sim_below(sim, 5000)};
	sim->has_erased = true;
	sim_note(sim, "%s: erases %s", peer->node->name, subject);
	zoe->call_id[peer->next_id % MAX_CALLS] = peer->next_id;
	zoe->write[peer->next_id % MAX_CALLS] = write->number;
	sim_peer_send(peer, &packet);
	buf_fini(&body);
}

static void work(void *arg, uint64_t session)
{
	struct sim_peer *peer = arg;
	if (peer->session != session || peer->sim->is_calm)
		return;
	ask(peer);
	sim_peer_in(peer, sim_around(peer->sim, WORK_US), work);
}

static void check_erasure(struct sim_peer *peer, const Lyceum__V1__Erasure *erasure)
{
	struct sim *sim = peer->sim;
	size_t home = peer->node->index;
	sim_note(sim, "%s: erased %s with %llu%s, confirmed by %zu", peer->node->name,
		 erasure->subject, (unsigned long long)erasure->seq,
		 erasure->is_done ? ", done" : "", erasure->n_confirmed);
	if (erasure->is_done) {
		sim->counts.erased++;
		check_gone(sim, home, erasure->subject, erasure->seq, peer->node);
	}
	for (size_t i = 0; i < erasure->n_confirmed; i++) {
		const struct sim_node *at = node_of(sim, erasure->confirmed[i]);
		sim->counts.confirmed++;
		if (at)
			check_gone(sim, home, erasure->subject, erasure->seq, at);
	}
}

static void on_packet(struct sim_peer *peer, const struct packet *packet)
{
	if (packet->kind != PACKET_REPLY || packet->reply.status != LYC_OK)
		return;
	Lyceum__V1__EraseReply *reply = lyceum__v1__erase_reply__unpack(
		NULL, packet->reply.body.len, packet->reply.body.data);
	const struct zoe *zoe = peer->state;
	uint64_t place = packet->reply.id % MAX_CALLS;
	struct write *write = zoe->call_id[place] == packet->reply.id
				      ? writes_get(peer->sim->writes, zoe->write[place])
				      : NULL;
	for (size_t i = 0; reply && i < reply->n_erasure; i++) {
		if (write && strcmp(reply->erasure[i]->subject, write->subject) == 0) {
			write->state = WRITE_ACKED;
			write->seq = reply->erasure[i]->seq;
		}
		check_erasure(peer, reply->erasure[i]);
	}
	lyceum__v1__erase_reply__free_unpacked(reply, NULL);
}

static void on_up(struct sim_peer *peer)
{
	sim_peer_in(peer, sim_around(peer->sim, WORK_US), work);
}

static void on_down(struct sim_peer *peer)
{
	memset(peer->state, 0, sizeof(struct zoe));
}

static void zoe_free(struct sim_peer *peer)
{
	free(peer->state);
}

void erased_play(struct sim *sim)
{
	static const struct peer_role role = {.on_up = on_up,
					      .on_down = on_down,
					      .on_packet = on_packet,
					      .free = zoe_free,
					      .reader_bit = writes_operator_bit};
	for (size_t i = 0; i < SIM_NODES && sim->has_erasure; i++)
		sim_peer_start(sim_peer_new(sim, sim->nodes[i], OWNER, &role, mem_new(struct zoe)),
			       sim_around(sim, 200000));
}

/* ---- what a log says ---- */

struct reading {
	const struct sim_node *node;
	struct erased_table *table;
};

static bool take(uint64_t seq, struct span subject, struct span bytes, void *arg)
{
	const struct reading *reading = arg;
	struct record record;
	size_t home;
	size_t id;
	if (view_key(subject, &home, &id) && home == reading->node->index &&
	    record_read(bytes, &record) == LYC_OK && record.erase && record.removed)
		reading->table->to_seq[id] = seq;
	return true;
}

void erased_read(struct sim_node *node, struct erased_table *ret_table)
{
	struct reading reading = {.node = node, .table = ret_table};
	struct lyc_error error = {0};
	uint64_t from = 1;
	uint64_t next = 1;
	*ret_table = (struct erased_table){0};
	if (!node->sim->has_erasure)
		return;
	do {
		from = next;
		if (store_read(node->store, from, 100000, SIZE_MAX / 2, take, &reading, &next,
			       &error) != LYC_OK)
			return;
	} while (next > from);
}

bool erased_has(const struct erased_table *table, const char *subject, uint64_t seq)
{
	size_t home;
	size_t id;
	return view_key(text_span(subject), &home, &id) && seq < table->to_seq[id];
}

/* ---- at the end ---- */

struct settling {
	const struct sim_node *node;
	bool has_settled;
};

static void look_at(const struct erasure_state *state, void *arg)
{
	struct settling *settling = arg;
	const struct sim *sim = settling->node->sim;
	struct label label = {0};
	settling->has_settled &= state->is_done;
	if (label_read(state->label, &label) != LYC_OK || label.visibility != MEMBERS)
		return;
	for (size_t i = 0; i < SIM_NODES; i++) {
		if (sim->nodes[i] != settling->node)
			settling->has_settled &=
				erasures_is_confirmed(settling->node->daemon.stream.erasures,
						      sim->nodes[i]->name, state->seq);
	}
}

bool erased_has_settled(const struct sim_node *node)
{
	struct settling settling = {.node = node, .has_settled = true};
	erasures_each_own(node->daemon.stream.erasures, look_at, &settling);
	return settling.has_settled;
}

void erased_check(struct sim *sim)
{
	for (size_t home = 0; home < SIM_NODES && sim->has_erasure; home++) {
		struct erased_table table;
		erased_read(sim->nodes[home], &table);
		for (size_t id = 0; id < VIEW_IDS; id++) {
			char subject[80];
			snprintf(subject, sizeof(subject), "lyceum.notice.v1.Notice.%s.%zu",
				 sim_node_names[home], id);
			for (size_t at = 0; at < SIM_NODES && table.to_seq[id] > 0; at++)
				check_gone(sim, home, subject, table.to_seq[id], sim->nodes[at]);
		}
	}
}

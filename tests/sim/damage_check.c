/* What must hold of damage: of what is delivered, and in the end. */
#include <string.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "damage.h"
#include "store/lost.h"
#include "writes.h"

void damage_check_bytes(const struct sim_peer *peer, const struct packet_deliver *deliver)
{
	size_t home;
	size_t id;
	if (deliver->removed || deliver->seq == 0 || !view_key(deliver->subject, &home, &id))
		return;
	const struct write *write = writes_get(peer->sim->writes, writes_number_in(deliver->body));
	if (!write || (!write->has_parts &&
		       !span_equal(deliver->body, span_of(write->body.data, write->body.len))))
		sim_broken(peer->sim, PROMISE_BYTES,
			   "'%s' at %s is given sequence %llu of %.*s, and that is not what was "
			   "published",
			   peer->identity, peer->node->name, (unsigned long long)deliver->seq,
			   (int)deliver->subject.len, (const char *)deliver->subject.data);
}

/* ---- who may have passed what was lost ---- */

void damage_mark(struct sim *sim)
{
	if (!sim->has_damage)
		return;
	struct damage_marks *marks = sim->damage_marks = mem_new(struct damage_marks);
	for (size_t i = 0; i < SIM_NODES * READER_SEQS; i++) {
		const struct damage *damage = &sim->damage[i / READER_SEQS];
		const struct damage_truth *truth = &damage->truth[i % READER_SEQS];
		if (!damage->had[i % READER_SEQS] || !truth->is_there)
			continue;
		marks->ids[i / READER_SEQS][i % READER_SEQS] = 1;
		if (truth->origin < SIM_NODES)
			marks->ids[truth->origin][truth->origin_seq % READER_SEQS] = 1;
		if (truth->has_key)
			marks->keys[truth->home][truth->id] = true;
	}
}

bool damage_excuses(const struct sim *sim, size_t origin, uint64_t seq)
{
	const struct damage_marks *marks = sim->damage_marks;
	return marks && marks->ids[origin][seq % READER_SEQS];
}

void damage_leave(const struct sim *sim, struct view *a, struct view *b)
{
	const struct damage_marks *marks = sim->damage_marks;
	for (size_t i = 0; marks && i < SIM_NODES * VIEW_IDS; i++) {
		size_t home = i / VIEW_IDS;
		size_t id = i % VIEW_IDS;
		if (marks->keys[home][id])
			a->entries[home][id].is_there = b->entries[home][id].is_there = false;
	}
}

/* ---- what has to have come back ---- */

/* Is it there as its home wrote it, and may that node have it so? */
static bool is_whole(const struct sim *sim, const struct record *record, size_t at)
{
	const struct write *write = writes_get(sim->writes, writes_number_in(record->body));
	if (record->removed || record->subject.len == 0)
		return false;
	if (record->origin.len > 0 &&
	    crc32c(0, record->body.data, record->body.len) != record->body_crc)
		return false;
	if (!write)
		return memmem(record->subject.data, record->subject.len, ".SchemaVersion.", 15);
	return !write->has_parts && (write->readers & writes_link_bit(at));
}

static const struct record *find(const struct sim *sim, const struct book *book, size_t node,
				 size_t origin, uint64_t origin_seq)
{
	if (node == origin)
		return origin_seq <= book->count ? &book->records[origin_seq - 1] : NULL;
	for (size_t i = 0; i < book->count; i++) {
		const struct record *record = &book->records[i];
		if (record->subject.len > 0 && record->origin_seq == origin_seq &&
		    span_is(record->origin, sim->nodes[origin]->name))
			return record;
	}
	return NULL;
}

static const char *what_became(const struct sim_node *node, uint64_t seq)
{
	const struct healing *healing = &node->daemon.healing;
	for (size_t i = 0; i < healing->count; i++) {
		if (healing->items[i].seq == seq)
			return healing->items[i].text;
	}
	return "nobody was asked";
}

struct healing_check {
	struct sim *sim;
	const struct book *books;
	size_t node;
};

/* A node asks its hub; the hub the home, and of its own records every node. */
static void check_lost(uint64_t first_seq, uint64_t last_seq, struct span details, void *arg)
{
	const struct healing_check *check = arg;
	struct sim *sim = check->sim;
	struct lost lost;
	lost_read(first_seq, last_seq, span_of(NULL, 0), details, &lost);
	/* Whose it is has to be known; one that says nothing else is taken for the daemon's own. */
	const struct damage_truth *truth = &sim->damage[check->node].truth[first_seq];
	size_t origin = lost.origin.len > 0 ? sim_node_find(lost.origin) : check->node;
	uint64_t seq = lost.origin.len > 0 ? lost.origin_seq : first_seq;
	if (first_seq != last_seq || truth->origin != origin || truth->origin_seq != seq ||
	    truth->epoch != lost.epoch || origin == SIM_NODES)
		return;
	for (size_t at = 0; at < SIM_NODES; at++) {
		bool is_asked = check->node > 0 ? at == 0 : origin == 0 || at == origin;
		if (at == check->node || !is_asked)
			continue;
		const struct record *record = find(sim, &check->books[at], at, origin, seq);
		/* One that was itself lost there for a while is asked for again much later. */
		bool was_there = record &&
				 !damage_has_had(sim->nodes[at],
						 (uint64_t)(record - check->books[at].records) + 1);
		if (was_there && is_whole(sim, record, check->node))
			sim_broken(sim, PROMISE_HEALED,
				   "%s has lost record %llu of %s, %.*s, and %s has it whole: %s",
				   sim_node_names[check->node], (unsigned long long)seq,
				   sim_node_names[origin], (int)record->subject.len,
				   (const char *)record->subject.data, sim_node_names[at],
				   what_became(sim->nodes[check->node], first_seq));
	}
}

void damage_check_healed(struct sim *sim, const struct book *books)
{
	for (size_t i = 0; i < SIM_NODES && sim->has_damage; i++) {
		struct healing_check check = {.sim = sim, .books = books, .node = i};
		store_lost(sim->nodes[i]->store, check_lost, &check);
	}
}

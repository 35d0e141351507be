/* The checks of groups, at the edges of the daemon: what it sends, and where it says it is. */
#include "shared.h"

#include <string.h>

#include "base/mem.h"
#include "base/pb.h"
#include "damage.h"
#include "stream/record.h"
#include "writes.h"

static struct shared *shared_of(const struct sim_node *node)
{
	return &node->sim->shared[node->index];
}

static bool is_place(const char *key)
{
	static const char prefix[] = "durable.";
	const char *at = key + sizeof(prefix) - 1;
	if (strncmp(key, prefix, sizeof(prefix) - 1) != 0)
		return false;
	for (const char *of = SHARED_OWNER; *of; of++, at += 2) {
		if (at[0] != "0123456789abcdef"[*of >> 4] || at[1] != "0123456789abcdef"[*of & 15])
			return false;
	}
	return *at == '.';
}

static uint64_t seq_of(struct span value)
{
	struct pb_reader reader = pb_reader_of(value);
	struct pb_field field;
	uint64_t seq = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			seq = field.value;
	}
	return seq;
}

/* ---- who the members are ---- */

static uint64_t members_of(const struct sim_node *node)
{
	uint64_t members = 0;
	list_each (at, &node->daemon.sessions.all) {
		struct session *session = list_entry(at, struct session, all);
		if (strcmp(session->identity, SHARED_OWNER) != 0)
			continue;
		list_each (of, &session->subscriptions) {
			const struct subscription *subscription =
				list_entry(of, struct subscription, of_session);
			if (subscription->member)
				members = members * 31 + session->serial * 1009 + subscription->id;
		}
	}
	return members;
}

/* What is committed from now on is shared among those who are members now. */
static void look_at_members(struct shared *shared, const struct sim_node *node)
{
	uint64_t members = members_of(node);
	if (members == shared->members)
		return;
	shared->members = members;
	shared->floor_seq = node->daemon.stream.last_seq;
}

void shared_sent(const struct sim_peer *peer, const struct packet_deliver *deliver)
{
	struct sim *sim = peer->sim;
	struct shared *shared = shared_of(peer->node);
	uint64_t seq = deliver->seq;
	size_t home;
	size_t id;
	look_at_members(shared, peer->node);
	if (seq <= shared->place_seq)
		sim_broken(sim, PROMISE_PLACE,
			   "the group at %s is sent sequence %llu again, and all up to %llu was "
			   "handled",
			   peer->node->name, (unsigned long long)seq,
			   (unsigned long long)shared->place_seq);
	if (!view_key(deliver->subject, &home, &id))
		return;
	struct shared_last *last = &shared->last[home][id];
	if (last->seq > shared->floor_seq && seq > shared->floor_seq) {
		if (last->peer != peer || last->session != peer->session)
			sim_broken(sim, PROMISE_SHARED,
				   "at %s two members were sent %.*s: sequences %llu and %llu",
				   peer->node->name, (int)deliver->subject.len,
				   (const char *)deliver->subject.data,
				   (unsigned long long)last->seq, (unsigned long long)seq);
		else if (seq <= last->seq)
			sim_broken(sim, PROMISE_SHARED,
				   "a member at %s was sent sequence %llu of %.*s after %llu",
				   peer->node->name, (unsigned long long)seq,
				   (int)deliver->subject.len, (const char *)deliver->subject.data,
				   (unsigned long long)last->seq);
	}
	*last = (struct shared_last){.seq = seq, .peer = peer, .session = peer->session};
}

void shared_handled(const struct sim_peer *peer, uint64_t seq)
{
	uint64_t place = reader_place(seq);
	if (place < READER_SEQS)
		shared_of(peer->node)->handled[place] = 1;
	else
		sim_broken(peer->sim, PROMISE_BOUNDED, "the log of %s is longer than expected",
			   peer->node->name);
}

/* ---- the place ---- */

/* Has somebody to be given it? What is gone from the log has not. */
static bool is_for_members(struct sim_node *node, uint64_t seq)
{
	struct buf bytes = {0};
	struct lyc_error error = {0};
	struct record record;
	size_t home;
	size_t id;
	const struct write *write = NULL;
	if (store_read_one(node->store, seq, &bytes, &error) == LYC_OK &&
	    record_read(span_of(bytes.data, bytes.len), &record) == LYC_OK && !record.removed &&
	    view_key(record.subject, &home, &id))
		write = writes_get(node->sim->writes, writes_number_in(record.body));
	buf_fini(&bytes);
	return write && (write->readers & writes_operator_bit(node->index));
}

void shared_saved(struct sim_node *node, const char *key, struct span value)
{
	struct shared *shared = shared_of(node);
	if (!is_place(key))
		return;
	uint64_t before = shared->place_seq;
	shared->place_seq = seq_of(value);
	if (shared->place_seq < before)
		sim_broken(node->sim, PROMISE_PLACE,
			   "the group at %s goes back to %llu, and all up to %llu was handled",
			   node->name, (unsigned long long)shared->place_seq,
			   (unsigned long long)before);
	for (uint64_t seq = shared->judged_seq + 1; seq <= shared->place_seq; seq++) {
		uint64_t place = reader_place(seq);
		/* Nothing is in the hole before a new epoch. */
		if (place >= READER_SEQS)
			seq = (seq / BACKUP_EPOCH_STEP + 1) * BACKUP_EPOCH_STEP - 1;
		else if (!shared->handled[place] && is_for_members(node, seq) &&
			 !damage_has_had(node, seq))
			sim_broken(node->sim, PROMISE_SHARED,
				   "the group at %s is at %llu, and no member has handled %llu",
				   node->name, (unsigned long long)shared->place_seq,
				   (unsigned long long)seq);
	}
	if (shared->place_seq > shared->judged_seq)
		shared->judged_seq = shared->place_seq;
	node->sim->counts.places++;
}

void shared_stored(struct sim_node *node, const char *key, struct span value)
{
	if (is_place(key))
		shared_of(node)->stored_seq = seq_of(value);
}

void shared_found(struct sim_node *node, const char *key, struct buf *value)
{
	struct sim *sim = node->sim;
	if (!is_place(key))
		return;
	if (sim->mutation == MUTATION_FORGET_PLACE)
		buf_clear(value);
	/* The sequence is the first field: a small number gets larger. */
	if (sim->mutation == MUTATION_SKIP_PLACE && value->len > 1 && value->data[0] == 0x08 &&
	    value->data[1] < 0x7c)
		value->data[1] = (uint8_t)(value->data[1] + 3);
}

void shared_begin(struct sim_node *node)
{
	struct shared *shared = shared_of(node);
	shared->place_seq = shared->stored_seq;
	shared->members = 0;
	shared->floor_seq = 0;
	memset(shared->last, 0, sizeof(shared->last));
}

void shared_forget(struct sim_node *node)
{
	struct shared *shared = shared_of(node);
	shared->place_seq = shared->stored_seq = 0;
}

bool shared_has_settled(const struct sim_node *node)
{
	const struct shared *shared = shared_of(node);
	return !shared->is_played || shared->place_seq >= node->daemon.stream.last_seq;
}

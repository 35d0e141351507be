/*
 * The checks at the end. Who may see what is taken from what the writers wrote, not from the
 * daemon's own judgement; where a copy lies, from the logs.
 */
#include "promises.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "board.h"
#include "book.h"
#include "damage.h"
#include "erased.h"
#include "reader.h"
#include "shared.h"
#include "since.h"
#include "sim_node.h"
#include "writes.h"

static int text_len(struct span text)
{
	return text.len < 100 ? (int)text.len : 100;
}

/* For people: what a record is. */
static const char *told(const struct sim *sim, const struct record *record)
{
	static char texts[2][160];
	static size_t next;
	char *text = texts[next++ % 2];
	const struct write *write = writes_get(sim->writes, writes_number_in(record->body));
	struct label label = {0};
	if (record->label.len > 0)
		ensure(label_read(record->label, &label) == LYC_OK);
	snprintf(text, sizeof(texts[0]), "%.*s, write %llu for %08x%s%s, label %d %.*s",
		 text_len(record->subject), (const char *)record->subject.data,
		 write ? (unsigned long long)write->number : 0, write ? write->readers : 0,
		 record->removed ? ", removed" : "", record->former.len > 0 ? ", narrowed" : "",
		 label.visibility, label.audience_count ? (int)label.audience[0].len : 0,
		 label.audience_count ? (const char *)label.audience[0].data : "");
	return text;
}

/* ---- settled ---- */

static bool is_settled(const struct sim *sim, struct sim_node *node, char *ret_text, size_t size)
{
	struct stream *stream = &node->daemon.stream;
	const struct link *link = node->daemon.uplink.link;
	const char *what = NULL;
	if (!node->is_running || node->is_stopping)
		what = "it does not run";
	else if (node->hub && (!link || !link->session))
		what = "the link is down";
	else if (node->hub && link->outbox_count > 0)
		what = "the hub has not confirmed its outbox";
	else if (stream->appends_pending > 0)
		what = "appends are under way";
	else if (!node->board->is_up || node->schema_known < 0)
		what = "its plugin does not run";
	else if (board_view(node->board)->seq < stream->last_seq)
		what = "its plugin is behind";
	for (size_t i = 0; i < SIM_NODES && !what; i++) {
		const struct sim_node *other = sim->nodes[i];
		const struct origin *origin =
			origins_find(&stream->origins, text_span(other->name));
		if (other == node || !other->is_running || other->daemon.stream.last_seq == 0)
			continue;
		if (!origin || origin->epoch != other->daemon.stream.epoch ||
		    origin->seq != other->daemon.stream.last_seq)
			what = other->name;
	}
	for (size_t i = 0; i < sim->peer_count && !what; i++) {
		const struct sim_peer *peer = sim->peers[i];
		if (peer->node != node)
			continue;
		if (!peer->is_up)
			what = "a client is not connected";
		else if (strcmp(peer->identity, "carol") == 0 &&
			 (carol_of(peer)->next_told < stream->last_seq ||
			  carol_of(peer)->durable_to < stream->last_seq ||
			  carol_of(peer)->fresh_told < stream->last_seq))
			what = "a follower is behind";
		else if (!since_has_settled(peer))
			what = "who follows from a time is behind";
	}
	if (!what && !shared_has_settled(node))
		what = "a group is behind";
	if (!what && !erased_has_settled(node))
		what = "not all that was erased is gone";
	if (!what && !damage_has_settled(node))
		what = "damage is looked for";
	if (what)
		snprintf(ret_text, size, "%s: %s", node->name, what);
	return !what;
}

bool promises_has_settled(const struct sim *sim, char *ret_text, size_t size)
{
	for (size_t i = 0; i < SIM_NODES; i++) {
		if (!is_settled(sim, sim->nodes[i], ret_text, size))
			return false;
	}
	return true;
}

/* ---- only the home appends; nothing lies where it may not ---- */

static void check_homes(struct sim *sim, const struct sim_node *node, const struct book *book)
{
	for (size_t i = 0; i < book->count; i++) {
		const struct record *record = &book->records[i];
		if (record->subject.len == 0)
			continue;
		struct span origin =
			record->origin.len > 0 ? record->origin : text_span(node->name);
		size_t home;
		size_t id;
		if (view_key(record->subject, &home, &id) && !span_is(origin, sim_node_names[home]))
			sim_broken(sim, PROMISE_HOME, "%s has a record of %.*s that %.*s appended",
				   node->name, text_len(record->subject),
				   (const char *)record->subject.data, text_len(origin),
				   (const char *)origin.data);
		writes_check_private(sim, span_of(book->bytes[i].data, book->bytes[i].len),
				     writes_link_bit(node->index), "its log", node->name);
	}
}

/* An accepted expectation was true of the records before it. */
static void check_expectations(struct sim *sim, size_t home, const struct book *book)
{
	for (size_t i = 0; i < sim->writes->count; i++) {
		const struct write *write = &sim->writes->items[i];
		if (write->home != home || write->state != WRITE_ACKED || !write->has_expect ||
		    write->is_forgiven || write->seq == 0 || write->seq > book->count)
			continue;
		uint64_t last = write->seq - 1;
		while (last > 0 && !span_is(book->records[last - 1].subject, write->subject))
			last--;
		/* Retention may have taken the one that was expected. */
		bool is_taken = (sim->has_retention || sim->has_erasure || sim->has_damage) &&
				write->expect_seq > last && write->expect_seq < write->seq &&
				book->bytes[write->expect_seq - 1].len == 0;
		if (last != write->expect_seq && !is_taken)
			sim_broken(sim, PROMISE_EXPECT,
				   "write %llu of %s expected %llu and was taken after %llu",
				   (unsigned long long)write->number, write->subject,
				   (unsigned long long)write->expect_seq, (unsigned long long)last);
	}
}

/* ---- copies ---- */

/* May this node hold a record of its home's, as a whole? */
static bool may_hold(const struct sim *sim, const struct record *own, const char *home,
		     const struct sim_node *at)
{
	const struct write *write = writes_get(sim->writes, writes_number_in(own->body));
	if (own->origin.len > 0)
		return false;
	if (!own->removed && write)
		return write->readers & writes_link_bit(at->index);
	/* A removal goes to whom the record went; of the daemon's own records the label counts. */
	struct label label = {0};
	if (own->label.len == 0)
		return true;
	ensure(label_read(own->label, &label) == LYC_OK);
	if (label.visibility == 1 || label.visibility == 2 || strcmp(home, at->name) == 0)
		return true;
	bool is_named = label.visibility == 3 && !at->hub;
	for (size_t i = 0; i < label.audience_count && label.visibility == 3; i++)
		is_named |= span_is(policy_node_of(label.audience[i]), at->name);
	return is_named;
}

static void check_copy(struct sim *sim, const struct sim_node *home, const struct record *own,
		       const struct sim_node *at, const struct record *copy)
{
	const struct write *write = writes_get(sim->writes, writes_number_in(own->body));
	bool is_cut = write && write->has_parts;
	unsigned long long seq = copy->origin_seq;
	if (!span_equal(own->subject, copy->subject))
		sim_broken(sim, PROMISE_REPLICATED, "record %llu of %s has another subject at %s",
			   seq, home->name, at->name);
	else if (!may_hold(sim, own, home->name, at)) {
		if (!copy->removed || copy->body.len > 0)
			sim_broken(sim, PROMISE_PRIVATE, "record %llu of %s is not for %s", seq,
				   home->name, at->name);
	} else if (own->removed != copy->removed ||
		   (!is_cut && !span_equal(own->body, copy->body)) ||
		   writes_number_in(own->body) != writes_number_in(copy->body))
		sim_broken(sim, PROMISE_REPLICATED, "record %llu of %s (%s) is at %s (%s)", seq,
			   home->name, told(sim, own), at->name, told(sim, copy));
}

/* Has retention taken it, at its home or here? */
static bool is_gone(const struct sim *sim, const struct record *own, const struct book *book)
{
	if (sim->has_erasure && own->subject.len == 0)
		return true;
	if (!sim->has_retention)
		return false;
	if (own->subject.len == 0 || memmem(own->subject.data, own->subject.len, ".Remark.", 8))
		return true;
	/* There is a later one of its subject. */
	for (size_t i = book->count; i > 0; i--) {
		if (span_equal(book->records[i - 1].subject, own->subject) &&
		    book->records[i - 1].origin_seq >= 1)
			return true;
	}
	return false;
}

/* Copies of one origin are in its order, once each, and none is missing. */
static void check_copies(struct sim *sim, const struct sim_node *home, const struct book *own,
			 const struct sim_node *at, const struct book *book)
{
	uint64_t last = 0;
	uint64_t next = 1;
	for (size_t i = 0; i <= book->count && !sim->broken; i++) {
		const struct record *copy = i < book->count ? &book->records[i] : NULL;
		if (copy && (copy->subject.len == 0 || !span_is(copy->origin, home->name) ||
			     copy->epoch != own->epoch))
			continue;
		uint64_t seq = copy ? copy->origin_seq : own->count + 1;
		/* The last one of its home, lost when the daemon began, was sent and taken anew. */
		if (copy && seq == last && damage_excuses(sim, home->index, seq))
			continue;
		if (copy && seq <= last)
			sim_broken(sim, seq == last ? PROMISE_ONCE : PROMISE_ORDER,
				   "%s holds record %llu of %s after %llu", at->name,
				   (unsigned long long)seq, home->name, (unsigned long long)last);
		if (copy && seq > own->count)
			sim_broken(sim, PROMISE_DURABLE,
				   "%s holds record %llu of %s, which has only %zu", at->name,
				   (unsigned long long)seq, home->name, own->count);
		for (; next < seq && !sim->broken; next++) {
			if (!is_gone(sim, &own->records[next - 1], book) &&
			    !damage_excuses(sim, home->index, next) &&
			    may_hold(sim, &own->records[next - 1], home->name, at))
				sim_broken(sim, PROMISE_REPLICATED,
					   "%s does not hold record %llu of %s (%s)", at->name,
					   (unsigned long long)next, home->name,
					   told(sim, &own->records[next - 1]));
		}
		if (!copy || sim->broken)
			return;
		last = seq;
		next = seq + 1;
		if (own->bytes[seq - 1].len > 0)
			check_copy(sim, home, &own->records[seq - 1], at, copy);
	}
}

/* ---- views and followers ---- */

/* What a reader of this bit has to see of what the homes say. */
static void expected_view(const struct sim *sim, const struct book *books, uint32_t bit,
			  struct view *ret_view)
{
	for (size_t home = 0; home < SIM_NODES; home++) {
		for (size_t i = 0; i < books[home].count; i++) {
			const struct record *record = &books[home].records[i];
			size_t of;
			size_t id;
			if (record->subject.len == 0 || record->origin.len > 0 ||
			    !view_key(record->subject, &of, &id))
				continue;
			struct view_entry *entry = &ret_view->entries[of][id];
			const struct write *write =
				writes_get(sim->writes, writes_number_in(record->body));
			buf_clear(&entry->body);
			entry->is_there = !record->removed && write && (write->readers & bit);
			if (entry->is_there)
				buf_add(&entry->body, record->body.data, record->body.len);
		}
	}
}

/* Labelled parts are cut for some: then only the whole's number is compared. */
static void level_parts(const struct sim *sim, struct view *view)
{
	for (size_t i = 0; i < SIM_NODES * VIEW_IDS; i++) {
		struct buf *body = &view->entries[i / VIEW_IDS][i % VIEW_IDS].body;
		uint64_t number = writes_number_in(span_of(body->data, body->len));
		const struct write *write = writes_get(sim->writes, number);
		if (!write || !write->has_parts)
			continue;
		buf_clear(body);
		buf_add_format(body, "~~%08x#%llu;", write->readers, (unsigned long long)number);
	}
}

static void copy_view(const struct view *from, struct view *to)
{
	for (size_t i = 0; i < SIM_NODES * VIEW_IDS; i++) {
		const struct view_entry *entry = &from->entries[i / VIEW_IDS][i % VIEW_IDS];
		struct view_entry *into = &to->entries[i / VIEW_IDS][i % VIEW_IDS];
		into->is_there = entry->is_there;
		buf_add(&into->body, entry->body.data, entry->body.len);
	}
}

/* 0: nothing is there. */
static unsigned long long number_of(const struct view_entry *entry)
{
	return entry->is_there ? writes_number_in(span_of(entry->body.data, entry->body.len)) : 0;
}

static void compare(struct sim *sim, const struct view *held, const struct view *expected,
		    const char *what, const char *where)
{
	struct view copy = {0};
	struct view known = {0};
	copy_view(held, &copy);
	copy_view(expected, &known);
	damage_leave(sim, &copy, &known);
	level_parts(sim, &copy);
	size_t home = 0;
	size_t id = 0;
	if (view_differs(&copy, &known, &home, &id)) {
		const struct view_entry *left = &held->entries[home][id];
		const struct view_entry *right = &expected->entries[home][id];
		sim_broken(
			sim, PROMISE_VIEW,
			"%s at %s holds write %llu (record %llu) of %s.%zu, and should hold %llu",
			what, where, number_of(left), (unsigned long long)left->origin_seq,
			sim_node_names[home], id, number_of(right));
	}
	view_clear(&copy);
	view_clear(&known);
}

static void check_views(struct sim *sim, const struct sim_node *node, const struct carol *carol,
			const struct book *books)
{
	struct view expected = {0};
	expected_view(sim, books, writes_operator_bit(node->index), &expected);
	level_parts(sim, &expected);
	compare(sim, &carol->folded, &expected, "the running view", node->name);
	compare(sim, &carol->fresh, &expected, "the view folded anew", node->name);
	view_clear(&expected);
	expected_view(sim, books, writes_plugin_bit(node->index), &expected);
	level_parts(sim, &expected);
	compare(sim, board_view(node->board), &expected, "the plugin's view", node->name);
	view_clear(&expected);
}

/* Followers were handed every record that they may see. */
static void check_followed(struct sim *sim, const struct sim_node *node, const struct carol *carol,
			   const struct book *book)
{
	for (size_t i = 0; i < book->count && i + 1 < READER_SEQS; i++) {
		const struct record *record = &book->records[i];
		const struct write *write = writes_get(sim->writes, writes_number_in(record->body));
		size_t home;
		size_t id;
		if (record->subject.len == 0 || record->removed || !write ||
		    !(write->readers & writes_operator_bit(node->index)))
			continue;
		if (damage_has_had(node, i + 1))
			continue;
		if (!carol->seen_durable[i + 1])
			sim_broken(sim, PROMISE_REPLICATED,
				   "the durable follower at %s was not handed sequence %zu",
				   node->name, i + 1);
		if (view_key(record->subject, &home, &id) && !carol->seen_next[i + 1])
			sim_broken(sim, PROMISE_REPLICATED,
				   "the follower at %s was not handed sequence %zu", node->name,
				   i + 1);
	}
}

static const struct sim_peer *find_peer(const struct sim *sim, const struct sim_node *node,
					const char *identity)
{
	for (size_t i = 0; i < sim->peer_count; i++) {
		if (sim->peers[i]->node == node && strcmp(sim->peers[i]->identity, identity) == 0)
			return sim->peers[i];
	}
	ensure(false);
	return NULL;
}

/* ---- what a restore had lost ---- */

/* The last record of a key in its home's log, and where it was at first; NULL. */
static const struct record *last_of(const struct book *own, struct span subject,
				    uint64_t *ret_place)
{
	for (size_t i = own->count; i > 0; i--) {
		const struct record *record = &own->records[i - 1];
		*ret_place = record->was.epoch > 0 ? reader_place(record->was.seq) : i;
		if (span_equal(record->subject, subject))
			return record;
	}
	*ret_place = 0;
	return NULL;
}

/* What anybody still holds whole of a restored home's lost end is at home again, or something later
 * of its key is. */
static void check_given_back(struct sim *sim, const struct sim_node *home, const struct book *own,
			     const struct sim_node *at, const struct book *book)
{
	for (size_t i = 0; i < book->count && !sim->broken; i++) {
		const struct record *copy = &book->records[i];
		const struct write *write = writes_get(sim->writes, writes_number_in(copy->body));
		if (copy->subject.len == 0 || !write || !write->is_forgiven ||
		    write->state != WRITE_ACKED || copy->was.epoch > 0 ||
		    !span_is(copy->origin, home->name) || !span_is(copy->subject, write->subject) ||
		    !strstr(write->subject, ".Notice.") ||
		    !span_equal(copy->body, span_of(write->body.data, write->body.len)))
			continue;
		uint64_t place;
		const struct record *last = last_of(own, copy->subject, &place);
		if (place <= reader_place(copy->origin_seq) &&
		    (!last || !span_equal(last->body, copy->body)))
			sim_broken(sim, PROMISE_DURABLE,
				   "%s holds write %llu of %s whole, and %s has got back %s",
				   at->name, (unsigned long long)write->number, write->subject,
				   home->name, last ? told(sim, last) : "nothing");
	}
}

static void check_node(struct sim *sim, size_t index, const struct book *books)
{
	struct sim_node *node = sim->nodes[index];
	const struct carol *carol = carol_of(find_peer(sim, node, "carol"));
	check_homes(sim, node, &books[index]);
	writes_check_kept(sim, node);
	if (node->restore_count == 0)
		check_expectations(sim, index, &books[index]);
	for (size_t home = 0; home < SIM_NODES && !sim->broken; home++) {
		/* What a restored home has given anew is compared as views are. */
		if (home != index && sim->nodes[home]->restore_count == 0)
			check_copies(sim, sim->nodes[home], &books[home], node, &books[index]);
		else if (home != index)
			check_given_back(sim, sim->nodes[home], &books[home], node, &books[index]);
	}
	if (sim->broken)
		return;
	check_followed(sim, node, carol, &books[index]);
	check_views(sim, node, carol, books);
}

/* For who reads a trace: what lies where. */
static void dump(const struct sim *sim, const struct sim_node *node, const struct book *book)
{
	for (size_t i = 0; i < book->count; i++) {
		const struct record *record = &book->records[i];
		if (record->subject.len == 0)
			fprintf(stderr, "log of %s, %zu: removed\n", node->name, i + 1);
		else
			fprintf(stderr, "log of %s, %zu: %.*s %llu %s\n", node->name, i + 1,
				(int)record->origin.len, (const char *)record->origin.data,
				(unsigned long long)record->origin_seq, told(sim, record));
	}
}

void promises_check(struct sim *sim)
{
	struct book books[SIM_NODES] = {0};
	bool is_read = true;
	for (size_t i = 0; i < SIM_NODES && is_read; i++)
		is_read = book_read(sim, sim->nodes[i], &books[i]);
	for (size_t i = 0; i < SIM_NODES && is_read && sim->is_tracing; i++)
		dump(sim, sim->nodes[i], &books[i]);
	if (is_read)
		damage_mark(sim);
	for (size_t i = 0; i < SIM_NODES && is_read && !sim->broken; i++)
		check_node(sim, i, books);
	if (is_read && !sim->broken)
		erased_check(sim);
	if (is_read && !sim->broken)
		damage_check_healed(sim, books);
	for (size_t i = 0; i < sim->peer_count; i++) {
		if (strcmp(sim->peers[i]->identity, "ann") == 0)
			ann_check(sim->peers[i]);
		if (is_read && !sim->broken)
			since_check(sim->peers[i], &books[sim->peers[i]->node->index]);
	}
	for (size_t i = 0; i < SIM_NODES; i++)
		book_free(&books[i]);
}

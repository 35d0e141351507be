/* One link: what goes out, what comes in, and what has been confirmed. */
#include "node/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "lyceum/v1/label.pb-c.h"
#include "log.h"
#include "stream/publish_journal.h"

#define LOG_TOPIC "link"
/* Heads that wait for copies on their way to the log; what is dropped comes again within a second.
 */
#define MAX_WAITING_HEADS (512u * 1024)

void links_init(struct links *links)
{
	list_init(&links->all);
}

static void link_free(struct link *link)
{
	link_forget_interests(link);
	list_remove(&link->node);
	origins_fini(&link->theirs);
	buf_fini(&link->waiting_heads);
	buf_fini(&link->copy);
	buf_fini(&link->cut);
	free(link->asked);
	free(link);
}

void links_fini(struct links *links)
{
	list_each_safe (node, &links->all)
		link_free(list_entry(node, struct link, node));
}

struct link *links_find(struct links *links, const char *peer)
{
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (strcmp(link->peer, peer) == 0)
			return link;
	}
	return NULL;
}

struct link *links_get(struct links *links, const char *peer, bool is_hub)
{
	struct link *link = links_find(links, peer);
	if (link)
		return link;
	link = mem_new(struct link);
	link->links = links;
	link->is_hub = is_hub;
	link->since_ms = links->env->now_ms(links->env->world);
	snprintf(link->peer, sizeof(link->peer), "%s", peer);
	list_add_last(&links->all, &link->node);
	return link;
}

const struct origin *link_confirmed(const struct link *link)
{
	const char *name = link->links->stream->name;
	return origins_find(&link->theirs, span_of(name, strlen(name)));
}

/* ---- the outbox ---- */

/* Does an own record go to the hub? Its label says so, and that of what it replaced; where parts of
 * a body have labels of their own they only take away. */
static bool travels(const struct link *link, const struct record *record)
{
	const struct stream *stream = link->links->stream;
	const struct span labels[] = {record->label, record->former};
	struct readers readers = {.node = link->peer, .person = ""};
	for (size_t i = 0; i < 2; i++) {
		struct label label;
		label_set(&label, LYCEUM__V1__VISIBILITY__MEMBERS);
		if (i == 1 && labels[i].len == 0)
			continue;
		if (labels[i].len > 0 && label_read(labels[i], &label) != LYC_OK)
			return false;
		if (policy_outgoing(stream->policy, NULL, span_of(NULL, 0), &label, stream->name,
				    &readers, true, NULL) != EGRESS_NOTHING)
			return true;
	}
	return false;
}

static void outbox_add(struct link *link, uint64_t seq, const struct record *record)
{
	const struct stream *stream = link->links->stream;
	const struct origin *known = link_confirmed(link);
	if ((known && !origin_is_new(known, stream_epoch_of(stream, seq), seq)) ||
	    !travels(link, record))
		return;
	link->outbox_count++;
	link->outbox_last = seq;
}

static void outbox_confirmed(struct link *link, uint64_t seq)
{
	uint64_t most = link->outbox_last > seq ? link->outbox_last - seq : 0;
	if (link->outbox_count > most)
		link->outbox_count = most;
}

static void note_confirmed(struct link *link, uint64_t epoch, uint64_t seq)
{
	if (epoch < link->confirmed_epoch ||
	    (epoch == link->confirmed_epoch && seq <= link->confirmed_seq))
		return;
	link->confirmed_epoch = epoch;
	link->confirmed_seq = seq;
}

/* The hub has less than it had confirmed: it was restored, and all that comes after waits again. */
static void recount_outbox(struct link *link)
{
	const struct stream *stream = link->links->stream;
	const struct origin *own = &stream->origins.items[0];
	const struct origin *known = link_confirmed(link);
	uint64_t epoch = known ? known->epoch : 0;
	uint64_t seq = known ? known->seq : 0;
	if (!link->is_hub || epoch > link->confirmed_epoch ||
	    (epoch == link->confirmed_epoch && seq >= link->confirmed_seq))
		return;
	link->outbox_count = origin_count_after(own, epoch, seq);
	link->outbox_last = stream->last_seq;
	link->confirmed_epoch = epoch;
	link->confirmed_seq = seq;
}

static void take_their_positions(struct link *link, const struct wire_position *positions,
				 size_t count)
{
	struct stream *stream = link->links->stream;
	for (size_t i = 0; i < count; i++) {
		struct origin *origin = span_is(positions[i].origin, link->peer)
						? NULL
						: origins_get(&link->theirs, positions[i].origin);
		if (!origin ||
		    (origin->epoch == positions[i].epoch && origin->seq > positions[i].seq))
			continue;
		origin->epoch = positions[i].epoch;
		origin->seq = positions[i].seq;
		if (!span_is(positions[i].origin, stream->name))
			continue;
		note_confirmed(link, positions[i].epoch, positions[i].seq);
		if (positions[i].epoch == stream->epoch)
			outbox_confirmed(link, positions[i].seq);
	}
}

/* A log restored from an older copy would give sequences a second time, and the copies would be
 * taken for known; so would those of an epoch that a clock which was behind has given. */
static bool is_behind_itself(const struct link *link)
{
	const struct stream *stream = link->links->stream;
	for (size_t i = 0; i < link->theirs.count; i++) {
		const struct origin *origin = &link->theirs.items[i];
		if (strcmp(origin->name, stream->name) == 0 &&
		    (origin->epoch > stream->epoch ||
		     (origin->epoch == stream->epoch && origin->seq > stream->last_seq)))
			return true;
	}
	return false;
}

/* A hub that was restored, too, has not all of what this one asks for. */
static void ask_others(struct link *home)
{
	if (!link_has_asked(home) || home->links->stream->origins.items[0].former_count == 0)
		return;
	list_each (node, &home->links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (link != home && link->session)
			link_send_follow(link);
	}
}

void link_follow(struct link *link, const struct packet_follow *follow)
{
	take_their_positions(link, follow->positions, follow->position_count);
	link_asked(link, follow);
	if (is_behind_itself(link)) {
		link->has_failed = true;
		link->failure =
			"the peer holds records of this daemon that its own log does not, "
			"which is an older copy: stop the daemon, move its log away, and "
			"bring the copy back with lyceumd --restore, when the clock is right";
		log_error("the log is older than its copies", "peer", link->peer);
		return;
	}
	link->credit = follow->credit ? follow->credit : LINK_FOLLOW_CREDIT;
	if (link->credit > WIRE_MAX_FOLLOW_CREDIT)
		link->credit = WIRE_MAX_FOLLOW_CREDIT;
	link->unconfirmed_len = 0;
	recount_outbox(link);
	link->next_seq = link_start(link);
	link->has_begun_anew = link->is_reading;
	if (!link->is_followed)
		link->turn = ++link->links->last_turn;
	link->is_followed = true;
	link->is_sent_dirty = true;
	link_pump(link);
	if (!link->is_hub)
		ask_others(link);
}

/* ---- in ---- */

static void apply_heads(struct link *link, const struct wire_position *sent, size_t count)
{
	struct stream *stream = link->links->stream;
	uint64_t now = link->links->env->now_ms(link->links->env->world);
	for (size_t i = 0; i < count; i++) {
		if (span_is(sent[i].origin, stream->name))
			link_was_given(link, &sent[i]);
		bool is_allowed = link->is_hub ? !span_is(sent[i].origin, stream->name)
					       : span_is(sent[i].origin, link->peer);
		struct origin *origin =
			is_allowed ? origins_get(&stream->origins, sent[i].origin) : NULL;
		if (!origin || sent[i].epoch < origin->epoch)
			continue;
		if (sent[i].epoch > origin->epoch)
			origin_begin_epoch(origin, sent[i].epoch);
		if (sent[i].seq > origin->seq)
			origin->seq = sent[i].seq;
		origin_heard_of(origin, now, sent[i].age_ms);
	}
	waiting_advance(&link->links->router->waiting);
}

static void apply_waiting_heads(struct link *link)
{
	if (link->waiting_heads.len == 0)
		return;
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, span_of(link->waiting_heads.data, link->waiting_heads.len));
	while (frame_next(reader, &packet) == FRAME_PACKET && packet.kind == PACKET_HEADS)
		apply_heads(link, packet.heads.sent, packet.heads.sent_count);
	free(reader);
	buf_clear(&link->waiting_heads);
}

static void copy_stored(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct link *link = arg;
	(void)seq;
	if (status != LYC_OK && !link->has_failed) {
		log_error("a copied record was not stored", "peer", link->peer, "reason", text);
		link->has_failed = true;
		link->failed_ms = link->links->env->now_ms(link->links->env->world);
		for (size_t i = 0; i < link->links->stream->origins.count; i++)
			origin_unqueue(&link->links->stream->origins.items[i]);
	}
	/* Heads speak for the copies before them, of which one is missing now. */
	if (link->has_failed)
		buf_clear(&link->waiting_heads);
	link->is_stored_dirty = true;
	arrivals_answered(&link->arrivals);
	if (--link->pending_count == 0)
		apply_waiting_heads(link);
}

static void refuse_copy(struct link *link, const struct record *record,
			const struct lyc_error *error)
{
	struct stream *stream = link->links->stream;
	size_t name_len = 0;
	const struct publish_origin from = {
		.session = link->session,
		.principal = record->principal,
		.subject = record->subject,
		.message = record->subject.len > 0
				   ? types_of_subject(stream->types, record->subject, &name_len)
				   : NULL,
		.trace = record->trace,
		.begun_ms = stream->env->now_ms(stream->env->world),
	};
	link->links->refused_copies++;
	publish_journal_refused(stream, &from, error);
	log_warning("a copied record was refused", "peer", link->peer, "reason", error->text);
}

static void take_copy(struct link *link, struct span bytes)
{
	struct links *links = link->links;
	struct record record = {0};
	struct lyc_error error = {0};
	enum lyc_status status = record_read(bytes, &record);
	/* From a node only after a restore, which the seal then judges. */
	bool is_own = status == LYC_OK && span_is(record.origin, links->stream->name) &&
		      (link->is_hub || links->stream->origins.items[0].former_count > 0);
	bool is_allowed = status == LYC_OK && (link->is_hub || span_is(record.origin, link->peer));
	if (is_own) {
		error.status = link_take_back(link, &record, copy_stored, &error);
	} else if (!is_allowed && link_pass_back(link, &record, bytes)) {
		return;
	} else if (!is_allowed) {
		error_set(&error, LYC_PERMISSION_DENIED, "not a record that this peer may send");
	} else {
		const struct origin *origin = origins_find(&links->stream->origins, record.origin);
		if (origin && !origin_is_wanted(origin, record.epoch, record.origin_seq))
			return; /* held already, or on its way */
		/* Its home had lost it and got it back. Heads will say that it has come. What came
		 * back in part only is what the home says from now on. */
		if (origin && record.was.epoch > 0 && record.was.form == RECORD_WHOLE &&
		    origin_has(origin, record.was.epoch, record.was.seq))
			return;
		error.status = stream_append_copy(links->stream, bytes, copy_stored, link, &error);
	}
	if (error.status == LYC_OK)
		link->pending_count++;
	else if (error.status != LYC_FAILED_PRECONDITION)
		refuse_copy(link, &record, &error);
}

void link_copy(struct link *link, const struct packet_copy *copy)
{
	struct span at = copy->records;
	if (link->has_failed)
		return;
	struct span record;
	while (copy_next(&at, &record)) {
		size_t pending_count = link->pending_count;
		take_copy(link, record);
		arrivals_add(&link->arrivals, record.len, link->pending_count > pending_count);
	}
	link->is_stored_dirty = true;
}

void link_heads(struct link *link, const struct packet_heads *heads, struct span packet_bytes)
{
	take_their_positions(link, heads->stored, heads->stored_count);
	link->unconfirmed_len -= heads->stored_bytes < link->unconfirmed_len
					 ? heads->stored_bytes
					 : link->unconfirmed_len;
	if (link->has_failed) {
		/* what it says of copies does not hold */
	} else if (heads->sent_count > 0 && link->pending_count > 0) {
		if (link->waiting_heads.len > MAX_WAITING_HEADS)
			buf_clear(&link->waiting_heads);
		buf_add(&link->waiting_heads, packet_bytes.data, packet_bytes.len);
	} else if (heads->sent_count > 0) {
		apply_heads(link, heads->sent, heads->sent_count);
	}
	link_pump(link);
}

/* ---- up and down ---- */

void link_up(struct link *link, struct session *session)
{
	struct links *links = link->links;
	link->session = session;
	session->owner = link;
	link->since_ms = links->env->now_ms(links->env->world);
	link->text[0] = '\0';
	link->is_followed = false;
	origins_fini(&link->theirs);
	link->has_failed = false;
	link->failure = NULL;
	buf_clear(&link->waiting_heads);
	arrivals_begin(&link->arrivals);
	link_send_follow(link);
	link_announce(link);
	link_send_interests(link);
	log_notice("link up", "peer", link->peer);
}

void link_down(struct link *link, const char *text)
{
	struct links *links = link->links;
	if (!link->session)
		return;
	link->session->owner = NULL;
	link->session = NULL;
	link->since_ms = links->env->now_ms(links->env->world);
	link->is_followed = false;
	snprintf(link->text, sizeof(link->text), "%s", text);
	link_forget_interests(link);
	log_warning("link down", "peer", link->peer, "reason", text);
}

void links_committed(struct links *links, uint64_t seq, const struct record *record)
{
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (link->is_hub && record->origin.len == 0)
			outbox_add(link, seq, record);
		link_pump(link);
	}
}

void links_turn(struct links *links)
{
	uint64_t now = links->env->now_ms(links->env->world);
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (!link->session)
			continue;
		if (link->has_passed_by && session_backlog(link->session) == 0) {
			link->has_passed_by = false;
			ask_others(link);
		}
		bool is_confirming = link->is_stored_dirty && (link->pending_count == 0 ||
							       arrivals_are_many(&link->arrivals));
		bool is_telling = link->is_sent_dirty && link->is_followed &&
				  link->next_seq > links->stream->last_seq && !link->is_reading;
		if (is_confirming || is_telling || now >= link->heads_due_ms)
			link_send_heads(link);
	}
}

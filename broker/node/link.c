/* One link: what goes out, what comes in, and what has been confirmed. */
#include "node/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"

#define LOG_TOPIC "link"
#define READ_MAX_LEN (512u * 1024)
#define FOLLOW_CREDIT (8u * 1024 * 1024)
#define HEADS_EVERY_MS 1000
/* Of this daemon and of every origin that it knows. */
#define MAX_POSITIONS (ORIGINS_MAX + 1)
/* Heads that wait for copies on their way to the log; what is dropped comes again within a second.
 */
#define MAX_WAITING_HEADS (512u * 1024)
/* Tags and lengths of a Copy around its record. */
#define MAX_COPY_ENVELOPE 32

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

/* ---- the outbox ---- */

/* Does an own record go to the hub? Its label says so, and that of what it replaced; where parts of
 * a body have labels of their own they only take away. */
static bool travels(const struct link *link, const struct record *record)
{
	const struct stream *stream = link->links->stream;
	const struct span labels[] = {record->label, record->former};
	struct readers readers = {.node = link->peer, .person = ""};
	for (size_t i = 0; i < 2; i++) {
		struct label label = policy_members_label();
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
	const struct origin *known =
		origins_find(&link->theirs, span_of(stream->name, strlen(stream->name)));
	if ((known && !origin_is_new(known, stream->epoch, seq)) || !travels(link, record))
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

/* ---- out ---- */

/* What of a record the peer gets: the record to send, or false. `cut` holds a cut body. */
static bool prepare(struct link *link, uint64_t seq, const struct record *record,
		    struct record *ret_record, struct buf *cut)
{
	struct stream *stream = link->links->stream;
	bool is_own = record->origin.len == 0;
	if (!is_own && (link->is_hub || span_is(record->origin, link->peer)))
		return false;
	struct record out = *record;
	if (is_own) {
		out.origin = span_of(stream->name, strlen(stream->name));
		out.epoch = stream->epoch;
		out.origin_seq = seq;
	}
	const struct origin *known = origins_find(&link->theirs, out.origin);
	if (known && !origin_is_new(known, out.epoch, out.origin_seq))
		return false;
	char home[64];
	snprintf(home, sizeof(home), "%.*s", (int)out.origin.len, (const char *)out.origin.data);
	struct readers readers = {.node = link->peer, .person = ""};
	size_t name_len = 0;
	const struct schema_message *message =
		types_of_record(stream->types, record->subject, record->schema, &name_len);
	struct label label = policy_members_label();
	if (record->label.len > 0 && label_read(record->label, &label) != LYC_OK)
		return false;
	switch (policy_outgoing(stream->policy, record->removed ? NULL : message, record->body,
				&label, home, &readers, link->is_hub, cut)) {
	case EGRESS_CUT:
		out.body = span_of(cut->data, cut->len);
		break;
	case EGRESS_WHOLE:
	case EGRESS_CARRY:
		break;
	case EGRESS_NOTHING:
	default:
		if (record->former.len == 0 || label_read(record->former, &label) != LYC_OK ||
		    policy_outgoing(stream->policy, NULL, span_of(NULL, 0), &label, home, &readers,
				    link->is_hub, cut) == EGRESS_NOTHING)
			return false;
		/* It was theirs and is no longer: they get its withdrawal, and nothing of what it
		 * says now. */
		out.body = span_of(NULL, 0);
		out.body_crc = 0;
		out.removed = true;
		out.label = record->former;
		out.former = span_of(NULL, 0);
		out.principal = span_of(NULL, 0);
	}
	*ret_record = out;
	return true;
}

static void send_record(struct link *link, uint64_t seq, struct span bytes)
{
	struct record record;
	struct record out;
	struct buf cut = {0};
	struct buf copy = {0};
	if (record_read(bytes, &record) == LYC_OK && prepare(link, seq, &record, &out, &cut)) {
		record_write(&copy, &out);
	}
	if (copy.len > WIRE_MAX_PACKET - MAX_COPY_ENVELOPE) {
		/* Of a log from before records were bounded: one that cannot travel holds up none
		 * behind it. */
		log_error("a record is too large to be copied", "peer", link->peer, "seq",
			  log_number(seq));
	} else if (copy.len > 0) {
		session_send_copy(link->links->sessions, link->session,
				  span_of(copy.data, copy.len));
		link->unconfirmed_len += copy.len;
		link->copied_count++;
	}
	buf_fini(&copy);
	buf_fini(&cut);
}

struct link_read {
	struct log_read base;
	struct link *link;
	uint64_t session_serial;
};

static void pump(struct link *link);

static void read_done(struct log_read *base)
{
	struct link_read *read = (struct link_read *)base;
	struct link *link = read->link;
	link->is_reading = false;
	bool is_same = link->session && link->session->serial == read->session_serial;
	if (base->status == LYC_UNAVAILABLE) {
		/* the daemon stops */
	} else if (is_same && base->status != LYC_OK) {
		log_error("the log cannot be read for the link", "peer", link->peer, "reason",
			  base->text);
	} else if (is_same) {
		const uint8_t *at = base->records.data;
		const uint8_t *end = at + base->records.len;
		while (at < end) {
			uint64_t seq;
			uint32_t len;
			memcpy(&seq, at, sizeof(seq));
			memcpy(&len, at + sizeof(seq), sizeof(len));
			at += sizeof(seq) + sizeof(len);
			send_record(link, seq, span_of(at, len));
			at += len;
		}
		link->next_seq = base->next_seq;
		link->is_sent_dirty = true;
	}
	bool is_ok = base->status == LYC_OK;
	buf_fini(&base->records);
	free(base->pattern);
	free(read);
	if (is_ok)
		pump(link);
}

static void pump(struct link *link)
{
	const struct env *env = link->links->env;
	if (!link->session || !link->is_followed || link->is_reading ||
	    link->next_seq > link->links->stream->last_seq || link->unconfirmed_len >= link->credit)
		return;
	struct link_read *read = mem_new(struct link_read);
	read->link = link;
	read->session_serial = link->session->serial;
	read->base.from = link->next_seq;
	read->base.max_bytes = READ_MAX_LEN;
	read->base.on_done = read_done;
	link->is_reading = true;
	env->read(env->world, &read->base);
}

/* Where the first record lies that the peer does not have. */
static uint64_t find_start(struct link *link)
{
	struct stream *stream = link->links->stream;
	uint64_t start = stream->last_seq + 1;
	for (size_t i = 0; i < stream->origins.count; i++) {
		const struct origin *origin = &stream->origins.items[i];
		bool is_own = strcmp(origin->name, stream->name) == 0;
		if (strcmp(origin->name, link->peer) == 0 || (link->is_hub && !is_own))
			continue;
		const struct origin *theirs =
			origins_find(&link->theirs, span_of(origin->name, strlen(origin->name)));
		uint64_t first =
			origin_start(origin, theirs ? theirs->epoch : 0, theirs ? theirs->seq : 0);
		if (first < start)
			start = first;
	}
	return start;
}

static void take_their_positions(struct link *link, const struct wire_position *positions,
				 size_t count)
{
	struct stream *stream = link->links->stream;
	for (size_t i = 0; i < count; i++) {
		struct origin *origin = origins_get(&link->theirs, positions[i].origin);
		if (!origin ||
		    (origin->epoch == positions[i].epoch && origin->seq > positions[i].seq))
			continue;
		origin->epoch = positions[i].epoch;
		origin->seq = positions[i].seq;
		if (span_is(positions[i].origin, stream->name) &&
		    positions[i].epoch == stream->epoch)
			outbox_confirmed(link, positions[i].seq);
	}
}

/* A log restored from an older copy would give sequences a second time, and the copies would be
 * taken for known. */
static bool is_behind_itself(const struct link *link)
{
	const struct stream *stream = link->links->stream;
	for (size_t i = 0; i < link->theirs.count; i++) {
		const struct origin *origin = &link->theirs.items[i];
		if (strcmp(origin->name, stream->name) == 0 && origin->epoch == stream->epoch &&
		    origin->seq > stream->last_seq)
			return true;
	}
	return false;
}

void link_follow(struct link *link, const struct packet_follow *follow)
{
	take_their_positions(link, follow->positions, follow->position_count);
	if (is_behind_itself(link)) {
		link->has_failed = true;
		link->failure = "the peer holds records of this daemon that its own log does not: "
				"the log was restored from an older copy";
		log_error("the log is older than its copies", "peer", link->peer);
		return;
	}
	link->credit = follow->credit ? follow->credit : FOLLOW_CREDIT;
	if (link->credit > WIRE_MAX_FOLLOW_CREDIT)
		link->credit = WIRE_MAX_FOLLOW_CREDIT;
	link->unconfirmed_len = 0;
	link->next_seq = find_start(link);
	link->is_followed = true;
	link->is_sent_dirty = true;
	pump(link);
}

/* "This is how far I know each origin that I send you of." Said only when everything has been sent.
 */
static size_t list_sent(struct link *link, struct wire_position *to)
{
	struct stream *stream = link->links->stream;
	const struct env *env = link->links->env;
	uint64_t now = env->now_ms(env->world);
	uint64_t wall = env->wall_ms(env->world);
	size_t count = 0;
	to[count++] = (struct wire_position){.origin = span_of(stream->name, strlen(stream->name)),
					     .epoch = stream->epoch,
					     .seq = stream->last_seq};
	for (size_t i = 0; !link->is_hub && i < stream->origins.count; i++) {
		const struct origin *origin = &stream->origins.items[i];
		if (strcmp(origin->name, stream->name) == 0 ||
		    strcmp(origin->name, link->peer) == 0)
			continue;
		to[count++] = (struct wire_position){
			.origin = span_of(origin->name, strlen(origin->name)),
			.epoch = origin->epoch,
			.seq = origin->seq,
			.age_ms = origin_age_ms(origin, now, wall),
		};
	}
	return count;
}

static size_t list_stored(struct link *link, struct wire_position *to)
{
	struct stream *stream = link->links->stream;
	size_t count = 0;
	for (size_t i = 0; i < stream->origins.count; i++) {
		const struct origin *origin = &stream->origins.items[i];
		bool is_theirs = link->is_hub ? strcmp(origin->name, stream->name) != 0
					      : strcmp(origin->name, link->peer) == 0;
		if (is_theirs)
			to[count++] = (struct wire_position){
				.origin = span_of(origin->name, strlen(origin->name)),
				.epoch = origin->epoch,
				.seq = origin->seq,
			};
	}
	return count;
}

/* As many of a list as one packet has room for, from `first` on. */
static size_t part_of(size_t count, size_t first)
{
	if (first >= count)
		return 0;
	return count - first < WIRE_MAX_POSITIONS ? count - first : WIRE_MAX_POSITIONS;
}

static void send_heads(struct link *link)
{
	struct stream *stream = link->links->stream;
	uint64_t now = link->links->env->now_ms(link->links->env->world);
	bool is_all_sent =
		link->is_followed && !link->is_reading && link->next_seq > stream->last_seq;
	struct wire_position sent[MAX_POSITIONS];
	struct wire_position stored[MAX_POSITIONS];
	size_t sent_count = is_all_sent ? list_sent(link, sent) : 0;
	size_t stored_count = list_stored(link, stored);
	size_t first = 0;
	do {
		struct packet packet = {.kind = PACKET_HEADS};
		packet.heads = (struct packet_heads){
			.sent = sent + first,
			.sent_count = part_of(sent_count, first),
			.stored = stored + first,
			.stored_count = part_of(stored_count, first),
			.stored_bytes = link->stored_len,
		};
		session_send(link->links->sessions, link->session, &packet);
		link->stored_len = 0;
		first += WIRE_MAX_POSITIONS;
	} while (first < sent_count || first < stored_count);
	link->is_stored_dirty = false;
	if (is_all_sent)
		link->is_sent_dirty = false;
	link->heads_due_ms = now + HEADS_EVERY_MS;
}

/* How far this daemon has come with each origin of the peer's: what one packet has no room for goes
 * before it, as Heads. */
static void send_follow(struct link *link)
{
	struct session_table *sessions = link->links->sessions;
	struct wire_position stored[MAX_POSITIONS];
	size_t count = list_stored(link, stored);
	for (size_t first = WIRE_MAX_POSITIONS; first < count; first += WIRE_MAX_POSITIONS) {
		struct packet packet = {.kind = PACKET_HEADS};
		packet.heads = (struct packet_heads){.stored = stored + first,
						     .stored_count = part_of(count, first)};
		session_send(sessions, link->session, &packet);
	}
	struct packet packet = {.kind = PACKET_FOLLOW};
	packet.follow = (struct packet_follow){
		.positions = stored, .position_count = part_of(count, 0), .credit = FOLLOW_CREDIT};
	session_send(sessions, link->session, &packet);
}

/* ---- in ---- */

static void apply_heads(struct link *link, const struct wire_position *sent, size_t count)
{
	struct stream *stream = link->links->stream;
	uint64_t now = link->links->env->now_ms(link->links->env->world);
	for (size_t i = 0; i < count; i++) {
		bool is_allowed = link->is_hub ? !span_is(sent[i].origin, stream->name)
					       : span_is(sent[i].origin, link->peer);
		struct origin *origin =
			is_allowed ? origins_get(&stream->origins, sent[i].origin) : NULL;
		if (!origin || sent[i].epoch < origin->epoch)
			continue;
		if (sent[i].epoch > origin->epoch) {
			origin->epoch = sent[i].epoch;
			origin->seq = 0;
		}
		if (sent[i].seq > origin->seq)
			origin->seq = sent[i].seq;
		origin_heard_of(origin, now, sent[i].age_ms);
	}
	router_advance(link->links->router);
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
		for (size_t i = 0; i < link->links->stream->origins.count; i++)
			origin_unqueue(&link->links->stream->origins.items[i]);
	}
	/* Heads speak for the copies before them, of which one is missing now. */
	if (link->has_failed)
		buf_clear(&link->waiting_heads);
	link->is_stored_dirty = true;
	if (--link->pending_count == 0)
		apply_waiting_heads(link);
}

static void take_copy(struct link *link, struct span bytes)
{
	struct links *links = link->links;
	struct record record;
	struct lyc_error error = {0};
	enum lyc_status status = record_read(bytes, &record);
	bool is_allowed = status == LYC_OK && (link->is_hub || span_is(record.origin, link->peer));
	if (!is_allowed) {
		error_set(&error, LYC_PERMISSION_DENIED, "not a record that this peer may send");
	} else {
		const struct origin *origin = origins_find(&links->stream->origins, record.origin);
		if (origin && !origin_is_wanted(origin, record.epoch, record.origin_seq))
			return; /* held already, or on its way */
		error.status = stream_append_copy(links->stream, bytes, copy_stored, link, &error);
	}
	if (error.status == LYC_OK) {
		link->pending_count++;
	} else if (error.status != LYC_FAILED_PRECONDITION) {
		links->refused_copies++;
		log_warning("a copied record was refused", "peer", link->peer, "reason",
			    error.text);
	}
}

void link_copy(struct link *link, const struct packet_copy *copy)
{
	struct span at = copy->records;
	if (link->has_failed)
		return;
	struct span record;
	while (copy_next(&at, &record)) {
		link->stored_len += record.len;
		take_copy(link, record);
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
	pump(link);
}

/* ---- services ---- */

/* At most WIRE_MAX_SERVICES, which is what a Register packet holds. */
void link_register(struct link *link, const struct packet_register *reg)
{
	struct links *links = link->links;
	size_t dropped = 0;
	services_withdraw(links->services, link->session);
	for (size_t i = 0; i < reg->service_count; i++) {
		struct span name = reg->services[i];
		struct span node = span_of(link->peer, strlen(link->peer));
		const uint8_t *at = memchr(name.data, '@', name.len);
		if (at && link->is_hub) {
			node = span_of(at + 1, name.len - (size_t)(at - name.data) - 1);
			name.len = (size_t)(at - name.data);
		}
		if (!service_name_is_valid(name) || node.len == 0 || node.len >= sizeof(link->peer))
			dropped++;
		else if (!span_is(node, links->stream->name))
			services_offer(links->services, link->session, name, node);
	}
	if (dropped > 0)
		log_warning("names that cannot be services were dropped", "peer", link->peer,
			    "count", log_number(dropped));
	if (!link->is_hub)
		links_announce(links);
}

static void announce(struct link *link)
{
	struct links *links = link->links;
	struct span names[WIRE_MAX_SERVICES];
	struct buf texts = {0};
	size_t offsets[WIRE_MAX_SERVICES + 1];
	size_t count = 0;
	struct service_entry *service;
	struct service_entry *next;
	HASH_ITER (by_name, links->services->by_name, service, next) {
		if (!list_is_empty(&service->here) && count < WIRE_MAX_SERVICES) {
			offsets[count++] = texts.len;
			buf_add_text(&texts, service->name);
		}
		list_each (node, &service->abroad) {
			const struct offer *offer = list_entry(node, struct offer, of_service);
			if (link->is_hub || offer->session == link->session ||
			    count == WIRE_MAX_SERVICES)
				continue;
			offsets[count++] = texts.len;
			buf_add_format(&texts, "%s@%s", service->name, offer->node);
		}
	}
	offsets[count] = texts.len;
	for (size_t i = 0; i < count; i++)
		names[i] = span_of(texts.data + offsets[i], offsets[i + 1] - offsets[i]);
	struct packet packet = {.kind = PACKET_REGISTER};
	packet.reg = (struct packet_register){.services = names, .service_count = count};
	session_send(links->sessions, link->session, &packet);
	buf_fini(&texts);
}

void links_announce(struct links *links)
{
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (link->session)
			announce(link);
	}
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
	link->stored_len = 0;
	send_follow(link);
	announce(link);
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
		pump(link);
	}
}

void links_turn(struct links *links)
{
	uint64_t now = links->env->now_ms(links->env->world);
	list_each (node, &links->all) {
		struct link *link = list_entry(node, struct link, node);
		if (!link->session)
			continue;
		bool is_confirming = link->is_stored_dirty && link->pending_count == 0;
		bool is_telling = link->is_sent_dirty && link->is_followed &&
				  link->next_seq > links->stream->last_seq && !link->is_reading;
		if (is_confirming || is_telling || now >= link->heads_due_ms)
			send_heads(link);
	}
}

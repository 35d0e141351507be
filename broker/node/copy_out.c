/* What goes out on a link: the records that the peer does not have, as far as their labels let them
 * travel. */
#include "node/link.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "lyceum/v1/label.pb-c.h"
#include "log.h"
#include "route/log_read.h"

#define LOG_TOPIC "link"
#define READ_MAX_LEN (512u * 1024)
/* Tags and lengths of a Copy around its record. */
#define MAX_COPY_ENVELOPE 32

/* What of a record the peer gets: the record to send, or false. `cut` holds a cut body. */
static bool prepare(struct link *link, uint64_t seq, const struct record *record,
		    struct record *ret_record, struct buf *cut)
{
	struct stream *stream = link->links->stream;
	bool is_own = record->origin.len == 0;
	if (link_gives_back(link, record)) {
		*ret_record = *record;
		return true;
	}
	if (!is_own && (link->is_hub || span_is(record->origin, link->peer)))
		return false;
	struct record out = *record;
	if (is_own) {
		out.origin = span_of(stream->name, strlen(stream->name));
		out.epoch = stream_epoch_of(stream, seq);
		out.origin_seq = seq;
	}
	const struct origin *known = origins_find(&link->theirs, out.origin);
	if (known && !origin_is_new(known, out.epoch, out.origin_seq))
		return false;
	return link_judge(link, seq, record, ret_record, cut);
}

bool link_judge(struct link *link, uint64_t seq, const struct record *record,
		struct record *ret_record, struct buf *cut)
{
	struct stream *stream = link->links->stream;
	bool is_own = record->origin.len == 0;
	struct record out = *record;
	if (is_own) {
		out.origin = span_of(stream->name, strlen(stream->name));
		out.epoch = stream_epoch_of(stream, seq);
		out.origin_seq = seq;
	}
	char home[64] = "";
	memcpy(home, out.origin.data,
	       out.origin.len < sizeof(home) ? out.origin.len : sizeof(home) - 1);
	struct readers readers = {.node = link->peer, .person = ""};
	size_t name_len = 0;
	/* Our own leave by what our plugins say today: a part that has become labelled since is
	 * cut. */
	const struct schema_message *message = types_nearest(
		stream->types, record->subject, is_own ? 0 : record->schema, &name_len);
	struct label label;
	label_set(&label, LYCEUM__V1__VISIBILITY__MEMBERS);
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
		out.trace = span_of(NULL, 0);
	}
	if (is_own)
		stream_seal(stream, &out);
	*ret_record = out;
	return true;
}

static void send_record(struct link *link, uint64_t seq, struct span bytes)
{
	struct record record;
	struct record out;
	buf_clear(&link->cut);
	buf_clear(&link->copy);
	if (record_read(bytes, &record) == LYC_OK && prepare(link, seq, &record, &out, &link->cut))
		record_write(&link->copy, &out);
	struct span copy = span_of(link->copy.data, link->copy.len);
	if (copy.len > WIRE_MAX_PACKET - MAX_COPY_ENVELOPE) {
		/* Of a log from before records were bounded: one that cannot travel holds up none
		 * behind it. */
		log_error("a record is too large to be copied", "peer", link->peer, "seq",
			  log_number(seq));
	} else if (copy.len > 0) {
		session_send_copy(link->links->sessions, link->session, copy);
		link->unconfirmed_len += copy.len;
		link->copied_count++;
	}
}

struct link_read {
	struct log_read base;
	struct link *link;
	uint64_t session_serial;
};

/* While the one stretch is sent the next one is read, where the peer has credit for both. */
static void send_and_read_on(struct link *link, const struct log_read *read, bool has_begun_anew)
{
	struct span at = log_read_begin(&read->records);
	struct span bytes;
	uint64_t seq;
	uint64_t next_seq = has_begun_anew ? link->next_seq : read->next_seq;
	if (link->unconfirmed_len + at.len < link->credit) {
		link->next_seq = next_seq;
		link->is_sending = true;
		link_pump(link);
		link->is_sending = false;
	}
	while (log_read_next(&at, &seq, &bytes))
		send_record(link, seq, bytes);
	link->next_seq = next_seq;
	link->is_sent_dirty = true;
}

static void read_done(struct log_read *base)
{
	struct link_read *read = (struct link_read *)base;
	struct link *link = read->link;
	link->is_reading = false;
	bool has_begun_anew = link->has_begun_anew;
	link->has_begun_anew = false;
	bool is_same = link->session && link->session->serial == read->session_serial;
	if (base->status == LYC_UNAVAILABLE || link->is_sending) {
		/* The daemon stops; only then is a read answered at once. */
	} else if (is_same && base->status != LYC_OK) {
		log_error("the log cannot be read for the link", "peer", link->peer, "reason",
			  base->text);
	} else if (is_same) {
		log_read_clip(base, link->links->stream->last_seq);
		send_and_read_on(link, base, has_begun_anew);
	}
	bool is_ok = base->status == LYC_OK;
	buf_fini(&base->records);
	free(base->pattern);
	free(read);
	if (is_ok)
		link_pump(link);
}

void link_pump(struct link *link)
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
uint64_t link_start(struct link *link)
{
	struct stream *stream = link->links->stream;
	uint64_t start = link_give_start(link);
	if (start > stream->last_seq + 1)
		start = stream->last_seq + 1;
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

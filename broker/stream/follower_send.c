/* A record on its way to one subscriber: judged by its label, cut where it has to be, withdrawn
 * where it is not for him any more. */
#include <string.h>

#include "lyceum/v1/label.pb-c.h"
#include "stream/follower.h"
#include "stream/genuine.h"
#include "stream/outgoing.h"
#include "stream/trimmed.h"
#include "wire/trace.h"

/* By what it was written with; NULL: that is not known here. Our own by what our plugins say today:
 * a part that has become labelled since is cut. */
static const struct schema_message *type_of(const struct stream *stream,
					    const struct record *record)
{
	size_t name_len;
	uint64_t schema = record->origin.len > 0 ? record->schema : 0;
	return types_of_record(stream->types, record->subject, schema, &name_len);
}

bool follower_has_to_wait(const struct stream *stream, const struct record *record)
{
	return stream->is_sought && record->origin.len > 0 && !trimmed_is(record) &&
	       !stream_is_private(record->subject) && !type_of(stream, record) &&
	       stream->is_sought(record->origin, stream->is_sought_arg);
}

static void home_of(const struct stream *stream, const struct record *record, char ret_home[64])
{
	struct span name = record->origin.len > 0 ? record->origin
						  : span_of(stream->name, strlen(stream->name));
	size_t len = name.len < 64 ? name.len : 63;
	memcpy(ret_home, name.data, len);
	ret_home[len] = '\0';
}

uint32_t follower_send(struct stream *stream, struct subscription *subscription, uint64_t seq,
		       const struct record *record)
{
	if (trimmed_is(record)) {
		if (subscription->follower)
			trimmed_deliver(stream, subscription, record);
		return 0;
	}
	if (stream_is_private(record->subject))
		return 0;
	const struct schema_message *message = type_of(stream, record);
	if (!message)
		return 0; /* held: its schema is not known here */
	/* It may have come before its type was known. */
	struct lyc_error error;
	if (record->origin.len > 0 && genuine_check(stream->types, record, &error) != LYC_OK)
		return 0;
	struct label label;
	label_set(&label, LYCEUM__V1__VISIBILITY__MEMBERS);
	if (record->label.len > 0 && label_read(record->label, &label) != LYC_OK)
		return 0;
	char home[64];
	home_of(stream, record, home);
	struct buf cut = {0};
	struct span body = record->body;
	enum egress egress =
		outgoing_judge(stream, subscription->session, record->removed ? NULL : message,
			       record->body, &label, home, &cut);
	struct label former;
	bool is_withdrawn = false;
	if (egress == EGRESS_NOTHING && record->former.len > 0 &&
	    label_read(record->former, &former) == LYC_OK)
		is_withdrawn = outgoing_judge(stream, subscription->session, NULL, span_of(NULL, 0),
					      &former, home, &cut) != EGRESS_NOTHING;
	if (egress == EGRESS_NOTHING && !is_withdrawn) {
		buf_fini(&cut);
		return 0;
	}
	if (egress == EGRESS_CUT)
		body = span_of(cut.data, cut.len);
	struct packet packet = {.kind = PACKET_DELIVER};
	packet.deliver = (struct packet_deliver){
		.id = subscription->id,
		.seq = seq,
		.subject = record->subject,
		.body = is_withdrawn ? span_of(NULL, 0) : body,
		.origin = span_of(home, strlen(home)),
		.epoch = record->origin.len > 0 ? record->epoch : stream_epoch_of(stream, seq),
		.origin_seq = record->origin.len > 0 ? record->origin_seq : seq,
		.time_ms = record->time_ms,
		/* Who hid it is part of what is hidden. */
		.principal = is_withdrawn ? span_of(NULL, 0) : record->principal,
		.removed = record->removed || is_withdrawn,
		.schema = record->schema,
		.trace = is_withdrawn ? span_of(NULL, 0) : trace_checked(record->trace),
	};
	uint32_t len = outgoing_deliver(stream, subscription, &packet);
	if (subscription->follower)
		follower_sent(subscription->follower, seq, len);
	buf_fini(&cut);
	return len;
}

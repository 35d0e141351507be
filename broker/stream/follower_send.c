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

/* What everybody's copy of it depends on. */
struct view {
	const struct schema_message *message;
	struct label label;
	char home[64];
};

/* False where nobody is shown it: it is the daemon's own business, or held because its schema is
 * not known here. */
static bool view_of(const struct stream *stream, const struct record *record, struct view *ret_view)
{
	struct lyc_error error;
	if (stream_is_private(record->subject))
		return false;
	ret_view->message = type_of(stream, record);
	if (!ret_view->message)
		return false;
	/* It may have come before its type was known. */
	if (record->origin.len > 0 && genuine_check(stream->types, record, &error) != LYC_OK)
		return false;
	label_set(&ret_view->label, LYCEUM__V1__VISIBILITY__MEMBERS);
	if (record->label.len > 0 && label_read(record->label, &ret_view->label) != LYC_OK)
		return false;
	home_of(stream, record, ret_view->home);
	if (record->removed)
		ret_view->message = NULL;
	return true;
}

static struct packet deliver_of(const struct stream *stream, uint64_t seq,
				const struct record *record, const char *home)
{
	struct packet packet = {.kind = PACKET_DELIVER};
	packet.deliver = (struct packet_deliver){
		.seq = seq,
		.subject = record->subject,
		.body = record->body,
		.origin = span_of(home, strlen(home)),
		.epoch = record->origin.len > 0 ? record->epoch : stream_epoch_of(stream, seq),
		.origin_seq = record->origin.len > 0 ? record->origin_seq : seq,
		.time_ms = record->time_ms,
		.principal = record->principal,
		.removed = record->removed,
		.schema = record->schema,
		.trace = trace_checked(record->trace),
	};
	return packet;
}

/* In the place of what is not for him any more; who hid it is part of what is hidden. */
static void withdraw(struct packet_deliver *deliver)
{
	deliver->body = deliver->principal = deliver->trace = span_of(NULL, 0);
	deliver->removed = true;
}

bool follower_common(struct stream *stream, uint64_t seq, const struct record *record,
		     struct buf *common)
{
	struct view view;
	buf_clear(common);
	if (trimmed_is(record) || !view_of(stream, record, &view) ||
	    !policy_is_for_all(&view.label) ||
	    !policy_shows_all_parts(stream->policy, view.message, record->body,
				    &stream->fanout_cut))
		return false;
	struct packet packet = deliver_of(stream, seq, record, view.home);
	packet_write_deliver_common(common, &packet.deliver);
	return !common->has_failed;
}

uint32_t follower_send_common(struct stream *stream, struct subscription *subscription,
			      uint64_t seq, struct span common)
{
	uint32_t len = outgoing_deliver_record(stream, subscription, common);
	if (subscription->follower)
		follower_sent(subscription->follower, seq, len);
	return len;
}

uint32_t follower_send(struct stream *stream, struct subscription *subscription, uint64_t seq,
		       const struct record *record)
{
	struct view view;
	if (trimmed_is(record)) {
		if (subscription->follower)
			trimmed_deliver(stream, subscription, record);
		return 0;
	}
	if (!view_of(stream, record, &view))
		return 0;
	struct buf cut = {0};
	enum egress egress = outgoing_judge(stream, subscription->session, view.message,
					    record->body, &view.label, view.home, &cut);
	struct label former;
	bool is_withdrawn = false;
	if (egress == EGRESS_NOTHING && record->former.len > 0 &&
	    label_read(record->former, &former) == LYC_OK)
		is_withdrawn = outgoing_judge(stream, subscription->session, NULL, span_of(NULL, 0),
					      &former, view.home, &cut) != EGRESS_NOTHING;
	uint32_t len = 0;
	if (egress != EGRESS_NOTHING || is_withdrawn) {
		struct packet packet = deliver_of(stream, seq, record, view.home);
		packet.deliver.id = subscription->id;
		if (egress == EGRESS_CUT)
			packet.deliver.body = span_of(cut.data, cut.len);
		if (is_withdrawn)
			withdraw(&packet.deliver);
		len = outgoing_deliver(stream, subscription, &packet);
		if (subscription->follower)
			follower_sent(subscription->follower, seq, len);
	}
	buf_fini(&cut);
	return len;
}

/* Trimmed by hand: it is written once and read for each follower. */
#include "stream/trimmed.h"

#include <stdio.h>
#include <string.h>

#include "base/pb.h"
#include "stream/follower.h"
#include "stream/outgoing.h"
#include "stream/retention_rule.h"
#include "wire/subject.h"

enum { STREAM = 1, SUBJECT = 2 };
enum { ITEM_SUBJECT = 1, ITEM_SEQ = 2, ITEM_LABEL = 3, ITEM_ORIGIN = 4 };

void trimmed_begin(struct buf *body, const char *stream_name)
{
	buf_clear(body);
	pb_write_text(body, STREAM, stream_name);
}

void trimmed_add(struct buf *body, uint64_t seq, const struct record *record)
{
	size_t mark = pb_begin(body, SUBJECT);
	pb_write_bytes(body, ITEM_SUBJECT, record->subject.data, record->subject.len);
	pb_write_uint(body, ITEM_SEQ, seq);
	pb_write_bytes(body, ITEM_LABEL, record->label.data, record->label.len);
	pb_write_bytes(body, ITEM_ORIGIN, record->origin.data, record->origin.len);
	pb_end(body, mark);
}

bool trimmed_is(const struct record *record)
{
	return span_is(record->subject, TRIMMED_SUBJECT);
}

struct item {
	struct span subject;
	uint64_t seq;
	struct span label;
	struct span origin;
};

static struct item read_item(struct span bytes)
{
	struct item item = {0};
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == ITEM_SUBJECT && field.wire == PB_LEN)
			item.subject = field.bytes;
		else if (field.number == ITEM_SEQ)
			item.seq = field.value;
		else if (field.number == ITEM_LABEL && field.wire == PB_LEN)
			item.label = field.bytes;
		else if (field.number == ITEM_ORIGIN && field.wire == PB_LEN)
			item.origin = field.bytes;
	}
	return item;
}

static void deliver_item(struct stream *stream, struct subscription *subscription,
			 const struct item *item, const struct record *record)
{
	const struct env *env = stream->env;
	struct label label = policy_members_label();
	struct buf cut = {0};
	char home[64];
	if (!subject_matches(span_of(subscription->pattern, strlen(subscription->pattern)),
			     item->subject) ||
	    env->last_of(env->world, item->subject) > item->seq ||
	    (item->label.len > 0 && label_read(item->label, &label) != LYC_OK))
		return;
	snprintf(home, sizeof(home), "%.*s",
		 item->origin.len > 0 ? (int)item->origin.len : (int)strlen(stream->name),
		 item->origin.len > 0 ? (const char *)item->origin.data : stream->name);
	if (outgoing_judge(stream, subscription->session, NULL, span_of(NULL, 0), &label, home,
			   &cut) != EGRESS_NOTHING) {
		struct packet packet = {.kind = PACKET_DELIVER};
		packet.deliver = (struct packet_deliver){
			.id = subscription->id,
			.subject = item->subject,
			.origin = span_of(home, strlen(home)),
			.time_ms = record->time_ms,
			.removed = true,
		};
		outgoing_deliver(stream, subscription, &packet);
	}
	buf_fini(&cut);
}

void trimmed_deliver(struct stream *stream, struct subscription *subscription,
		     const struct record *record)
{
	struct pb_reader reader = pb_reader_of(record->body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number != SUBJECT || field.wire != PB_LEN)
			continue;
		struct item item = read_item(field.bytes);
		deliver_item(stream, subscription, &item, record);
	}
}

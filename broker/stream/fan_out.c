/*
 * Transient messages: to whoever subscribes at this moment, once to each link, to one member of
 * each group. A slow subscriber is told how many it missed.
 */
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "stream/fan_out.h"
#include "stream/outgoing.h"

/* What a slow link has not taken, in bytes. */
#define MAX_LINK_BACKLOG (16u * 1024 * 1024)

struct fan_out {
	struct stream *stream;
	const struct session *from;
	const struct transient *transient;
	const char *home;
	/* What is found out once: everybody may see all of it; or who may see it may see all of it:
	 * the type is NULL then. */
	bool is_for_all;
	const struct schema_message *message;
	/* Who was judged last, and how: the next one may be the same reader. */
	const struct session *judged;
	enum egress egress;
	/* Members of groups: one of each group gets it. */
	struct buf grouped; /* of struct subscription * */
};

/* A body that was cut is in fanout_cut. */
static enum egress judge(struct fan_out *out, const struct session *session)
{
	struct stream *stream = out->stream;
	if (out->is_for_all)
		return EGRESS_WHOLE;
	if (out->judged && outgoing_are_alike(out->judged, session))
		return out->egress;
	buf_clear(&stream->fanout_cut);
	out->egress = outgoing_judge(stream, session, out->message, out->transient->body,
				     out->transient->reach, out->home, &stream->fanout_cut);
	out->judged = session;
	return out->egress;
}

static struct packet deliver_of(const struct transient *transient, struct span body)
{
	struct packet packet = {.kind = PACKET_DELIVER};
	packet.deliver = (struct packet_deliver){
		.subject = transient->subject,
		.body = body,
		.origin = transient->origin,
		.principal = span_of(transient->principal, strlen(transient->principal)),
		.trace = transient->trace,
	};
	return packet;
}

/* False where there is no memory for it. */
static bool send_whole(struct fan_out *out, struct subscription *subscription)
{
	struct buf *common = &out->stream->fanout_common;
	if (common->len == 0) {
		struct packet packet = deliver_of(out->transient, out->transient->body);
		packet_write_deliver_common(common, &packet.deliver);
	}
	if (common->has_failed)
		return false;
	out->stream->fanned_len += outgoing_deliver_common(out->stream, subscription,
							   span_of(common->data, common->len));
	return true;
}

static void send_cut(struct fan_out *out, struct subscription *subscription, struct span body)
{
	struct packet packet = deliver_of(out->transient, body);
	packet.deliver.id = subscription->id;
	out->stream->fanned_len += outgoing_deliver(out->stream, subscription, &packet);
}

static void send_to_link(struct fan_out *out, struct session *link, struct span body)
{
	if (link->last_fanout == out->stream->fanout)
		return; /* several patterns, one message */
	link->last_fanout = out->stream->fanout;
	const struct transient *transient = out->transient;
	struct span principal = span_of(transient->principal, strlen(transient->principal));
	/* A plugin may speak for those whose calls it serves, here. To others a daemon speaks for
	 * its own. */
	if (out->from->kind == SESSION_PLUGIN &&
	    !span_is(policy_node_of(principal), out->stream->name))
		principal = span_of(out->stream->name, strlen(out->stream->name));
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){
		.subject = transient->subject,
		.body = body,
		.label = transient->label,
		.principal = principal,
		.hops = transient->hops + 1,
		.origin = transient->origin,
		.trace = transient->trace,
	};
	out->stream->fanned_len += session_send(out->stream->sessions, link, &packet);
}

static enum fan_out_sent try_send(struct subscription *subscription, void *arg)
{
	struct fan_out *out = arg;
	struct stream *stream = out->stream;
	struct session *session = subscription->session;
	bool is_link = session_is_link(session);
	enum egress egress = judge(out, session);
	struct span body = out->transient->body;
	if (egress == EGRESS_NOTHING)
		return FAN_OUT_NOT_FOR_THEM;
	if (egress == EGRESS_CUT)
		body = span_of(stream->fanout_cut.data, stream->fanout_cut.len);
	if (is_link ? session_backlog(session) > MAX_LINK_BACKLOG : subscription->credit <= 0)
		return FAN_OUT_NOT_NOW;
	if (is_link)
		send_to_link(out, session, body);
	else if (egress == EGRESS_CUT)
		send_cut(out, subscription, body);
	else if (!send_whole(out, subscription))
		return FAN_OUT_NOT_NOW;
	return FAN_OUT_SENT;
}

static void fan_out_to(struct subscription *subscription, void *arg)
{
	struct fan_out *out = arg;
	if (subscription->records_only ||
	    (subscription->session == out->from && session_is_link(out->from)))
		return;
	if (subscription->group)
		buf_add(&out->grouped, &subscription, sizeof(subscription));
	else if (try_send(subscription, out) == FAN_OUT_NOT_NOW)
		subscription->missed++;
}

/* By group; its members in an order that does not change while they stay. */
static int compare_members(const void *a, const void *b)
{
	const struct subscription *left = *(struct subscription *const *)a;
	const struct subscription *right = *(struct subscription *const *)b;
	int order = strcmp(left->group, right->group);
	if (order == 0)
		order = (left->session->serial > right->session->serial) -
			(left->session->serial < right->session->serial);
	if (order == 0)
		order = (left->id > right->id) - (left->id < right->id);
	return order;
}

/* The subject chooses the member, so that its messages stay in order with one; where that one may
 * not have it or has no credit, the next. */
static void send_to_group(struct subscription *const *members, size_t count, uint32_t hash,
			  fan_out_fn try_one, void *arg)
{
	struct subscription *slow = NULL;
	for (size_t i = 0; i < count; i++) {
		struct subscription *member = members[(hash + i) % count];
		enum fan_out_sent sent = try_one(member, arg);
		if (sent == FAN_OUT_SENT)
			return;
		if (sent == FAN_OUT_NOT_NOW && !slow)
			slow = member;
	}
	if (slow)
		slow->missed++;
}

void fan_out_groups(struct buf *grouped, struct span subject, fan_out_fn try_one, void *arg)
{
	struct subscription **members = (struct subscription **)(void *)grouped->data;
	size_t count = grouped->len / sizeof(*members);
	ensure(!grouped->has_failed);
	if (count == 0)
		return;
	uint32_t hash = crc32c(0, subject.data, subject.len);
	qsort(members, count, sizeof(*members), compare_members);
	for (size_t first = 0, i = 0; i < count; i++) {
		if (i + 1 < count && strcmp(members[i + 1]->group, members[i]->group) == 0)
			continue;
		send_to_group(members + first, i + 1 - first, hash, try_one, arg);
		first = i + 1;
	}
	buf_fini(grouped);
}

void stream_fan_out(struct stream *stream, const struct session *from,
		    const struct transient *transient)
{
	char home[64] = "";
	size_t home_len = transient->origin.len;
	if (home_len > 0)
		memcpy(home, transient->origin.data,
		       home_len < sizeof(home) ? home_len : sizeof(home) - 1);
	struct fan_out out = {.stream = stream, .from = from, .transient = transient, .home = home};
	if (!policy_shows_all_parts(stream->policy, transient->message, transient->body,
				    &stream->fanout_cut))
		out.message = transient->message;
	out.is_for_all = !out.message && policy_is_for_all(transient->reach);
	buf_clear(&stream->fanout_common);
	stream->fanout++;
	topics_match(stream->topics, transient->subject, fan_out_to, &out);
	fan_out_groups(&out.grouped, transient->subject, try_send, &out);
}

void stream_tell_links(struct stream *stream)
{
	list_each (at, &stream->sessions->all) {
		struct session *session = list_entry(at, struct session, all);
		if (!session_is_link(session) || session_backlog(session) > MAX_LINK_BACKLOG)
			continue;
		list_each (node, &session->subscriptions) {
			struct subscription *subscription =
				list_entry(node, struct subscription, of_session);
			if (subscription->missed > 0)
				outgoing_gap(stream, subscription, subscription->missed, 0);
			subscription->missed = 0;
		}
	}
}

void stream_missed(struct stream *stream, const char *pattern, uint64_t missed)
{
	list_each (at, &stream->sessions->all) {
		struct session *session = list_entry(at, struct session, all);
		list_each (node, &session->subscriptions) {
			struct subscription *subscription =
				list_entry(node, struct subscription, of_session);
			if (strcmp(subscription->pattern, pattern) == 0 &&
			    !subscription->records_only && !session_is_link(session))
				outgoing_gap(stream, subscription, missed, 0);
		}
	}
}

/*
 * Transient messages: to whoever subscribes at this moment, once to each link, to one member of
 * each group. A slow subscriber is told how many it missed.
 */
#include <stdio.h>
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
	const struct schema_message *message;
	struct label label;
	const char *home;
	/* Members of groups: one of each group gets it. */
	struct buf grouped; /* of struct subscription * */
};

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
	session_send(out->stream->sessions, link, &packet);
}

static enum fan_out_sent try_send(struct subscription *subscription, void *arg)
{
	struct fan_out *out = arg;
	struct stream *stream = out->stream;
	const struct transient *transient = out->transient;
	struct session *session = subscription->session;
	struct buf cut = {0};
	enum fan_out_sent sent = FAN_OUT_SENT;
	enum egress egress = outgoing_judge(stream, session, out->message, transient->body,
					    &out->label, out->home, &cut);
	struct span body = egress == EGRESS_CUT ? span_of(cut.data, cut.len) : transient->body;
	if (egress == EGRESS_NOTHING) {
		sent = FAN_OUT_NOT_FOR_THEM;
	} else if (session_is_link(session) ? session_backlog(session) > MAX_LINK_BACKLOG
					    : subscription->credit <= 0) {
		sent = FAN_OUT_NOT_NOW;
	} else if (session_is_link(session)) {
		send_to_link(out, session, body);
	} else {
		struct packet packet = {.kind = PACKET_DELIVER};
		packet.deliver = (struct packet_deliver){
			.id = subscription->id,
			.subject = transient->subject,
			.body = body,
			.origin = transient->origin,
			.principal = span_of(transient->principal, strlen(transient->principal)),
			.trace = transient->trace,
		};
		outgoing_deliver(stream, subscription, &packet);
	}
	buf_fini(&cut);
	return sent;
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
	char home[64];
	snprintf(home, sizeof(home), "%.*s", (int)transient->origin.len,
		 (const char *)transient->origin.data);
	struct fan_out out = {.stream = stream, .from = from, .transient = transient, .home = home};
	size_t name_len = 0;
	out.message = types_of_subject(stream->types, transient->subject, &name_len);
	if (stream_label(out.message, transient->body, transient->label, &out.label) != LYC_OK)
		return;
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

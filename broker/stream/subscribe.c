/* A subscriber's packets: what it asks for, gives back and ends. */
#include <string.h>

#include "base/mem.h"
#include "stream/durable.h"
#include "stream/follower.h"
#include "stream/group.h"
#include "stream/outgoing.h"
#include "wire/subject.h"

#define MAX_LINK_SUBSCRIPTIONS 65536
#define MAX_DURABLE_NAME 32

void stream_subscribe(struct stream *stream, struct session *session,
		      const struct packet_subscribe *subscribe)
{
	if (!subject_pattern_is_valid(subscribe->pattern)) {
		outgoing_refuse(stream, session, subscribe->id, LYC_INVALID_ARGUMENT,
				"the pattern is not valid: tokens joined with dots, `*` for one, a "
				"final `>` for the rest");
		return;
	}
	if (!policy_may_subscribe(session->grants, subscribe->pattern)) {
		outgoing_refuse(stream, session, subscribe->id, LYC_PERMISSION_DENIED,
				"the key's `subscribe` list does not have this pattern");
		return;
	}
	if (subscribe->durable.len > MAX_DURABLE_NAME) {
		outgoing_refuse(stream, session, subscribe->id, LYC_INVALID_ARGUMENT,
				"a durable name has at most 32 bytes");
		return;
	}
	bool is_of_records = subscribe->start != SUBSCRIBE_NOW || subscribe->records_only ||
			     subscribe->durable.len > 0;
	/* A link asks for the patterns of everybody behind it. */
	size_t max = session_is_link(session) ? MAX_LINK_SUBSCRIPTIONS : stream->max_subscriptions;
	if (session->subscription_count >= max || subscription_find(session, subscribe->id)) {
		outgoing_refuse(stream, session, subscribe->id, LYC_RESOURCE_EXHAUSTED,
				"as many subscriptions as a peer may have (limits.subscriptions), "
				"or the id is in use");
		return;
	}
	if (subscribe->durable.len > 0 && !session_is_link(session) && subscribe->group.len == 0 &&
	    !durable_is_allowed(stream, session->identity, subscribe->durable)) {
		outgoing_refuse(
			stream, session, subscribe->id, LYC_RESOURCE_EXHAUSTED,
			"as many durable names as a peer may have (64): end one that is not "
			"needed any more with `forget`");
		return;
	}
	struct subscription *subscription =
		subscription_add(stream->topics, session, subscribe->id, subscribe->pattern);
	if (!subscription) {
		outgoing_refuse(stream, session, subscribe->id, LYC_RESOURCE_EXHAUSTED,
				"out of memory");
		return;
	}
	/* A link is bounded by its backlog. */
	uint64_t most = session_is_link(session) ? INT64_MAX : WIRE_MAX_CREDIT;
	subscription->credit = (int64_t)(subscribe->credit < most ? subscribe->credit : most);
	if (subscribe->group.len > 0)
		subscription->group =
			mem_dup_try((const char *)subscribe->group.data, subscribe->group.len);
	subscription->records_only = subscribe->records_only;
	if (!subscribe->records_only && stream->on_interest)
		stream->on_interest(subscription, true, stream->on_interest_arg);
	if (is_of_records && !session_is_link(session) && subscription->group)
		group_join(stream, subscription, subscribe); /* may end it */
	else if (is_of_records && !session_is_link(session))
		follower_start(stream, subscription, subscribe); /* may end it */
}

static void leave(struct stream *stream, struct subscription *subscription, bool forget)
{
	if (subscription->member)
		group_leave(subscription->member, forget);
	if (forget && subscription->follower)
		follower_forget(subscription->follower);
	if (subscription->follower)
		follower_leave(subscription->follower);
	if (!subscription->records_only && stream->on_interest)
		stream->on_interest(subscription, false, stream->on_interest_arg);
	subscription_remove(stream->topics, subscription);
}

void stream_unsubscribe(struct stream *stream, struct session *session, uint64_t id, bool forget)
{
	struct subscription *subscription = subscription_find(session, id);
	if (subscription)
		leave(stream, subscription, forget);
}

void stream_leave(struct stream *stream, struct session *session)
{
	list_each_safe (node, &session->subscriptions)
		leave(stream, list_entry(node, struct subscription, of_session), false);
}

static void credit_came(struct stream *stream, struct subscription *subscription)
{
	if (subscription->missed > 0 && subscription->credit > 0) {
		outgoing_gap(stream, subscription, subscription->missed, 0);
		subscription->missed = 0;
	}
	if (subscription->follower)
		follower_pump(subscription->follower);
	if (subscription->member)
		group_pump_of(subscription->member);
}

void stream_consumed(struct stream *stream, struct session *session, uint64_t id, uint64_t seq)
{
	struct subscription *subscription = subscription_find(session, id);
	if (!subscription || (!subscription->follower && !subscription->member))
		return;
	if (subscription->member)
		group_consumed(subscription->member, seq);
	else
		follower_consumed(subscription->follower, seq);
	credit_came(stream, subscription);
}

void stream_credit(struct stream *stream, struct session *session, uint64_t id, uint64_t bytes)
{
	struct subscription *subscription = subscription_find(session, id);
	if (!subscription || bytes > INT32_MAX)
		return;
	if (subscription->credit < WIRE_MAX_CREDIT) {
		subscription->credit += (int64_t)bytes;
		if (subscription->credit > WIRE_MAX_CREDIT)
			subscription->credit = WIRE_MAX_CREDIT;
	}
	credit_came(stream, subscription);
}

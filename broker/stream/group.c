/* Groups by owner and name: who may join, where they begin, and what is kept when all have gone. */
#include "stream/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "stream/durable.h"
#include "stream/follower.h"
#include "stream/group_reader.h"
#include "stream/left.h"
#include "stream/outgoing.h"

#define MAX_MEMBERS 64

void group_free(struct group *group)
{
	list_remove(&group->node);
	free(group->name);
	free(group->pattern);
	free(group->key);
	free(group);
}

static void save(struct group *group)
{
	uint64_t seq = group_members_handled_seq(group);
	if (!group->key || seq == group->saved_seq)
		return;
	durable_save(group->stream, group->key, seq);
	group->saved_seq = seq;
}

/* ---- coming and going ---- */

/* A plugin's instances are one owner. */
static void write_owner(const struct session *session, char owner[64])
{
	snprintf(owner, 64, "%s", session->identity);
	if (session->kind == SESSION_PLUGIN)
		owner[strcspn(owner, ".")] = '\0';
}

static struct group *find(struct stream *stream, const char *owner, struct span name)
{
	list_each (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (!list_is_empty(&group->members) && strcmp(group->owner, owner) == 0 &&
		    span_is(name, group->name))
			return group;
	}
	return NULL;
}

static struct group *make(struct stream *stream, const char *owner,
			  const struct packet_subscribe *subscribe)
{
	struct group *group = mem_new(struct group);
	uint64_t consumed;
	group->stream = stream;
	snprintf(group->owner, sizeof(group->owner), "%s", owner);
	group->name = mem_dup_try((const char *)subscribe->group.data, subscribe->group.len);
	group->pattern = mem_dup_try((const char *)subscribe->pattern.data, subscribe->pattern.len);
	ensure(group->name && group->pattern);
	list_init(&group->members);
	list_add_last(&stream->groups, &group->node);
	group->next_seq = stream->last_seq + 1;
	if (subscribe->start == SUBSCRIBE_SEQ && subscribe->from <= stream->last_seq)
		group->next_seq = subscribe->from > 0 ? subscribe->from : 1;
	else if (subscribe->start == SUBSCRIBE_TIME)
		group->next_seq = moments_find(&stream->moments, subscribe->from, stream->last_seq);
	group->since_ms = subscribe->start == SUBSCRIBE_TIME ? subscribe->from : 0;
	if (subscribe->durable.len > 0) {
		group->key = durable_key(owner, subscribe->durable);
		left_forget(stream, group->key);
		if (durable_resume(stream, group->key, &consumed)) {
			group->next_seq =
				(consumed < stream->last_seq ? consumed : stream->last_seq) + 1;
			group->since_ms = 0;
		} else {
			durable_begin(stream, owner, group->key, group->next_seq - 1);
		}
		group->saved_seq = group->next_seq - 1;
		group->is_unplaced = !durable_is_placed(stream, group->key);
	}
	return group;
}

/* NULL: it may join. */
static const char *refuse(const struct group *group, const char *key,
			  const struct packet_subscribe *subscribe)
{
	if (!span_is(subscribe->pattern, group->pattern))
		return "the members of a group have one pattern, and this group has another";
	if ((key != NULL) != (group->key != NULL) || (key && strcmp(key, group->key) != 0))
		return "the members of a group have one durable name or none, and this group has "
		       "another";
	return group->member_count >= MAX_MEMBERS ? "a group has at most 64 members" : NULL;
}

void group_join(struct stream *stream, struct subscription *subscription,
		const struct packet_subscribe *subscribe)
{
	struct session *session = subscription->session;
	uint64_t id = subscription->id;
	char owner[64];
	write_owner(session, owner);
	struct group *group = find(stream, owner, subscribe->group);
	char *key = subscribe->durable.len > 0 ? durable_key(owner, subscribe->durable) : NULL;
	const char *refusal = group ? refuse(group, key, subscribe) : NULL;
	if (!refusal && subscribe->start == SUBSCRIBE_LAST)
		refusal = "a group begins now, at a sequence or at a time";
	if (!refusal && !group && key && !durable_is_allowed(stream, owner, subscribe->durable))
		refusal = "as many durable names as a peer may have (64): end one that is not "
			  "needed any more with `forget`";
	if (!refusal && !group && key)
		follower_take_over(stream, key);
	free(key);
	if (refusal) {
		stream_unsubscribe(stream, session, id, false);
		outgoing_refuse(stream, session, id, LYC_INVALID_ARGUMENT, refusal);
		return;
	}
	if (!group)
		group = make(stream, owner, subscribe);
	subscription->member = group_members_add(group, subscription, session->serial);
	group_reader_pump(group);
}

void group_leave(struct group_member *member, bool forget)
{
	struct group *group = member->group;
	bool is_last = group->member_count == 1;
	if (is_last && group->key) {
		save(group);
		if (forget)
			durable_forget(group->stream, group->owner, group->key);
		else
			left_note(group->stream, group->key, group->owner, group->pattern,
				  group_members_handled_seq(group) + 1);
	}
	member->subscription->member = NULL;
	group_members_remove(member);
	if (!is_last)
		group_reader_pump(group);
	else if (!group->is_reading)
		group_free(group);
}

void group_consumed(struct group_member *member, uint64_t seq)
{
	struct places *sent = &member->sent;
	size_t count = 0;
	while (count < sent->count && sent->items[count].seq != seq)
		count++;
	if (count == sent->count)
		return;
	for (size_t i = 0; i <= count; i++)
		member->subscription->credit += sent->items[i].len;
	places_remove(sent, 0, count + 1);
}

void group_pump_of(struct group_member *member)
{
	group_reader_pump(member->group);
}

/* ---- what happens in the log ---- */

static bool is_live(const struct group *group, uint64_t seq)
{
	return !group->is_reading && !group_is_held_up(group) && group->next_seq == seq &&
	       !group_members_are_full(group);
}

void group_deliver(struct group_member *member, uint64_t seq, const struct record *record)
{
	struct group *group = member->group;
	if (!is_live(group, seq))
		return;
	if (follower_has_to_wait(group->stream, record))
		group->awaits_schema = true;
	else
		group_members_give(group, seq, record);
}

void groups_passed(struct stream *stream, uint64_t seq)
{
	list_each_safe (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (is_live(group, seq))
			group->next_seq = seq + 1;
		else if (group->next_seq <= seq)
			group_reader_pump(group);
	}
}

void groups_turn(struct stream *stream)
{
	list_each (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (group->is_reading || group_is_held_up(group) ||
		    group->next_seq <= stream->last_seq)
			continue;
		group_reader_tell_end(group);
	}
}

/* It goes on unless there is still something to wait for. */
static void settle(struct group *group)
{
	group->awaits_schema = false;
	if (group->is_unplaced)
		group->is_unplaced = !durable_is_placed(group->stream, group->key);
	group_reader_pump(group);
}

void groups_tick(struct stream *stream)
{
	list_each_safe (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (list_is_empty(&group->members))
			continue;
		save(group);
		if (group_is_held_up(group))
			settle(group);
	}
}

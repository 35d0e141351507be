/* A place in the log, members, and for each what it was sent and what waits for its credit. */
#include "stream/group.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/crc32c.h"
#include "base/ensure.h"
#include "base/mem.h"
#include "log.h"
#include "stream/durable.h"
#include "stream/follower.h"
#include "stream/left.h"
#include "stream/outgoing.h"

#define LOG_TOPIC "group"
#define READ_MAX_LEN (256u * 1024)
#define MAX_MEMBERS 64
/* Records that wait for the credit of one member; then the whole group waits. */
#define MAX_WAITING 4096

struct place {
	uint64_t seq;
	uint32_t hash; /* of the subject: chooses the member */
	uint32_t len;  /* of the Deliver: the credit that it took */
};

struct places {
	struct place *items;
	size_t count;
	size_t cap;
};

struct group {
	struct list node; /* of stream->groups */
	struct stream *stream;
	char owner[64];
	char *name;
	char *pattern;
	char *key; /* of the saved position; NULL: not durable */
	struct list members;
	size_t member_count;

	uint64_t next_seq; /* what lies before has been given to a member */
	uint64_t since_ms; /* of those behind, the first of this time begins; 0: it has begun */
	uint64_t saved_seq;
	uint64_t asked_seq; /* of the read that is under way */
	bool is_reading;
};

struct group_member {
	struct list node;
	struct group *group;
	struct subscription *subscription;
	uint64_t salt;
	struct places sent;    /* in the order in which they were sent */
	struct places waiting; /* by sequence */
	uint64_t told_seq;
};

/* ---- places ---- */

static void places_insert(struct places *places, size_t at, struct place place)
{
	if (places->count == places->cap) {
		places->cap = places->cap ? 2 * places->cap : 16;
		places->items = realloc(places->items, places->cap * sizeof(struct place));
		ensure(places->items != NULL);
	}
	memmove(places->items + at + 1, places->items + at,
		(places->count - at) * sizeof(struct place));
	places->items[at] = place;
	places->count++;
}

static void places_remove(struct places *places, size_t at, size_t count)
{
	memmove(places->items + at, places->items + at + count,
		(places->count - at - count) * sizeof(struct place));
	places->count -= count;
}

/* The first that is not before seq. */
static size_t places_find(const struct places *places, uint64_t seq)
{
	size_t low = 0;
	size_t high = places->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (places->items[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* ---- members ---- */

static struct group_member *member_at(struct list *node)
{
	return list_entry(node, struct group_member, node);
}

static uint64_t mix(uint64_t bits)
{
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
	return bits ^ bits >> 31;
}

/* The highest number wins: when a member comes or goes, only its subjects move. */
static struct group_member *choose(struct group *group, uint32_t hash)
{
	struct group_member *best = NULL;
	uint64_t best_score = 0;
	list_each (node, &group->members) {
		struct group_member *member = member_at(node);
		uint64_t score = mix(member->salt ^ hash);
		if (!best || score > best_score) {
			best = member;
			best_score = score;
		}
	}
	return best;
}

static void send_to(struct group_member *member, struct place place, const struct record *record)
{
	place.len = follower_send(member->group->stream, member->subscription, place.seq, record);
	member->told_seq = place.seq;
	if (place.len > 0)
		places_insert(&member->sent, member->sent.count, place);
}

static void wait_for(struct group_member *member, struct place place)
{
	place.len = 0;
	places_insert(&member->waiting, places_find(&member->waiting, place.seq), place);
}

/* A record that comes up for the first time. */
static void assign(struct group *group, uint64_t seq, const struct record *record)
{
	if (record->time_ms >= group->since_ms)
		group->since_ms = 0;
	group->next_seq = seq + 1;
	if (group->since_ms > 0 || stream_is_private(record->subject))
		return;
	struct place place = {.seq = seq,
			      .hash = crc32c(0, record->subject.data, record->subject.len)};
	struct group_member *member = choose(group, place.hash);
	if (member->waiting.count == 0 && member->subscription->credit > 0)
		send_to(member, place, record);
	else
		wait_for(member, place);
}

static bool is_full(const struct group *group)
{
	list_each (node, &group->members) {
		if (member_at(node)->waiting.count >= MAX_WAITING)
			return true;
	}
	return false;
}

/* Everything up to here has been handled. */
static uint64_t handled_seq(const struct group *group)
{
	uint64_t first = group->next_seq;
	list_each (node, &group->members) {
		const struct group_member *member = member_at(node);
		if (member->waiting.count > 0 && member->waiting.items[0].seq < first)
			first = member->waiting.items[0].seq;
		for (size_t i = 0; i < member->sent.count; i++) {
			if (member->sent.items[i].seq < first)
				first = member->sent.items[i].seq;
		}
	}
	return first - 1;
}

static void save(struct group *group)
{
	uint64_t seq = handled_seq(group);
	if (!group->key || seq == group->saved_seq)
		return;
	durable_save(group->stream, group->key, seq);
	group->saved_seq = seq;
}

/* ---- reading ---- */

static void pump(struct group *group);

static void group_free(struct group *group)
{
	list_remove(&group->node);
	free(group->name);
	free(group->pattern);
	free(group->key);
	free(group);
}

/* One that waited for its member's credit. */
static void take_waiting(struct group *group, uint64_t seq, const struct record *record)
{
	list_each (node, &group->members) {
		struct group_member *member = member_at(node);
		size_t at = places_find(&member->waiting, seq);
		if (at == member->waiting.count || member->waiting.items[at].seq != seq)
			continue;
		/* In order: none passes one that waits. */
		if (at == 0 && member->subscription->credit > 0) {
			struct place place = member->waiting.items[0];
			places_remove(&member->waiting, 0, 1);
			send_to(member, place, record);
		}
		return;
	}
}

/* The first that was asked for was not there: it has been removed from the log. */
static void drop_gone(struct group *group)
{
	list_each (node, &group->members) {
		struct group_member *member = member_at(node);
		if (member->waiting.count > 0 && member->subscription->credit > 0 &&
		    member->waiting.items[0].seq == group->asked_seq)
			places_remove(&member->waiting, 0, 1);
	}
}

static void take_read(struct group *group, const struct log_read *read)
{
	const uint8_t *at = read->records.data;
	const uint8_t *end = span_end(span_of(at, read->records.len));
	while (at < end) {
		uint64_t seq;
		uint32_t len;
		struct record record;
		memcpy(&seq, at, sizeof(seq));
		memcpy(&len, at + sizeof(seq), sizeof(len));
		at += sizeof(seq) + sizeof(len);
		bool is_read = record_read(span_of(at, len), &record) == LYC_OK;
		at += len;
		if (seq >= group->next_seq && is_full(group))
			return;
		if (!is_read)
			group->next_seq = seq >= group->next_seq ? seq + 1 : group->next_seq;
		else if (seq < group->next_seq)
			take_waiting(group, seq, &record);
		else
			assign(group, seq, &record);
	}
	if (read->next_seq > group->next_seq)
		group->next_seq = read->next_seq;
}

static void end_all(struct group *group, enum lyc_status status, const char *text)
{
	struct stream *stream = group->stream;
	if (status != LYC_UNAVAILABLE)
		log_error("the log cannot be read", "reason", text);
	/* The last one takes the group with it. */
	for (size_t left = group->member_count; left > 0; left--) {
		struct subscription *subscription = member_at(group->members.next)->subscription;
		struct session *session = subscription->session;
		uint64_t id = subscription->id;
		stream_unsubscribe(stream, session, id, false);
		outgoing_refuse(stream, session, id, status, text);
	}
}

struct group_read {
	struct log_read base;
	struct group *group;
};

static void read_done(struct log_read *base)
{
	struct group_read *read = (struct group_read *)base;
	struct group *group = read->group;
	group->is_reading = false;
	if (list_is_empty(&group->members)) {
		group_free(group);
	} else if (base->status != LYC_OK) {
		end_all(group, base->status, base->text);
	} else {
		take_read(group, base);
		drop_gone(group);
		pump(group);
	}
	buf_fini(&base->records);
	free(base->pattern);
	free(read);
}

/* The log has nothing more for the member. */
static void tell_end(struct group_member *member)
{
	uint64_t last = member->group->next_seq - 1;
	if (member->waiting.count > 0 || member->told_seq >= last)
		return;
	member->told_seq = last;
	outgoing_gap(member->group->stream, member->subscription, 0, last);
}

static void pump(struct group *group)
{
	struct stream *stream = group->stream;
	uint64_t from = UINT64_MAX;
	if (group->is_reading || stream->is_ending || list_is_empty(&group->members))
		return;
	list_each (node, &group->members) {
		const struct group_member *member = member_at(node);
		if (member->waiting.count > 0 && member->subscription->credit > 0 &&
		    member->waiting.items[0].seq < from)
			from = member->waiting.items[0].seq;
	}
	if (group->next_seq <= stream->last_seq && group->next_seq < from && !is_full(group))
		from = group->next_seq;
	if (group->next_seq > stream->last_seq) {
		group->since_ms = 0;
		list_each (node, &group->members)
			tell_end(member_at(node));
	}
	if (from == UINT64_MAX)
		return;
	struct group_read *read = mem_new(struct group_read);
	read->group = group;
	read->base.from = from;
	read->base.max_bytes = READ_MAX_LEN;
	read->base.pattern = mem_dup(group->pattern);
	read->base.on_done = read_done;
	group->asked_seq = from;
	group->is_reading = true;
	stream->env->read(stream->env->world, &read->base);
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
		if (durable_load(stream, group->key, &consumed)) {
			group->next_seq =
				(consumed < stream->last_seq ? consumed : stream->last_seq) + 1;
			group->since_ms = 0;
		} else {
			durable_begin(stream, owner, group->key, group->next_seq - 1);
		}
		group->saved_seq = group->next_seq - 1;
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
	struct group_member *member = mem_new(struct group_member);
	member->group = group;
	member->subscription = subscription;
	member->salt = mix(mix(session->serial) + id);
	subscription->member = member;
	list_add_last(&group->members, &member->node);
	group->member_count++;
	pump(group);
}

/* What it has not handled goes to those who stay. */
static void hand_on(struct group *group, const struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		wait_for(choose(group, places->items[i].hash), places->items[i]);
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
				  handled_seq(group) + 1);
	}
	list_remove(&member->node);
	group->member_count--;
	member->subscription->member = NULL;
	if (!is_last) {
		hand_on(group, &member->sent);
		hand_on(group, &member->waiting);
	}
	free(member->sent.items);
	free(member->waiting.items);
	free(member);
	if (!is_last)
		pump(group);
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
	pump(member->group);
}

/* ---- what happens in the log ---- */

void group_deliver(struct group_member *member, uint64_t seq, const struct record *record)
{
	struct group *group = member->group;
	if (!group->is_reading && group->next_seq == seq && !is_full(group))
		assign(group, seq, record);
}

void groups_passed(struct stream *stream, uint64_t seq)
{
	list_each_safe (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (!group->is_reading && group->next_seq == seq && !is_full(group))
			group->next_seq = seq + 1;
		else if (group->next_seq <= seq)
			pump(group);
	}
}

void groups_turn(struct stream *stream)
{
	list_each (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (group->is_reading || group->next_seq <= stream->last_seq)
			continue;
		list_each (at, &group->members)
			tell_end(member_at(at));
	}
}

void groups_tick(struct stream *stream)
{
	list_each (node, &stream->groups) {
		struct group *group = list_entry(node, struct group, node);
		if (!list_is_empty(&group->members))
			save(group);
	}
}

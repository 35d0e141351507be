/*
 * Followers: subscribers to records, each with a place in the log. Live, a follower gets records as
 * they are committed; behind, the log is read for it as far as its credit goes. A durable one's
 * place is kept beside the log.
 */
#include "stream/follower.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log.h"
#include "route/log_read.h"
#include "stream/durable.h"
#include "stream/fan_out.h"
#include "stream/group.h"
#include "stream/kept.h"
#include "stream/left.h"
#include "stream/outgoing.h"
#include "stream/overtaken.h"
#include "stream/retention_rule.h"
#include "stream/trimmed.h"

#define LOG_TOPIC "follower"
#define READ_MAX_LEN (256u * 1024)

/* A record on its way to a follower: its credit comes back when it is consumed. */
struct sent_record {
	uint64_t seq;
	uint32_t len;
};

struct follower {
	struct list node;
	struct stream *stream;
	struct subscription *subscription; /* NULL: gone while a read was under way */
	uint64_t next_seq;
	bool is_reading;
	/* What was read is being sent: the next stretch is read meanwhile, from where this ends. */
	bool is_sending;
	/* For a schema that may come back: it does not pass a record that cannot be shown yet. */
	bool awaits_schema;
	/* It begins with the last record of each subject, as the log was then. What came since it
	 * gets whole: something may take away what it has been given. */
	uint64_t only_last_to;
	/* Records of before are passed over, until one is of this time or later; 0: none is. */
	uint64_t since_ms;
	/* The highest sequence that it has been told of, by a Deliver or a Gap. */
	uint64_t told_seq;
	bool was_told;

	/* Durable only. */
	char *key;        /* of the saved position; NULL */
	bool is_unplaced; /* that is not on the disk yet: nothing is said until it is */
	uint64_t consumed_seq;
	bool is_moved;
	bool is_forgotten;

	struct sent_record *sent;
	size_t sent_first;
	size_t sent_count;
	size_t sent_cap;
};

static void note_sent(struct follower *follower, uint64_t seq, uint32_t len)
{
	if (follower->sent_first + follower->sent_count == follower->sent_cap) {
		if (follower->sent_first > follower->sent_cap / 2) {
			memmove(follower->sent, follower->sent + follower->sent_first,
				follower->sent_count * sizeof(*follower->sent));
			follower->sent_first = 0;
		} else {
			size_t cap = follower->sent_cap ? follower->sent_cap * 2 : 64;
			struct sent_record *sent =
				realloc(follower->sent, cap * sizeof(*follower->sent));
			if (!sent)
				return; /* the credit of this one is lost, nothing else */
			follower->sent = sent;
			follower->sent_cap = cap;
		}
	}
	follower->sent[follower->sent_first + follower->sent_count++] =
		(struct sent_record){.seq = seq, .len = len};
}

void follower_sent(struct follower *follower, uint64_t seq, uint32_t len)
{
	note_sent(follower, seq, len);
	follower->told_seq = seq;
}

/* ---- followers ---- */

static void follower_free(struct follower *follower)
{
	list_remove(&follower->node);
	free(follower->key);
	free(follower->sent);
	free(follower);
}

static void save(struct follower *follower)
{
	if (!follower->key || !follower->is_moved)
		return;
	durable_save(follower->stream, follower->key, follower->consumed_seq);
	follower->is_moved = false;
}

/* The log has nothing more for this follower. */
static void caught_up(struct follower *follower)
{
	if (follower->was_told && follower->told_seq + 1 >= follower->next_seq)
		return;
	follower->was_told = true;
	follower->told_seq = follower->next_seq - 1;
	outgoing_gap(follower->stream, follower->subscription, 0, follower->next_seq - 1);
}

static bool is_held_up(const struct follower *follower)
{
	return follower->is_unplaced || follower->awaits_schema;
}

static void read_done(struct log_read *read);

/* A read on behalf of a follower. */
struct follow_read {
	struct log_read base;
	struct follower *follower;
	uint64_t asked_seq;
};

static void start_read(struct follower *follower, uint64_t from)
{
	struct stream *stream = follower->stream;
	struct follow_read *read = mem_new(struct follow_read);
	read->follower = follower;
	read->asked_seq = from;
	read->base.from = from;
	read->base.max_bytes = READ_MAX_LEN;
	read->base.pattern = mem_dup(follower->subscription->pattern);
	read->base.only_last_to = follower->only_last_to;
	read->base.also = TRIMMED_SUBJECT;
	read->base.on_done = read_done;
	follower->is_reading = true;
	stream->env->read(stream->env->world, &read->base);
}

void follower_pump(struct follower *follower)
{
	struct stream *stream = follower->stream;
	struct subscription *subscription = follower->subscription;
	if (follower->is_reading || is_held_up(follower) || !subscription)
		return;
	if (follower->next_seq > stream->last_seq) {
		follower->since_ms = 0;
		caught_up(follower);
		return;
	}
	if (subscription->credit > 0)
		start_read(follower, follower->next_seq);
}

static bool has_begun(struct follower *follower, const struct record *record)
{
	if (record->time_ms >= follower->since_ms)
		follower->since_ms = 0;
	return follower->since_ms == 0;
}

/* Send what was read until the credit is used up; returns where to go on. */
static uint64_t send_read(struct follower *follower, const struct log_read *read)
{
	struct subscription *subscription = follower->subscription;
	struct span at = log_read_begin(&read->records);
	struct span bytes;
	struct record record;
	uint64_t seq;
	while (log_read_next(&at, &seq, &bytes)) {
		if (subscription->credit <= 0)
			return seq;
		uint64_t missed = record_lost(bytes, NULL);
		if (missed > 0)
			outgoing_gap(follower->stream, subscription, missed, seq);
		if (missed > 0 || record_read(bytes, &record) != LYC_OK ||
		    !has_begun(follower, &record))
			continue;
		if (follower_has_to_wait(follower->stream, &record)) {
			follower->awaits_schema = true;
			return seq;
		}
		follower_send(follower->stream, subscription, seq, &record);
	}
	return read->next_seq;
}

/* What cannot be read cannot be followed: the subscription ends, and the peer may ask again. */
static void give_up(struct follower *follower, const struct log_read *read)
{
	struct stream *stream = follower->stream;
	struct session *session = follower->subscription->session;
	uint64_t id = follower->subscription->id;
	if (read->status != LYC_UNAVAILABLE) /* not just because the daemon stops */
		log_error("the log cannot be read", "reason", read->text);
	stream_unsubscribe(stream, session, id, false);
	outgoing_refuse(stream, session, id, read->status, read->text);
}

static void send_and_read_on(struct follower *follower, const struct log_read *read)
{
	int64_t left = follower->subscription->credit - 2 * (int64_t)read->records.len;
	follower->is_sending = true;
	if (left > 0 && read->next_seq <= follower->stream->last_seq)
		start_read(follower, read->next_seq);
	follower->next_seq = send_read(follower, read);
	follower->is_sending = false;
}

static void read_done(struct log_read *base)
{
	struct follow_read *read = (struct follow_read *)base;
	struct follower *follower = read->follower;
	follower->is_reading = false;
	if (!follower->subscription) {
		follower_free(follower);
	} else if (follower->is_sending) {
		/* answered at once: asked again when what comes before it has been sent */
	} else if (read->asked_seq != follower->next_seq) {
		follower_pump(follower); /* what comes before it could not be sent to its end */
	} else if (base->status != LYC_OK) {
		give_up(follower, base);
	} else {
		log_read_clip(base, follower->stream->last_seq);
		send_and_read_on(follower, base);
		follower_pump(follower);
	}
	buf_fini(&base->records);
	free(base->pattern);
	free(read);
}

static bool is_live(const struct follower *follower, uint64_t seq)
{
	return !follower->is_reading && !is_held_up(follower) && follower->next_seq == seq &&
	       follower->subscription->credit > 0;
}

struct committed {
	struct stream *stream;
	uint64_t seq;
	const struct record *record;
	/* Found out with the first who gets it: the others get the same bytes. */
	bool is_judged;
	bool is_for_all;
	/* Subscriptions of groups that follow no records: one of each group gets it. */
	struct buf grouped;
};

static uint32_t send_live(struct committed *committed, struct subscription *subscription)
{
	struct stream *stream = committed->stream;
	struct buf *common = &stream->fanout_common;
	if (!committed->is_judged)
		committed->is_for_all =
			follower_common(stream, committed->seq, committed->record, common);
	committed->is_judged = true;
	if (!committed->is_for_all)
		return follower_send(stream, subscription, committed->seq, committed->record);
	return follower_send_common(stream, subscription, committed->seq,
				    span_of(common->data, common->len));
}

static void deliver_to(struct subscription *subscription, void *arg)
{
	struct committed *committed = arg;
	if (session_is_link(subscription->session))
		return; /* records travel as copies */
	if (subscription->member) {
		group_deliver(subscription->member, committed->seq, committed->record);
		return;
	}
	if (subscription->group && !subscription->follower) {
		buf_add(&committed->grouped, &subscription, sizeof(subscription));
		return;
	}
	struct follower *follower = subscription->follower;
	if (follower && !is_live(follower, committed->seq))
		return; /* it reads the log */
	if (follower && follower_has_to_wait(committed->stream, committed->record)) {
		follower->awaits_schema = true;
		return;
	}
	if (!follower && subscription->credit <= 0) {
		subscription->missed++;
		return;
	}
	send_live(committed, subscription);
	if (follower)
		follower->next_seq = committed->seq + 1;
}

static enum fan_out_sent try_one(struct subscription *subscription, void *arg)
{
	struct committed *committed = arg;
	if (subscription->credit <= 0)
		return FAN_OUT_NOT_NOW;
	return send_live(committed, subscription) > 0 ? FAN_OUT_SENT : FAN_OUT_NOT_FOR_THEM;
}

void stream_deliver(struct stream *stream, uint64_t seq, const struct record *record)
{
	struct committed committed = {.stream = stream, .seq = seq, .record = record};
	topics_match(stream->topics, record->subject, deliver_to, &committed);
	fan_out_groups(&committed.grouped, record->subject, try_one, &committed);
	groups_passed(stream, seq);
	/* Whoever was live has come one further, whether it matched or not; the others read. */
	list_each_safe (node, &stream->followers) {
		struct follower *follower = list_entry(node, struct follower, node);
		if (follower->subscription && is_live(follower, seq)) {
			if (trimmed_is(record))
				trimmed_deliver(stream, follower->subscription, record);
			follower->next_seq = seq + 1;
		} else {
			follower_pump(follower);
		}
	}
}

/* A durable name belongs to one subscription; the newer one takes it over. */
void follower_take_over(struct stream *stream, const char *key)
{
	list_each_safe (node, &stream->followers) {
		struct follower *follower = list_entry(node, struct follower, node);
		if (!follower->subscription || !follower->key || strcmp(follower->key, key) != 0)
			continue;
		struct session *session = follower->subscription->session;
		uint64_t id = follower->subscription->id;
		stream_unsubscribe(stream, session, id, false);
		outgoing_refuse(stream, session, id, LYC_ABORTED,
				"another subscriber has taken over this durable name");
	}
}

/* It goes on unless there is still something to wait for. */
static void settle(struct follower *follower)
{
	follower->awaits_schema = false;
	if (follower->is_unplaced)
		follower->is_unplaced = !durable_is_placed(follower->stream, follower->key);
	follower_pump(follower);
}

void follower_start(struct stream *stream, struct subscription *subscription,
		    const struct packet_subscribe *subscribe)
{
	struct follower *follower = mem_new(struct follower);
	follower->stream = stream;
	follower->subscription = subscription;
	subscription->follower = follower;
	list_init(&follower->node);
	follower->next_seq = stream->last_seq + 1;
	follower->only_last_to = subscribe->start == SUBSCRIBE_LAST ? stream->last_seq : 0;
	if (subscribe->start == SUBSCRIBE_SEQ)
		follower->next_seq = subscribe->from > 0 ? subscribe->from : 1;
	else if (subscribe->start == SUBSCRIBE_LAST)
		follower->next_seq = 1;
	else if (subscribe->start == SUBSCRIBE_TIME)
		follower->next_seq =
			moments_find(&stream->moments, subscribe->from, stream->last_seq);
	follower->since_ms = subscribe->start == SUBSCRIBE_TIME ? subscribe->from : 0;
	if (follower->next_seq > stream->last_seq)
		follower->next_seq = stream->last_seq + 1;
	uint64_t consumed;
	if (subscribe->durable.len > 0) {
		const char *identity = subscription->session->identity;
		follower->key = durable_key(identity, subscribe->durable);
		follower_take_over(stream, follower->key);
		left_forget(stream, follower->key);
		if (durable_resume(stream, follower->key, &consumed)) {
			if (consumed > stream->last_seq)
				consumed = stream->last_seq;
			follower->next_seq = consumed + 1;
			follower->consumed_seq = consumed;
			follower->only_last_to = 0;
			follower->since_ms = 0;
		} else {
			follower->consumed_seq = follower->next_seq - 1;
			durable_begin(stream, identity, follower->key, follower->consumed_seq);
		}
		follower->is_unplaced = true;
	}
	list_add_last(&stream->followers, &follower->node);
	settle(follower);
}

void follower_leave(struct follower *follower)
{
	save(follower);
	if (follower->key && !follower->is_forgotten)
		left_note(follower->stream, follower->key,
			  follower->subscription->session->identity,
			  follower->subscription->pattern, follower->consumed_seq + 1);
	follower->subscription = NULL;
	if (!follower->is_reading)
		follower_free(follower);
}

void follower_forget(struct follower *follower)
{
	follower->is_moved = false;
	follower->is_forgotten = true;
	if (follower->key)
		durable_forget(follower->stream, follower->subscription->session->identity,
			       follower->key);
}

void follower_consumed(struct follower *follower, uint64_t seq)
{
	while (follower->sent_count > 0 && follower->sent[follower->sent_first].seq <= seq) {
		follower->subscription->credit += follower->sent[follower->sent_first].len;
		follower->sent_first++;
		follower->sent_count--;
	}
	if (seq > follower->consumed_seq && seq < follower->next_seq) {
		follower->consumed_seq = seq;
		follower->is_moved = true;
	}
}

void stream_turn(struct stream *stream)
{
	if (stream->told_seq == stream->last_seq)
		return;
	stream->told_seq = stream->last_seq;
	groups_turn(stream);
	list_each (node, &stream->followers) {
		struct follower *follower = list_entry(node, struct follower, node);
		if (follower->subscription && !follower->is_reading && !is_held_up(follower) &&
		    follower->next_seq > stream->last_seq)
			caught_up(follower);
	}
}

void stream_tick(struct stream *stream)
{
	groups_tick(stream);
	kept_again(stream);
	overtaken_tick(stream);
	list_each_safe (node, &stream->followers) {
		struct follower *follower = list_entry(node, struct follower, node);
		save(follower);
		if (is_held_up(follower) && follower->subscription)
			settle(follower);
	}
}

void stream_each_place(const struct stream *stream, follower_place_fn fn, void *arg)
{
	list_each (node, &stream->followers) {
		const struct follower *follower = list_entry(node, struct follower, node);
		const struct subscription *subscription = follower->subscription;
		if (!subscription)
			continue;
		struct follower_place place = {
			.identity = subscription->session->identity,
			.is_plugin = subscription->session->kind == SESSION_PLUGIN,
			.pattern = subscription->pattern,
			.next_seq = follower->sent_count > 0
					    ? follower->sent[follower->sent_first].seq
					    : follower->next_seq,
		};
		if (follower->key)
			durable_name(follower->key, place.durable, sizeof(place.durable));
		fn(&place, arg);
	}
	left_each(stream, fn, arg);
}

uint64_t stream_behind(const struct stream *stream, const struct session *session)
{
	uint64_t behind = 0;
	list_each (node, &stream->followers) {
		const struct follower *follower = list_entry(node, struct follower, node);
		if (!follower->subscription || follower->subscription->session != session)
			continue;
		uint64_t at = follower->sent_count > 0 ? follower->sent[follower->sent_first].seq
						       : follower->next_seq;
		if (stream->last_seq + 1 - at > behind)
			behind = stream->last_seq + 1 - at;
	}
	return behind;
}

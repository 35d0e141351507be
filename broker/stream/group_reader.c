/* A read asks for the pattern from one sequence on; what it brings goes to the members. */
#include "stream/group_reader.h"

#include <stdlib.h>

#include "base/mem.h"
#include "log.h"
#include "route/log_read.h"
#include "stream/follower.h"
#include "stream/group.h"
#include "stream/outgoing.h"

#define LOG_TOPIC "group_reader"
#define READ_MAX_LEN (256u * 1024)

struct group_read {
	struct log_read base;
	struct group *group;
};

/* The first that was asked for was not there: it has been removed from the log. */
static void drop_gone(struct group *group)
{
	list_each (node, &group->members) {
		struct group_member *member = group_member_at(node);
		if (member->waiting.count > 0 && member->subscription->credit > 0 &&
		    member->waiting.items[0].seq == group->asked_seq)
			places_remove(&member->waiting, 0, 1);
	}
}

static void take_read(struct group *group, const struct log_read *read)
{
	struct span at = log_read_begin(&read->records);
	struct span bytes;
	struct record record;
	uint64_t seq;
	while (log_read_next(&at, &seq, &bytes)) {
		struct span subject;
		uint64_t missed = record_lost(bytes, &subject);
		bool is_read = missed == 0 && record_read(bytes, &record) == LYC_OK;
		if (seq >= group->next_seq &&
		    (group_members_are_full(group) || group->awaits_schema))
			return;
		if (is_read && seq >= group->next_seq &&
		    follower_has_to_wait(group->stream, &record)) {
			group->awaits_schema = true;
			group->next_seq = seq;
			return;
		}
		if (missed > 0)
			group_members_give_lost(group, seq, missed, subject);
		else if (!is_read)
			group->next_seq = seq >= group->next_seq ? seq + 1 : group->next_seq;
		else if (seq < group->next_seq)
			group_members_send_waiting(group, seq, &record);
		else
			group_members_give(group, seq, &record);
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
		struct subscription *subscription =
			group_member_at(group->members.next)->subscription;
		struct session *session = subscription->session;
		uint64_t id = subscription->id;
		stream_unsubscribe(stream, session, id, false);
		outgoing_refuse(stream, session, id, status, text);
	}
}

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
		log_read_clip(base, group->stream->last_seq);
		take_read(group, base);
		drop_gone(group);
		group_reader_pump(group);
	}
	buf_fini(&base->records);
	free(base->pattern);
	free(read);
}

void group_reader_tell_end(struct group *group)
{
	uint64_t last = group->next_seq - 1;
	list_each (node, &group->members) {
		struct group_member *member = group_member_at(node);
		if (member->waiting.count > 0 || member->told_seq >= last)
			continue;
		member->told_seq = last;
		outgoing_gap(group->stream, member->subscription, 0, last);
	}
}

void group_reader_pump(struct group *group)
{
	struct stream *stream = group->stream;
	if (group->is_reading || stream->is_ending || list_is_empty(&group->members))
		return;
	uint64_t from = group_members_first_waiting(group);
	if (group->next_seq <= stream->last_seq && group->next_seq < from &&
	    !group_is_held_up(group) && !group_members_are_full(group))
		from = group->next_seq;
	if (group->next_seq > stream->last_seq && !group_is_held_up(group)) {
		group->since_ms = 0;
		group_reader_tell_end(group);
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

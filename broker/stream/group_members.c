/* Each member scores a record's subject, and the highest score has it. */
#include "stream/group_members.h"

#include <stdlib.h>

#include "base/crc32c.h"
#include "base/mem.h"
#include "stream/follower.h"
#include "stream/outgoing.h"

/* Records that wait for the credit of one member; then the whole group waits. */
#define MAX_WAITING 4096

static uint64_t mix(uint64_t bits)
{
	bits = (bits ^ bits >> 30) * 0xbf58476d1ce4e5b9u;
	bits = (bits ^ bits >> 27) * 0x94d049bb133111ebu;
	return bits ^ bits >> 31;
}

/* The highest number wins: when a member comes or goes, only its subjects move. */
struct group_member *group_members_choose(const struct group *group, uint32_t hash)
{
	struct group_member *best = NULL;
	uint64_t best_score = 0;
	list_each (node, &group->members) {
		struct group_member *member = group_member_at(node);
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
		places_add(&member->sent, member->sent.count, place);
}

static void wait_for(struct group_member *member, struct place place)
{
	place.len = 0;
	places_add(&member->waiting, places_find(&member->waiting, place.seq), place);
}

void group_members_give(struct group *group, uint64_t seq, const struct record *record)
{
	if (record->time_ms >= group->since_ms)
		group->since_ms = 0;
	group->next_seq = seq + 1;
	if (group->since_ms > 0 || stream_is_private(record->subject))
		return;
	struct place place = {.seq = seq,
			      .hash = crc32c(0, record->subject.data, record->subject.len)};
	struct group_member *member = group_members_choose(group, place.hash);
	if (member->waiting.count == 0 && member->subscription->credit > 0)
		send_to(member, place, record);
	else
		wait_for(member, place);
}

/* Those of the run that wait for the member. */
static void drop_waiting(struct group_member *member, uint64_t first_seq, uint64_t last_seq)
{
	struct places *waiting = &member->waiting;
	size_t at = places_find(waiting, first_seq);
	size_t count = places_find(waiting, last_seq + 1) - at;
	if (count == 0)
		return;
	uint64_t seq = waiting->items[at + count - 1].seq;
	places_remove(waiting, at, count);
	outgoing_gap(member->group->stream, member->subscription, count, seq);
}

void group_members_give_lost(struct group *group, uint64_t seq, uint64_t count, struct span subject)
{
	uint64_t first_seq = seq - count + 1;
	list_each (node, &group->members)
		drop_waiting(group_member_at(node), first_seq, seq);
	if (seq < group->next_seq)
		return;
	if (first_seq < group->next_seq)
		first_seq = group->next_seq;
	group->next_seq = seq + 1;
	uint32_t hash = subject.len > 0 ? crc32c(0, subject.data, subject.len) : (uint32_t)seq;
	outgoing_gap(group->stream, group_members_choose(group, hash)->subscription,
		     seq - first_seq + 1, seq);
}

void group_members_send_waiting(struct group *group, uint64_t seq, const struct record *record)
{
	list_each (node, &group->members) {
		struct group_member *member = group_member_at(node);
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

bool group_members_are_full(const struct group *group)
{
	list_each (node, &group->members) {
		if (group_member_at(node)->waiting.count >= MAX_WAITING)
			return true;
	}
	return false;
}

uint64_t group_members_first_waiting(const struct group *group)
{
	uint64_t first = UINT64_MAX;
	list_each (node, &group->members) {
		const struct group_member *member = group_member_at(node);
		if (member->waiting.count > 0 && member->subscription->credit > 0 &&
		    member->waiting.items[0].seq < first)
			first = member->waiting.items[0].seq;
	}
	return first;
}

uint64_t group_members_handled_seq(const struct group *group)
{
	uint64_t first = group->next_seq;
	list_each (node, &group->members) {
		const struct group_member *member = group_member_at(node);
		if (member->waiting.count > 0 && member->waiting.items[0].seq < first)
			first = member->waiting.items[0].seq;
		for (size_t i = 0; i < member->sent.count; i++) {
			if (member->sent.items[i].seq < first)
				first = member->sent.items[i].seq;
		}
	}
	return first - 1;
}

struct group_member *group_members_add(struct group *group, struct subscription *subscription,
				       uint64_t serial)
{
	struct group_member *member = mem_new(struct group_member);
	member->group = group;
	member->subscription = subscription;
	member->salt = mix(mix(serial) + subscription->id);
	list_add_last(&group->members, &member->node);
	group->member_count++;
	return member;
}

static void hand_on(struct group *group, const struct places *places)
{
	for (size_t i = 0; i < places->count; i++)
		wait_for(group_members_choose(group, places->items[i].hash), places->items[i]);
}

void group_members_remove(struct group_member *member)
{
	struct group *group = member->group;
	list_remove(&member->node);
	group->member_count--;
	if (group->member_count > 0) {
		hand_on(group, &member->sent);
		hand_on(group, &member->waiting);
	}
	places_fini(&member->sent);
	places_fini(&member->waiting);
	free(member);
}

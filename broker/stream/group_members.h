/*
 * The members of a group and what each of them has: which member a record goes to, what it was sent
 * and what waits for its credit. Reading the log for them is group_reader.c's, their coming and
 * going group.c's; nobody outside these three includes this.
 */
#ifndef LYC_STREAM_GROUP_MEMBERS_H
#define LYC_STREAM_GROUP_MEMBERS_H

#include "stream/places.h"
#include "stream/stream.h"

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
	bool is_unplaced;   /* its place is not on the disk yet: nothing is said until it is */
	bool awaits_schema; /* see follower_has_to_wait */
};

/* Nothing comes up for the first time just now. */
static inline bool group_is_held_up(const struct group *group)
{
	return group->is_unplaced || group->awaits_schema;
}

struct group_member {
	struct list node;
	struct group *group;
	struct subscription *subscription;
	uint64_t salt;
	struct places sent;    /* in the order in which they were sent */
	struct places waiting; /* by sequence */
	uint64_t told_seq;
};

static inline struct group_member *group_member_at(struct list *node)
{
	return list_entry(node, struct group_member, node);
}

/* A new member of the subscription; its salt is made of numbers that no other member has. */
struct group_member *group_members_add(struct group *group, struct subscription *subscription,
				       uint64_t serial);
/* What it has not handled goes to those who stay; where none does, it is dropped. Frees it. */
void group_members_remove(struct group_member *member);

/* Whose records of this hash are; NULL without members. */
struct group_member *group_members_choose(const struct group *group, uint32_t hash);
/* A record that comes up for the first time: it is sent, or waits for the credit of its member. */
void group_members_give(struct group *group, uint64_t seq, const struct record *record);
/* Lost ones, `count` that end with this sequence. Whoever waits for one of them learns that it is
 * missed; of those that come up for the first time the member does that has the subject, or, where
 * none is known, any. */
void group_members_give_lost(struct group *group, uint64_t seq, uint64_t count,
			     struct span subject);
/* One that waits: it is sent if it is its member's next and there is credit. */
void group_members_send_waiting(struct group *group, uint64_t seq, const struct record *record);
/* Does so much wait for one of them that the whole group has to? */
bool group_members_are_full(const struct group *group);
/* The first that waits for a member that has credit; UINT64_MAX: none does. */
uint64_t group_members_first_waiting(const struct group *group);
/* Everything up to here has been handled. */
uint64_t group_members_handled_seq(const struct group *group);

#endif

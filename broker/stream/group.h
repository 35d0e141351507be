/*
 * Groups that share records. A group has one place in the log; each record goes to one member,
 * which its subject chooses, so that the records of a subject stay in order with one while the
 * members stay. What a member has not said to have handled goes to the others when it leaves: a
 * record may come twice, and is never lost.
 *
 * Members are subscriptions of one key (of one plugin, with all its instances), of one group name
 * and one pattern. A member without credit holds back only its own, as long as that is not much.
 */
#ifndef LYC_STREAM_GROUP_H
#define LYC_STREAM_GROUP_H

#include "stream/stream.h"

struct group;
struct group_member;

/* Join or make the group that the subscription names; a refusal ends the subscription and says why.
 */
void group_join(struct stream *stream, struct subscription *subscription,
		const struct packet_subscribe *subscribe);
/* The subscription ends; with the last one the group does, and a durable place is kept unless it is
 * forgotten. */
void group_leave(struct group_member *member, bool forget);
/* The member has handled everything that it was sent up to this record, in the order in which it
 * was sent. */
void group_consumed(struct group_member *member, uint64_t seq);
/* A member has credit again. */
void group_pump_of(struct group_member *member);
/* A record was committed that matches the member's pattern; and one that may match nobody's. */
void group_deliver(struct group_member *member, uint64_t seq, const struct record *record);
void groups_passed(struct stream *stream, uint64_t seq);
/* At the end of a turn, and now and then. */
void groups_turn(struct stream *stream);
void groups_tick(struct stream *stream);
/* One without members, for which no read is under way. */
void group_free(struct group *group);

#endif

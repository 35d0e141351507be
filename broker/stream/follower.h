/* A subscription to records and its place in the log. */
#ifndef LYC_STREAM_FOLLOWER_H
#define LYC_STREAM_FOLLOWER_H

#include "stream/stream.h"

struct follower;

/* Give the subscription its place: where a durable name was left, else where it asks to start. */
void follower_start(struct stream *stream, struct subscription *subscription,
		    const struct packet_subscribe *subscribe);
/* The subscription ends; a durable place is kept, unless it is forgotten before. */
void follower_leave(struct follower *follower);
void follower_forget(struct follower *follower);
/* Everything up to seq has been handled: its credit comes back. */
void follower_consumed(struct follower *follower, uint64_t seq);
/* Whoever has the durable name of this key loses it. */
void follower_take_over(struct stream *stream, const char *key);
/* Read on for it where it is behind and has credit. */
void follower_pump(struct follower *follower);
/* Where the followers of records are, and durable ones that have gone since the start. */
struct follower_place {
	const char *identity;
	bool is_plugin;
	bool is_away;
	const char *pattern;
	char durable[40];  /* "": it has no name */
	uint64_t next_seq; /* it has handled what lies before */
};
typedef void (*follower_place_fn)(const struct follower_place *place, void *arg);
void stream_each_place(const struct stream *stream, follower_place_fn fn, void *arg);
/* A record has gone to it: its credit comes back when it is consumed. */
void follower_sent(struct follower *follower, uint64_t seq, uint32_t len);

/* ---- follower_send.c ---- */

/* One record to one subscription, as far as its label allows: the credit that it took, 0: it is not
 * for them. */
uint32_t follower_send(struct stream *stream, struct subscription *subscription, uint64_t seq,
		       const struct record *record);
/* May everybody who subscribes see all of it? Then `common` is what follower_send_common sends. */
bool follower_common(struct stream *stream, uint64_t seq, const struct record *record,
		     struct buf *common);
/* As follower_send does. */
uint32_t follower_send_common(struct stream *stream, struct subscription *subscription,
			      uint64_t seq, struct span common);
/* May nobody pass this record yet? Its schema was damaged, and may come back from whoever has a
 * copy. */
bool follower_has_to_wait(const struct stream *stream, const struct record *record);

#endif

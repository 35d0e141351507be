/*
 * Erasure: a withdrawal with `erase` takes the bytes of all earlier records of its subject by the
 * same home out of the files here, wherever it is committed, and with them every reply that is
 * remembered here for an idempotency key: no one can tell which of them has it. What is done is
 * said to the others by a record of this daemon's own (lyceum.v1.Erased), so that the home learns
 * who has done it.
 */
#ifndef LYC_STREAM_ERASURE_H
#define LYC_STREAM_ERASURE_H

#include "stream/stream.h"

struct erasures;

struct erasures *erasures_new(struct stream *stream);
/* Accepts NULL. */
void erasures_free(struct erasures *erasures);
/* Once per record of the log, in order, also while it is replayed. */
void erasures_noted(struct erasures *erasures, uint64_t seq, const struct record *record);
/* That was all of an earlier life: what it had finished is finished. */
void erasures_replayed(struct erasures *erasures);
/* Do what is to be done, and say what is done. */
void erasures_tick(struct erasures *erasures);

/* One of this daemon's own. */
struct erasure_state {
	const char *subject;
	uint64_t seq;
	uint64_t time_ms;
	struct span label; /* whom it reaches */
	bool is_done;      /* here */
};
typedef void (*erasure_fn)(const struct erasure_state *state, void *arg);
void erasures_each_own(struct erasures *erasures, erasure_fn on_own, void *arg);
/* Has the record been erased since? `origin` is empty for this daemon's own. */
bool erasures_covers(const struct erasures *erasures, struct span origin, struct span subject,
		     uint64_t seq);
/* Of calls with an idempotency key: whatever a reply says may be what was erased. Replies up to
 * this sequence are gone or go, and none is to be kept while this is due. */
uint64_t erasures_last_seq(const struct erasures *erasures);
bool erasures_are_due(const struct erasures *erasures);
/* A reply is on its way into the log, or has got there: the pass waits for it. */
void erasures_keep_reply(struct erasures *erasures, bool is_kept);

/* Has this daemon said that it has done everything of ours up to there? */
bool erasures_is_confirmed(const struct erasures *erasures, const char *daemon, uint64_t seq);
/* Daemons that others have told of: nodes of the hub, and whoever has erased something. */
typedef void (*erasure_daemon_fn)(const char *daemon, void *arg);
void erasures_each_daemon(const struct erasures *erasures, erasure_daemon_fn on_daemon, void *arg);

#endif

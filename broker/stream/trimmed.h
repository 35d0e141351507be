/*
 * lyceum.v1.Trimmed: the record that says which subjects retention has emptied. It has its place in
 * the log like any other, so a follower hears of a removal in order, also when it was away.
 */
#ifndef LYC_STREAM_TRIMMED_H
#define LYC_STREAM_TRIMMED_H

#include "stream/stream.h"

/* Begin a body; add a subject whose last record was `record`, under `seq`. */
void trimmed_begin(struct buf *body, const char *stream_name);
void trimmed_add(struct buf *body, uint64_t seq, const struct record *record);

bool trimmed_is(const struct record *record);
/* Withdrawals for what the subscription follows, without a sequence: its position is moved on by
 * what comes next. Of a subject that has a record again nothing is said. */
void trimmed_deliver(struct stream *stream, struct subscription *subscription,
		     const struct record *record);

#endif

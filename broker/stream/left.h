/*
 * Where durable subscribers were that have gone since this daemon started: their positions lie
 * beside the log under names that cannot be listed.
 */
#ifndef LYC_STREAM_LEFT_H
#define LYC_STREAM_LEFT_H

#include "stream/follower.h"

/* It has gone, and has handled what lies before next_seq. */
void left_note(struct stream *stream, const char *key, const char *identity, const char *pattern,
	       uint64_t next_seq);
/* It is back, or its name is forgotten. */
void left_forget(struct stream *stream, const char *key);
void left_each(const struct stream *stream, follower_place_fn fn, void *arg);
void left_fini(struct stream *stream);

#endif

/*
 * Own records without which later ones cannot be understood: a schema that a plugin registered.
 * When the log does not take one, it is tried again before anything is published, and at each tick,
 * so that nothing written with a schema lies in the log before it.
 */
#ifndef LYC_STREAM_KEPT_H
#define LYC_STREAM_KEPT_H

#include "stream/stream.h"

/* Append it, however often that takes. */
void kept_append(struct stream *stream, struct span subject, struct span body);
/* Those that the log did not take go to it once more. */
void kept_again(struct stream *stream);
void kept_fini(struct stream *stream);

#endif

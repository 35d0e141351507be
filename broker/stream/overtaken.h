/*
 * Copies of a lost end that come too late: their keys have been written since. Where what stands
 * here now reaches fewer than the copy did, whoever was shown the copy would go on showing it: what
 * stands here is appended once more, so that they learn that theirs is withdrawn.
 */
#ifndef LYC_STREAM_OVERTAKEN_H
#define LYC_STREAM_OVERTAKEN_H

#include "stream/stream.h"

/* A record that is not taken back because its key has been written since. */
void overtaken_add(struct stream *stream, const struct record *record);
void overtaken_tick(struct stream *stream);
void overtaken_fini(struct stream *stream);

#endif

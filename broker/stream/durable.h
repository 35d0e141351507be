/* Durable names: where each is kept beside the log, and how many a peer has. */
#ifndef LYC_STREAM_DURABLE_H
#define LYC_STREAM_DURABLE_H

#include "stream/stream.h"

/* Of one identity, over all its sessions; each is a file. */
#define DURABLE_MAX_NAMES 64

/* Under what the position of an identity's name is saved. The caller frees. */
char *durable_key(const char *identity, struct span name);
/* The name in such a key. */
void durable_name(const char *key, char *to, size_t size);
/* May the identity use the name: has it been there before, or is there room for another? */
bool durable_is_allowed(struct stream *stream, const char *identity, struct span name);
/* Where it was left; false when the name is new. A place in an epoch that a restore has ended is at
 * most where that epoch ends here; one in an epoch that this log never had is the beginning. */
bool durable_load(const struct stream *stream, const char *key, uint64_t *ret_seq);
/* The same for one who begins to follow: where it was damaged, it is written anew. */
bool durable_resume(struct stream *stream, const char *key, uint64_t *ret_seq);
void durable_save(const struct stream *stream, const char *key, uint64_t seq);
/* A new name has its first place; one that has been there is forgotten. */
void durable_begin(struct stream *stream, const char *identity, const char *key, uint64_t seq);
void durable_forget(struct stream *stream, const char *identity, const char *key);
void durable_fini(struct stream *stream);

/* Is the place of this key on the disk? Until it is, a crash would lose the name, and with it what
 * is missed since: nothing is said to its subscriber. */
bool durable_is_placed(const struct stream *stream, const char *key);

#endif

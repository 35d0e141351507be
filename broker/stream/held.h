/*
 * The types of which records are here but no schema: the records are kept and shown to nobody, and
 * whoever asks is told what is missing.
 */
#ifndef LYC_STREAM_HELD_H
#define LYC_STREAM_HELD_H

#include "route/types.h"

#define HELD_TYPES_MAX 64

struct held_type {
	char name[200];
	uint64_t schema;
	uint64_t count;
};

struct held {
	struct held_type *types;
	size_t count;
};

void held_fini(struct held *held);
/* A record whose type is not known, written with that schema. Beyond HELD_TYPES_MAX types it is not
 * counted. */
void held_add(struct held *held, struct span subject, uint64_t schema);
/* The same of `count` records at once, as they were counted before. */
void held_restore(struct held *held, struct span type, uint64_t schema, uint64_t count);
/* Forget those that are known by now. */
void held_settle(struct held *held, struct types *types);
/* Append "needs version 4 of expert.proto, 12 held". Versions are counted as this daemon met them;
 * of a package that it does not know at all it can only say that. */
void held_explain(const struct held *held, size_t index, const struct types *types, struct buf *to);

#endif

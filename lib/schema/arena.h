/*
 * Memory that is freed as a whole: what a compiled schema is made of. Chunks grow; a limit keeps
 * hostile input from growing them for ever.
 */
#ifndef LYC_SCHEMA_ARENA_H
#define LYC_SCHEMA_ARENA_H

#include <stddef.h>

#include "base/buf.h"

struct arena_chunk;

struct arena {
	struct arena_chunk *chunks;
	size_t total;
	/* 0: no limit. */
	size_t limit;
	/* Something was refused by the limit rather than by the machine. */
	bool is_full;
};

/* Frees everything and zeroes; accepts a zeroed one. */
void arena_fini(struct arena *arena);
/* Zeroed memory, aligned for anything; NULL when there is none or the limit is reached. Valid until
 * arena_fini. */
void *arena_get(struct arena *arena, size_t size);
/* The same for count * size; NULL when that overflows. */
void *arena_get_many(struct arena *arena, size_t count, size_t size);
/* A copy with a final NUL. */
char *arena_text(struct arena *arena, struct span text);

#endif

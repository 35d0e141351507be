/* Memory that is freed as a whole: a list of chunks, the newest first. */
#include "schema/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN ((size_t)8 * 1024)
#define CHUNK_MAX ((size_t)1024 * 1024)
#define ALIGN ((size_t)16)

struct arena_chunk {
	struct arena_chunk *next;
	size_t used;
	size_t cap;
	size_t unused; /* keeps `bytes` aligned */
	uint8_t bytes[];
};

void arena_fini(struct arena *arena)
{
	struct arena_chunk *chunk = arena->chunks;
	while (chunk) {
		struct arena_chunk *next = chunk->next;
		free(chunk);
		chunk = next;
	}
	*arena = (struct arena){0};
}

static bool add_chunk(struct arena *arena, size_t size)
{
	size_t cap = arena->chunks ? arena->chunks->cap * 2 : CHUNK_MIN;
	if (cap > CHUNK_MAX)
		cap = CHUNK_MAX;
	if (cap < size)
		cap = size;
	if (arena->limit > 0 && (cap > arena->limit || arena->total > arena->limit - cap)) {
		arena->is_full = true;
		return false;
	}
	struct arena_chunk *chunk = calloc(1, sizeof(*chunk) + cap);
	if (!chunk)
		return false;
	chunk->cap = cap;
	chunk->next = arena->chunks;
	arena->chunks = chunk;
	arena->total += cap;
	return true;
}

void *arena_get(struct arena *arena, size_t size)
{
	if (size > SIZE_MAX / 4)
		return NULL;
	size = (size + ALIGN - 1) / ALIGN * ALIGN;
	if (size == 0)
		size = ALIGN;
	struct arena_chunk *chunk = arena->chunks;
	if (!chunk || chunk->cap - chunk->used < size) {
		if (!add_chunk(arena, size))
			return NULL;
		chunk = arena->chunks;
	}
	void *memory = chunk->bytes + chunk->used;
	chunk->used += size;
	return memory;
}

void *arena_get_many(struct arena *arena, size_t count, size_t size)
{
	if (size > 0 && count > SIZE_MAX / 4 / size)
		return NULL;
	return arena_get(arena, count * size);
}

char *arena_text(struct arena *arena, struct span text)
{
	char *copy = arena_get(arena, text.len + 1);
	if (copy && text.len > 0)
		memcpy(copy, text.data, text.len);
	return copy;
}

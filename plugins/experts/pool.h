/*
 * A set of strings, numbered from 0 in the order in which they came: words, organisations, labels.
 * Bytes lie one after the other; nothing is ever taken out.
 */
#ifndef EXPERTS_POOL_H
#define EXPERTS_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_NONE UINT32_MAX

struct pool {
	char *bytes;
	size_t bytes_len;
	size_t bytes_capacity;

	/* offsets[i] to offsets[i + 1] - 1 (a NUL) is string i. */
	size_t *offsets;
	size_t offsets_capacity;
	uint32_t count;

	/* Open addressing; number + 1. */
	uint32_t *table;
	uint32_t table_size;
};

void pool_init(struct pool *strings);
void pool_fini(struct pool *strings);
/* The number of the string, new or not. */
uint32_t pool_add(struct pool *strings, const char *bytes, size_t len);
/* POOL_NONE when it is not there. */
uint32_t pool_find(const struct pool *strings, const char *bytes, size_t len);
/* Valid until the next pool_add. */
const char *pool_at(const struct pool *strings, uint32_t number);
size_t pool_len(const struct pool *strings, uint32_t number);
/* Bytes of memory held. */
size_t pool_memory(const struct pool *strings);
/* A stable 64-bit hash: FNV-1a. */
uint64_t pool_hash(const char *bytes, size_t len);

#endif

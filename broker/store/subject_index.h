/*
 * Last sequence and record count of every subject, in memory. An open-addressing table of 24-byte
 * entries; the subjects' bytes lie in blocks that are freed together. No lock: the store has one.
 */
#ifndef LYC_STORE_SUBJECT_INDEX_H
#define LYC_STORE_SUBJECT_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

struct subject_entry {
	const uint8_t *name; /* two bytes of length, then the subject; NULL: a free place */
	uint64_t last_seq;
	uint32_t hash;
	uint32_t count;
};

struct subject_block;

/* Zeroed: empty and ready. */
struct subject_index {
	struct subject_entry *entries;
	size_t cap; /* 0 or a power of two */
	size_t count;
	struct subject_block *blocks;
	uint64_t seed;
};

void subject_index_fini(struct subject_index *index);
/* Room for `count` new subjects with `bytes` in all; false when there is no memory. */
bool subject_index_reserve(struct subject_index *index, size_t count, size_t bytes);
/* NULL when there is none. Valid until the next change. */
struct subject_entry *subject_index_find(const struct subject_index *index, struct span subject);
/* `count` more records, the last of them `seq`. False when there is no memory, which cannot be
 * after a reserve. */
bool subject_index_add(struct subject_index *index, struct span subject, uint64_t seq,
		       uint32_t count);
/* One record fewer; the subject goes with its last one. */
void subject_index_remove(struct subject_index *index, struct span subject);
struct span subject_entry_name(const struct subject_entry *entry);

#endif

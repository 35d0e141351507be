/*
 * Last sequence and count per subject: linear probing, at most three quarters full, removal by
 * shifting back. Bytes of a removed subject stay in their block until the index goes.
 */
#include "store/subject_index.h"

#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include <xxhash.h>

#define BLOCK_LEN (256u << 10)

struct subject_block {
	struct subject_block *next;
	size_t used;
	size_t cap;
	uint8_t bytes[];
};

void subject_index_fini(struct subject_index *index)
{
	while (index->blocks) {
		struct subject_block *next = index->blocks->next;
		free(index->blocks);
		index->blocks = next;
	}
	free(index->entries);
	*index = (struct subject_index){0};
}

struct span subject_entry_name(const struct subject_entry *entry)
{
	return span_of(entry->name + 2, (size_t)entry->name[0] | (size_t)entry->name[1] << 8);
}

/* Seeded, so that a peer cannot choose subjects that collide. */
static uint32_t hash_of(const struct subject_index *index, struct span subject)
{
	return (uint32_t)XXH3_64bits_withSeed(subject.data, subject.len, index->seed);
}

static bool grow(struct subject_index *index, size_t count)
{
	size_t cap = index->cap ? index->cap : 64;
	while (count > cap / 4 * 3)
		cap *= 2;
	if (cap == index->cap)
		return true;
	struct subject_entry *entries = calloc(cap, sizeof(*entries));
	if (!entries)
		return false;
	for (size_t i = 0; i < index->cap; i++) {
		if (!index->entries[i].name)
			continue;
		size_t at = index->entries[i].hash & (cap - 1);
		while (entries[at].name)
			at = (at + 1) & (cap - 1);
		entries[at] = index->entries[i];
	}
	free(index->entries);
	index->entries = entries;
	index->cap = cap;
	return true;
}

bool subject_index_reserve(struct subject_index *index, size_t count, size_t bytes)
{
	if (index->seed == 0 &&
	    (getrandom(&index->seed, sizeof(index->seed), 0) < 0 || !index->seed))
		index->seed = 1;
	if (!grow(index, index->count + count))
		return false;
	bytes += 2 * count;
	if (index->blocks && index->blocks->cap - index->blocks->used >= bytes)
		return true;
	/* A small index has small blocks. */
	size_t cap = index->count < 1024 ? 4096 : BLOCK_LEN;
	if (cap < bytes)
		cap = bytes;
	struct subject_block *block = malloc(sizeof(*block) + cap);
	if (!block)
		return false;
	*block = (struct subject_block){.next = index->blocks, .cap = cap};
	index->blocks = block;
	return true;
}

struct subject_entry *subject_index_find(const struct subject_index *index, struct span subject)
{
	if (index->cap == 0)
		return NULL;
	uint32_t hash = hash_of(index, subject);
	for (size_t at = hash & (index->cap - 1);; at = (at + 1) & (index->cap - 1)) {
		struct subject_entry *entry = &index->entries[at];
		if (!entry->name)
			return NULL;
		if (entry->hash == hash && span_equal(subject_entry_name(entry), subject))
			return entry;
	}
}

bool subject_index_add(struct subject_index *index, struct span subject, uint64_t seq,
		       uint32_t count)
{
	struct subject_entry *entry = subject_index_find(index, subject);
	if (entry) {
		entry->last_seq = seq;
		entry->count += count;
		return true;
	}
	if (!subject_index_reserve(index, 1, subject.len))
		return false;
	struct subject_block *block = index->blocks;
	uint8_t *name = block->bytes + block->used;
	block->used += subject.len + 2;
	name[0] = (uint8_t)subject.len;
	name[1] = (uint8_t)(subject.len >> 8);
	memcpy(name + 2, subject.data, subject.len);
	uint32_t hash = hash_of(index, subject);
	size_t at = hash & (index->cap - 1);
	while (index->entries[at].name)
		at = (at + 1) & (index->cap - 1);
	index->entries[at] =
		(struct subject_entry){.name = name, .last_seq = seq, .hash = hash, .count = count};
	index->count++;
	return true;
}

void subject_index_remove(struct subject_index *index, struct span subject)
{
	struct subject_entry *entry = subject_index_find(index, subject);
	if (!entry || --entry->count > 0)
		return;
	size_t mask = index->cap - 1;
	size_t hole = (size_t)(entry - index->entries);
	for (size_t at = (hole + 1) & mask; index->entries[at].name; at = (at + 1) & mask) {
		size_t home = index->entries[at].hash & mask;
		if (((at - home) & mask) < ((at - hole) & mask))
			continue;
		index->entries[hole] = index->entries[at];
		hole = at;
	}
	index->entries[hole] = (struct subject_entry){0};
	index->count--;
}

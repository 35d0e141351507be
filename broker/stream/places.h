/*
 * Records that one member of a group has to do with, each with its place in the log: those that it
 * was sent, or those that wait for its credit. A list in memory; who is on it, group_members.c
 * decides.
 */
#ifndef LYC_STREAM_PLACES_H
#define LYC_STREAM_PLACES_H

#include <stddef.h>
#include <stdint.h>

struct place {
	uint64_t seq;
	uint32_t hash; /* of the subject: chooses the member */
	uint32_t len;  /* of the Deliver: the credit that it took */
};

struct places {
	struct place *items;
	size_t count;
	size_t cap;
};

void places_fini(struct places *places);
/* Before the one that is at this index; behind all where it is the count. */
void places_add(struct places *places, size_t at, struct place place);
void places_remove(struct places *places, size_t at, size_t count);
/* In a list by sequence, the first that is not before seq. */
size_t places_find(const struct places *places, uint64_t seq);

#endif

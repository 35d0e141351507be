/*
 * A hash of bytes for the tables in memory, eight at a time: subjects and names are looked up
 * several times for every record. Not for files, and not against somebody who knows the seed.
 */
#ifndef LYC_BASE_HASH_H
#define LYC_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

__extension__ typedef unsigned __int128 hash_wide;

static inline uint64_t hash_mix(uint64_t hash, uint64_t eight, uint64_t seed)
{
	hash_wide wide = (hash_wide)(hash ^ eight) * 0xd6e8feb86659fd93u;
	return (uint64_t)wide ^ (uint64_t)(wide >> 64) ^ seed;
}

static inline uint32_t hash_bytes(uint64_t seed, const void *bytes, size_t len)
{
	const uint8_t *at = bytes;
	uint64_t hash = seed ^ len * 0x9e3779b97f4a7c15u;
	uint64_t eight = 0;
	if (len < sizeof(eight)) {
		for (size_t i = 0; i < len; i++)
			eight = eight << 8 | at[i];
		hash = hash_mix(hash, eight, seed);
		len = 0;
	}
	for (; len > sizeof(eight); at += sizeof(eight), len -= sizeof(eight)) {
		memcpy(&eight, at, sizeof(eight));
		hash = hash_mix(hash, eight, seed);
	}
	if (len > 0) {
		/* The last eight: some of them a second time. */
		memcpy(&eight, at + len - sizeof(eight), sizeof(eight));
		hash = hash_mix(hash, eight, seed);
	}
	hash ^= hash >> 32;
	hash *= 0x9e3779b97f4a7c15u;
	return (uint32_t)(hash >> 32);
}

#endif

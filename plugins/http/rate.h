/*
 * How often somebody may ask: a bucket for each name, filled at a steady rate, empty after twice
 * that many at once. At most RATE_MAX names: the one that has been quiet longest makes room.
 */
#ifndef LYC_HTTP_RATE_H
#define LYC_HTTP_RATE_H

#include <stdbool.h>
#include <stdint.h>

#include <uthash.h>

#define RATE_MAX 4096
#define RATE_NAME_LEN 64

struct rate_bucket {
	char name[RATE_NAME_LEN];
	/* Thousandths of a request that are left. */
	uint64_t left;
	uint64_t at_ms;
	UT_hash_handle by_name;
};

struct rate {
	uint32_t per_second;
	/* The first is the one that has been quiet longest. */
	struct rate_bucket *buckets;
};

/* Takes one; false when there is none. A longer name counts by its beginning. */
bool rate_take(struct rate *rate, const char *name, uint64_t now_ms);
void rate_fini(struct rate *rate);

#endif

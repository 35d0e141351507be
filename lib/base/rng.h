/* A small seeded random source: jitter, routing. Not for keys. Source: xorshift128+ seeded by
 * splitmix64 (Vigna). */
#ifndef LYC_BASE_RNG_H
#define LYC_BASE_RNG_H

#include <stdint.h>

struct rng {
	uint64_t state[2];
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* From 0 to bound - 1; bound above 0. */
uint64_t rng_below(struct rng *rng, uint64_t bound);

#endif

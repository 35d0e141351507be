/* A small seeded random source. */
#include "base/rng.h"

void rng_init(struct rng *rng, uint64_t seed)
{
	for (int i = 0; i < 2; i++) {
		seed += 0x9e3779b97f4a7c15u;
		uint64_t mixed = seed;
		mixed = (mixed ^ mixed >> 30) * 0xbf58476d1ce4e5b9u;
		mixed = (mixed ^ mixed >> 27) * 0x94d049bb133111ebu;
		rng->state[i] = mixed ^ mixed >> 31;
	}
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t first = rng->state[0];
	uint64_t second = rng->state[1];
	rng->state[0] = second;
	first ^= first << 23;
	rng->state[1] = first ^ second ^ first >> 17 ^ second >> 26;
	return rng->state[1] + second;
}

uint64_t rng_below(struct rng *rng, uint64_t bound)
{
	return rng_next(rng) % bound;
}

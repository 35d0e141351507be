/* Drawn from a seed. */
#include "matching/batch.h"

#include <stdio.h>
#include <string.h>

#include "base/rng.h"

static void make_parties(struct matching_party *parties, char (*tokens)[12], uint32_t count,
			 uint32_t capacity, struct rng *rng)
{
	for (uint32_t i = 0; i < count; i++) {
		snprintf(tokens[i], sizeof(tokens[i]), "t%07u", (unsigned)i);
		parties[i] = (struct matching_party){.token = tokens[i],
						     .capacity = capacity,
						     .served = (uint32_t)rng_below(rng, 5)};
	}
}

static void make_edges(struct batch *batch, struct rng *rng)
{
	size_t count = 0;

	memset(batch->refused, 1, sizeof(batch->refused));
	for (uint32_t venture = 0; venture < BATCH_VENTURES; venture++) {
		uint16_t *row = batch->refused + (size_t)venture * BATCH_INVESTORS;
		for (uint32_t i = 0; i < BATCH_DEGREE;) {
			uint32_t investor = (uint32_t)rng_below(rng, BATCH_INVESTORS);
			i += row[investor] != 0;
			row[investor] = 0;
		}
		for (uint32_t investor = 0; investor < BATCH_INVESTORS; investor++) {
			if (row[investor] == 0)
				batch->edges[count++] = (struct matching_edge){
					.venture = venture,
					.investor = investor,
					.venture_points = (int64_t)rng_below(rng, 1001),
					.investor_points = (int64_t)rng_below(rng, 1001)};
		}
	}
}

struct batch *batch_make(void)
{
	static struct batch it;
	struct batch *batch = &it;
	struct rng rng;

	rng_init(&rng, 7);
	make_parties(batch->ventures, batch->venture_tokens, BATCH_VENTURES, 3, &rng);
	/* A fifth less room than the ventures want. */
	make_parties(batch->investors, batch->investor_tokens, BATCH_INVESTORS, 24, &rng);
	make_edges(batch, &rng);
	batch->problem = (struct matching_problem){.ventures = batch->ventures,
						   .venture_count = BATCH_VENTURES,
						   .investors = batch->investors,
						   .investor_count = BATCH_INVESTORS,
						   .edges = batch->edges,
						   .edge_count = BATCH_EDGES};
	return batch;
}

/*
 * Random batches for tests, and what a stable outcome is, written down a second time as plainly as
 * can be: loops over everything, nothing shared with matching.c or certificate.c.
 */
#ifndef INVESTMENT_TEST_BATCH_H
#define INVESTMENT_TEST_BATCH_H

#include "base/rng.h"
#include "certificate.h"
#include "matching.h"

#define BATCH_MAX_PARTIES 256
#define BATCH_MAX_EDGES 8192

struct batch {
	char tokens[2][BATCH_MAX_PARTIES][16];
	struct matching_party parties[2][BATCH_MAX_PARTIES];
	struct matching_edge edges[BATCH_MAX_EDGES];
	struct matching_problem problem;
	bool is_matched[BATCH_MAX_EDGES];
	uint16_t refused[BATCH_MAX_PARTIES * BATCH_MAX_PARTIES];
};

struct batch_shape {
	uint32_t venture_count;
	uint32_t investor_count;
	/* A pair has an edge in so many of 100 cases. */
	uint32_t edge_percent;
	/* Capacities from 0 to this. */
	uint32_t max_capacity;
	/* Points from 0 to this: few of them make ties. */
	uint32_t max_points;
};

void batch_random(struct batch *batch, struct rng *rng, const struct batch_shape *shape);
/* The parties, all with that capacity, and no edges. */
void batch_init(struct batch *batch, uint32_t venture_count, uint32_t investor_count,
		uint32_t capacity);
void batch_add(struct batch *batch, uint32_t venture, uint32_t investor, int64_t venture_points,
	       int64_t investor_points);
/* Does the venture (or else the investor) of edge `one` prefer it to edge `other` of its own? */
bool batch_prefers(const struct batch *batch, bool is_venture, size_t one, size_t other);
/* Nobody has more than it has room for, and no two who are not matched would both rather be. */
bool batch_is_stable(const struct batch *batch, const bool *is_matched);

#endif

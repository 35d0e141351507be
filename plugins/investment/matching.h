/*
 * Who is introduced to whom, when everybody has room for a few only: many-to-many deferred
 * acceptance, the ventures proposing. The outcome is stable (no two who were not matched would both
 * rather be), and of all stable outcomes the one that is best for every venture. Each side orders
 * the other by points, equal points by who was served least, then by token: the order is strict,
 * so the outcome is one, however the edges came. Sorting apart, the work is one step an edge.
 */
#ifndef INVESTMENT_MATCHING_H
#define INVESTMENT_MATCHING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

struct matching_party {
	/* Unlike all others of its side. */
	const char *token;
	/* Introductions that it has room for in this batch. */
	uint32_t capacity;
	/* Introductions that it has had already. */
	uint32_t served;
};

/* A pair that may be introduced: two indexes, and what each of the two makes of the other. */
struct matching_edge {
	uint32_t venture;
	uint32_t investor;
	int64_t venture_points;
	int64_t investor_points;
};

/* All borrowed. Parties ascend by token (strcmp), edges by venture and investor. */
struct matching_problem {
	const struct matching_party *ventures;
	size_t venture_count;
	const struct matching_party *investors;
	size_t investor_count;
	const struct matching_edge *edges;
	size_t edge_count;
};

/* Parties and edges a batch may have; indexes stay within 32 bits. */
#define MATCHING_MAX (UINT32_C(1) << 30)

/* ret_matched has a place for each edge. LYC_INVALID_ARGUMENT when parties or edges do not ascend,
 * are there twice, or an index leads nowhere; LYC_RESOURCE_EXHAUSTED beyond MATCHING_MAX or without
 * memory. */
LYC_MUST_USE enum lyc_status matching_solve(const struct matching_problem *problem,
					    bool *ret_matched);

#endif

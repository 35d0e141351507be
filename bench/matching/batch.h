/* A batch of introductions to solve: 10,000 ventures, 1,000 investors, 50 edges a venture. */
#ifndef LYC_BENCH_BATCH_H
#define LYC_BENCH_BATCH_H

#include <stdbool.h>
#include <stdint.h>

#include "matching.h"

#define BATCH_VENTURES 10000
#define BATCH_INVESTORS 1000
#define BATCH_DEGREE 50
#define BATCH_EDGES (BATCH_VENTURES * BATCH_DEGREE)

struct batch {
	char venture_tokens[BATCH_VENTURES][12];
	char investor_tokens[BATCH_INVESTORS][12];
	struct matching_party ventures[BATCH_VENTURES];
	struct matching_party investors[BATCH_INVESTORS];
	struct matching_edge edges[BATCH_EDGES];
	uint16_t refused[(size_t)BATCH_VENTURES * BATCH_INVESTORS];
	struct matching_problem problem;
};

/* The same from every call; a static one. */
struct batch *batch_make(void);
/* The textbook's deferred acceptance: each side's list sorted, ranks in a full table, the worst
 * held found by looking at all that are held. ret_matched has a place for each edge. */
void batch_solve_by_book(const struct batch *batch, bool *ret_matched);

#endif

/* The rows of a contest: as a table for people, and as JSON for programs. */
#ifndef LYC_BENCH_TABLE_H
#define LYC_BENCH_TABLE_H

#include <stdbool.h>
#include <stddef.h>

#include "kit/contest.h"

struct row {
	const struct contestant *who;
	const struct workload *work;
	/* The row that this one is compared with; NULL: none. */
	const struct row *reference;
	unsigned count;
	struct measure rounds[CONTEST_MAX_ROUNDS];
	uint64_t lost;
	/* Of the last round that failed, or why there was none. */
	char fault[300];
};

/* All rows of one workload. A ratio is always to the reference: 2.00 is twice its value, be that a
 * rate or a cost; the head says which is better. */
void table_print(const struct row *rows, size_t count);
bool table_write(const char *path, const struct contest *contest, const struct row *rows,
		 size_t count);

#endif

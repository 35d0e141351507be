/* What a bench of calls has found: a table for people, a file for programs. */
#ifndef LYC_BENCH_REPORT_H
#define LYC_BENCH_REPORT_H

#include <stdbool.h>

#include "calls/peer.h"

#define REPORT_MAX_ROUNDS 100

/* One peer with one window. */
struct row {
	const struct peer *peer;
	size_t window;
	bool is_pinned;
	struct result results[REPORT_MAX_ROUNDS];
	unsigned count;
	uint64_t lost;
	char fault[200];
};

/* Rows of one window; the first is what the others are compared with. */
void report_table(const struct row *rows, size_t count, size_t body_len);
/* All rows, with date, machine and versions. False when the file cannot be written. */
bool report_json(const char *path, const struct row *rows, size_t count,
		 const struct setting *setting, const char *nats_version);

#endif

/* What is replayed: records with the numbers 0, 1, 2 ..., counted and checked as they come back. */
#ifndef LYC_BENCH_TAPE_H
#define LYC_BENCH_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/contest.h"

#define TAPE_SUBJECTS 64

struct tape {
	uint64_t count;
	size_t len;
	/* Of writing. */
	uint64_t written;
	/* Of reading. */
	uint64_t read;
	uint64_t wrong;
	uint64_t from_ns;
	struct cpu cpu_from;
};

void tape_init(struct tape *tape, const struct workload *work);
/* The next one to write; false when all are. */
bool tape_next(struct tape *tape, const uint8_t **ret_body, const char **ret_subject);
void tape_begin(struct tape *tape, const struct contestant *contestant);
/* One that has come back. */
void tape_read(struct tape *tape, const uint8_t *body, size_t len);
bool tape_is_read(const struct tape *tape);
/* Records a second, and how many are missing or wrong. */
void tape_end(struct tape *tape, const struct contestant *contestant, struct measure *ret_measure);

#endif

/* A writer under load: batches of all sizes, small segments, removals, compactions, values. */
#ifndef LYC_TEST_LOAD_H
#define LYC_TEST_LOAD_H

#include <stdbool.h>
#include <stdint.h>

#define LOAD_SEGMENT_LEN 16384u

struct load_options {
	const char *folder;
	uint64_t seed;
	uint64_t steps; /* 0: until killed */
	bool without_sync;
	/* Told each line that the oracle understands, at the moment it becomes true. */
	void (*note)(const char *line);
};

/* 0 when every step was done; the sentence has gone to stderr otherwise. */
int load_run(const struct load_options *options);

#endif

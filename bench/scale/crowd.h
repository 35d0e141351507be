/* Thousands of connected peers who do nothing, spread over processes. */
#ifndef LYC_BENCH_CROWD_H
#define LYC_BENCH_CROWD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "kit/contest.h"

#define CROWD_PROCESSES 8

struct crowd {
	pid_t pids[CROWD_PROCESSES];
	unsigned processes;
	/* Shared by all: how many are connected. */
	void *board;
	/* As last seen. */
	size_t there;
};

/* What one peer is. */
struct crowd_parts {
	size_t size;
	/* Into `size` bytes of zeros. */
	bool (*connect)(const struct contestant *self, void *peer);
	/* From time to time: signs of life. NULL: none are wanted. */
	void (*tick)(void *peer, uint64_t now_ns);
	/* When the crowd leaves. NULL: its connections just end. */
	void (*leave)(void *peer);
};

/* Returns when all are connected; false when they are not within two minutes, when nobody came for
 * twenty seconds, or when one was not let in. */
bool crowd_gather(struct crowd *crowd, const struct contestant *self,
		  const struct crowd_parts *parts, size_t count);
void crowd_leave(struct crowd *crowd);

#endif

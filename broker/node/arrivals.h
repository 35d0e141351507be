/*
 * How many of the bytes that a peer has sent are in the log: it may send as many again. Said step
 * by step while copies keep coming, so that a peer that has much to send does not stand still until
 * the last of a window is synced.
 */
#ifndef LYC_NODE_ARRIVALS_H
#define LYC_NODE_ARRIVALS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define ARRIVALS_STEP (1024u * 1024)
#define ARRIVALS_MAX_STEPS 16

/* Zeroed: nothing has come. */
struct arrivals {
	uint64_t queued; /* copies that were given to the log, ever */
	uint64_t answered;
	uint64_t len; /* that came since the last step */
	uint64_t stored_len;
	/* What came until so many had been given to the log. */
	struct arrivals_step {
		uint64_t queued;
		uint64_t len;
	} steps[ARRIVALS_MAX_STEPS];
	size_t step_count;
};

/* A record came; is_queued: it is on its way to the log, and arrivals_answered will follow. */
void arrivals_add(struct arrivals *arrivals, size_t len, bool is_queued);
void arrivals_answered(struct arrivals *arrivals);
/* Has so much been stored that the peer should hear of it before all is? */
bool arrivals_are_many(const struct arrivals *arrivals);
/* What was stored, or needed no storing, since it was last taken. */
uint64_t arrivals_take(struct arrivals *arrivals);
/* The peer counts anew; what is on its way to the log stays so. */
void arrivals_begin(struct arrivals *arrivals);

#endif

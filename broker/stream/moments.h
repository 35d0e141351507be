/*
 * When records came, coarsely: one in a thousand is remembered with the latest time of any record
 * up to it, which never decreases, whatever clocks other daemons have. So the place of a time is
 * found without reading the log.
 */
#ifndef LYC_STREAM_MOMENTS_H
#define LYC_STREAM_MOMENTS_H

#include <stddef.h>
#include <stdint.h>

#define MOMENTS_APART 1000

struct moment {
	uint64_t seq;
	uint64_t time_ms; /* the latest of the records up to seq */
};

struct moments {
	struct moment *items;
	size_t count;
	uint64_t latest_ms;
};

/* A zeroed one is empty. Records are noted in order. */
void moments_note(struct moments *moments, uint64_t seq, uint64_t time_ms);
/* As it was written down; one that is near the former only says the latest time. */
void moments_restore(struct moments *moments, uint64_t seq, uint64_t time_ms);
/* No record before this sequence is of `time_ms` or later, and the first that is lies at most about
 * MOMENTS_APART behind; last_seq + 1 when there is none. */
uint64_t moments_find(const struct moments *moments, uint64_t time_ms, uint64_t last_seq);
void moments_fini(struct moments *moments);

#endif

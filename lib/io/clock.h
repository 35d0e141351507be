/* The two clocks: one that never goes back, for deadlines, and the time of day, for records. */
#ifndef LYC_IO_CLOCK_H
#define LYC_IO_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline uint64_t clock_read_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Since some moment in the past; never decreases. Any thread. */
static inline uint64_t mono_ms(void)
{
	return clock_read_ms(CLOCK_MONOTONIC);
}

/* Since 1970, UTC; may jump. Any thread. */
static inline uint64_t wall_ms(void)
{
	return clock_read_ms(CLOCK_REALTIME);
}

#endif

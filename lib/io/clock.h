/*
 * The two clocks: one that never goes back, for deadlines, and the time of day, for records. A
 * thread of a test or of the simulator may have clocks of its own.
 */
#ifndef LYC_IO_CLOCK_H
#define LYC_IO_CLOCK_H

#include <stdint.h>
#include <time.h>

struct clock {
	uint64_t (*mono_ms)(void *arg);
	uint64_t (*wall_ms)(void *arg);
	void *arg;
};

/* From here on mono_ms and wall_ms of the calling thread ask these. Keeps the pointer; NULL: the
 * machine's again. */
void clock_use(const struct clock *clock);

/* clock_use's, for the functions below. */
extern _Thread_local const struct clock *clock_here;

static inline uint64_t clock_read_ms(clockid_t id)
{
	struct timespec now;
	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Since some moment in the past; never decreases. Any thread. */
static inline uint64_t mono_ms(void)
{
	if (clock_here)
		return clock_here->mono_ms(clock_here->arg);
	return clock_read_ms(CLOCK_MONOTONIC);
}

/* Since 1970, UTC; may jump. Any thread. */
static inline uint64_t wall_ms(void)
{
	if (clock_here)
		return clock_here->wall_ms(clock_here->arg);
	return clock_read_ms(CLOCK_REALTIME);
}

#endif

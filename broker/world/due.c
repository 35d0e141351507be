/* CLOCK_MONOTONIC; conditions that wait for it have to be made for that clock. */
#include "world/due.h"

struct timespec due_in(uint64_t ms)
{
	struct timespec due;
	clock_gettime(CLOCK_MONOTONIC, &due);
	due.tv_sec += (time_t)(ms / 1000);
	due.tv_nsec += (long)(ms % 1000) * 1000000;
	if (due.tv_nsec >= 1000000000) {
		due.tv_nsec -= 1000000000;
		due.tv_sec++;
	}
	return due;
}

bool due_is_before(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec != b->tv_sec ? a->tv_sec < b->tv_sec : a->tv_nsec < b->tv_nsec;
}

bool due_has_come(const struct timespec *due)
{
	struct timespec now = due_in(0);
	return !due_is_before(&now, due);
}

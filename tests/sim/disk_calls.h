/* Where the calls of disk_calls.c get the time of day and random bytes from. */
#ifndef LYC_TESTS_SIM_DISK_CALLS_H
#define LYC_TESTS_SIM_DISK_CALLS_H

#include <stdint.h>

struct disk_calls {
	void *arg;
	uint64_t (*wall_ms)(void *arg);
	uint64_t (*random)(void *arg);
};

/* NULL: the system's. Borrowed until the next. */
void disk_calls_set(const struct disk_calls *calls);

#endif

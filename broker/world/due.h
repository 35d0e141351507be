/*
 * When something is to be done, on the clock that nobody sets: what a thread that sleeps on a
 * condition waits for.
 */
#ifndef LYC_WORLD_DUE_H
#define LYC_WORLD_DUE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

/* So long from now. */
struct timespec due_in(uint64_t ms);
bool due_has_come(const struct timespec *due);
bool due_is_before(const struct timespec *a, const struct timespec *b);

#endif

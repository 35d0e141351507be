/*
 * Counts what a thread allocates: malloc, calloc and realloc of the whole process, libraries
 * included, over glibc's own. Each thread has a count of its own.
 */
#ifndef LYC_TESTS_MEMORY_COUNTED_MEMORY_H
#define LYC_TESTS_MEMORY_COUNTED_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* Allocations of this thread so far. */
size_t counted_memory(void);
/* While it is off nothing is counted: for what a test does between two measured steps. */
void counted_memory_set(bool is_on);

#endif

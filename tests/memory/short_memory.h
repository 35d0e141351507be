/*
 * Memory that runs out where a test says: malloc and its relatives of this program, replaced. Only
 * allocations that this program, jansson, libyaml or protobuf-c ask for on the armed thread count:
 * libzmq ends the process when there is no memory, whatever one does.
 */
#ifndef LYC_TESTS_SHORT_MEMORY_H
#define LYC_TESTS_SHORT_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

/* From now on the `nth` allocation (from 0) of this thread gives NULL, and with is_for_good all
 * after it. */
void short_memory_arm(size_t nth, bool is_for_good);
/* Returns whether one has failed. */
bool short_memory_disarm(void);
/* Blocks that were allocated while armed, on this thread, and not freed since. */
long short_memory_blocks(void);

#endif

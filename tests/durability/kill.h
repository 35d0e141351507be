/* A writer that is killed at random moments, again and again, on one folder. */
#ifndef LYC_TEST_KILL_H
#define LYC_TEST_KILL_H

#include <stdint.h>

#include "oracle.h"

/* After each kill the log is opened and compared. */
void kill_run(uint64_t seed, uint64_t kill_count, struct verdict *ret_verdict);

#endif

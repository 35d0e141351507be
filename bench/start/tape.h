/* A log of millions of records for a daemon to start with: those of a hub, nine of ten of them from
 * nodes. */
#ifndef LYC_BENCH_START_TAPE_H
#define LYC_BENCH_START_TAPE_H

#include <stdbool.h>
#include <stdint.h>

#include <lyceum/status.h>

/* Of this daemon's name, in its folder for the log; a hundredth as many subjects, each of them in
 * nearly every segment, which is the worst case. Not synced record by record. */
enum lyc_status start_tape_write(const char *name, const char *folder, uint64_t records,
				 struct lyc_error *error);
/* Out of the page cache, so that the next start reads the disk. */
void start_tape_forget(const char *folder);

#endif

/*
 * A program that is run to its end for the sake of what it says: one of its outputs is collected,
 * the other goes where ours goes. Blocks; a program that takes too long is killed.
 */
#ifndef LYC_IO_PROGRAM_H
#define LYC_IO_PROGRAM_H

#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct program {
	const char *path;
	/* As its main gets them: its name first, NULL at the end. */
	char *const *words;
	/* Which output is collected: STDOUT_FILENO or STDERR_FILENO. */
	int fd;
	/* What comes beyond is read and dropped. */
	size_t max_len;
	uint32_t timeout_ms;
};

/* What it said is appended to `to`, also when that was not all. ret_code: its exit code, -1 when a
 * signal ended it. UNAVAILABLE: it cannot be started. DEADLINE_EXCEEDED: it was killed. */
LYC_MUST_USE enum lyc_status program_run(const struct program *program, struct buf *to,
					 int *ret_code, struct lyc_error *error);

#endif

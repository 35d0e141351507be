/* Spans of time for people: "4 s", "3 min", "2 h", "5 d", and the same read from a command line. */
#ifndef LYC_TOOLS_AGE_H
#define LYC_TOOLS_AGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

/* Append "380 ms", "4 s", "3 min", "2 h 10 min", "5 d 3 h". */
void age_write(struct buf *to, uint64_t ms);
/* Append "now" or "4 s ago". */
void age_write_ago(struct buf *to, uint64_t ms);
/* Read "500ms", "5s", "5", "2m", "2min", "1h", "3d"; a number without a unit counts seconds. False
 * when it is none of these or too large. */
bool age_read(const char *text, uint64_t *ret_ms);
/* Append a moment as "2026-03-01 14:05:09" in UTC. */
void age_write_moment(struct buf *to, uint64_t unix_ms);

#endif

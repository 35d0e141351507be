/*
 * A DEALER on a bare line: ZMTP 3.0 without keys, as far as a peer of a Lyceum daemon needs it. For
 * thousands of peers in one process, where a ZeroMQ context for each would be what is measured.
 */
#ifndef LYC_BENCH_ZMTP_H
#define LYC_BENCH_ZMTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/line.h"

typedef void (*zmtp_frame_fn)(struct line *line, const uint8_t *frame, size_t len, void *arg);

/* To "tcp://127.0.0.1:PORT"; returns when the other side is ready. `size`: memory each way. */
bool zmtp_open(struct line *line, const char *endpoint, size_t size);
/* One message of one frame. */
void zmtp_put(struct line *line, const void *frame, size_t len);
/* Read once, hand over all that is complete, send what that brought. False when the connection has
 * ended. */
bool zmtp_turn(struct line *line, zmtp_frame_fn on_frame, void *arg);

#endif

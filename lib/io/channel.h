/*
 * Frames over one end of a pair of connected Unix sockets: how a daemon and its plugins' processes
 * and threads reach each other. A frame is its length, 4 bytes little endian, and its bytes.
 * Nothing waits: what the system does not take stays here, at most one frame. No loop; one thread.
 */
#ifndef LYC_IO_CHANNEL_H
#define LYC_IO_CHANNEL_H

#include <stdbool.h>
#include <stddef.h>

#include <lyceum/status.h>

#include "base/buf.h"

/* Longer frames are a fault of the other side, which is then lost. */
#define CHANNEL_MAX_FRAME (4u * 1024 * 1024)

struct channel;

/* Both ends of a new pair: neither blocks, neither outlives an exec. The caller's to close. */
LYC_MUST_USE enum lyc_status channel_pair(int ret_fds[2], struct lyc_error *error);

/* Takes the descriptor, also in a failure; NULL: no memory. */
struct channel *channel_new(int fd);
/* Accepts NULL. What has not left is dropped. */
void channel_free(struct channel *channel);
int channel_fd(const struct channel *channel);

/* Borrows the frame; false: the one before has not left yet, or the other side is gone. */
LYC_MUST_USE bool channel_send(struct channel *channel, struct span frame);
/* Go on with what has not left; true when nothing is left. */
bool channel_flush(struct channel *channel);
/* Sending goes on when the descriptor is writable. */
bool channel_is_full(const struct channel *channel);

/* Read once, as much as there is room for; true: there is something that was read. */
bool channel_read(struct channel *channel);
/* The next whole frame of what was read; false: there is none. Valid until the next read. */
bool channel_next(struct channel *channel, struct span *ret_frame);
/* Is there a whole frame of what was read? */
bool channel_has_next(const struct channel *channel);
/* The other side has closed its end, or sent what is no frame; what was read before that is still
 * handed over. */
bool channel_is_lost(const struct channel *channel);
/* Hear nothing more: what comes cannot be taken. */
void channel_lose(struct channel *channel);

#endif

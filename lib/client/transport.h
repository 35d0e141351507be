/*
 * What a client may run over instead of a ZeroMQ socket: a plugin over the channel to its daemon
 * (channel_transport.h); tests and the simulator carry its frames themselves and decide when it
 * goes on. Everything is called on the client's thread.
 */
#ifndef LYC_CLIENT_TRANSPORT_H
#define LYC_CLIENT_TRANSPORT_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/buf.h"

struct transport {
	/* A connection begins: nothing of an earlier one comes any more. */
	bool (*open)(void *arg);
	void (*close)(void *arg);
	/* Borrows the frame; false: it is full. */
	bool (*send)(void *arg, struct span frame);
	/* The next frame, the caller's then; false: there is none. */
	bool (*receive)(void *arg, struct buf *ret_frame);
	/* The connection has ended. */
	bool (*is_lost)(void *arg);
	/* Until there is a frame that is_reading wants, room again, the connection has ended,
	 * wait_fd is readable, or timeout_ms (-1: no limit) have passed on the thread's clock.
	 * False: wait_fd is not readable. */
	bool (*wait)(void *arg, bool is_reading, int wait_fd, int timeout_ms);
	void *arg;
};

#endif

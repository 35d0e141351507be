/*
 * One ZeroMQ socket, or another transport, to one daemon: opening and closing it, frames in,
 * packets out, waiting. Packets gather in `out` and leave in frames, when the owner flushes. It
 * knows nothing of sessions: what was sent on a socket that is gone is gone. One thread.
 */
#ifndef LYC_CLIENT_CONNECTION_H
#define LYC_CLIENT_CONNECTION_H

#include <stdbool.h>
#include <stdint.h>

#include <zmq.h>

#include "base/buf.h"
#include "client/peer.h"
#include "client/transport.h"

/* What leaves as one frame: less than WIRE_FRAME_MOST, so that it does when the daemon has added a
 * principal to each call. */
#define CONNECTION_FRAME_MOST (96 * 1024)
/* More unsent bytes than this, and nothing more is received or started. */
#define CONNECTION_MAX_UNSENT (16u * 1024 * 1024)

struct connection {
	/* NULL: ZeroMQ. */
	const struct transport *transport;
	void *zmq_ctx;
	char *endpoint;
	char *server_key;
	char *public_key;
	char *secret_key;

	void *socket;
	void *monitor;
	uint32_t opened_count;

	/* The transport has been opened. */
	bool is_open;

	/* Packets not sent yet start at out_sent. */
	struct buf out;
	size_t out_sent;

	/* An epoll descriptor that stays the same over reconnects, with a timer in it for those who
	 * watch it from a loop of their own. */
	int wait_fd;
	int timer_fd;
	bool is_watched;
	uint64_t timer_ms;

	/* Somebody else's descriptor, and that it has been readable. */
	int also_fd;
	bool is_woken;
	uint64_t also_looked_ms;

	/* One more, looked at again and again: waiting ends when it is readable, and is_stirred
	 * then until connection_rearm. */
	int stir_fd;
	bool is_stirred;
};

/* What the transport noticed. */
enum connection_event {
	CONNECTION_QUIET,
	CONNECTION_LOST,
	/* Our key is not known there. */
	CONNECTION_REFUSED,
	/* The handshake failed: other keys, other mechanism, or no ZeroMQ at all. */
	CONNECTION_MISMATCH,
};

LYC_MUST_USE enum lyc_status connection_new(const struct connection_options *options,
					    struct connection **ret_connection,
					    struct lyc_error *error);
/* Accepts NULL. With a context of its own this waits until what was sent has left, for up to a
 * second. */
void connection_free(struct connection *connection);
/* Open the socket and begin to connect. */
LYC_MUST_USE enum lyc_status connection_open(struct connection *connection,
					     struct lyc_error *error);
/* Close the socket and drop what is unsent; what ZeroMQ holds gets linger_ms. */
void connection_close(struct connection *connection, int linger_ms);
/* Send what there is room for, cut into frames of about frame_len where it is much more than that.
 * True when something left. */
bool connection_flush(struct connection *connection, size_t frame_len);
static inline size_t connection_unsent(const struct connection *connection)
{
	return connection->out.len - connection->out_sent;
}
/* The next frame; false when there is none. The caller closes ret_msg. A message of several parts
 * is thrown away: has_parts then, and nothing is returned. */
bool connection_receive(struct connection *connection, zmq_msg_t *ret_msg, bool *ret_has_parts);
/* The next thing that the transport noticed. */
enum connection_event connection_watch(struct connection *connection);
/* Until something may have come or there may be room again, at most timeout_ms (-1: no limit). */
void connection_wait(struct connection *connection, int timeout_ms);
/* Let waiting end when this descriptor becomes readable, too, once: is_woken then. */
LYC_MUST_USE bool connection_wait_also(struct connection *connection, int fd);
/* Let waiting end whenever this one becomes readable, from each connection_rearm on. */
LYC_MUST_USE bool connection_stir_on(struct connection *connection, int fd);
void connection_rearm(struct connection *connection);
/* Has it been? Looks for itself now and then: who never has to wait is not woken. */
bool connection_is_woken(struct connection *connection, uint64_t now_ms);
/* For who watches wait_fd: make it readable at due_ms of the monotonic clock. */
void connection_arm(struct connection *connection, uint64_t due_ms);

#endif

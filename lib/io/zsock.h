/*
 * One ZeroMQ socket on a libuv loop. Frames come by callback, a bounded number each turn; sends
 * never wait. It hides that libzmq's descriptor is edge-triggered: no message is left lying,
 * whatever was sent in between. Everything runs on the loop's thread. What the bytes mean, queues
 * per peer and credit are the owner's.
 */
#ifndef LYC_IO_ZSOCK_H
#define LYC_IO_ZSOCK_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>
#include <zmq.h>

#include <lyceum/status.h>

#include "base/buf.h"

/* Frames handed over in one turn of the loop before others get theirs, and what has been answered
 * leaves; of long ones fewer. */
#define ZSOCK_TURN_FRAMES 256
#define ZSOCK_TURN_LEN (64u * 1024)

struct zsock;

/* One frame. routing_id is empty but on a ROUTER; user_id is the name of the key that ZAP let in,
 * "" without; fd is the connection's descriptor for zsock_cut, -1 where there is none. All of it
 * valid until return. */
typedef void (*zsock_frame_fn)(struct zsock *zsock, struct span routing_id, const char *user_id,
			       int fd, struct span frame, void *arg);
/* Just before the loop blocks, and before a long frame is handed over: flush what was coalesced. */
typedef void (*zsock_turn_fn)(struct zsock *zsock, void *arg);

/* How far a connecting socket has come; each failure stays until a newer one. */
enum zsock_stage {
	ZSOCK_TRYING = 0,
	ZSOCK_CONNECTED, /* the transport; what the peer thinks of the keys is not known yet */
	ZSOCK_UNREACHED, /* nobody answers at the address; ZeroMQ tries again */
	ZSOCK_MISMATCH,  /* the handshake failed: the peer has another key than server_key */
	ZSOCK_REFUSED,   /* the peer does not know this key */
};

struct zsock_options {
	/* ZMQ_ROUTER, ZMQ_DEALER or ZMQ_PAIR. */
	int type;
	/* "tcp://127.0.0.1:0", "ipc:///run/lyceum/peer.sock", "inproc://name". */
	const char *endpoint;
	bool bind;

	/* NULL: ZAP is not asked without CURVE. */
	const char *zap_domain;
	/* 40 characters of Z85 each; secret_key NULL: plain. A server needs its secret key only, a
	 * client all three. */
	const char *public_key;
	const char *secret_key;
	const char *server_key;
	bool is_server;

	/* Bytes of one frame; 0 or less: 2 MiB. */
	int64_t max_msg;
	/* Frames of one connection that ZeroMQ holds each way; 0: 128. Who sends more has to wait,
	 * of who does not read more is refused. */
	uint32_t max_in;
	uint32_t max_out;
	/* Of the transport, below the application's own; 0: none. */
	uint32_t heartbeat_ms;
	/* For zsock_was_lost and zsock_stage. */
	bool watch_loss;

	zsock_frame_fn on_frame;
	/* May be NULL. */
	zsock_turn_fn on_turn;
	void *arg;
};

/* Bind or connect, and start reading. A bind that fails says why in one sentence: ALREADY_EXISTS
 * when the address is in use, NOT_FOUND when an ipc path's folder does not exist. A stale ipc
 * socket file is removed, a live one never. ret_zsock is the caller's: zsock_close. */
LYC_MUST_USE enum lyc_status zsock_open(uv_loop_t *loop, void *zmq_ctx,
					const struct zsock_options *options,
					struct zsock **ret_zsock, struct lyc_error *error);
/* Send one frame without waiting; routing_id is for a ROUTER. On LYC_OK the memory of `frame` is
 * taken and it is left empty. Otherwise it is untouched: UNAVAILABLE when the peer is gone,
 * RESOURCE_EXHAUSTED when its pipe is full – on_turn then runs again within a few milliseconds,
 * so that trying again from there never stalls. */
LYC_MUST_USE enum lyc_status zsock_send(struct zsock *zsock, struct span routing_id,
					struct buf *frame);
/* The address as bound, with the real port. Valid until closed. */
const char *zsock_endpoint(const struct zsock *zsock);
/* Has the connection of a socket with watch_loss ended since this was asked last? A DEALER does not
 * say so otherwise. */
bool zsock_was_lost(struct zsock *zsock);
/* How far has the first connection of a socket with watch_loss come, or why did it fail? */
enum zsock_stage zsock_stage(struct zsock *zsock);
/* Messages of more than one frame that were thrown away, their peers cut. */
uint64_t zsock_malformed(const struct zsock *zsock);
/* Stop, then close; no more callbacks but on_closed (may be NULL), once, from the loop. Accepts
 * NULL and a second time (which does nothing). May be called within a callback. */
void zsock_close(struct zsock *zsock, void (*on_closed)(void *arg), void *arg);
/* End one connection: only within on_frame, with the fd that came. The peer may reconnect, under
 * a new routing id. */
void zsock_cut(int fd);

#endif

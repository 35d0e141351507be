/*
 * A daemon that does what a test tells it: a script runs in a thread of its own on real sockets,
 * expects packets and sends some. Every wait has a deadline; what went wrong is told by
 * fake_daemon_stop, in the test's thread.
 */
#ifndef LYC_TESTS_CLIENT_FAKE_DAEMON_H
#define LYC_TESTS_CLIENT_FAKE_DAEMON_H

#include <pthread.h>
#include <stdatomic.h>

#include <zmq.h>

#include "client/channel_transport.h"
#include "client/peer.h"
#include "wire/packet.h"

#define FAKE_WAIT_MS 5000

enum fake_way {
	FAKE_ROUTER,  /* ZeroMQ, at `endpoint` */
	FAKE_CHANNEL, /* a client has the other end as `transport` */
};

struct fake_daemon;
typedef void (*fake_script_fn)(struct fake_daemon *daemon, void *arg);

struct fake_daemon {
	char endpoint[80];
	enum fake_way way;
	void *zmq_ctx;
	void *socket;
	struct channel *channel;
	struct channel *client_channel;
	struct transport transport;
	/* NULL: no CURVE. */
	const char *secret_key;
	pthread_t thread;
	bool is_running;
	fake_script_fn script;
	void *arg;
	char failure[200];

	/* The connection that spoke last, and its frame. */
	uint8_t routing_id[64];
	size_t routing_id_len;
	struct buf frame;
	struct frame_reader reader;
	struct packet packet;
	unsigned frame_count;
	struct buf out;

	struct packet_welcome welcome;
};

/* Bound, or connected, when this returns. */
void fake_daemon_start(struct fake_daemon *daemon, enum fake_way way, fake_script_fn script,
		       void *arg);
/* The same in two steps, for what must be set in between; and waiting for the script alone. */
void fake_daemon_prepare(struct fake_daemon *daemon, enum fake_way way, fake_script_fn script,
			 void *arg);
void fake_daemon_run(struct fake_daemon *daemon);
void fake_daemon_join(struct fake_daemon *daemon);
/* Wait for the script's end; fails the test if the script failed. */
void fake_daemon_stop(struct fake_daemon *daemon);

/* A client of it; fails the test when there is none. */
struct lyc_client *fake_open(struct fake_daemon *daemon);
/* Run the client until *count has come to `wanted`. */
void fake_run_until(struct lyc_client *client, const int *count, int wanted);

/* ---- In the script ---- */

/* The next packet that is not a Ping or Pong; the script ends when it is of another kind or does
 * not come. Valid until the next. */
const struct packet *fake_expect(struct fake_daemon *daemon, enum packet_kind kind);
/* The same, taking whatever kind. */
const struct packet *fake_next(struct fake_daemon *daemon, bool with_pings);
/* One packet as one frame to who spoke last. */
void fake_send(struct fake_daemon *daemon, const struct packet *packet);
/* Gather packets into one frame, then send it. */
void fake_put(struct fake_daemon *daemon, const struct packet *packet);
void fake_flush(struct fake_daemon *daemon);
/* Hello and Welcome, with daemon->welcome. */
void fake_greet(struct fake_daemon *daemon);
void fake_reply(struct fake_daemon *daemon, uint64_t id, uint32_t status, const char *body,
		bool more);
/* Die: a channel's other end notices. */
void fake_end(struct fake_daemon *daemon);
/* Die and come back at the same address; not over a channel. */
void fake_restart(struct fake_daemon *daemon);
_Noreturn void fake_fail(struct fake_daemon *daemon, const char *format, ...) LYC_PRINTF(2, 3);
#define fake_check(daemon, condition)                                                              \
	do {                                                                                       \
		if (!(condition))                                                                  \
			fake_fail(daemon, "line %d: %s", __LINE__, #condition);                    \
	} while (0)

#endif

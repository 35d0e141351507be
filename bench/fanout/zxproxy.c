/* zmq_proxy with XSUB and XPUB: a PUB publisher, SUB subscribers. A message is its subject and its
 * body. Patterns of ZeroMQ are prefixes: it has none of the wildcards. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "fanout/fan.h"
#include "fanout/fanout.h"
#include "kit/process.h"
#include "topic/reading.h"

#define HWM 200000
#define WAIT_MS 5000

static void *open_socket(void *ctx, int type)
{
	int hwm = HWM;
	int linger = 0;
	int wait_ms = 100;
	void *socket = zmq_socket(ctx, type);
	zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	if (type == ZMQ_SUB)
		zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
	return socket;
}

/* Endpoints for publishers and for subscribers go to the parent. */
static void proxy(int to)
{
	void *ctx = zmq_ctx_new();
	void *in = open_socket(ctx, ZMQ_XSUB);
	void *out = open_socket(ctx, ZMQ_XPUB);
	char endpoints[2][128];
	size_t len = sizeof(endpoints[0]);
	if (zmq_bind(in, "tcp://127.0.0.1:*") != 0 || zmq_bind(out, "tcp://127.0.0.1:*") != 0)
		return;
	zmq_getsockopt(in, ZMQ_LAST_ENDPOINT, endpoints[0], &len);
	len = sizeof(endpoints[1]);
	zmq_getsockopt(out, ZMQ_LAST_ENDPOINT, endpoints[1], &len);
	if (write(to, endpoints, sizeof(endpoints)) != sizeof(endpoints))
		return;
	zmq_proxy(in, out, NULL);
}

/* endpoint: for publishers; server_key has no use here, and holds none. */
bool zxproxy_start(struct contestant *self, const struct setting *setting)
{
	int ends[2];
	char endpoints[2][128];
	(void)setting;
	if (pipe(ends) != 0)
		return false;
	self->broker = process_fork();
	if (self->broker == 0) {
		proxy(ends[1]);
		_exit(1);
	}
	bool is_up = contest_hear(ends[0], endpoints, sizeof(endpoints), WAIT_MS);
	close(ends[0]);
	close(ends[1]);
	if (is_up)
		snprintf(self->endpoint, sizeof(self->endpoint), "%s %s", endpoints[0],
			 endpoints[1]);
	return is_up;
}

/* ---- subscribers ---- */

/* The publisher's first messages have empty bodies: they only find out who listens. */
static void receive(void *socket, struct fan *fan, unsigned index)
{
	char subject[100];
	uint8_t body[READING_MAX_LEN];
	bool is_ready = false;
	while (!atomic_load_explicit(&fan->stop, memory_order_relaxed)) {
		if (zmq_recv(socket, subject, sizeof(subject), 0) < 0)
			continue;
		int len = zmq_recv(socket, body, sizeof(body), 0);
		if (len > 0)
			fan_received(fan, index, body, (size_t)len);
		else if (!is_ready)
			fan_is_ready(fan);
		is_ready = true;
	}
}

/* Asks again and again until a message comes through. */
static void probe(const char *endpoint, const struct fan *fan, unsigned count)
{
	void *ctx = zmq_ctx_new();
	void *socket = open_socket(ctx, ZMQ_PUB);
	struct timespec pause = {.tv_nsec = 10000000};
	zmq_connect(socket, endpoint);
	while (atomic_load(&fan->ready) < count && !atomic_load(&fan->stop)) {
		zmq_send(socket, READING_TYPE, strlen(READING_TYPE), ZMQ_SNDMORE);
		zmq_send(socket, "", 0, 0);
		nanosleep(&pause, NULL);
	}
	zmq_close(socket);
	zmq_ctx_term(ctx);
}

static void subscribe(const struct contestant *self, struct fan *fan, unsigned first,
		      unsigned count, const struct workload *work)
{
	void *ctx = zmq_ctx_new();
	void *socket = open_socket(ctx, ZMQ_SUB);
	(void)count;
	zmq_setsockopt(socket, ZMQ_SUBSCRIBE, READING_TYPE, strlen(READING_TYPE));
	if (zmq_connect(socket, strchr(self->endpoint, ' ') + 1) != 0)
		return;
	/* One of them also asks for all. */
	if (first == 0 && process_fork() == 0) {
		char endpoint[128];
		snprintf(endpoint, sizeof(endpoint), "%.*s", (int)strcspn(self->endpoint, " "),
			 self->endpoint);
		probe(endpoint, fan, (unsigned)work->count);
		_exit(0);
	}
	receive(socket, fan, first);
}

/* ---- the publisher ---- */

struct publisher {
	void *ctx;
	void *socket;
};

static void *open_publisher(const struct contestant *self, struct measure *measure)
{
	char endpoint[128];
	struct publisher *publisher = malloc(sizeof(*publisher));
	/* Subscriptions reach it after it has connected: it needs a moment that ZeroMQ does not
	 * tell. */
	struct timespec pause = {.tv_nsec = 200000000};
	snprintf(endpoint, sizeof(endpoint), "%.*s", (int)strcspn(self->endpoint, " "),
		 self->endpoint);
	publisher->ctx = zmq_ctx_new();
	publisher->socket = open_socket(publisher->ctx, ZMQ_PUB);
	if (zmq_connect(publisher->socket, endpoint) != 0) {
		contest_fail(measure, "no connection to the proxy");
		return NULL;
	}
	nanosleep(&pause, NULL);
	return publisher;
}

static bool put(void *arg, const char *subject, const uint8_t *body, size_t len)
{
	struct publisher *publisher = arg;
	return zmq_send(publisher->socket, subject, strlen(subject), ZMQ_SNDMORE) >= 0 &&
	       zmq_send(publisher->socket, body, len, 0) >= 0;
}

static bool flush(void *arg)
{
	(void)arg;
	return true;
}

static void close_publisher(void *arg)
{
	struct publisher *publisher = arg;
	zmq_close(publisher->socket);
	zmq_ctx_term(publisher->ctx);
	free(publisher);
}

void zxproxy_round(const struct contestant *self, const struct setting *setting,
		   const struct workload *work, struct measure *ret_measure)
{
	static const struct fan_parts parts = {subscribe, open_publisher,  put,
					       flush,     close_publisher, '.'};
	fan_round(self, setting, work, &parts, ret_measure);
}

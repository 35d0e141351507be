/*
 * zmq_proxy at its best: a ROUTER/DEALER proxy, a DEALER worker that sends back what came, and a
 * DEALER client, each in a process of its own. One frame is one body: nothing is typed, checked or
 * authorised here.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "calls/calls.h"
#include "calls/load.h"
#include "kit/process.h"

#define HWM 200000
#define WAIT_MS 5000

static void *open_socket(void *ctx, int type)
{
	int hwm = HWM;
	int linger = 0;
	void *socket = zmq_socket(ctx, type);
	zmq_setsockopt(socket, ZMQ_SNDHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(socket, ZMQ_RCVHWM, &hwm, sizeof(hwm));
	zmq_setsockopt(socket, ZMQ_LINGER, &linger, sizeof(linger));
	return socket;
}

/* Both addresses go to the parent. */
static void proxy(const char *transport, const char *folder, int to)
{
	void *ctx = zmq_ctx_new();
	void *front = open_socket(ctx, ZMQ_ROUTER);
	void *back = open_socket(ctx, ZMQ_DEALER);
	char endpoints[2][128];
	size_t len = sizeof(endpoints[0]);
	bool is_ipc = strcmp(transport, "ipc") == 0;
	for (int i = 0; i < 2; i++) {
		snprintf(endpoints[i], sizeof(endpoints[i]), "tcp://127.0.0.1:*");
		if (is_ipc)
			snprintf(endpoints[i], sizeof(endpoints[i]), "ipc://%.100s/zproxy-%d.sock",
				 folder, i);
	}
	if (zmq_bind(front, endpoints[0]) != 0 || zmq_bind(back, endpoints[1]) != 0)
		return;
	zmq_getsockopt(front, ZMQ_LAST_ENDPOINT, endpoints[0], &len);
	len = sizeof(endpoints[1]);
	zmq_getsockopt(back, ZMQ_LAST_ENDPOINT, endpoints[1], &len);
	if (write(to, endpoints, sizeof(endpoints)) != sizeof(endpoints))
		return;
	zmq_proxy(front, back, NULL);
}

static void echo(const char *endpoint)
{
	void *ctx = zmq_ctx_new();
	void *socket = open_socket(ctx, ZMQ_DEALER);
	zmq_connect(socket, endpoint);
	zmq_msg_t client;
	zmq_msg_t body;
	zmq_msg_init(&client);
	zmq_msg_init(&body);
	while (zmq_msg_recv(&client, socket, 0) >= 0 && zmq_msg_recv(&body, socket, 0) >= 0) {
		if (zmq_msg_send(&client, socket, ZMQ_SNDMORE) < 0 ||
		    zmq_msg_send(&body, socket, 0) < 0)
			return;
	}
}

bool zproxy_start(struct contestant *self, const struct setting *setting)
{
	int ends[2];
	char endpoints[2][128];
	if (pipe(ends) != 0)
		return false;
	self->broker = process_fork();
	if (self->broker == 0) {
		proxy(self->kind, setting->folder, ends[1]);
		_exit(1);
	}
	bool is_up = contest_hear(ends[0], endpoints, sizeof(endpoints), WAIT_MS);
	close(ends[0]);
	close(ends[1]);
	if (!is_up)
		return false;
	snprintf(self->endpoint, sizeof(self->endpoint), "%s", endpoints[0]);
	self->others[0] = process_fork();
	if (self->others[0] == 0) {
		echo(endpoints[1]);
		_exit(1);
	}
	return true;
}

void zproxy_round(const struct contestant *self, const struct setting *setting,
		  const struct workload *work, struct measure *ret_measure)
{
	static struct load load;
	uint8_t body[LOAD_MAX_BODY];
	int wait_ms = 100;
	void *ctx = zmq_ctx_new();
	void *socket = open_socket(ctx, ZMQ_DEALER);
	load_init(&load, self, work, ret_measure);
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
	if (zmq_connect(socket, self->endpoint) != 0) {
		contest_fail(ret_measure, "%s", zmq_strerror(zmq_errno()));
		return;
	}
	load_begin(&load, setting);
	for (size_t slot = 0; slot < load.window; slot++) {
		load_sent(&load, slot);
		zmq_send(socket, load_body(&load, slot), load.body_len, 0);
	}
	/* load_is_over reads the clock: look once for each that is missing at the end only. */
	while (!load.measured_until_ns || !load_is_over(&load)) {
		int len = zmq_recv(socket, body, sizeof(body), 0);
		if (len < 0) {
			if (load_is_over(&load))
				break;
			continue;
		}
		size_t slot = load_slot_of(&load, body, (size_t)len);
		if (load_received(&load, slot, body, (size_t)len))
			zmq_send(socket, load_body(&load, slot), load.body_len, 0);
		else if (ret_measure->fault[0])
			break;
	}
	load_end(&load);
	zmq_close(socket);
	zmq_ctx_term(ctx);
}

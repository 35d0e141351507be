/*
 * Two clients knock at one CURVE server at once. What the server's monitor says of a handshake
 * that failed, and the one message that arrives, decide.
 */
#include "io/zap_probe.h"

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "base/error.h"
#include "io/clock.h"

/* Milliseconds are enough; a machine with ten times as much to do as it can must not be taken for
 * one whose keys are not checked. */
#define DEADLINE_MS 10000
#define WAIT_MS 50

struct probe {
	void *server;
	void *monitor;
	void *known;
	void *unknown;
	bool known_got_in;
	bool unknown_got_in;
	bool unknown_was_refused;
};

static void *open_socket(void *ctx, int type)
{
	void *socket = zmq_socket(ctx, type);
	int zero = 0;
	if (socket)
		zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero));
	return socket;
}

static void *open_client(void *ctx, const char *endpoint, const struct keypair *server,
			 const struct keypair *keys)
{
	void *socket = open_socket(ctx, ZMQ_DEALER);
	if (!socket)
		return NULL;
	zmq_setsockopt(socket, ZMQ_CURVE_SERVERKEY, server->public_key, 41);
	zmq_setsockopt(socket, ZMQ_CURVE_PUBLICKEY, keys->public_key, 41);
	zmq_setsockopt(socket, ZMQ_CURVE_SECRETKEY, keys->secret_key, 41);
	/* Queued until the handshake is done. */
	if (zmq_connect(socket, endpoint) == 0 && zmq_send(socket, "?", 1, ZMQ_DONTWAIT) == 1)
		return socket;
	zmq_close(socket);
	return NULL;
}

static bool open_server(struct probe *probe, void *ctx, const char *endpoint, const char *monitor,
			const struct keypair *keys)
{
	static const char domain[] = "lyceum-probe";
	int one = 1;
	probe->server = open_socket(ctx, ZMQ_ROUTER);
	probe->monitor = open_socket(ctx, ZMQ_PAIR);
	if (!probe->server || !probe->monitor)
		return false;
	zmq_setsockopt(probe->server, ZMQ_CURVE_SERVER, &one, sizeof(one));
	zmq_setsockopt(probe->server, ZMQ_CURVE_SECRETKEY, keys->secret_key, 41);
	zmq_setsockopt(probe->server, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
	return zmq_socket_monitor(probe->server, monitor, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH) == 0 &&
	       zmq_connect(probe->monitor, monitor) == 0 && zmq_bind(probe->server, endpoint) == 0;
}

static void read_message(struct probe *probe, const char *name)
{
	zmq_msg_t msg;
	zmq_msg_init(&msg);
	while (zmq_msg_recv(&msg, probe->server, ZMQ_DONTWAIT) >= 0) {
		if (zmq_msg_more(&msg))
			continue;
		const char *user_id = zmq_msg_gets(&msg, "User-Id");
		if (user_id && strcmp(user_id, name) == 0 && !probe->known_got_in)
			probe->known_got_in = true;
		else
			probe->unknown_got_in = true;
	}
	zmq_msg_close(&msg);
}

static void read_monitor(struct probe *probe)
{
	uint8_t event[6];
	char address[256];
	while (zmq_recv(probe->monitor, event, sizeof(event), ZMQ_DONTWAIT) >= 0) {
		zmq_recv(probe->monitor, address, sizeof(address), ZMQ_DONTWAIT);
		uint16_t kind;
		memcpy(&kind, event, sizeof(kind));
		if (kind == ZMQ_EVENT_HANDSHAKE_FAILED_AUTH)
			probe->unknown_was_refused = true;
	}
}

static void wait_for_both(struct probe *probe, const char *name)
{
	uint64_t deadline = mono_ms() + DEADLINE_MS;
	zmq_pollitem_t items[2] = {
		{.socket = probe->server, .events = ZMQ_POLLIN},
		{.socket = probe->monitor, .events = ZMQ_POLLIN},
	};
	while (mono_ms() < deadline && !probe->unknown_got_in &&
	       !(probe->known_got_in && probe->unknown_was_refused)) {
		if (zmq_poll(items, 2, WAIT_MS) < 0 && zmq_errno() != EINTR)
			return;
		read_message(probe, name);
		read_monitor(probe);
	}
}

static enum lyc_status judge(const struct probe *probe, struct lyc_error *error)
{
	if (probe->unknown_got_in)
		return error_set(
			error, LYC_INTERNAL,
			"The self-test of the key check failed: an unknown key was let in.");
	if (!probe->unknown_was_refused || !probe->known_got_in)
		return error_set(
			error, LYC_INTERNAL,
			"The self-test of the key check failed: within %d ms a known key was "
			"%s and an unknown one %s.",
			DEADLINE_MS, probe->known_got_in ? "let in" : "not let in",
			probe->unknown_was_refused ? "refused" : "not refused");
	return LYC_OK;
}

enum lyc_status zap_probe(void *zmq_ctx, const struct keypair *known, const char *name,
			  struct lyc_error *error)
{
	struct probe probe = {0};
	struct keypair server, unknown;
	char endpoint[64], monitor[64];
	enum lyc_status status = keyfile_make(&server, error);
	if (status == LYC_OK)
		status = keyfile_make(&unknown, error);
	if (status != LYC_OK)
		return status;
	snprintf(endpoint, sizeof(endpoint), "ipc://@lyceum-zap-%ld-%p", (long)getpid(), zmq_ctx);
	snprintf(monitor, sizeof(monitor), "inproc://lyceum-zap-monitor");
	if (open_server(&probe, zmq_ctx, endpoint, monitor, &server)) {
		probe.unknown = open_client(zmq_ctx, endpoint, &server, &unknown);
		probe.known = open_client(zmq_ctx, endpoint, &server, known);
	}
	if (!probe.known || !probe.unknown) {
		status = error_set(error, LYC_INTERNAL,
				   "The self-test of the key check cannot run: %s.",
				   zmq_strerror(zmq_errno()));
		goto out;
	}
	wait_for_both(&probe, name);
	status = judge(&probe, error);
out:
	if (probe.server)
		zmq_socket_monitor(probe.server, NULL, 0);
	void *sockets[] = {probe.known, probe.unknown, probe.server, probe.monitor};
	for (size_t i = 0; i < sizeof(sockets) / sizeof(sockets[0]); i++) {
		if (sockets[i])
			zmq_close(sockets[i]);
	}
	return status;
}

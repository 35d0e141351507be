/* Sockets: listeners, the connection to the hub, and the pipes of plugins in threads. Every frame
 * goes to the daemon's dispatcher. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <zmq.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "log.h"
#include "world/parts.h"

#define LOG_TOPIC "lyceumd"
/* Frames that ZeroMQ holds of a connection each way, beside limits.memory: as config.proto says. */
#define MAX_IN 16
#define MAX_OUT 32

static void on_frame(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
		     struct span frame, void *arg)
{
	struct port *port = arg;
	(void)zsock;
	daemon_frame(&port->world->daemon, port->number, routing_id,
		     port->identity ? port->identity : user_id, fd, frame);
}

/* It has woken the loop, which is all: each turn of it ends with on_turn. */
static void wake(uv_timer_t *handle)
{
	(void)handle;
}

static void on_turn(struct zsock *zsock, void *arg)
{
	struct port *port = arg;
	struct world *world = port->world;
	(void)zsock;
	if (world->log_threads)
		log_threads_flush(world->log_threads);
	daemon_turn(&world->daemon);
	if (session_table_holds(&world->daemon.sessions) &&
	    !uv_is_active((uv_handle_t *)&world->held))
		uv_timer_start(&world->held, wake, 1, 0);
}

struct port *port_new(struct world *world, const char *identity)
{
	struct port **ports = realloc(world->ports, (world->port_count + 1) * sizeof(*ports));
	ensure(ports != NULL);
	world->ports = ports;
	struct port *port = mem_new(struct port);
	port->world = world;
	port->identity = mem_dup(identity);
	port->number = ++world->port_count;
	ports[port->number - 1] = port;
	return port;
}

void port_close(struct port *port)
{
	if (!port || !port->zsock)
		return;
	zsock_close(port->zsock, NULL, NULL);
	port->zsock = NULL;
}

enum lyc_status port_listen(struct world *world, const char *endpoint, enum way_in way_in,
			    struct lyc_error *error)
{
	static const char *const domains[] = {[WAY_CURVE] = NETWORK_DOMAIN,
					      [WAY_PLAIN] = PLAIN_DOMAIN,
					      [WAY_SECRETS] = ZAP_SECRETS_DOMAIN};
	struct port *port = port_new(world, NULL);
	if (way_in != WAY_SECRETS)
		port->configured = mem_dup(endpoint);
	port->is_plain = way_in == WAY_PLAIN;
	struct zsock_options options = {
		.type = ZMQ_ROUTER,
		.endpoint = endpoint,
		.bind = true,
		.zap_domain = domains[way_in],
		.secret_key = way_in == WAY_CURVE ? world->keys.secret_key : NULL,
		.is_server = true,
		.takes_secrets = way_in == WAY_SECRETS,
		.max_in = way_in == WAY_SECRETS ? 0 : MAX_IN,
		.max_out = way_in == WAY_SECRETS ? 0 : MAX_OUT,
		.max_msg = WIRE_MAX_PACKET + WIRE_FRAME_LEN,
		.on_frame = on_frame,
		.on_turn = on_turn,
		.arg = port,
	};
	enum lyc_status status =
		zsock_open(&world->loop, world->zmq, &options, &port->zsock, error);
	if (status == LYC_OK)
		log_notice("listening", "endpoint", zsock_endpoint(port->zsock));
	return status;
}

enum lyc_status port_bind_pipe(struct port *port, const char *endpoint, struct lyc_error *error)
{
	struct world *world = port->world;
	struct zsock_options options = {.type = ZMQ_PAIR,
					.endpoint = endpoint,
					.bind = true,
					.max_msg = WIRE_MAX_PACKET + WIRE_FRAME_LEN,
					.on_frame = on_frame,
					.on_turn = on_turn,
					.arg = port};
	return zsock_open(&world->loop, world->zmq, &options, &port->zsock, error);
}

enum lyc_status port_open_uplink(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Uplink *uplink = world->config->uplink;
	world->uplink.world = world;
	world->uplink.number = PORT_UPLINK;
	if (world->uplink.zsock)
		return LYC_OK;
	struct zsock_options options = {
		.type = ZMQ_DEALER,
		.endpoint = uplink->endpoint,
		.public_key = world->keys.public_key,
		.secret_key = world->keys.secret_key,
		.server_key = uplink->server_key,
		.watch_loss = true,
		.max_msg = WIRE_MAX_PACKET + WIRE_FRAME_LEN,
		.on_frame = on_frame,
		.on_turn = on_turn,
		.arg = &world->uplink,
	};
	return zsock_open(&world->loop, world->zmq, &options, &world->uplink.zsock, error);
}

bool port_uplink_failed(struct world *world, char *ret_text, size_t size)
{
	const char *endpoint = world->config->uplink->endpoint;
	enum zsock_stage stage =
		world->uplink.zsock ? zsock_stage(world->uplink.zsock) : ZSOCK_TRYING;
	switch (stage) {
	case ZSOCK_TRYING:
	case ZSOCK_UNREACHED:
	default:
		snprintf(ret_text, size, "no daemon answers at %s", endpoint);
		break;
	case ZSOCK_CONNECTED:
		snprintf(ret_text, size, "what listens at %s does not answer as a hub does",
			 endpoint);
		break;
	case ZSOCK_MISMATCH:
		snprintf(ret_text, size,
			 "the handshake failed: the hub has another key than server_key, or none");
		break;
	case ZSOCK_REFUSED:
		snprintf(
			ret_text, size,
			"the hub does not know this node's key: it has to be under the hub's keys");
		break;
	}
	return stage >= ZSOCK_UNREACHED;
}

/* A disk that is full keeps no daemon from starting whose endpoints are as before. */
static bool holds(const char *path, const struct buf *content)
{
	FILE *file = fopen(path, "re");
	size_t at = 0;
	int byte;
	if (!file)
		return false;
	while ((byte = getc(file)) != EOF && at < content->len && byte == content->data[at])
		at++;
	fclose(file);
	return byte == EOF && at == content->len;
}

/* As a whole: who looks finds the old one or the new one. */
static enum lyc_status replace(const char *path, const struct buf *content, struct lyc_error *error)
{
	char temp[470];
	snprintf(temp, sizeof(temp), "%s~", path);
	FILE *file = fopen(temp, "we");
	bool is_written = file && fwrite(content->data, 1, content->len, file) == content->len;
	if (file && fclose(file) != 0)
		is_written = false;
	if (is_written && rename(temp, path) == 0)
		return LYC_OK;
	int code = errno;
	remove(temp);
	return error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", path, strerror(code));
}

enum lyc_status ports_write_endpoints(struct world *world, struct lyc_error *error)
{
	char path[460];
	struct buf content = {0};
	enum lyc_status status = LYC_OK;
	snprintf(path, sizeof(path), "%s/endpoints", world->data);
	for (uint32_t i = 0; i < world->port_count; i++) {
		struct port *port = world->ports[i];
		if (port->zsock && !port->identity)
			buf_add_format(&content, "%s\n", zsock_endpoint(port->zsock));
	}
	if (!holds(path, &content))
		status = replace(path, &content, error);
	buf_fini(&content);
	return status;
}

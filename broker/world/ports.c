/* Sockets: listeners, the connection to the hub, and the channels to plugins. Every frame goes to
 * the daemon's dispatcher. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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
	daemon_frame(&port->world->daemon, port->number, routing_id, user_id, fd, frame);
}

static void on_plugin_frame(struct span frame, void *arg)
{
	struct port *port = arg;
	daemon_frame(&port->world->daemon, port->number, (struct span){0}, port->identity, -1,
		     frame);
}

/* It has woken the loop, which is all: each turn of it ends with on_turn. */
static void wake(uv_timer_t *handle)
{
	(void)handle;
}

static void on_channel_turn(void *arg)
{
	struct port *port = arg;
	struct world *world = port->world;
	if (world->log_threads)
		log_threads_flush(world->log_threads);
	daemon_turn(&world->daemon);
	if ((session_table_holds(&world->daemon.sessions) ||
	     pace_is_holding(&world->daemon.pace)) &&
	    !uv_is_active((uv_handle_t *)&world->held))
		uv_timer_start(&world->held, wake, 1, 0);
}

static void on_turn(struct zsock *zsock, void *arg)
{
	(void)zsock;
	on_channel_turn(arg);
}

static struct port *port_new(struct world *world, const char *identity)
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

/* A plugin's next instance gets the port of the last one. */
static struct port *port_of(struct world *world, const char *identity)
{
	for (uint32_t i = 0; i < world->port_count; i++) {
		struct port *port = world->ports[i];
		if (!port->channel && port->identity && strcmp(port->identity, identity) == 0)
			return port;
	}
	return port_new(world, identity);
}

void port_close(struct port *port)
{
	if (!port)
		return;
	zsock_close(port->zsock, NULL, NULL);
	channel_watch_close(port->channel);
	port->zsock = NULL;
	port->channel = NULL;
}

enum lyc_status port_listen(struct world *world, const char *endpoint, enum way_in way_in,
			    struct lyc_error *error)
{
	static const char *const domains[] = {
		[WAY_CURVE] = NETWORK_DOMAIN, [WAY_PLAIN] = PLAIN_DOMAIN};
	struct port *port = port_new(world, NULL);
	port->configured = mem_dup(endpoint);
	port->is_plain = way_in == WAY_PLAIN;
	struct zsock_options options = {
		.type = ZMQ_ROUTER,
		.endpoint = endpoint,
		.bind = true,
		.zap_domain = domains[way_in],
		.secret_key = way_in == WAY_CURVE ? world->keys.secret_key : NULL,
		.is_server = true,
		.max_in = MAX_IN,
		.max_out = MAX_OUT,
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

enum lyc_status port_open_channel(struct world *world, const char *identity, struct port **ret_port,
				  int *ret_plugin_fd, struct lyc_error *error)
{
	int ends[2];
	enum lyc_status status = channel_pair(ends, error);
	if (status != LYC_OK)
		return status;
	struct port *port = port_of(world, identity);
	const struct channel_watch_options options = {
		.on_frame = on_plugin_frame, .on_turn = on_channel_turn, .arg = port};
	status = channel_watch_open(&world->loop, ends[0], &options, &port->channel, error);
	if (status != LYC_OK) {
		close(ends[1]);
		return status;
	}
	*ret_port = port;
	*ret_plugin_fd = ends[1];
	return LYC_OK;
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

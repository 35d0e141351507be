/*
 * The socket under a client. A monitor tells at once when a connection ends. Reconnecting within
 * one socket is ZeroMQ's business, until a session existed on it: then the owner closes it, so that
 * no packet of an old session reaches a new one.
 */
#include "client/connection.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "io/message_order.h"

#define RECONNECT_MS 100
#define RECONNECT_MAX_MS 10000
#define HANDSHAKE_MS 5000
#define QUEUE_FRAMES 64
/* How often a busy connection looks at somebody else's descriptor. */
#define LOOK_MS 20

static bool copy_text(const char *text, char **ret_copy)
{
	if (!text)
		return true;
	*ret_copy = mem_dup_try(text, strlen(text));
	return *ret_copy != NULL;
}

static enum lyc_status check_options(const struct connection_options *options,
				     struct lyc_error *error)
{
	if (options->transport)
		return LYC_OK;
	if (!options->endpoint || !options->endpoint[0])
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a client needs an endpoint, like \"ipc:///run/lyceum.sock\"");
	const char *const keys[] = {options->server_key, options->public_key, options->secret_key};
	static const char *const names[] = {"server_key", "public_key", "secret_key"};
	int given = 0;
	for (int i = 0; i < 3; i++) {
		given += keys[i] != NULL;
		if (keys[i] && strlen(keys[i]) != 40)
			return error_set_field(error, LYC_INVALID_ARGUMENT, names[i],
					       "%s must have 40 characters of Z85", names[i]);
	}
	if (given != 0 && given != 3)
		return error_set(
			error, LYC_INVALID_ARGUMENT,
			"server_key, public_key and secret_key come together or not at all");
	return LYC_OK;
}

static bool add_to_wait(struct connection *connection, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
	return epoll_ctl(connection->wait_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

bool connection_wait_also(struct connection *connection, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
	if (epoll_ctl(connection->wait_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return false;
	connection->also_fd = fd;
	return true;
}

bool connection_stir_on(struct connection *connection, int fd)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT, .data.fd = fd};
	if (epoll_ctl(connection->wait_fd, EPOLL_CTL_ADD, fd, &event) != 0)
		return false;
	connection->stir_fd = fd;
	return true;
}

void connection_rearm(struct connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLONESHOT,
				    .data.fd = connection->stir_fd};
	if (!connection->is_stirred)
		return;
	connection->is_stirred = false;
	epoll_ctl(connection->wait_fd, EPOLL_CTL_MOD, connection->stir_fd, &event);
}

enum lyc_status connection_new(const struct connection_options *options,
			       struct connection **ret_connection, struct lyc_error *error)
{
	enum lyc_status status = check_options(options, error);
	if (status)
		return status;
	struct connection *connection = mem_try(sizeof(*connection));
	if (!connection)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a connection");
	connection->transport = options->transport;
	connection->also_fd = -1;
	connection->stir_fd = -1;
	connection->wait_fd = epoll_create1(EPOLL_CLOEXEC);
	connection->timer_fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (!connection->transport)
		connection->zmq_ctx = zmq_ctx_new();
	if (!copy_text(options->endpoint, &connection->endpoint) ||
	    !copy_text(options->server_key, &connection->server_key) ||
	    !copy_text(options->public_key, &connection->public_key) ||
	    !copy_text(options->secret_key, &connection->secret_key) ||
	    (!connection->zmq_ctx && !connection->transport) || connection->wait_fd < 0 ||
	    connection->timer_fd < 0 || !add_to_wait(connection, connection->timer_fd)) {
		status = error_set(error, LYC_RESOURCE_EXHAUSTED,
				   "no memory or no descriptors for a connection: %s",
				   strerror(errno));
		connection_free(connection);
		return status;
	}
	*ret_connection = connection;
	return LYC_OK;
}

void connection_free(struct connection *connection)
{
	if (!connection)
		return;
	connection_close(connection, 0);
	while (connection->zmq_ctx && zmq_ctx_term(connection->zmq_ctx) != 0 && errno == EINTR)
		continue;
	if (connection->wait_fd >= 0)
		close(connection->wait_fd);
	if (connection->timer_fd >= 0)
		close(connection->timer_fd);
	buf_fini(&connection->out);
	free(connection->endpoint);
	free(connection->server_key);
	free(connection->public_key);
	free(connection->secret_key);
	free(connection);
}

static bool set_int(void *socket, int option, int value)
{
	return zmq_setsockopt(socket, option, &value, sizeof(value)) == 0;
}

static bool set_options(struct connection *connection)
{
	void *socket = connection->socket;
	int64_t max_msg = WIRE_MAX_PACKET + 1024;
	return set_int(socket, ZMQ_LINGER, 1000) && set_int(socket, ZMQ_IMMEDIATE, 1) &&
	       set_int(socket, ZMQ_SNDHWM, QUEUE_FRAMES) &&
	       set_int(socket, ZMQ_RCVHWM, QUEUE_FRAMES) &&
	       zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_msg, sizeof(max_msg)) == 0 &&
	       set_int(socket, ZMQ_RECONNECT_IVL, RECONNECT_MS) &&
	       set_int(socket, ZMQ_RECONNECT_IVL_MAX, RECONNECT_MAX_MS) &&
	       set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS) &&
	       /* No ZMQ_HEARTBEAT_IVL: the session has its own, and libzmq aborts the process when
		  that timer fires at a connection that has ended while this side is not reading. */
	       set_int(socket, ZMQ_IPV6, 1);
}

static bool set_keys(struct connection *connection)
{
	const char *public_key = connection->public_key;
	const char *secret_key = connection->secret_key;
	if (!secret_key)
		return true;
	/* With their final NUL: then they are read as Z85. */
	return zmq_setsockopt(connection->socket, ZMQ_CURVE_SERVERKEY, connection->server_key,
			      41) == 0 &&
	       zmq_setsockopt(connection->socket, ZMQ_CURVE_PUBLICKEY, public_key, 41) == 0 &&
	       zmq_setsockopt(connection->socket, ZMQ_CURVE_SECRETKEY, secret_key, 41) == 0;
}

static bool watch_socket(struct connection *connection, void *socket)
{
	int fd;
	size_t len = sizeof(fd);
	return zmq_getsockopt(socket, ZMQ_FD, &fd, &len) == 0 && add_to_wait(connection, fd);
}

bool connection_is_woken(struct connection *connection, uint64_t now_ms)
{
	if (connection->is_woken || connection->also_fd < 0 ||
	    now_ms < connection->also_looked_ms + LOOK_MS)
		return connection->is_woken;
	struct pollfd item = {.fd = connection->also_fd, .events = POLLIN};
	connection->also_looked_ms = now_ms;
	connection->is_woken = poll(&item, 1, 0) > 0;
	return connection->is_woken;
}

static void unwatch_socket(struct connection *connection, void *socket)
{
	int fd;
	size_t len = sizeof(fd);
	if (zmq_getsockopt(socket, ZMQ_FD, &fd, &len) == 0)
		epoll_ctl(connection->wait_fd, EPOLL_CTL_DEL, fd, NULL);
}

static bool open_monitor(struct connection *connection)
{
	char address[64];
	snprintf(address, sizeof(address), "inproc://lyceum-monitor-%p-%u", (void *)connection,
		 connection->opened_count);
	int events = ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL |
		     ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
	if (zmq_socket_monitor(connection->socket, address, events) != 0)
		return false;
	connection->monitor = zmq_socket(connection->zmq_ctx, ZMQ_PAIR);
	return connection->monitor && set_int(connection->monitor, ZMQ_LINGER, 0) &&
	       zmq_connect(connection->monitor, address) == 0 &&
	       watch_socket(connection, connection->monitor);
}

enum lyc_status connection_open(struct connection *connection, struct lyc_error *error)
{
	connection_close(connection, 0);
	connection->opened_count++;
	const struct transport *transport = connection->transport;
	if (transport) {
		connection->is_open = transport->open(transport->arg);
		return connection->is_open
			       ? LYC_OK
			       : error_set(error, LYC_UNAVAILABLE, "no daemon is there");
	}
	connection->socket = zmq_socket(connection->zmq_ctx, ZMQ_DEALER);
	if (!connection->socket || !set_options(connection) ||
	    !watch_socket(connection, connection->socket) || !open_monitor(connection)) {
		error_set(error, LYC_RESOURCE_EXHAUSTED, "cannot open a socket: %s",
			  zmq_strerror(zmq_errno()));
		goto failed;
	}
	if (!set_keys(connection)) {
		error_set(error, LYC_INVALID_ARGUMENT,
			  "one of server_key, public_key and secret_key is not a Z85 key");
		goto failed;
	}
	if (zmq_connect(connection->socket, connection->endpoint) != 0) {
		error_set(error, LYC_INVALID_ARGUMENT, "cannot connect to %s: %s",
			  connection->endpoint, zmq_strerror(zmq_errno()));
		goto failed;
	}
	return LYC_OK;
failed:
	connection_close(connection, 0);
	return error ? error->status : LYC_UNAVAILABLE;
}

static void close_transport(struct connection *connection)
{
	if (connection->is_open)
		connection->transport->close(connection->transport->arg);
	connection->is_open = false;
}

void connection_close(struct connection *connection, int linger_ms)
{
	close_transport(connection);
	if (connection->monitor) {
		unwatch_socket(connection, connection->monitor);
		zmq_socket_monitor(connection->socket, NULL, 0);
		zmq_close(connection->monitor);
		connection->monitor = NULL;
	}
	if (connection->socket) {
		unwatch_socket(connection, connection->socket);
		set_int(connection->socket, ZMQ_LINGER, linger_ms);
		zmq_close(connection->socket);
		connection->socket = NULL;
	}
	buf_clear(&connection->out);
	connection->out_sent = 0;
}

/* All that is unsent, or of much more than a frame's length as many packets as come to that: a rest
 * of a few is not worth a frame of its own. What is large goes alone. */
static size_t next_frame_len(const struct connection *connection, size_t wanted_len)
{
	size_t unsent = connection_unsent(connection);
	if (unsent <= CONNECTION_FRAME_MOST && unsent <= wanted_len + wanted_len / 2)
		return unsent;
	struct pb_reader in =
		pb_reader_of(span_of(connection->out.data + connection->out_sent, unsent));
	const uint8_t *start = in.at;
	size_t frame_len = 0;
	uint64_t len;
	while (frame_len < wanted_len && in.at != in.end && pb_read_varint(&in, &len)) {
		if (frame_len > 0 && len > WIRE_FRAME_LEN / 2)
			break;
		in.at += len;
		frame_len = (size_t)(in.at - start);
	}
	return frame_len;
}

/* The socket is full: keep what has left from piling up in front. */
static void drop_sent(struct connection *connection)
{
	struct buf *out = &connection->out;
	if (connection->out_sent < out->len / 2)
		return;
	out->len -= connection->out_sent;
	memmove(out->data, out->data + connection->out_sent, out->len);
	connection->out_sent = 0;
}

static bool send_frame(struct connection *connection, size_t len)
{
	const uint8_t *data = connection->out.data + connection->out_sent;
	const struct transport *transport = connection->transport;
	if (transport)
		return transport->send(transport->arg, span_of(data, len));
	return zmq_send(connection->socket, data, len, ZMQ_DONTWAIT) >= 0;
}

bool connection_flush(struct connection *connection, size_t frame_len)
{
	bool has_sent = false;
	while ((connection->socket || connection->is_open) && connection_unsent(connection) > 0) {
		size_t len = next_frame_len(connection, frame_len);
		if (!send_frame(connection, len)) {
			drop_sent(connection);
			return has_sent;
		}
		has_sent = true;
		connection->out_sent += len;
	}
	buf_clear(&connection->out);
	connection->out_sent = 0;
	return has_sent;
}

static bool has_more_parts(zmq_msg_t *msg)
{
	return zmq_msg_more(msg) != 0;
}

static void free_frame(void *data, void *hint)
{
	(void)hint;
	free(data);
}

static bool receive_frame(struct connection *connection, zmq_msg_t *ret_msg)
{
	const struct transport *transport = connection->transport;
	struct buf frame = {0};
	if (!transport->receive(transport->arg, &frame))
		return false;
	if (zmq_msg_init_data(ret_msg, frame.data, frame.len, free_frame, NULL) == 0)
		return true;
	/* Without one frame the others are worth nothing. */
	buf_fini(&frame);
	close_transport(connection);
	return false;
}

bool connection_receive(struct connection *connection, zmq_msg_t *ret_msg, bool *ret_has_parts)
{
	*ret_has_parts = false;
	if (connection->is_open)
		return receive_frame(connection, ret_msg);
	if (!connection->socket)
		return false;
	zmq_msg_init(ret_msg);
	if (zmq_msg_recv(ret_msg, connection->socket, ZMQ_DONTWAIT) < 0) {
		zmq_msg_close(ret_msg);
		return false;
	}
	message_taken(zmq_msg_data(ret_msg));
	if (!has_more_parts(ret_msg))
		return true;
	while (has_more_parts(ret_msg)) {
		if (zmq_msg_recv(ret_msg, connection->socket, ZMQ_DONTWAIT) < 0)
			break;
	}
	zmq_msg_close(ret_msg);
	*ret_has_parts = true;
	return false;
}

enum connection_event connection_watch(struct connection *connection)
{
	uint8_t bytes[8];
	char address[8];
	const struct transport *transport = connection->transport;
	if (transport)
		return !connection->is_open || transport->is_lost(transport->arg)
			       ? CONNECTION_LOST
			       : CONNECTION_QUIET;
	if (!connection->monitor ||
	    zmq_recv(connection->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT) < 2)
		return CONNECTION_QUIET;
	zmq_recv(connection->monitor, address, sizeof(address), ZMQ_DONTWAIT);
	uint16_t event;
	memcpy(&event, bytes, sizeof(event));
	switch (event) {
	case ZMQ_EVENT_DISCONNECTED:
		return CONNECTION_LOST;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		return CONNECTION_REFUSED;
	default:
		return CONNECTION_MISMATCH;
	}
}

static bool is_reading(const struct connection *connection)
{
	return connection_unsent(connection) <= CONNECTION_MAX_UNSENT;
}

/* After every send, too: sending may have taken the descriptor's edge. */
static bool is_ready(const struct connection *connection)
{
	int events = 0;
	size_t len = sizeof(events);
	if (!connection->socket ||
	    zmq_getsockopt(connection->socket, ZMQ_EVENTS, &events, &len) != 0)
		return false;
	int wanted = is_reading(connection) ? ZMQ_POLLIN : 0;
	if (connection_unsent(connection) > 0)
		wanted |= ZMQ_POLLOUT;
	return (events & wanted) != 0;
}

void connection_wait(struct connection *connection, int timeout_ms)
{
	const struct transport *transport = connection->transport;
	if (transport) {
		if (!transport->wait(transport->arg, is_reading(connection), connection->wait_fd,
				     timeout_ms))
			return;
		timeout_ms = 0;
	} else if (is_ready(connection)) {
		return;
	}
	struct epoll_event events[4];
	int count = epoll_wait(connection->wait_fd, events, 4, timeout_ms);
	for (int i = 0; i < count; i++) {
		uint64_t expirations;
		connection->is_woken |= events[i].data.fd == connection->also_fd;
		connection->is_stirred |= events[i].data.fd == connection->stir_fd;
		if (events[i].data.fd == connection->timer_fd &&
		    read(connection->timer_fd, &expirations, sizeof(expirations)) > 0)
			connection->timer_ms = 0;
	}
}

void connection_arm(struct connection *connection, uint64_t due_ms)
{
	if (!connection->is_watched)
		return;
	uint64_t expirations;
	if (read(connection->timer_fd, &expirations, sizeof(expirations)) > 0)
		connection->timer_ms = 0;
	if (is_ready(connection))
		due_ms = 1;
	if (due_ms == UINT64_MAX || (connection->timer_ms && connection->timer_ms <= due_ms))
		return;
	struct itimerspec when = {.it_value = {.tv_sec = (time_t)(due_ms / 1000),
					       .tv_nsec = (long)(due_ms % 1000) * 1000000}};
	if (timerfd_settime(connection->timer_fd, TFD_TIMER_ABSTIME, &when, NULL) == 0)
		connection->timer_ms = due_ms;
}

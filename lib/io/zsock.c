/*
 * A ZeroMQ socket on a libuv loop. ZMQ_FD tells edges only, and any call on the socket may swallow
 * one. So: uv_poll just wakes the loop; uv_check reads, up to a quota; uv_prepare, before the loop
 * blocks, looks at ZMQ_EVENTS once more, if the socket was used since the last look, and keeps an
 * idle handle going, so that the loop does not block, as long as something is pending. A send
 * starts the idle handle as well: whichever handle's callback it came from, there is a look between
 * it and the next time the loop blocks.
 */
#include "io/zsock.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "io/endpoint.h"
#include "io/message_order.h"

#define HWM 128
#define LINGER_MS 500
#define HANDSHAKE_MS 10000
#define DEFAULT_MAX_MSG (2 * 1024 * 1024)
/* How soon a refused send is followed by another turn, should no edge come. */
#define RETRY_MS 5
/* A frame with much work in it. */
#define LONG_LEN (16u * 1024)
/* Below this a copy costs less than handing the memory over. */
#define COPY_LEN 1024

struct zsock {
	void *socket;
	void *monitor; /* NULL without watch_loss */
	bool was_lost;
	enum zsock_stage stage;
	int type;
	char endpoint[256];

	zsock_frame_fn on_frame;
	zsock_turn_fn on_turn;
	void *arg;
	uint64_t malformed;

	uv_poll_t poll;
	uv_prepare_t prepare;
	uv_check_t check;
	uv_idle_t idle;
	uv_timer_t retry;
	bool is_readable;
	/* Used since the last look at ZMQ_EVENTS, which may have taken an edge. */
	bool was_used;

	int open_handles;
	bool is_closing;
	void (*on_closed)(void *);
	void *closed_arg;
};

/* zmq_msg_close frees what a message holds; a message that was refused must not. */
static _Thread_local bool keep_memory;

static void free_frame(void *data, void *hint)
{
	(void)hint;
	if (!keep_memory)
		free(data);
}

static bool has_more(zmq_msg_t *msg)
{
	return zmq_msg_more(msg) != 0;
}

/* Throw away the rest of a message, one frame at a time. */
static void skip_rest(struct zsock *zsock, zmq_msg_t *msg)
{
	while (has_more(msg)) {
		if (zmq_msg_recv(msg, zsock->socket, ZMQ_DONTWAIT) < 0)
			return;
	}
}

/* Receiving that ends with EAGAIN has been a look at the socket: an edge comes for what follows. */
static bool receive(struct zsock *zsock, zmq_msg_t *msg)
{
	if (zmq_msg_recv(msg, zsock->socket, ZMQ_DONTWAIT) >= 0)
		return true;
	zsock->was_used = zmq_errno() != EAGAIN;
	return false;
}

/* One message: false when none is waiting. */
static bool read_one(struct zsock *zsock, size_t *ret_len)
{
	zmq_msg_t routing_id, frame;
	bool was_read = false;
	*ret_len = 0;
	zmq_msg_init(&routing_id);
	zmq_msg_init(&frame);
	if (zsock->type == ZMQ_ROUTER) {
		if (!receive(zsock, &routing_id))
			goto out;
		was_read = true;
		if (!has_more(&routing_id))
			goto out;
	}
	if (!receive(zsock, &frame))
		goto out;
	was_read = true;
	*ret_len = zmq_msg_size(&frame);
	int fd = zmq_msg_get(&frame, ZMQ_SRCFD);
	if (has_more(&frame)) {
		zsock->malformed++;
		skip_rest(zsock, &frame);
		zsock_cut(fd);
		goto out;
	}
	/* What has been answered does not wait for the work that a long one brings. */
	if (*ret_len > LONG_LEN && zsock->on_turn)
		zsock->on_turn(zsock, zsock->arg);
	if (zsock->is_closing)
		goto out;
	message_taken(zmq_msg_data(&frame));
	const char *user_id = zmq_msg_gets(&frame, "User-Id");
	zsock->on_frame(zsock, span_of(zmq_msg_data(&routing_id), zmq_msg_size(&routing_id)),
			user_id ? user_id : "", fd,
			span_of(zmq_msg_data(&frame), zmq_msg_size(&frame)), zsock->arg);
out:
	zmq_msg_close(&routing_id);
	zmq_msg_close(&frame);
	return was_read;
}

static void idle_turn(uv_idle_t *handle)
{
	(void)handle;
}

static void retry_turn(uv_timer_t *handle)
{
	(void)handle;
}

static void poll_ready(uv_poll_t *handle, int status, int events)
{
	(void)status;
	(void)events;
	struct zsock *zsock = handle->data;
	zsock->is_readable = true;
	zsock->was_used = true;
}

static void check_turn(uv_check_t *handle)
{
	struct zsock *zsock = handle->data;
	if (!zsock->is_readable && !uv_is_active((uv_handle_t *)&zsock->idle))
		return;
	zsock->is_readable = false;
	zsock->was_used = true;
	size_t frame_len = 0;
	size_t turn_len = 0;
	for (int i = 0; i < ZSOCK_TURN_FRAMES && turn_len < ZSOCK_TURN_LEN && !zsock->is_closing;
	     i++) {
		if (!read_one(zsock, &frame_len))
			break;
		turn_len += frame_len;
	}
	if (!zsock->was_used)
		uv_idle_stop(&zsock->idle);
}

static void prepare_turn(uv_prepare_t *handle)
{
	struct zsock *zsock = handle->data;
	if (zsock->on_turn)
		zsock->on_turn(zsock, zsock->arg);
	if (zsock->is_closing || !zsock->was_used)
		return;
	zsock->was_used = false;
	int events = 0;
	size_t len = sizeof(events);
	if (zmq_getsockopt(zsock->socket, ZMQ_EVENTS, &events, &len) == 0 && (events & ZMQ_POLLIN))
		uv_idle_start(&zsock->idle, idle_turn);
	else
		uv_idle_stop(&zsock->idle);
}

static void set_int(void *socket, int option, int value)
{
	/* A fixed option with a fixed value is refused only by a wrong program. */
	ensure(zmq_setsockopt(socket, option, &value, sizeof(value)) == 0);
}

static void set_options(void *socket, const struct zsock_options *options)
{
	int64_t max_msg = options->max_msg > 0 ? options->max_msg : DEFAULT_MAX_MSG;
	ensure(zmq_setsockopt(socket, ZMQ_MAXMSGSIZE, &max_msg, sizeof(max_msg)) == 0);
	set_int(socket, ZMQ_LINGER, LINGER_MS);
	set_int(socket, ZMQ_SNDHWM, options->max_out > 0 ? (int)options->max_out : HWM);
	set_int(socket, ZMQ_RCVHWM, options->max_in > 0 ? (int)options->max_in : HWM);
	set_int(socket, ZMQ_IPV6, 0);
	set_int(socket, ZMQ_HANDSHAKE_IVL, HANDSHAKE_MS);
	set_int(socket, ZMQ_TCP_KEEPALIVE, 1);
	set_int(socket, ZMQ_TCP_KEEPALIVE_IDLE, 60);
	set_int(socket, ZMQ_RECONNECT_IVL, 100);
	set_int(socket, ZMQ_RECONNECT_IVL_MAX, 5000);
	set_int(socket, ZMQ_CONNECT_TIMEOUT, 5000);
	if (options->type == ZMQ_ROUTER)
		set_int(socket, ZMQ_ROUTER_MANDATORY, 1);
	if (options->type == ZMQ_DEALER)
		set_int(socket, ZMQ_IMMEDIATE, 1);
	if (options->heartbeat_ms > 0) {
		int interval =
			options->heartbeat_ms < 1000000 ? (int)options->heartbeat_ms : 1000000;
		set_int(socket, ZMQ_HEARTBEAT_IVL, interval);
		set_int(socket, ZMQ_HEARTBEAT_TIMEOUT, interval * 3);
		/* In milliseconds, kept in tenths of a second. */
		set_int(socket, ZMQ_HEARTBEAT_TTL, interval * 3 < 100 ? 100 : interval * 3);
	}
}

static bool set_text(void *socket, int option, const char *text)
{
	return zmq_setsockopt(socket, option, text, strlen(text)) == 0;
}

static bool set_key(void *socket, int option, const char *key)
{
	/* Z85 is given with its final NUL. */
	return strlen(key) == 40 && zmq_setsockopt(socket, option, key, 41) == 0;
}

static enum lyc_status set_keys(void *socket, const struct zsock_options *options,
				struct lyc_error *error)
{
	if (options->zap_domain && options->zap_domain[0] &&
	    !set_text(socket, ZMQ_ZAP_DOMAIN, options->zap_domain))
		return error_set(error, LYC_INVALID_ARGUMENT, "The ZAP domain \"%s\" is not valid.",
				 options->zap_domain);
	if (!options->secret_key)
		return LYC_OK;
	if (options->is_server)
		set_int(socket, ZMQ_CURVE_SERVER, 1);
	else if (!options->server_key || !set_key(socket, ZMQ_CURVE_SERVERKEY, options->server_key))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The server key for %s is not a key: 40 characters of Z85.",
				 options->endpoint);
	if (!options->is_server &&
	    (!options->public_key || !set_key(socket, ZMQ_CURVE_PUBLICKEY, options->public_key)))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The public key for %s is not a key: 40 characters of Z85.",
				 options->endpoint);
	if (!set_key(socket, ZMQ_CURVE_SECRETKEY, options->secret_key))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The secret key for %s is not a key: 40 characters of Z85.",
				 options->endpoint);
	return LYC_OK;
}

static enum lyc_status attach(struct zsock *zsock, const struct zsock_options *options,
			      struct lyc_error *error)
{
	/* To libzmq port 0 is an error and "*" any free one. */
	char endpoint[256];
	enum lyc_status status =
		endpoint_check(options->endpoint, options->bind, endpoint, sizeof(endpoint), error);
	if (status != LYC_OK)
		return status;
	int rc = options->bind ? zmq_bind(zsock->socket, endpoint)
			       : zmq_connect(zsock->socket, endpoint);
	if (rc != 0)
		return endpoint_explain(options->endpoint, options->bind, zmq_errno(), error);
	size_t len = sizeof(zsock->endpoint);
	if (zmq_getsockopt(zsock->socket, ZMQ_LAST_ENDPOINT, zsock->endpoint, &len) != 0)
		return error_set(error, LYC_INTERNAL, "The address of %s cannot be read back.",
				 options->endpoint);
	return LYC_OK;
}

static enum lyc_status open_monitor(struct zsock *zsock, void *zmq_ctx, struct lyc_error *error)
{
	/* A name that was used stays taken for a while, and memory is soon used again. */
	static atomic_uint opened_count;
	char address[64];
	snprintf(address, sizeof(address), "inproc://zsock-monitor-%u",
		 atomic_fetch_add(&opened_count, 1));
	int events = ZMQ_EVENT_CONNECTED | ZMQ_EVENT_CONNECT_RETRIED | ZMQ_EVENT_DISCONNECTED |
		     ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL |
		     ZMQ_EVENT_HANDSHAKE_FAILED_AUTH;
	zsock->monitor = zmq_socket(zmq_ctx, ZMQ_PAIR);
	if (!zsock->monitor || zmq_socket_monitor(zsock->socket, address, events) != 0 ||
	    zmq_connect(zsock->monitor, address) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "No socket to watch a connection with: %s.",
				 zmq_strerror(zmq_errno()));
	set_int(zsock->monitor, ZMQ_LINGER, 0);
	return LYC_OK;
}

static void close_sockets(struct zsock *zsock)
{
	if (zsock->monitor) {
		zmq_socket_monitor(zsock->socket, NULL, 0);
		zmq_close(zsock->monitor);
	}
	if (zsock->socket)
		zmq_close(zsock->socket);
}

static void note_event(struct zsock *zsock, uint16_t event)
{
	switch (event) {
	case ZMQ_EVENT_DISCONNECTED:
		zsock->was_lost = true;
		break;
	case ZMQ_EVENT_CONNECTED:
		if (zsock->stage == ZSOCK_TRYING || zsock->stage == ZSOCK_UNREACHED)
			zsock->stage = ZSOCK_CONNECTED;
		break;
	case ZMQ_EVENT_CONNECT_RETRIED:
		/* The one after a connection that has ended says nothing about the address. */
		if (zsock->stage == ZSOCK_TRYING)
			zsock->stage = ZSOCK_UNREACHED;
		break;
	case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH:
		zsock->stage = ZSOCK_REFUSED;
		break;
	default:
		zsock->stage = ZSOCK_MISMATCH;
		break;
	}
}

static void read_events(struct zsock *zsock)
{
	/* An event is a number and value in one frame, and an address in the next. */
	uint8_t bytes[256];
	uint16_t event;
	while (zsock->monitor &&
	       zmq_recv(zsock->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT) >= 2) {
		memcpy(&event, bytes, sizeof(event));
		zmq_recv(zsock->monitor, bytes, sizeof(bytes), ZMQ_DONTWAIT);
		note_event(zsock, event);
	}
}

bool zsock_was_lost(struct zsock *zsock)
{
	read_events(zsock);
	bool was_lost = zsock->was_lost;
	zsock->was_lost = false;
	return was_lost;
}

enum zsock_stage zsock_stage(struct zsock *zsock)
{
	read_events(zsock);
	return zsock->stage;
}

static void start_handles(struct zsock *zsock, uv_loop_t *loop)
{
	uv_prepare_init(loop, &zsock->prepare);
	uv_check_init(loop, &zsock->check);
	uv_idle_init(loop, &zsock->idle);
	uv_timer_init(loop, &zsock->retry);
	zsock->open_handles = 5;
	zsock->poll.data = zsock;
	zsock->prepare.data = zsock;
	zsock->check.data = zsock;
	zsock->idle.data = zsock;
	zsock->retry.data = zsock;
	ensure(uv_poll_start(&zsock->poll, UV_READABLE, poll_ready) == 0);
	uv_prepare_start(&zsock->prepare, prepare_turn);
	uv_check_start(&zsock->check, check_turn);
	/* What came before the first look has had its edge. */
	zsock->was_used = true;
	uv_idle_start(&zsock->idle, idle_turn);
}

enum lyc_status zsock_open(uv_loop_t *loop, void *zmq_ctx, const struct zsock_options *options,
			   struct zsock **ret_zsock, struct lyc_error *error)
{
	enum lyc_status status;
	struct zsock *zsock = mem_try(sizeof(*zsock));
	if (!zsock)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a socket.");
	zsock->type = options->type;
	zsock->on_frame = options->on_frame;
	zsock->on_turn = options->on_turn;
	zsock->arg = options->arg;
	zsock->socket = zmq_socket(zmq_ctx, options->type);
	if (!zsock->socket) {
		status = error_set(
			error, LYC_RESOURCE_EXHAUSTED,
			"No socket for %s: %s; the context's ZMQ_MAX_SOCKETS or the limit "
			"of open files is reached.",
			options->endpoint, zmq_strerror(zmq_errno()));
		goto out;
	}
	set_options(zsock->socket, options);
	status = set_keys(zsock->socket, options, error);
	if (status == LYC_OK && options->watch_loss)
		status = open_monitor(zsock, zmq_ctx, error);
	if (status == LYC_OK)
		status = attach(zsock, options, error);
	if (status != LYC_OK)
		goto out;
	int fd = -1;
	size_t len = sizeof(fd);
	if (zmq_getsockopt(zsock->socket, ZMQ_FD, &fd, &len) != 0 ||
	    uv_poll_init(loop, &zsock->poll, fd) != 0) {
		status = error_set(error, LYC_INTERNAL, "The loop cannot watch the socket of %s.",
				   options->endpoint);
		goto out;
	}
	start_handles(zsock, loop);
	*ret_zsock = zsock;
	return LYC_OK;
out:
	close_sockets(zsock);
	free(zsock);
	return status;
}

/* After a refused send there has to be another turn, whether an edge comes or not: the one that
 * says "writable again" may have been swallowed by a later send. */
static enum lyc_status refused(struct zsock *zsock)
{
	if (zmq_errno() != EAGAIN)
		return LYC_UNAVAILABLE;
	if (!uv_is_active((uv_handle_t *)&zsock->retry))
		uv_timer_start(&zsock->retry, retry_turn, RETRY_MS, 0);
	return LYC_RESOURCE_EXHAUSTED;
}

static enum lyc_status send_copy(struct zsock *zsock, struct buf *frame)
{
	if (zmq_send(zsock->socket, frame->data, frame->len, ZMQ_DONTWAIT) < 0)
		return refused(zsock);
	buf_clear(frame);
	return LYC_OK;
}

static enum lyc_status send_memory(struct zsock *zsock, struct buf *frame)
{
	zmq_msg_t msg;
	if (zmq_msg_init_data(&msg, frame->data, frame->len, free_frame, NULL) != 0)
		return send_copy(zsock, frame);
	message_given(frame->data);
	if (zmq_msg_send(&msg, zsock->socket, ZMQ_DONTWAIT) < 0) {
		enum lyc_status status = refused(zsock);
		keep_memory = true;
		zmq_msg_close(&msg);
		keep_memory = false;
		return status;
	}
	*frame = (struct buf){0};
	return LYC_OK;
}

enum lyc_status zsock_send(struct zsock *zsock, struct span routing_id, struct buf *frame)
{
	if (zsock->is_closing)
		return LYC_UNAVAILABLE;
	uv_idle_start(&zsock->idle, idle_turn);
	zsock->was_used = true;
	if (zsock->type == ZMQ_ROUTER && zmq_send(zsock->socket, routing_id.data, routing_id.len,
						  ZMQ_DONTWAIT | ZMQ_SNDMORE) < 0)
		return refused(zsock);
	return frame->len <= COPY_LEN ? send_copy(zsock, frame) : send_memory(zsock, frame);
}

const char *zsock_endpoint(const struct zsock *zsock)
{
	return zsock->endpoint;
}

uint64_t zsock_malformed(const struct zsock *zsock)
{
	return zsock->malformed;
}

static void handle_closed(uv_handle_t *handle)
{
	struct zsock *zsock = handle->data;
	if (--zsock->open_handles > 0)
		return;
	close_sockets(zsock);
	if (zsock->on_closed)
		zsock->on_closed(zsock->closed_arg);
	free(zsock);
}

void zsock_close(struct zsock *zsock, void (*on_closed)(void *arg), void *arg)
{
	if (!zsock || zsock->is_closing)
		return;
	zsock->is_closing = true;
	zsock->on_closed = on_closed;
	zsock->closed_arg = arg;
	uv_close((uv_handle_t *)&zsock->poll, handle_closed);
	uv_close((uv_handle_t *)&zsock->prepare, handle_closed);
	uv_close((uv_handle_t *)&zsock->check, handle_closed);
	uv_close((uv_handle_t *)&zsock->idle, handle_closed);
	uv_close((uv_handle_t *)&zsock->retry, handle_closed);
}

void zsock_cut(int fd)
{
	if (fd >= 0)
		shutdown(fd, SHUT_RDWR);
}

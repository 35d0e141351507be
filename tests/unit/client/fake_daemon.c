/* A daemon that does what a test tells it. */
#include "fake_daemon.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/clock.h"

_Noreturn void fake_fail(struct fake_daemon *daemon, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(daemon->failure, sizeof(daemon->failure), format, args);
	va_end(args);
	pthread_exit(NULL);
}

static void open_socket(struct fake_daemon *daemon)
{
	int linger_ms = 200;
	int wait_ms = FAKE_WAIT_MS;
	daemon->socket = zmq_socket(daemon->zmq_ctx, ZMQ_ROUTER);
	zmq_setsockopt(daemon->socket, ZMQ_LINGER, &linger_ms, sizeof(linger_ms));
	zmq_setsockopt(daemon->socket, ZMQ_RCVTIMEO, &wait_ms, sizeof(wait_ms));
	if (daemon->secret_key) {
		int is_server = 1;
		zmq_setsockopt(daemon->socket, ZMQ_CURVE_SERVER, &is_server, sizeof(is_server));
		zmq_setsockopt(daemon->socket, ZMQ_CURVE_SECRETKEY, daemon->secret_key, 41);
	}
	/* A name in use may take a moment to become free after a restart. */
	for (int i = 0; i < 1000 && zmq_bind(daemon->socket, daemon->endpoint) != 0; i++)
		zmq_poll(NULL, 0, 5);
}

struct lyc_client *fake_open(struct fake_daemon *daemon)
{
	struct lyc_client_options options = {.endpoint = daemon->endpoint, .software = "test"};
	struct lyc_client *client;
	struct lyc_error error = {0};
	if (lyc_client_open(&options, &client, &error))
		fail_msg("open: %s", error.text);
	return client;
}

void fake_run_until(struct lyc_client *client, const int *count, int wanted)
{
	uint64_t until_ms = mono_ms() + FAKE_WAIT_MS;
	while (*count < wanted) {
		if (mono_ms() > until_ms)
			fail_msg("%d of %d happened within %d ms", *count, wanted, FAKE_WAIT_MS);
		lyc_client_run(client, 100);
	}
}

static void *run_script(void *arg)
{
	struct fake_daemon *daemon = arg;
	daemon->script(daemon, daemon->arg);
	return NULL;
}

void fake_daemon_start(struct fake_daemon *daemon, enum fake_way way, fake_script_fn script,
		       void *arg)
{
	fake_daemon_prepare(daemon, way, script, arg);
	fake_daemon_run(daemon);
}

static void open_channel(struct fake_daemon *daemon)
{
	int ends[2];
	assert_int_equal(channel_pair(ends, NULL), LYC_OK);
	daemon->channel = channel_new(ends[0]);
	daemon->client_channel = channel_new(ends[1]);
	daemon->transport = channel_transport(daemon->client_channel);
}

void fake_daemon_run(struct fake_daemon *daemon)
{
	if (daemon->way == FAKE_CHANNEL)
		open_channel(daemon);
	else
		open_socket(daemon);
	assert_int_equal(pthread_create(&daemon->thread, NULL, run_script, daemon), 0);
	daemon->is_running = true;
}

void fake_daemon_join(struct fake_daemon *daemon)
{
	if (daemon->is_running)
		pthread_join(daemon->thread, NULL);
	daemon->is_running = false;
}

void fake_daemon_prepare(struct fake_daemon *daemon, enum fake_way way, fake_script_fn script,
			 void *arg)
{
	static int count;
	memset(daemon, 0, sizeof(*daemon));
	daemon->zmq_ctx = zmq_ctx_new();
	daemon->way = way;
	daemon->script = script;
	daemon->arg = arg;
	daemon->welcome = (struct packet_welcome){.version = WIRE_VERSION,
						  .daemon = span_of("wales", 5),
						  .epoch = 7,
						  .identity = span_of("cli", 3),
						  .call_credit = 1 << 20,
						  .publish_credit = 1 << 20,
						  .max_body = WIRE_MAX_BODY,
						  .heartbeat_ms = 5000,
						  .ack_means = span_of("synced", 6),
						  .software = span_of("fake", 4)};
	snprintf(daemon->endpoint, sizeof(daemon->endpoint), "ipc://@lyceum-fake-%d-%d",
		 (int)getpid(), count++);
}

void fake_daemon_stop(struct fake_daemon *daemon)
{
	fake_daemon_join(daemon);
	buf_fini(&daemon->frame);
	fake_end(daemon);
	channel_free(daemon->client_channel);
	zmq_ctx_term(daemon->zmq_ctx);
	buf_fini(&daemon->out);
	if (daemon->failure[0])
		fail_msg("the daemon's script: %s", daemon->failure);
}

void fake_end(struct fake_daemon *daemon)
{
	if (daemon->socket)
		zmq_close(daemon->socket);
	channel_free(daemon->channel);
	daemon->socket = NULL;
	daemon->channel = NULL;
}

void fake_restart(struct fake_daemon *daemon)
{
	fake_end(daemon);
	frame_start(&daemon->reader, (struct span){0});
	open_socket(daemon);
}

/* Waits for the channel, but not for ever. */
static void wait_for_channel(struct fake_daemon *daemon, short events)
{
	struct pollfd item = {.fd = channel_fd(daemon->channel), .events = events};
	if (channel_is_lost(daemon->channel) || poll(&item, 1, FAKE_WAIT_MS) <= 0)
		fake_fail(daemon, "no packet came within %d ms", FAKE_WAIT_MS);
}

static void receive_from_channel(struct fake_daemon *daemon)
{
	struct span frame;
	while (!channel_read(daemon->channel) || !channel_next(daemon->channel, &frame))
		wait_for_channel(daemon, POLLIN);
	buf_add(&daemon->frame, frame.data, frame.len);
}

static void receive_from_socket(struct fake_daemon *daemon)
{
	zmq_msg_t frame;
	int len = zmq_recv(daemon->socket, daemon->routing_id, sizeof(daemon->routing_id), 0);
	if (len < 0)
		fake_fail(daemon, "no packet came within %d ms", FAKE_WAIT_MS);
	daemon->routing_id_len = (size_t)len;
	zmq_msg_init(&frame);
	if (zmq_msg_recv(&frame, daemon->socket, 0) < 0)
		fake_fail(daemon, "no packet came within %d ms", FAKE_WAIT_MS);
	if (zmq_msg_more(&frame))
		fake_fail(daemon, "the client sent a message of several frames");
	buf_add(&daemon->frame, zmq_msg_data(&frame), zmq_msg_size(&frame));
	zmq_msg_close(&frame);
}

static void receive_frame(struct fake_daemon *daemon)
{
	buf_clear(&daemon->frame);
	if (daemon->way == FAKE_CHANNEL)
		receive_from_channel(daemon);
	else
		receive_from_socket(daemon);
	daemon->frame_count++;
	frame_start(&daemon->reader, span_of(daemon->frame.data, daemon->frame.len));
}

const struct packet *fake_next(struct fake_daemon *daemon, bool with_pings)
{
	for (;;) {
		enum frame_result result = frame_next(&daemon->reader, &daemon->packet);
		if (result == FRAME_END) {
			receive_frame(daemon);
			continue;
		}
		if (result != FRAME_PACKET)
			fake_fail(daemon, "the client sent something malformed");
		enum packet_kind kind = daemon->packet.kind;
		if (with_pings || (kind != PACKET_PING && kind != PACKET_PONG))
			return &daemon->packet;
	}
}

const struct packet *fake_expect(struct fake_daemon *daemon, enum packet_kind kind)
{
	const struct packet *packet = fake_next(daemon, false);
	if (packet->kind != kind)
		fake_fail(daemon, "a packet of kind %d came, not %d", (int)packet->kind, (int)kind);
	return packet;
}

void fake_put(struct fake_daemon *daemon, const struct packet *packet)
{
	packet_write(&daemon->out, packet);
}

void fake_flush(struct fake_daemon *daemon)
{
	const struct buf *out = &daemon->out;
	if (daemon->way == FAKE_CHANNEL) {
		while (!channel_send(daemon->channel, span_of(out->data, out->len)))
			wait_for_channel(daemon, POLLOUT);
		while (!channel_flush(daemon->channel))
			wait_for_channel(daemon, POLLOUT);
	} else {
		zmq_send(daemon->socket, daemon->routing_id, daemon->routing_id_len, ZMQ_SNDMORE);
		zmq_send(daemon->socket, out->data, out->len, 0);
	}
	buf_clear(&daemon->out);
}

void fake_send(struct fake_daemon *daemon, const struct packet *packet)
{
	fake_put(daemon, packet);
	fake_flush(daemon);
}

void fake_greet(struct fake_daemon *daemon)
{
	const struct packet *hello = fake_expect(daemon, PACKET_HELLO);
	fake_check(daemon, hello->hello.version == WIRE_VERSION);
	struct packet welcome = {.kind = PACKET_WELCOME, .welcome = daemon->welcome};
	fake_send(daemon, &welcome);
}

void fake_reply(struct fake_daemon *daemon, uint64_t id, uint32_t status, const char *body,
		bool more)
{
	struct packet reply = {.kind = PACKET_REPLY,
			       .reply = {.id = id,
					 .status = status,
					 .body = span_of(body, strlen(body)),
					 .more = more}};
	fake_send(daemon, &reply);
}

/* A socket on a loop: nothing lies waiting, nothing is lost silently, what is wrong is said. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "io/keyfile.h"
#include "io/zap.h"
#include "io/zsock.h"
#include "watched_loop.h"

#define MESSAGES 10000
#define WINDOW 400

static struct lyc_error error;

static struct buf buf_of(const void *bytes, size_t len)
{
	struct buf buf = {0};
	buf_add(&buf, bytes, len);
	assert_false(buf.has_failed);
	return buf;
}

/* ---- Ten thousand questions, each answered; every send may swallow the edge ---- */

struct talk {
	struct zsock *server;
	struct zsock *client;
	uint32_t sent;
	uint32_t asked;
	uint32_t answered;
	uint32_t turns;
	/* Answers that found the pipe full, and questions not yet sent. */
	uint32_t owed[MESSAGES];
	uint32_t owed_count;
	uint8_t peer[16];
	size_t peer_len;
};

static struct talk talk;

static bool answer(uint32_t number)
{
	struct buf frame = buf_of(&number, sizeof(number));
	enum lyc_status status = zsock_send(talk.server, span_of(talk.peer, talk.peer_len), &frame);
	buf_fini(&frame);
	assert_true(status == LYC_OK || status == LYC_RESOURCE_EXHAUSTED);
	return status == LYC_OK;
}

static void on_question(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
			struct span frame, void *arg)
{
	(void)zsock;
	(void)arg;
	uint32_t number;
	assert_string_equal(user_id, "");
	assert_true(fd >= 0);
	assert_int_equal(frame.len, sizeof(number));
	assert_true(routing_id.len > 0 && routing_id.len <= sizeof(talk.peer));
	memcpy(talk.peer, routing_id.data, routing_id.len);
	talk.peer_len = routing_id.len;
	memcpy(&number, frame.data, sizeof(number));
	assert_int_equal(number, talk.asked);
	talk.asked++;
	/* Every other answer at once, from within the read; the rest when the turn ends. */
	if (talk.owed_count > 0 || number % 2 || !answer(number))
		talk.owed[talk.owed_count++] = number;
}

static void server_turn(struct zsock *zsock, void *arg)
{
	(void)zsock;
	(void)arg;
	uint32_t done = 0;
	talk.turns++;
	while (done < talk.owed_count && answer(talk.owed[done]))
		done++;
	memmove(talk.owed, talk.owed + done, (talk.owed_count - done) * sizeof(talk.owed[0]));
	talk.owed_count -= done;
}

static void on_answer(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
		      struct span frame, void *arg)
{
	(void)zsock;
	(void)user_id;
	(void)fd;
	(void)arg;
	assert_int_equal(routing_id.len, 0);
	assert_int_equal(frame.len, sizeof(uint32_t));
	if (++talk.answered == MESSAGES)
		uv_stop(&loop);
}

static void client_turn(struct zsock *zsock, void *arg)
{
	(void)arg;
	while (talk.sent < MESSAGES && talk.sent - talk.answered < WINDOW) {
		struct buf frame = buf_of(&talk.sent, sizeof(talk.sent));
		enum lyc_status status = zsock_send(zsock, span_of(NULL, 0), &frame);
		buf_fini(&frame);
		if (status == LYC_RESOURCE_EXHAUSTED)
			return;
		assert_int_equal(status, LYC_OK);
		talk.sent++;
	}
}

static void run_talk(const char *endpoint)
{
	memset(&talk, 0, sizeof(talk));
	struct zsock_options server = {.type = ZMQ_ROUTER,
				       .endpoint = endpoint,
				       .bind = true,
				       .on_frame = on_question,
				       .on_turn = server_turn,
				       .heartbeat_ms = 5000};
	assert_int_equal(zsock_open(&loop, ctx, &server, &talk.server, &error), LYC_OK);
	struct zsock_options client = {.type = ZMQ_DEALER,
				       .endpoint = zsock_endpoint(talk.server),
				       .on_frame = on_answer,
				       .on_turn = client_turn};
	assert_int_equal(zsock_open(&loop, ctx, &client, &talk.client, &error), LYC_OK);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_int_equal(talk.asked, MESSAGES);
	assert_int_equal(talk.answered, MESSAGES);
	zsock_close(talk.client, NULL, NULL);
	zsock_close(talk.server, NULL, NULL);
	zsock_close(talk.server, NULL, NULL);
}

static void test_zsock_answers_every_message_over_tcp(void **state)
{
	(void)state;
	run_talk("tcp://127.0.0.1:0");
	assert_string_not_equal("tcp://127.0.0.1:0", zsock_endpoint(talk.server));
}

static void test_zsock_answers_every_message_over_ipc(void **state)
{
	(void)state;
	char endpoint[64];
	snprintf(endpoint, sizeof(endpoint), "ipc://@lyc-test-zsock-%d", getpid());
	run_talk(endpoint);
}

/* ---- A burst that comes with one edge, in one quota after the other ---- */

static uint32_t burst_count;

static void on_burst(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
		     struct span frame, void *arg)
{
	(void)zsock;
	(void)routing_id;
	(void)user_id;
	(void)fd;
	(void)arg;
	assert_int_equal(frame.len, 4);
	burst_count++;
}

static void burst_turn(struct zsock *zsock, void *arg)
{
	(void)zsock;
	(void)arg;
	if (burst_count >= 1000)
		uv_stop(&loop);
}

static void test_zsock_reads_a_burst_that_lay_there_before_it(void **state)
{
	(void)state;
	void *peer = zmq_socket(ctx, ZMQ_PAIR);
	int zero = 0;
	struct zsock *zsock;
	zmq_setsockopt(peer, ZMQ_SNDHWM, &zero, sizeof(zero));
	assert_int_equal(zmq_bind(peer, "inproc://burst"), 0);
	burst_count = 0;
	struct zsock_options options = {.type = ZMQ_PAIR,
					.endpoint = "inproc://burst",
					.on_frame = on_burst,
					.on_turn = burst_turn};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_OK);
	for (int i = 0; i < 1000; i++)
		assert_int_equal(zmq_send(peer, "four", 4, ZMQ_DONTWAIT), 4);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_int_equal(burst_count, 1000);
	zsock_close(zsock, NULL, NULL);
	zmq_close(peer);
}

/* ---- Refusals of a send ---- */

static void never(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
		  struct span frame, void *arg)
{
	(void)zsock;
	(void)routing_id;
	(void)user_id;
	(void)fd;
	(void)frame;
	(void)arg;
	fail();
}

static void test_zsock_says_that_a_peer_is_gone(void **state)
{
	(void)state;
	struct zsock *zsock;
	struct zsock_options options = {.type = ZMQ_ROUTER,
					.endpoint = "tcp://127.0.0.1:0",
					.bind = true,
					.on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_OK);
	struct buf frame = buf_of("hello", 5);
	assert_int_equal(zsock_send(zsock, span_of("nobody", 6), &frame), LYC_UNAVAILABLE);
	assert_int_equal(frame.len, 5);
	assert_memory_equal(frame.data, "hello", 5);
	buf_fini(&frame);
	zsock_close(zsock, NULL, NULL);
}

static void test_zsock_leaves_a_refused_frame_untouched(void **state)
{
	(void)state;
	struct zsock *zsock;
	void *peer = zmq_socket(ctx, ZMQ_PAIR);
	static uint8_t big[8192];
	struct zsock_options options = {
		.type = ZMQ_PAIR, .endpoint = "inproc://full", .bind = true, .on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_OK);
	assert_int_equal(zmq_connect(peer, "inproc://full"), 0);
	enum lyc_status status = LYC_OK;
	struct buf frame = {0};
	for (int i = 0; i < 100000 && status == LYC_OK; i++) {
		assert_int_equal(frame.len, 0);
		memset(big, i, sizeof(big));
		buf_add(&frame, big, sizeof(big));
		status = zsock_send(zsock, span_of(NULL, 0), &frame);
	}
	assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(frame.len, sizeof(big));
	assert_memory_equal(frame.data, big, sizeof(big));
	/* Still ours: it can grow, and it can be sent once there is room. */
	buf_add(&frame, "more", 4);
	char room[sizeof(big)];
	int received = 0;
	while (zmq_recv(peer, room, sizeof(room), ZMQ_DONTWAIT) >= 0)
		received++;
	assert_true(received >= 100);
	/* The turn in which the loop hears of the room. */
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(zsock_send(zsock, span_of(NULL, 0), &frame), LYC_OK);
	assert_int_equal(frame.len, 0);
	buf_fini(&frame);
	zsock_close(zsock, NULL, NULL);
	zmq_close(peer);
}

/* ---- A peer that sends more than one frame is cut ---- */

static struct zsock *strict;
static uv_poll_t events_poll;
static void *events;
static bool was_cut;

static void check_cut(uv_poll_t *poll, int status, int flags)
{
	(void)poll;
	(void)status;
	(void)flags;
	uint8_t event[6];
	char address[256];
	while (zmq_recv(events, event, sizeof(event), ZMQ_DONTWAIT) >= 0) {
		zmq_recv(events, address, sizeof(address), ZMQ_DONTWAIT);
		was_cut = true;
		uv_stop(&loop);
	}
}

static void test_zsock_cuts_a_peer_that_sends_two_frames(void **state)
{
	(void)state;
	struct zsock_options options = {.type = ZMQ_ROUTER,
					.endpoint = "tcp://127.0.0.1:0",
					.bind = true,
					.on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &strict, &error), LYC_OK);
	void *peer = zmq_socket(ctx, ZMQ_DEALER);
	events = zmq_socket(ctx, ZMQ_PAIR);
	int zero = 0;
	zmq_setsockopt(peer, ZMQ_LINGER, &zero, sizeof(zero));
	assert_int_equal(zmq_socket_monitor(peer, "inproc://events", ZMQ_EVENT_DISCONNECTED), 0);
	assert_int_equal(zmq_connect(events, "inproc://events"), 0);
	assert_int_equal(zmq_connect(peer, zsock_endpoint(strict)), 0);
	for (int i = 0; i < 50; i++)
		assert_int_equal(zmq_send(peer, "part", 4, ZMQ_SNDMORE), 4);
	assert_int_equal(zmq_send(peer, "end", 3, 0), 3);
	int fd;
	size_t len = sizeof(fd);
	was_cut = false;
	assert_int_equal(zmq_getsockopt(events, ZMQ_FD, &fd, &len), 0);
	uv_poll_init(&loop, &events_poll, fd);
	uv_poll_start(&events_poll, UV_READABLE, check_cut);
	check_cut(&events_poll, 0, UV_READABLE);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_true(was_cut);
	assert_int_equal(zsock_malformed(strict), 1);
	uv_close((uv_handle_t *)&events_poll, NULL);
	zsock_close(strict, NULL, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	zmq_socket_monitor(peer, NULL, 0);
	zmq_close(peer);
	zmq_close(events);
}

/* ---- Opening and closing ---- */

static void test_zsock_names_an_address_in_use(void **state)
{
	(void)state;
	struct zsock *first, *second;
	struct zsock_options options = {.type = ZMQ_ROUTER,
					.endpoint = "tcp://127.0.0.1:0",
					.bind = true,
					.on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &first, &error), LYC_OK);
	options.endpoint = zsock_endpoint(first);
	assert_int_equal(zsock_open(&loop, ctx, &options, &second, &error), LYC_ALREADY_EXISTS);
	assert_non_null(strstr(error.text, zsock_endpoint(first)));
	zsock_close(first, NULL, NULL);
}

static void test_zsock_refuses_a_wrong_key(void **state)
{
	(void)state;
	struct zsock *zsock;
	struct zsock_options options = {.type = ZMQ_DEALER,
					.endpoint = "tcp://127.0.0.1:9",
					.server_key = "too short",
					.public_key = "x",
					.secret_key = "y",
					.on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "server key"));
}

static void tick(uv_timer_t *timer)
{
	(void)timer;
}

/* How far a client with these keys gets with the socket at `endpoint`. */
static enum zsock_stage stage_at(const char *endpoint, const struct keypair *keys,
				 const char *server_key, enum zsock_stage unfinished)
{
	struct zsock *client;
	struct zsock_options options = {.type = ZMQ_DEALER,
					.endpoint = endpoint,
					.public_key = keys->public_key,
					.secret_key = keys->secret_key,
					.server_key = server_key,
					.watch_loss = true,
					.on_frame = never};
	if (zsock_open(&loop, ctx, &options, &client, &error) != LYC_OK)
		fail_msg("%s", error.text);
	uv_timer_t ticks;
	uv_timer_init(&loop, &ticks);
	uv_timer_start(&ticks, tick, 5, 5);
	while (!is_late && zsock_stage(client) <= unfinished)
		uv_run(&loop, UV_RUN_ONCE);
	enum zsock_stage stage = zsock_stage(client);
	uv_close((uv_handle_t *)&ticks, NULL);
	zsock_close(client, NULL, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	return stage;
}

static void deserted_endpoint(char *to, size_t size)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, len), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &len), 0);
	close(fd);
	snprintf(to, size, "tcp://127.0.0.1:%d", ntohs(at.sin_port));
}

static void test_zsock_tells_why_it_gets_no_further(void **state)
{
	(void)state;
	struct keypair server_keys, known, stranger;
	struct zap *zap;
	struct zsock *server;
	assert_int_equal(keyfile_make(&server_keys, &error), LYC_OK);
	assert_int_equal(keyfile_make(&known, &error), LYC_OK);
	assert_int_equal(keyfile_make(&stranger, &error), LYC_OK);
	assert_int_equal(zap_start(ctx, NULL, &zap, &error), LYC_OK);
	struct zap_key entry = {.name = "wales", .public_key = known.public_key};
	assert_int_equal(zap_set_keys(zap, &entry, 1, &error), LYC_OK);
	struct zsock_options options = {.type = ZMQ_ROUTER,
					.endpoint = "tcp://127.0.0.1:0",
					.bind = true,
					.zap_domain = "network",
					.secret_key = server_keys.secret_key,
					.is_server = true,
					.on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &server, &error), LYC_OK);
	char endpoint[64];
	snprintf(endpoint, sizeof(endpoint), "%s", zsock_endpoint(server));
	assert_int_equal(stage_at(endpoint, &known, server_keys.public_key, ZSOCK_TRYING),
			 ZSOCK_CONNECTED);
	assert_int_equal(stage_at(endpoint, &stranger, server_keys.public_key, ZSOCK_CONNECTED),
			 ZSOCK_REFUSED);
	assert_int_equal(stage_at(endpoint, &known, stranger.public_key, ZSOCK_CONNECTED),
			 ZSOCK_MISMATCH);
	zsock_close(server, NULL, NULL);
	uv_run(&loop, UV_RUN_NOWAIT);
	zap_stop(zap);
	/* Where nobody is; what was closed a moment ago may still be accepted, and dropped. */
	deserted_endpoint(endpoint, sizeof(endpoint));
	assert_int_equal(stage_at(endpoint, &known, server_keys.public_key, ZSOCK_CONNECTED),
			 ZSOCK_UNREACHED);
	assert_false(is_late);
}

static void closed(void *arg)
{
	++*(int *)arg;
}

static void test_zsock_tells_once_that_it_has_closed(void **state)
{
	(void)state;
	struct zsock *zsock;
	int count = 0;
	struct zsock_options options = {.type = ZMQ_ROUTER,
					.endpoint = "tcp://127.0.0.1:0",
					.bind = true,
					.on_frame = never};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_OK);
	zsock_close(zsock, closed, &count);
	assert_int_equal(count, 0);
	uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(count, 1);
	zsock_close(NULL, closed, &count);
	assert_int_equal(count, 1);
}

#define ZSOCK_TEST(name)                                                                           \
	cmocka_unit_test_setup_teardown(name, watched_loop_setup, watched_loop_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ZSOCK_TEST(test_zsock_answers_every_message_over_tcp),
		ZSOCK_TEST(test_zsock_answers_every_message_over_ipc),
		ZSOCK_TEST(test_zsock_reads_a_burst_that_lay_there_before_it),
		ZSOCK_TEST(test_zsock_says_that_a_peer_is_gone),
		ZSOCK_TEST(test_zsock_leaves_a_refused_frame_untouched),
		ZSOCK_TEST(test_zsock_cuts_a_peer_that_sends_two_frames),
		ZSOCK_TEST(test_zsock_names_an_address_in_use),
		ZSOCK_TEST(test_zsock_refuses_a_wrong_key),
		ZSOCK_TEST(test_zsock_tells_why_it_gets_no_further),
		ZSOCK_TEST(test_zsock_tells_once_that_it_has_closed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

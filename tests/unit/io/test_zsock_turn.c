/* The turns of a socket: how much of what has come is handed over before others get theirs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "io/zsock.h"
#include "watched_loop.h"

static struct lyc_error error;

static uint32_t long_count;
static uint32_t long_in_turn;
static uint32_t long_most;

static void on_long(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
		    struct span frame, void *arg)
{
	(void)zsock;
	(void)routing_id;
	(void)user_id;
	(void)fd;
	(void)frame;
	(void)arg;
	long_count++;
	if (++long_in_turn > long_most)
		long_most = long_in_turn;
}

static void long_turn(struct zsock *zsock, void *arg)
{
	(void)zsock;
	(void)arg;
	long_in_turn = 0;
	if (long_count >= 100)
		uv_stop(&loop);
}

static void test_zsock_turn_has_an_end_in_bytes(void **state)
{
	(void)state;
	static const char bytes[10000];
	void *peer = zmq_socket(ctx, ZMQ_PAIR);
	struct zsock *zsock;
	assert_int_equal(zmq_bind(peer, "inproc://long"), 0);
	long_count = 0;
	long_most = 0;
	struct zsock_options options = {.type = ZMQ_PAIR,
					.endpoint = "inproc://long",
					.on_frame = on_long,
					.on_turn = long_turn};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_OK);
	for (int i = 0; i < 100; i++)
		assert_int_equal(zmq_send(peer, bytes, sizeof(bytes), ZMQ_DONTWAIT), sizeof(bytes));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_int_equal(long_count, 100);
	assert_int_equal(long_most, ZSOCK_TURN_LEN / sizeof(bytes) + 1);
	zsock_close(zsock, NULL, NULL);
	zmq_close(peer);
}

/* The numbers of frames that had come at each turn, one byte each. */
static char turns_at[300];
static size_t turn_count;

static void short_turn(struct zsock *zsock, void *arg)
{
	(void)zsock;
	(void)arg;
	if (turn_count < sizeof(turns_at) - 1)
		turns_at[turn_count++] = (char)('0' + long_count);
	if (long_count >= 3)
		uv_stop(&loop);
}

/* What the short ones brought about has left before the long one is looked at. */
static void test_zsock_turn_ends_before_a_long_frame(void **state)
{
	(void)state;
	static const char bytes[40000];
	void *peer = zmq_socket(ctx, ZMQ_PAIR);
	struct zsock *zsock;
	assert_int_equal(zmq_bind(peer, "inproc://short"), 0);
	long_count = 0;
	memset(turns_at, 0, sizeof(turns_at));
	turn_count = 0;
	struct zsock_options options = {.type = ZMQ_PAIR,
					.endpoint = "inproc://short",
					.on_frame = on_long,
					.on_turn = short_turn};
	assert_int_equal(zsock_open(&loop, ctx, &options, &zsock, &error), LYC_OK);
	assert_int_equal(zmq_send(peer, "one", 3, ZMQ_DONTWAIT), 3);
	assert_int_equal(zmq_send(peer, "two", 3, ZMQ_DONTWAIT), 3);
	assert_int_equal(zmq_send(peer, bytes, sizeof(bytes), ZMQ_DONTWAIT), sizeof(bytes));
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_int_equal(long_count, 3);
	assert_non_null(strstr(turns_at, "2"));
	assert_null(strstr(turns_at, "1"));
	zsock_close(zsock, NULL, NULL);
	zmq_close(peer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_zsock_turn_has_an_end_in_bytes,
						watched_loop_setup, watched_loop_teardown),
		cmocka_unit_test_setup_teardown(test_zsock_turn_ends_before_a_long_frame,
						watched_loop_setup, watched_loop_teardown),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

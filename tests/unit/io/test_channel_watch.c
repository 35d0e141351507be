/* A channel on a loop: turns, room that comes back, last words, and closing from everywhere. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "io/channel_watch.h"
#include "watched_loop.h"

/* More than the system holds. */
#define LONG (2u * 1024 * 1024)

static struct channel_watch *watch;
static struct channel *peer;
static size_t frame_count;
static size_t wanted_count;
static bool closes_in_frame;
static bool closes_in_turn;
/* The numbers of frames that had come at each turn, one byte each. */
static char turns_at[300];
static size_t turn_count;

static void end(void)
{
	channel_watch_close(watch);
	watch = NULL;
}

static void on_frame(struct span frame, void *arg)
{
	(void)frame;
	assert_ptr_equal(arg, &frame_count);
	frame_count++;
	if (closes_in_frame)
		end();
	if (frame_count == wanted_count)
		uv_stop(&loop);
}

static void on_turn(void *arg)
{
	assert_ptr_equal(arg, &frame_count);
	if (turn_count < sizeof(turns_at) - 1 && frame_count < 10)
		turns_at[turn_count++] = (char)('0' + frame_count);
	if (closes_in_turn)
		end();
}

static int set_up(void **state)
{
	int ends[2];
	const struct channel_watch_options options = {
		.on_frame = on_frame, .on_turn = on_turn, .arg = &frame_count};
	if (watched_loop_setup(state) != 0 || channel_pair(ends, NULL) != LYC_OK)
		return -1;
	frame_count = 0;
	wanted_count = 0;
	turn_count = 0;
	closes_in_frame = false;
	closes_in_turn = false;
	memset(turns_at, 0, sizeof(turns_at));
	peer = channel_new(ends[0]);
	return channel_watch_open(&loop, ends[1], &options, &watch, NULL) == LYC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	end();
	channel_free(peer);
	return watched_loop_teardown(state);
}

static void say(const char *text)
{
	assert_true(channel_send(peer, span_of(text, strlen(text))));
}

static void test_channel_watch_hands_over_what_came(void **state)
{
	(void)state;
	say("one");
	say("two");
	wanted_count = 2;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_int_equal(frame_count, 2);
	end();
}

/* What the short ones brought about has left before the long one is looked at. */
static void test_channel_watch_ends_its_turn_before_a_long_frame(void **state)
{
	(void)state;
	static const char bytes[40000];
	say("one");
	say("two");
	assert_true(channel_send(peer, span_of(bytes, sizeof(bytes))));
	wanted_count = 3;
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(is_late);
	assert_int_equal(frame_count, 3);
	assert_non_null(strchr(turns_at, '2'));
	assert_null(strchr(turns_at, '1'));
	end();
}

static void read_long_ones(size_t count)
{
	struct span span;
	size_t read = 0;
	while (read < count && !is_late) {
		while (channel_read(peer)) {
			if (channel_next(peer, &span))
				read += span.len == LONG;
		}
		/* Ends when there is room again. */
		if (read < count)
			uv_run(&loop, UV_RUN_ONCE);
	}
	assert_int_equal(read, count);
}

/* The rest of what was taken leaves by itself; what was refused can be sent then. */
static void test_channel_watch_goes_on_when_there_is_room(void **state)
{
	(void)state;
	static const uint8_t bytes[LONG];
	struct buf frame = {0};
	buf_add(&frame, bytes, LONG);
	assert_int_equal(channel_watch_send(watch, &frame), LYC_OK);
	assert_int_equal(frame.len, 0);
	buf_add(&frame, bytes, LONG);
	assert_int_equal(channel_watch_send(watch, &frame), LYC_RESOURCE_EXHAUSTED);
	assert_int_equal(frame.len, LONG);
	read_long_ones(1);
	uv_run(&loop, UV_RUN_NOWAIT);
	turn_count = 0;
	assert_int_equal(channel_watch_send(watch, &frame), LYC_OK);
	read_long_ones(1);
	assert_true(turn_count > 0);
	assert_false(is_late);
	buf_fini(&frame);
}

static void test_channel_watch_drains_what_was_left(void **state)
{
	(void)state;
	for (int i = 0; i < 50; i++)
		say("last words");
	channel_free(peer);
	peer = NULL;
	channel_watch_drain(NULL);
	channel_watch_drain(watch);
	assert_int_equal(frame_count, 50);
	struct buf frame = {0};
	buf_add_text(&frame, "too late");
	assert_int_equal(channel_watch_send(watch, &frame), LYC_UNAVAILABLE);
	assert_int_equal(frame.len, 8);
	buf_fini(&frame);
}

static void test_channel_watch_is_closed_within_a_frame(void **state)
{
	(void)state;
	closes_in_frame = true;
	say("one");
	say("two");
	wanted_count = 1;
	uv_run(&loop, UV_RUN_DEFAULT);
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(frame_count, 1);
}

static void test_channel_watch_is_closed_within_a_turn(void **state)
{
	(void)state;
	closes_in_turn = true;
	say("one");
	for (int i = 0; i < 5; i++)
		uv_run(&loop, UV_RUN_NOWAIT);
	assert_int_equal(frame_count, 0);
	assert_int_equal(turn_count, 1);
}

static void test_channel_watch_is_closed_while_it_drains(void **state)
{
	(void)state;
	closes_in_frame = true;
	say("one");
	say("two");
	channel_watch_drain(watch);
	assert_int_equal(frame_count, 1);
}

#define WATCH_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WATCH_TEST(test_channel_watch_hands_over_what_came),
		WATCH_TEST(test_channel_watch_ends_its_turn_before_a_long_frame),
		WATCH_TEST(test_channel_watch_goes_on_when_there_is_room),
		WATCH_TEST(test_channel_watch_drains_what_was_left),
		WATCH_TEST(test_channel_watch_is_closed_within_a_frame),
		WATCH_TEST(test_channel_watch_is_closed_within_a_turn),
		WATCH_TEST(test_channel_watch_is_closed_while_it_drains),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

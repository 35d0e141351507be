/* Frames over a pair of sockets: whole, in order, and what becomes of half ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "io/channel.h"

#define MANY 100000

static struct channel *ours;
static struct channel *theirs;
static struct buf frame;

static int set_up(void **state)
{
	(void)state;
	int ends[2];
	if (channel_pair(ends, NULL) != LYC_OK)
		return -1;
	ours = channel_new(ends[0]);
	theirs = channel_new(ends[1]);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	channel_free(ours);
	channel_free(theirs);
	buf_fini(&frame);
	return 0;
}

/* So many bytes, all of this value. */
static struct span filled(size_t len, int value)
{
	buf_clear(&frame);
	assert_true(buf_reserve(&frame, len + 1));
	memset(frame.data, value, len);
	return span_of(frame.data, len);
}

static void expect(size_t len, int value)
{
	struct span span;
	while (!channel_has_next(theirs)) {
		(void)channel_flush(ours);
		assert_true(channel_read(theirs));
	}
	assert_true(channel_next(theirs, &span));
	assert_int_equal(span.len, len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(span.data[i], value);
}

static void test_channel_keeps_frames_apart_and_in_order(void **state)
{
	(void)state;
	static const size_t lens[] = {0, 1, 3, 4, 5, 1000, 65536, 131068, 131069, 200000, 7};
	for (size_t i = 0; i < sizeof(lens) / sizeof(lens[0]); i++) {
		assert_true(channel_send(ours, filled(lens[i], (int)i)));
		expect(lens[i], (int)i);
	}
	/* And when they lie there together. */
	for (int i = 0; i < 100; i++)
		assert_true(channel_send(ours, filled((size_t)i, i)));
	for (int i = 0; i < 100; i++)
		expect((size_t)i, i);
	assert_false(channel_read(theirs));
	assert_false(channel_is_lost(theirs));
}

/* Reading on before what was read has been taken changes nothing, however full the room is. */
static void test_channel_may_be_read_again(void **state)
{
	(void)state;
	for (int i = 0; i < 40; i++)
		assert_true(channel_send(ours, filled(4092, i)));
	for (int i = 0; i < 3; i++)
		assert_true(channel_read(theirs));
	assert_false(channel_is_lost(theirs));
	for (int i = 0; i < 40; i++)
		expect(4092, i);
}

static void test_channel_takes_the_longest_frame_in_parts(void **state)
{
	(void)state;
	assert_true(channel_send(ours, filled(CHANNEL_MAX_FRAME, 9)));
	assert_true(channel_is_full(ours));
	assert_false(channel_send(ours, span_of("x", 1)));
	expect(CHANNEL_MAX_FRAME, 9);
	assert_true(channel_flush(ours));
	assert_false(channel_is_full(ours));
	assert_true(channel_send(ours, span_of("x", 1)));
	expect(1, 'x');
	assert_false(channel_send(ours, filled(CHANNEL_MAX_FRAME + 1, 9)));
}

/* Nothing is lost or sent twice between "full" and "goes on". */
static void test_channel_says_that_it_is_full(void **state)
{
	(void)state;
	int sent = 0;
	while (sent < MANY && channel_send(ours, filled(3000, sent % 251)))
		sent++;
	assert_in_range(sent, 10, MANY - 1);
	assert_true(channel_is_full(ours));
	for (int i = 0; i < sent; i++)
		expect(3000, i % 251);
	assert_true(channel_flush(ours));
	assert_false(channel_read(theirs));
	assert_true(channel_send(ours, span_of("x", 1)));
	expect(1, 'x');
}

static void test_channel_tells_of_the_other_side_end(void **state)
{
	(void)state;
	struct span span;
	assert_true(channel_send(ours, span_of("last", 4)));
	channel_free(ours);
	ours = NULL;
	/* What was said before counts. */
	assert_true(channel_read(theirs));
	assert_false(channel_is_lost(theirs));
	assert_true(channel_next(theirs, &span));
	assert_true(span_is(span, "last"));
	assert_false(channel_read(theirs));
	assert_true(channel_is_lost(theirs));
	/* No signal ends the process. */
	assert_false(channel_send(theirs, span_of("x", 1)));
}

static void test_channel_refuses_what_is_no_frame(void **state)
{
	(void)state;
	static const uint8_t heads[][4] = {{1, 0, 0x40, 0}, {0xff, 0xff, 0xff, 0xff}};
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(send(channel_fd(ours), heads[i], 4, 0), 4);
		assert_true(channel_read(theirs));
		assert_false(channel_has_next(theirs));
		assert_false(channel_is_lost(theirs));
		assert_false(channel_read(theirs));
		assert_true(channel_is_lost(theirs));
		assert_int_equal(tear_down(NULL), 0);
		assert_int_equal(set_up(NULL), 0);
	}
}

static void test_channel_reads_a_frame_that_comes_byte_by_byte(void **state)
{
	(void)state;
	static const uint8_t bytes[] = {3, 0, 0, 0, 'a', 'b', 'c', 1, 0, 0, 0, 'd'};
	struct span span;
	for (size_t i = 0; i < sizeof(bytes); i++) {
		assert_int_equal(send(channel_fd(ours), &bytes[i], 1, 0), 1);
		assert_true(channel_read(theirs));
		bool is_whole = i == 6 || i == 11;
		assert_int_equal(channel_next(theirs, &span), is_whole);
		if (is_whole)
			assert_true(span_is(span, i == 6 ? "abc" : "d"));
	}
}

#define CHANNEL_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CHANNEL_TEST(test_channel_keeps_frames_apart_and_in_order),
		CHANNEL_TEST(test_channel_may_be_read_again),
		CHANNEL_TEST(test_channel_takes_the_longest_frame_in_parts),
		CHANNEL_TEST(test_channel_says_that_it_is_full),
		CHANNEL_TEST(test_channel_tells_of_the_other_side_end),
		CHANNEL_TEST(test_channel_refuses_what_is_no_frame),
		CHANNEL_TEST(test_channel_reads_a_frame_that_comes_byte_by_byte),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Attempts to reach the hub: how long they take, how long the waits between them are, and what is
 * said of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"
#include "log.h"
#include "node/uplink.h"

/* The transport: how often it was opened, and what it answers. */
struct bench {
	uint64_t now_ms;
	uint64_t random;
	unsigned opens;
	unsigned closes;
	unsigned hellos;
	enum lyc_status open_status;
	enum lyc_status send_status;
	const char *fault; /* what the transport says of the attempt */
	struct env env;
	struct link link;
	struct uplink uplink;
};

static uint64_t now_ms(void *world)
{
	return ((struct bench *)world)->now_ms;
}

static uint64_t random_bits(void *world)
{
	return ((struct bench *)world)->random;
}

static enum lyc_status open_link(void *world, struct lyc_error *error)
{
	struct bench *bench = world;
	bench->opens++;
	if (bench->open_status != LYC_OK)
		strcpy(error->text, "no such host");
	return bench->open_status;
}

static void close_link(void *world)
{
	((struct bench *)world)->closes++;
}

static bool link_failed(void *world, char *ret_text, size_t size)
{
	const struct bench *bench = world;
	snprintf(ret_text, size, "%s", bench->fault ? bench->fault : "the hub does not answer");
	return bench->fault != NULL;
}

static enum lyc_status send_frame(void *world, uint32_t port, struct span routing_id,
				  struct buf *frame)
{
	struct bench *bench = world;
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	assert_int_equal(port, PORT_UPLINK);
	assert_int_equal(routing_id.len, 0);
	frame_start(reader, span_of(frame->data, frame->len));
	assert_int_equal(frame_next(reader, &packet), FRAME_PACKET);
	assert_int_equal(packet.kind, PACKET_HELLO);
	assert_int_equal(packet.hello.version, WIRE_VERSION);
	assert_int_equal(packet.hello.epoch, 77);
	free(reader);
	if (bench->send_status == LYC_OK)
		bench->hellos++;
	return bench->send_status;
}

static int setup(void **state)
{
	struct bench *bench = mem_new(struct bench);
	log_configure(LOG_TEXT, LOG_ERROR, "test");
	bench->now_ms = 5000;
	bench->env = (struct env){.world = bench,
				  .now_ms = now_ms,
				  .random = random_bits,
				  .send = send_frame,
				  .uplink_open = open_link,
				  .uplink_close = close_link,
				  .uplink_failed = link_failed};
	bench->uplink = (struct uplink){.env = &bench->env, .epoch = 77};
	uplink_start(&bench->uplink, &bench->link);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	free(*state);
	return 0;
}

static void pass(struct bench *bench, uint64_t ms)
{
	bench->now_ms += ms;
	uplink_tick(&bench->uplink);
}

static void test_uplink_tries_at_once_and_says_hello_once(void **state)
{
	struct bench *bench = *state;
	pass(bench, 0);
	pass(bench, 10);
	assert_int_equal(bench->opens, 1);
	assert_int_equal(bench->hellos, 1);
	assert_int_equal(bench->uplink.state, UPLINK_GREETING);
	uplink_welcomed(&bench->uplink);
	pass(bench, 100000);
	assert_int_equal(bench->uplink.state, UPLINK_UP);
	assert_int_equal(bench->opens, 1);
	assert_int_equal(bench->closes, 0);
}

static void test_uplink_says_hello_when_the_transport_takes_it(void **state)
{
	struct bench *bench = *state;
	bench->send_status = LYC_RESOURCE_EXHAUSTED;
	for (int i = 0; i < 5; i++)
		pass(bench, 50);
	assert_int_equal(bench->hellos, 0);
	bench->send_status = LYC_OK;
	pass(bench, 50);
	pass(bench, 50);
	assert_int_equal(bench->hellos, 1);
	assert_int_equal(bench->opens, 1);
}

static void test_uplink_gives_up_a_hub_that_does_not_answer(void **state)
{
	struct bench *bench = *state;
	pass(bench, 0);
	pass(bench, 2999);
	assert_int_equal(bench->uplink.state, UPLINK_GREETING);
	pass(bench, 1);
	assert_int_equal(bench->uplink.state, UPLINK_WAITING);
	assert_int_equal(bench->closes, 1);
	assert_non_null(strstr(bench->link.text, "does not answer"));
}

static void test_uplink_ends_an_attempt_that_the_transport_knows_to_fail(void **state)
{
	struct bench *bench = *state;
	bench->fault = "the hub does not know this node's key";
	assert_string_equal(bench->link.text, "trying");
	pass(bench, 0);
	pass(bench, 10);
	assert_int_equal(bench->uplink.state, UPLINK_WAITING);
	assert_int_equal(bench->closes, 1);
	assert_string_equal(bench->link.text, bench->fault);
	assert_string_equal(bench->uplink.logged, bench->fault);
}

static void test_uplink_waits_longer_each_time_and_not_for_ever(void **state)
{
	struct bench *bench = *state;
	bench->open_status = LYC_UNAVAILABLE;
	uint64_t backoff = 100;
	pass(bench, 0);
	for (unsigned attempt = 1; attempt < 12; attempt++) {
		assert_int_equal(bench->opens, attempt);
		assert_string_equal(bench->link.text, "no such host");
		/* Chance was 0 when this wait was drawn: half of the back-off for certain. */
		uint64_t half = backoff / 2;
		pass(bench, half - 1);
		assert_int_equal(bench->opens, attempt);
		pass(bench, 1);
		if (backoff < 5000)
			backoff *= 2;
	}
	assert_in_range(backoff, 5000, 6400);
	/* With all the chance there is, the whole. */
	bench->random = backoff / 2;
	uint64_t before = bench->now_ms;
	uplink_lost(&bench->uplink, "again");
	assert_int_equal(bench->link.retry_at_ms, before + backoff);
	assert_string_equal(bench->link.text, "again");
	/* A Welcome makes it short again. */
	uplink_welcomed(&bench->uplink);
	bench->random = 0;
	uplink_lost(&bench->uplink, "once more");
	assert_int_equal(bench->link.retry_at_ms, before + 50);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_uplink_tries_at_once_and_says_hello_once),
		on_bench(test_uplink_says_hello_when_the_transport_takes_it),
		on_bench(test_uplink_gives_up_a_hub_that_does_not_answer),
		on_bench(test_uplink_ends_an_attempt_that_the_transport_knows_to_fail),
		on_bench(test_uplink_waits_longer_each_time_and_not_for_ever),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

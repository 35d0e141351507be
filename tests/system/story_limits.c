/* Limits: a slow subscriber is told what it missed and harms nobody; who sends beyond its credit is
 * told so and cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zmq.h>

#include "inbox.h"
#include "raw_peer.h"

static struct network *network;
static struct node *hub;
static struct node *nhsa;
static char plain[64];

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_key(nhsa, "anonymous", NULL, "publish: ['>']");
	nhsa->has_plain = true;
	snprintf(nhsa->extra, sizeof(nhsa->extra),
		 "limits: {call_credit: 65536, publish_credit: 65536}\n");
	node_start(hub);
	node_start(nhsa);
	node_plain_endpoint(nhsa, plain, sizeof(plain));
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

static void subscribe(struct raw_peer *peer, const char *pattern, uint64_t credit)
{
	struct packet packet = {.kind = PACKET_SUBSCRIBE};
	packet.subscribe = (struct packet_subscribe){
		.id = 1, .pattern = span_of(pattern, strlen(pattern)), .credit = credit};
	raw_peer_send(peer, &packet);
	packet = (struct packet){.kind = PACKET_PING, .ping = {.id = 1}};
	raw_peer_send(peer, &packet);
	assert_true(raw_peer_await(peer, PACKET_PONG, &packet, 5000));
}

static void test_slow_subscriber_is_told_how_many_it_missed(void **state)
{
	(void)state;
	struct packet packet;
	struct raw_peer *slow = raw_peer_new(plain, NULL, NULL);
	assert_true(raw_peer_greet(slow, &packet));
	struct inbox *quick = inbox_open(network, node_client(nhsa), NOTE ".flow", NULL);
	subscribe(slow, NOTE ".flow", 500);

	for (int i = 0; i < 200; i++)
		note_publish(node_client(nhsa), NOTE ".flow", "drop by drop", NULL);
	inbox_wait(quick, 200);
	assert_int_equal(quick->missed, 0);

	/* What its credit allowed has come; then it hears of the rest, once it gives more. */
	uint64_t got = 0;
	packet = (struct packet){.kind = PACKET_CREDIT, .credit = {.id = 1, .value = 100000}};
	raw_peer_send(slow, &packet);
	while (raw_peer_receive(slow, &packet, 5000) && packet.kind != PACKET_GAP)
		got += packet.kind == PACKET_DELIVER;
	assert_int_equal(packet.kind, PACKET_GAP);
	assert_true(got > 0 && got < 50);
	assert_int_equal(packet.gap.missed + got, 200);
	/* And from here on it misses nothing. */
	note_publish(node_client(nhsa), NOTE ".flow", "after", NULL);
	assert_true(raw_peer_await(slow, PACKET_DELIVER, &packet, 5000));
	assert_non_null(memmem(packet.deliver.body.data, packet.deliver.body.len, "after", 5));
	inbox_close(quick);
	raw_peer_free(slow);
}

/* A follower of records is never told of gaps: it waits, and gets all of it. */
static void test_slow_follower_of_records_misses_nothing(void **state)
{
	(void)state;
	const struct lyc_publish_options durable = {.durable = true};
	const struct lyc_subscribe_options narrow = {.credit = 300, .records_only = true};
	struct inbox *inbox = inbox_open(network, node_client(nhsa), NOTE ".slow", &narrow);
	char text[16];
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "%d", i);
		note_publish(node_client(nhsa), NOTE ".slow", text, &durable);
	}
	inbox_wait(inbox, 100);
	for (int i = 0; i < 100; i++)
		assert_int_equal(atoi(inbox->items[i].text), i);
	assert_int_equal(inbox->missed, 0);
	inbox_close(inbox);
}

/* True when the connection ends: libzmq's monitor says so. */
static void *watch(struct raw_peer *peer)
{
	assert_int_equal(zmq_socket_monitor(peer->socket, "inproc://watch", ZMQ_EVENT_DISCONNECTED),
			 0);
	void *monitor = zmq_socket(peer->zmq, ZMQ_PAIR);
	int timeout = 50;
	zmq_setsockopt(monitor, ZMQ_RCVTIMEO, &timeout, sizeof(timeout));
	assert_int_equal(zmq_connect(monitor, "inproc://watch"), 0);
	return monitor;
}

static void check_flood(const struct packet *what, uint32_t count)
{
	struct packet packet;
	struct raw_peer *flooder = raw_peer_new(plain, NULL, NULL);
	assert_true(raw_peer_greet(flooder, &packet));
	void *monitor = watch(flooder);
	struct packet one = *what;
	for (uint32_t i = 1; i <= count; i++) {
		if (one.kind == PACKET_CALL)
			one.call.id = i;
		else
			one.publish.id = i;
		raw_peer_send(flooder, &one);
	}
	assert_true(raw_peer_await(flooder, PACKET_GOODBYE, &packet, 5000));
	assert_int_equal(packet.goodbye.reason, GOODBYE_FLOOD);
	/* It goes on: 20 ms after its Goodbye the next message is its last. */
	uint64_t deadline = network_now_ms() + 5000;
	char event[64];
	bool is_cut = false;
	while (!is_cut && network_now_ms() < deadline) {
		raw_peer_send(flooder, &one);
		is_cut = zmq_recv(monitor, event, sizeof(event), 0) >= 0;
	}
	assert_true(is_cut);
	zmq_close(monitor);
	raw_peer_free(flooder);
	/* Nobody else notices. */
	struct outcome outcome = say(nhsa, "still here", 0, NULL);
	assert_int_equal(outcome.status, LYC_OK);
}

static void test_calls_beyond_credit_end_in_a_goodbye_and_a_cut(void **state)
{
	(void)state;
	static const char method[] = "lyceum.echo.v1.Echo/Say";
	/* SayRequest{text: "x", delay_ms: 30000} */
	static const char body[] = "\x0a\x01x\x10\xb0\xea\x01";
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = (struct packet_call){.method = span_of(method, strlen(method)),
					   .body = span_of(body, sizeof(body) - 1),
					   .timeout_ms = 30000};
	check_flood(&packet, 3000);
}

/* One frame, so that no credit can come back in between. */
static void check_flood_of_publishes(bool is_durable)
{
	static uint8_t body[903] = {0x0a, 0x84, 0x07};
	static const char subject[] = NOTE ".flood";
	memset(body + 3, 'x', 900);
	struct packet packet = {.kind = PACKET_PUBLISH};
	packet.publish = (struct packet_publish){.subject = span_of(subject, strlen(subject)),
						 .body = span_of(body, sizeof(body)),
						 .durable = is_durable};
	struct raw_peer *flooder = raw_peer_new(plain, NULL, NULL);
	struct packet answer;
	struct buf frame = {0};
	assert_true(raw_peer_greet(flooder, &answer));
	for (uint64_t i = 1; i <= 200; i++) {
		packet.publish.id = is_durable ? i : 0;
		packet_write(&frame, &packet);
	}
	raw_peer_send_bytes(flooder, frame.data, frame.len, false);
	buf_fini(&frame);
	assert_true(raw_peer_await(flooder, PACKET_GOODBYE, &answer, 5000));
	assert_int_equal(answer.goodbye.reason, GOODBYE_FLOOD);
	raw_peer_free(flooder);
	note_publish(node_client(nhsa), NOTE ".flow", "still here",
		     &(struct lyc_publish_options){.durable = true});
}

static void test_publishes_beyond_credit_end_in_a_goodbye_and_a_cut(void **state)
{
	(void)state;
	check_flood_of_publishes(true);
	check_flood_of_publishes(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_slow_subscriber_is_told_how_many_it_missed),
		cmocka_unit_test(test_slow_follower_of_records_misses_nothing),
		cmocka_unit_test(test_calls_beyond_credit_end_in_a_goodbye_and_a_cut),
		cmocka_unit_test(test_publishes_beyond_credit_end_in_a_goodbye_and_a_cut),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

/* The attachment to a daemon: Hello and Welcome, heartbeats, loss and coming back, Goodbye. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "io/clock.h"
#include "io/keyfile.h"
#include "io/zap.h"

#define METHOD "lyceum.echo.v1.Echo/Say"

struct ending {
	int count;
	enum lyc_status status;
	char text[200];
};

static void take_ending(const struct lyc_reply *reply, void *arg)
{
	struct ending *ending = arg;
	ending->count++;
	ending->status = reply->status;
	snprintf(ending->text, sizeof(ending->text), "%s", reply->text);
	assert_false(reply->more);
}

static void greet_only(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	const struct packet *hello = fake_expect(daemon, PACKET_HELLO);
	fake_check(daemon, span_is(hello->hello.software, "test"));
	fake_check(daemon, hello->hello.call_credit == 0);
	struct packet welcome = {.kind = PACKET_WELCOME, .welcome = daemon->welcome};
	fake_send(daemon, &welcome);
	const struct packet *goodbye = fake_expect(daemon, PACKET_GOODBYE);
	fake_check(daemon, goodbye->goodbye.reason == GOODBYE_SHUTDOWN);
}

static void test_attachment_begins_with_hello_and_ends_with_goodbye(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, greet_only, NULL);
	struct lyc_client *client = fake_open(&daemon);
	const struct lyc_welcome *welcome = lyc_client_welcome(client);
	assert_string_equal(welcome->daemon, "wales");
	assert_string_equal(welcome->identity, "cli");
	assert_string_equal(welcome->ack_means, "synced");
	assert_string_equal(welcome->software, "fake");
	assert_int_equal(welcome->epoch, 7);
	assert_int_equal(welcome->max_body, WIRE_MAX_BODY);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
	lyc_client_close(NULL);
}

static void test_attachment_open_says_when_nobody_answers(void **state)
{
	(void)state;
	struct lyc_client_options options = {.endpoint = "ipc://@lyceum-nobody-here",
					     .connect_timeout_ms = 60};
	struct lyc_client *client;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_UNAVAILABLE);
	assert_non_null(strstr(error.text, "ipc://@lyceum-nobody-here"));
	assert_null(client);
	options.endpoint = "smoke://signal";
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_INVALID_ARGUMENT);
	options.endpoint = "";
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_INVALID_ARGUMENT);
	options.endpoint = "ipc://@x";
	options.server_key = "short";
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "server_key");
}

static void refuse(struct fake_daemon *daemon, void *arg)
{
	fake_expect(daemon, PACKET_HELLO);
	struct packet goodbye = {
		.kind = PACKET_GOODBYE,
		.goodbye = {.reason = *(uint32_t *)arg, .text = span_of("not you", 7)}};
	fake_send(daemon, &goodbye);
}

static void test_attachment_open_tells_the_goodbye(void **state)
{
	(void)state;
	static const struct {
		uint32_t reason;
		enum lyc_status status;
	} cases[] = {{GOODBYE_DENIED, LYC_PERMISSION_DENIED},
		     {GOODBYE_VERSION, LYC_FAILED_PRECONDITION}};
	for (size_t i = 0; i < 2; i++) {
		struct fake_daemon daemon;
		uint32_t reason = cases[i].reason;
		fake_daemon_start(&daemon, FAKE_ROUTER, refuse, &reason);
		struct lyc_client_options options = {.endpoint = daemon.endpoint};
		struct lyc_client *client;
		struct lyc_error error = {0};
		assert_int_equal(lyc_client_open(&options, &client, &error), cases[i].status);
		assert_non_null(strstr(error.text, "not you"));
		fake_daemon_stop(&daemon);
	}
}

static void greet_with_another_version(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	daemon->welcome.version = 9;
	fake_greet(daemon);
}

static void test_attachment_open_refuses_another_version(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, greet_with_another_version, NULL);
	struct lyc_client_options options = {.endpoint = daemon.endpoint};
	struct lyc_client *client;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "version 9"));
	fake_daemon_stop(&daemon);
}

/* Answers pings for a while, then falls silent; the client comes back. */
static void fall_silent(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	daemon->welcome.heartbeat_ms = 300;
	fake_greet(daemon);
	for (int i = 0; i < 3; i++) {
		const struct packet *ping = fake_next(daemon, true);
		fake_check(daemon, ping->kind == PACKET_PING);
		struct packet pong = {.kind = PACKET_PONG, .pong = {.id = ping->ping.id}};
		fake_send(daemon, &pong);
	}
	struct packet ping = {.kind = PACKET_PING, .ping = {.id = 99}};
	fake_send(daemon, &ping);
	const struct packet *pong;
	do
		pong = fake_next(daemon, true);
	while (pong->kind == PACKET_PING);
	fake_check(daemon, pong->kind == PACKET_PONG && pong->pong.id == 99);
	const struct packet *call = fake_expect(daemon, PACKET_CALL);
	fake_check(daemon, span_is(call->call.method, METHOD));
	fake_greet(daemon);
	call = fake_expect(daemon, PACKET_CALL);
	fake_reply(daemon, call->call.id, LYC_OK, "again", false);
}

static void test_attachment_is_lost_when_the_daemon_is_silent(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, fall_silent, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct ending ending = {0};
	uint64_t until_ms = mono_ms() + 1200;
	while (mono_ms() < until_ms)
		assert_int_equal(lyc_client_run(client, 20), LYC_OK);
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "x", 1, NULL, take_ending, &ending, NULL),
		LYC_OK);
	fake_run_until(client, &ending.count, 1);
	assert_int_equal(ending.status, LYC_UNAVAILABLE);
	assert_non_null(strstr(ending.text, "whether the call ran is not known"));
	struct lyc_call_options options = {.timeout_ms = 3000};
	uint8_t *body;
	size_t body_len;
	struct lyc_error error = {0};
	assert_int_equal(
		lyc_client_call(client, METHOD, "x", 1, &options, &body, &body_len, &error),
		LYC_OK);
	assert_int_equal(body_len, 5);
	free(body);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void forget_session(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_CALL);
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_NO_SESSION}};
	/* One for each packet that came. */
	fake_send(daemon, &goodbye);
	fake_send(daemon, &goodbye);
	fake_greet(daemon);
	const struct packet *call = fake_expect(daemon, PACKET_CALL);
	fake_reply(daemon, call->call.id, LYC_OK, "ok", false);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_attachment_says_hello_again_on_no_session(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, forget_session, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct ending first = {0};
	struct ending second = {0};
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "x", 1, NULL, take_ending, &first, NULL),
		LYC_OK);
	fake_run_until(client, &first.count, 1);
	assert_int_equal(first.status, LYC_UNAVAILABLE);
	while (!client_is_open(client))
		lyc_client_run(client, 100);
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "x", 1, NULL, take_ending, &second, NULL),
		LYC_OK);
	fake_run_until(client, &second.count, 1);
	assert_int_equal(second.status, LYC_OK);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

/* Dies with a call open; afterwards the subscriptions come again, each from where it was. */
static void die_and_come_back(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	for (int i = 0; i < 4; i++)
		fake_expect(daemon, PACKET_SUBSCRIBE);
	for (uint64_t id = 1; id <= 4; id++) {
		struct packet deliver = {
			.kind = PACKET_DELIVER,
			.deliver = {.id = id, .seq = 40 + id, .subject = span_of("a.b", 3)}};
		fake_put(daemon, &deliver);
	}
	fake_flush(daemon);
	while (fake_next(daemon, false)->kind != PACKET_CALL)
		continue;
	fake_restart(daemon);
	fake_greet(daemon);
	bool has_come[5] = {0};
	for (int i = 0; i < 4; i++) {
		const struct packet *packet = fake_expect(daemon, PACKET_SUBSCRIBE);
		const struct packet_subscribe *subscribe = &packet->subscribe;
		fake_check(daemon, subscribe->id >= 1 && subscribe->id <= 4);
		has_come[subscribe->id] = true;
		if (subscribe->id == 1)
			fake_check(daemon, subscribe->start == SUBSCRIBE_SEQ &&
						   subscribe->from == 42 &&
						   subscribe->records_only);
		else if (subscribe->id == 2)
			fake_check(daemon, subscribe->start == SUBSCRIBE_NOW);
		else if (subscribe->id == 3)
			fake_check(daemon, subscribe->start == SUBSCRIBE_SEQ &&
						   subscribe->from == 5 &&
						   span_is(subscribe->durable, "view"));
		else
			fake_check(daemon, subscribe->start == SUBSCRIBE_LAST);
	}
	fake_check(daemon, has_come[1] && has_come[2] && has_come[3] && has_come[4]);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void count_delivery(const struct lyc_delivery *delivery, void *arg)
{
	(void)delivery;
	(*(int *)arg)++;
}

static void test_attachment_comes_back_with_its_subscriptions(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, die_and_come_back, NULL);
	struct lyc_client *client = fake_open(&daemon);
	const struct lyc_subscribe_options options[] = {
		{.start = LYC_START_SEQ, .from = 5, .records_only = true},
		{.start = LYC_START_NOW},
		{.start = LYC_START_SEQ, .from = 5, .durable = "view"},
		{.start = LYC_START_LAST},
	};
	int count = 0;
	uint64_t id;
	for (int i = 0; i < 4; i++)
		assert_int_equal(lyc_client_subscribe(client, "a.>", &options[i], count_delivery,
						      &count, &id, NULL),
				 LYC_OK);
	fake_run_until(client, &count, 4);
	struct ending ending = {0};
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "x", 1, NULL, take_ending, &ending, NULL),
		LYC_OK);
	fake_run_until(client, &ending.count, 1);
	assert_int_equal(ending.status, LYC_UNAVAILABLE);
	while (!client_is_open(client))
		lyc_client_run(client, 100);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void greet_under_curve(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_attachment_open_tells_a_key_that_is_not_known(void **state)
{
	(void)state;
	struct keypair server;
	struct keypair known;
	struct keypair stranger;
	assert_int_equal(keyfile_make(&server, NULL), LYC_OK);
	assert_int_equal(keyfile_make(&known, NULL), LYC_OK);
	assert_int_equal(keyfile_make(&stranger, NULL), LYC_OK);
	struct fake_daemon daemon;
	fake_daemon_prepare(&daemon, FAKE_ROUTER, greet_under_curve, NULL);
	struct zap *zap;
	assert_int_equal(zap_start(daemon.zmq_ctx, NULL, &zap, NULL), LYC_OK);
	struct zap_key key = {.name = "ann", .public_key = known.public_key};
	assert_int_equal(zap_set_keys(zap, &key, 1, NULL), LYC_OK);
	daemon.secret_key = server.secret_key;
	fake_daemon_run(&daemon);

	struct lyc_client_options options = {.endpoint = daemon.endpoint,
					     .server_key = server.public_key,
					     .public_key = stranger.public_key,
					     .secret_key = stranger.secret_key};
	struct lyc_client *client;
	struct lyc_error error = {0};
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_UNAUTHENTICATED);
	assert_non_null(strstr(error.text, "does not know this key"));
	options.public_key = known.public_key;
	options.secret_key = known.secret_key;
	assert_int_equal(lyc_client_open(&options, &client, &error), LYC_OK);
	lyc_client_close(client);
	fake_daemon_join(&daemon);
	zmq_close(daemon.socket);
	daemon.socket = NULL;
	zap_stop(zap);
	fake_daemon_stop(&daemon);
}

static void reply_once(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	const struct packet *call = fake_expect(daemon, PACKET_CALL);
	fake_reply(daemon, call->call.id, LYC_OK, "ok", false);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void test_attachment_runs_in_another_loop(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_ROUTER, reply_once, NULL);
	struct lyc_client *client = fake_open(&daemon);
	struct ending ending = {0};
	zmq_pollitem_t item = {.fd = lyc_client_fd(client), .events = ZMQ_POLLIN};
	assert_int_equal(
		lyc_client_call_start(client, METHOD, "x", 1, NULL, take_ending, &ending, NULL),
		LYC_OK);
	assert_int_equal(lyc_client_run(client, 0), LYC_OK);
	while (ending.count == 0) {
		assert_int_equal(zmq_poll(&item, 1, FAKE_WAIT_MS), 1);
		assert_int_equal(lyc_client_run(client, 0), LYC_OK);
	}
	assert_int_equal(ending.status, LYC_OK);
	/* Nothing to do: quiet, however often a loop asks for the descriptor. */
	int wake_count = 0;
	for (int i = 0; i < 20; i++) {
		item.fd = lyc_client_fd(client);
		wake_count += zmq_poll(&item, 1, 0);
		assert_int_equal(lyc_client_run(client, 0), LYC_OK);
	}
	assert_true(wake_count < 5);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attachment_begins_with_hello_and_ends_with_goodbye),
		cmocka_unit_test(test_attachment_open_says_when_nobody_answers),
		cmocka_unit_test(test_attachment_open_tells_the_goodbye),
		cmocka_unit_test(test_attachment_open_refuses_another_version),
		cmocka_unit_test(test_attachment_is_lost_when_the_daemon_is_silent),
		cmocka_unit_test(test_attachment_says_hello_again_on_no_session),
		cmocka_unit_test(test_attachment_comes_back_with_its_subscriptions),
		cmocka_unit_test(test_attachment_open_tells_a_key_that_is_not_known),
		cmocka_unit_test(test_attachment_runs_in_another_loop),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

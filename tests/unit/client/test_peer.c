/* A client that also serves, over a channel as plugins do, and over ZeroMQ. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_daemon.h"
#include "io/clock.h"

struct server {
	int welcome_count;
	int lost_count;
	int call_count;
	int cancel_count;
	enum lyc_status register_status;
	uint64_t held_id;
};

static void serve(struct lyc_client *client, void *arg)
{
	struct server *server = arg;
	struct span services[] = {span_of("lyceum.echo.v1.Echo", 19)};
	struct lyc_error error = {0};
	server->welcome_count++;
	struct span publishes[] = {span_of("lyceum.echo.v1.Note", 19)};
	const struct packet_register reg = {.services = services,
					    .service_count = 1,
					    .schema = span_of("schema", 6),
					    .publishes = publishes,
					    .publish_count = 1};
	server->register_status = client_register(client, &reg, &error);
	if (server->register_status)
		assert_string_equal(error.text, "no");
}

static void lost(struct lyc_client *client, const struct lyc_error *why, void *arg)
{
	struct server *server = arg;
	struct packet_reply reply = {.id = server->held_id};
	server->lost_count++;
	assert_int_equal(why->status, LYC_UNAVAILABLE);
	assert_int_equal(client_reply(client, &reply), LYC_UNAVAILABLE);
}

static void answer(struct lyc_client *client, const struct packet_call *call, size_t packet_len,
		   void *arg)
{
	struct server *server = arg;
	server->call_count++;
	assert_true(packet_len > call->body.len);
	if (span_is(call->body, "hold")) {
		server->held_id = call->id;
		return;
	}
	struct packet_reply reply = {.id = call->id, .body = call->body, .more = true};
	assert_int_equal(client_reply(client, &reply), LYC_OK);
	reply.more = false;
	assert_int_equal(client_reply(client, &reply), LYC_OK);
}

static bool cancelled(struct lyc_client *client, uint64_t id, void *arg)
{
	struct server *server = arg;
	server->cancel_count++;
	assert_int_equal(id, server->held_id);
	struct packet_reply reply = {.id = id, .status = LYC_CANCELLED};
	assert_int_equal(client_reply(client, &reply), LYC_OK);
	return true;
}

static void send_call(struct fake_daemon *daemon, uint64_t id, const char *body)
{
	struct packet call = {.kind = PACKET_CALL,
			      .call = {.id = id,
				       .method = span_of("lyceum.echo.v1.Echo/Say", 23),
				       .body = span_of(body, strlen(body))}};
	fake_put(daemon, &call);
}

static void accept_register(struct fake_daemon *daemon, uint32_t status)
{
	const struct packet_register *reg = &fake_expect(daemon, PACKET_REGISTER)->reg;
	fake_check(daemon, reg->service_count == 1);
	fake_check(daemon, span_is(reg->services[0], "lyceum.echo.v1.Echo"));
	fake_check(daemon, span_is(reg->schema, "schema"));
	fake_check(daemon, reg->publish_count == 1);
	fake_check(daemon, span_is(reg->publishes[0], "lyceum.echo.v1.Note"));
	struct packet registered = {.kind = PACKET_REGISTERED,
				    .registered = {.id = reg->id,
						   .status = status,
						   .text = span_of("no", status ? 2 : 0)}};
	fake_put(daemon, &registered);
}

static void call_the_server(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	const struct packet *hello = fake_expect(daemon, PACKET_HELLO);
	fake_check(daemon, hello->hello.call_credit == 4096);
	struct packet welcome = {.kind = PACKET_WELCOME, .welcome = daemon->welcome};
	fake_send(daemon, &welcome);
	/* A call that is there before Registered waits until the hook has returned. */
	accept_register(daemon, LYC_OK);
	send_call(daemon, 1, "x");
	send_call(daemon, 2, "hold");
	fake_flush(daemon);
	const struct packet_reply *reply = &fake_expect(daemon, PACKET_REPLY)->reply;
	fake_check(daemon, reply->id == 1 && reply->more && span_is(reply->body, "x"));
	reply = &fake_expect(daemon, PACKET_REPLY)->reply;
	fake_check(daemon, reply->id == 1 && !reply->more);
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = 2}};
	fake_send(daemon, &cancel);
	reply = &fake_expect(daemon, PACKET_REPLY)->reply;
	fake_check(daemon, reply->id == 2 && reply->status == LYC_CANCELLED);
	struct packet goodbye = {.kind = PACKET_GOODBYE, .goodbye = {.reason = GOODBYE_NO_SESSION}};
	fake_send(daemon, &goodbye);
	fake_greet(daemon);
	accept_register(daemon, LYC_ALREADY_EXISTS);
	fake_flush(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

static void serve_over(enum fake_way way)
{
	struct fake_daemon daemon;
	struct server server = {0};
	fake_daemon_start(&daemon, way, call_the_server, &server);
	struct connection_options options = {.transport =
						     way == FAKE_CHANNEL ? &daemon.transport : NULL,
					     .endpoint = daemon.endpoint,
					     .call_credit = 4096};
	struct peer_hooks hooks = {.on_welcome = serve,
				   .on_lost = lost,
				   .on_call = answer,
				   .on_cancel = cancelled,
				   .arg = &server};
	struct lyc_client *client;
	struct lyc_error error = {0};
	assert_int_equal(client_open_with(&options, &hooks, &client, &error), LYC_OK);
	assert_true(client_is_open(client));
	assert_int_equal(server.register_status, LYC_OK);
	fake_run_until(client, &server.welcome_count, 2);
	assert_int_equal(server.register_status, LYC_ALREADY_EXISTS);
	assert_int_equal(server.call_count, 2);
	assert_int_equal(server.cancel_count, 1);
	assert_int_equal(server.lost_count, 1);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void test_peer_serves_over_a_channel(void **state)
{
	(void)state;
	serve_over(FAKE_CHANNEL);
}

static void test_peer_serves_over_a_socket(void **state)
{
	(void)state;
	serve_over(FAKE_ROUTER);
}

static void greet_and_wait(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_CALL);
	fake_end(daemon);
}

static void take_end(const struct lyc_reply *reply, void *arg)
{
	assert_int_equal(reply->status, LYC_UNAVAILABLE);
	(*(int *)arg)++;
}

static void test_peer_notices_the_end_of_its_daemon(void **state)
{
	(void)state;
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_CHANNEL, greet_and_wait, NULL);
	struct connection_options options = {.transport = &daemon.transport,
					     .endpoint = daemon.endpoint};
	struct lyc_client *client;
	assert_int_equal(client_open_with(&options, NULL, &client, NULL), LYC_OK);
	int ended = 0;
	assert_int_equal(
		lyc_client_call_start(client, "a.B/C", "", 0, NULL, take_end, &ended, NULL),
		LYC_OK);
	fake_run_until(client, &ended, 1);
	assert_int_equal(lyc_client_run(client, 5), LYC_UNAVAILABLE);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
}

static void greet_and_stay(struct fake_daemon *daemon, void *arg)
{
	(void)arg;
	fake_greet(daemon);
	fake_expect(daemon, PACKET_GOODBYE);
}

/* Runs with this timeout until the descriptor, readable from the start, has been noticed. */
static void wake(int timeout_ms)
{
	struct fake_daemon daemon;
	fake_daemon_start(&daemon, FAKE_CHANNEL, greet_and_stay, NULL);
	struct connection_options options = {.transport = &daemon.transport,
					     .endpoint = daemon.endpoint};
	struct lyc_client *client;
	assert_int_equal(client_open_with(&options, NULL, &client, NULL), LYC_OK);
	int fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	assert_false(client_is_woken(client));
	assert_int_equal(client_wake_on(client, fd, NULL), LYC_OK);
	uint64_t begun_ms = mono_ms();
	while (!client_is_woken(client) && mono_ms() < begun_ms + FAKE_WAIT_MS)
		assert_int_equal(lyc_client_run(client, timeout_ms), LYC_OK);
	assert_true(client_is_woken(client));
	assert_true(mono_ms() < begun_ms + FAKE_WAIT_MS);
	lyc_client_close(client);
	fake_daemon_stop(&daemon);
	close(fd);
}

static void test_peer_is_woken_while_it_waits(void **state)
{
	(void)state;
	wake(2 * FAKE_WAIT_MS);
}

/* Runs that do not wait are what a peer does that always has work. */
static void test_peer_is_woken_though_it_never_waits(void **state)
{
	(void)state;
	wake(0);
}

static void test_peer_wants_all_keys_or_none(void **state)
{
	(void)state;
	char key[41];
	memset(key, 'a', 40);
	key[40] = '\0';
	struct connection_options options = {
		.endpoint = "tcp://127.0.0.1:1", .public_key = key, .secret_key = key};
	struct lyc_client *client;
	struct lyc_error error = {0};
	assert_int_equal(client_open_with(&options, NULL, &client, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "server_key"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_peer_serves_over_a_channel),
		cmocka_unit_test(test_peer_serves_over_a_socket),
		cmocka_unit_test(test_peer_notices_the_end_of_its_daemon),
		cmocka_unit_test(test_peer_is_woken_while_it_waits),
		cmocka_unit_test(test_peer_is_woken_though_it_never_waits),
		cmocka_unit_test(test_peer_wants_all_keys_or_none),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

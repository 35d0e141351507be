/* The key check, through real handshakes on abstract Unix sockets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <zmq.h>

#include "io/clock.h"
#include "io/keyfile.h"
#include "io/zap.h"

#define DEADLINE_MS 3000

static void *ctx;
static struct zap *zap;
static struct keypair server_keys;
static struct lyc_error error;
static int endpoint_count;
/* Clients show their key pair instead of speaking CURVE. */
static bool shows_secret;

static int set_up(void **state)
{
	(void)state;
	shows_secret = false;
	ctx = zmq_ctx_new();
	if (keyfile_make(&server_keys, &error) != LYC_OK)
		return -1;
	return zap_start(ctx, "plain", &zap, &error) == LYC_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	zap_stop(zap);
	return zmq_ctx_term(ctx);
}

static void *new_socket(int type)
{
	int zero = 0, deadline = DEADLINE_MS;
	void *socket = zmq_socket(ctx, type);
	assert_non_null(socket);
	zmq_setsockopt(socket, ZMQ_LINGER, &zero, sizeof(zero));
	zmq_setsockopt(socket, ZMQ_RCVTIMEO, &deadline, sizeof(deadline));
	return socket;
}

/* A server, one client; the name under which it got in, "" when it was refused. */
static void knock(const char *domain, const struct keypair *client_keys, char *ret_name)
{
	char endpoint[64], monitor[64];
	int one = 1;
	snprintf(endpoint, sizeof(endpoint), "ipc://@lyc-test-zap-%d-%d", getpid(),
		 ++endpoint_count);
	snprintf(monitor, sizeof(monitor), "inproc://monitor-%d", endpoint_count);
	void *server = new_socket(ZMQ_ROUTER);
	void *client = new_socket(ZMQ_DEALER);
	void *events = new_socket(ZMQ_PAIR);
	zmq_setsockopt(server, ZMQ_ZAP_DOMAIN, domain, strlen(domain));
	if (client_keys && shows_secret) {
		zmq_setsockopt(server, ZMQ_PLAIN_SERVER, &one, sizeof(one));
		zmq_setsockopt(client, ZMQ_PLAIN_USERNAME, client_keys->public_key, 40);
		zmq_setsockopt(client, ZMQ_PLAIN_PASSWORD, client_keys->secret_key, 40);
	} else if (client_keys) {
		zmq_setsockopt(server, ZMQ_CURVE_SERVER, &one, sizeof(one));
		zmq_setsockopt(server, ZMQ_CURVE_SECRETKEY, server_keys.secret_key, 41);
		zmq_setsockopt(client, ZMQ_CURVE_SERVERKEY, server_keys.public_key, 41);
		zmq_setsockopt(client, ZMQ_CURVE_PUBLICKEY, client_keys->public_key, 41);
		zmq_setsockopt(client, ZMQ_CURVE_SECRETKEY, client_keys->secret_key, 41);
	}
	assert_int_equal(zmq_socket_monitor(server, monitor, ZMQ_EVENT_HANDSHAKE_FAILED_AUTH), 0);
	assert_int_equal(zmq_connect(events, monitor), 0);
	assert_int_equal(zmq_bind(server, endpoint), 0);
	assert_int_equal(zmq_connect(client, endpoint), 0);
	assert_int_equal(zmq_send(client, "hello", 5, 0), 5);
	zmq_pollitem_t items[2] = {{.socket = server, .events = ZMQ_POLLIN},
				   {.socket = events, .events = ZMQ_POLLIN}};
	assert_true(zmq_poll(items, 2, DEADLINE_MS) > 0);
	ret_name[0] = '\0';
	if (items[0].revents) {
		zmq_msg_t msg;
		zmq_msg_init(&msg);
		assert_true(zmq_msg_recv(&msg, server, 0) >= 0);
		assert_int_equal(zmq_msg_recv(&msg, server, 0), 5);
		const char *user_id = zmq_msg_gets(&msg, "User-Id");
		assert_non_null(user_id);
		strcpy(ret_name, user_id);
		zmq_msg_close(&msg);
	}
	zmq_socket_monitor(server, NULL, 0);
	zmq_close(server);
	zmq_close(client);
	zmq_close(events);
}

static void test_zap_starts_within_its_time(void **state)
{
	(void)state;
	void *other = zmq_ctx_new();
	struct zap *second;
	uint64_t start = mono_ms();
	assert_int_equal(zap_start(other, NULL, &second, &error), LYC_OK);
	uint64_t took = mono_ms() - start;
	print_message("the self-test took %d ms\n", (int)took);
	/* What zap_probe.h says; how quick it is hangs on the machine. */
	assert_true(took < 10000);
	zap_stop(second);
	zmq_ctx_term(other);
}

static void test_zap_refuses_a_second_handler(void **state)
{
	(void)state;
	struct zap *second;
	assert_int_equal(zap_start(ctx, NULL, &second, &error), LYC_INTERNAL);
	assert_true(strlen(error.text) > 0);
}

static void test_zap_lets_a_known_key_in_by_name(void **state)
{
	(void)state;
	struct keypair keys;
	char name[256];
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	struct zap_key entry = {.name = "wales", .public_key = keys.public_key};
	assert_int_equal(zap_set_keys(zap, &entry, 1, &error), LYC_OK);
	knock("network", &keys, name);
	assert_string_equal(name, "wales");
}

static void test_zap_refuses_an_unknown_key(void **state)
{
	(void)state;
	struct keypair keys, other;
	char name[256];
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	assert_int_equal(keyfile_make(&other, &error), LYC_OK);
	struct zap_key entry = {.name = "wales", .public_key = keys.public_key};
	assert_int_equal(zap_set_keys(zap, &entry, 1, &error), LYC_OK);
	struct zap_refusals refusals;
	zap_get_refusals(zap, &refusals);
	assert_int_equal(refusals.count, 0);
	knock("network", &other, name);
	assert_string_equal(name, "");
	knock("network", &keys, name);
	/* libzmq tries again, so there may have been more than one. */
	zap_get_refusals(zap, &refusals);
	assert_true(refusals.count >= 1);
	assert_string_equal(refusals.public_key, other.public_key);
	assert_string_equal(refusals.reason, "an unknown key was refused");
}

static void test_zap_forgets_a_key_that_was_taken_out(void **state)
{
	(void)state;
	struct keypair keys;
	char name[256];
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	struct zap_key entry = {.name = "wales", .public_key = keys.public_key};
	assert_int_equal(zap_set_keys(zap, &entry, 1, &error), LYC_OK);
	assert_int_equal(zap_set_keys(zap, NULL, 0, &error), LYC_OK);
	knock("network", &keys, name);
	assert_string_equal(name, "");
}

static void test_zap_takes_keyless_peers_in_the_plain_domain_only(void **state)
{
	(void)state;
	char name[256];
	knock("plain", NULL, name);
	assert_string_equal(name, "anonymous");
	knock("network", NULL, name);
	assert_string_equal(name, "");
}

static void test_zap_takes_no_pair_that_is_shown(void **state)
{
	(void)state;
	struct keypair keys;
	char name[256];
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	struct zap_key entry = {.name = "echo", .public_key = keys.public_key};
	assert_int_equal(zap_set_keys(zap, &entry, 1, &error), LYC_OK);
	shows_secret = true;
	knock("network", &keys, name);
	assert_string_equal(name, "");
	knock("plain", &keys, name);
	assert_string_equal(name, "");
}

static void test_zap_keeps_its_table_when_a_new_one_is_wrong(void **state)
{
	(void)state;
	struct keypair keys;
	char name[256];
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	struct zap_key entry = {.name = "wales", .public_key = keys.public_key};
	assert_int_equal(zap_set_keys(zap, &entry, 1, &error), LYC_OK);
	struct zap_key twice[] = {entry, {.name = "nordic", .public_key = keys.public_key}};
	assert_int_equal(zap_set_keys(zap, twice, 2, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "nordic"));
	struct zap_key broken = {.name = "alps", .public_key = "not a key"};
	assert_int_equal(zap_set_keys(zap, &broken, 1, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "alps"));
	struct zap_key nameless = {.name = "", .public_key = keys.public_key};
	assert_int_equal(zap_set_keys(zap, &nameless, 1, &error), LYC_INVALID_ARGUMENT);
	knock("network", &keys, name);
	assert_string_equal(name, "wales");
}

#define ZAP_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zap_starts_within_its_time),
		ZAP_TEST(test_zap_refuses_a_second_handler),
		ZAP_TEST(test_zap_lets_a_known_key_in_by_name),
		ZAP_TEST(test_zap_refuses_an_unknown_key),
		ZAP_TEST(test_zap_forgets_a_key_that_was_taken_out),
		ZAP_TEST(test_zap_takes_keyless_peers_in_the_plain_domain_only),
		ZAP_TEST(test_zap_takes_no_pair_that_is_shown),
		ZAP_TEST(test_zap_keeps_its_table_when_a_new_one_is_wrong),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

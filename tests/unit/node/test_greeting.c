/* How sessions begin: Hello and Welcome, who is refused, and who takes whose place. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "node_bench.h"

static void test_greeting_is_answered_with_limits(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_new(bench->node, "ann");
	fake_hello_as(client, WIRE_VERSION);
	const struct packet *packet = fake_expect(client, PACKET_WELCOME);
	assert_true(span_is(packet->welcome.daemon, "hub"));
	assert_true(span_is(packet->welcome.identity, "ann"));
	assert_int_equal(packet->welcome.epoch, bench->node->epoch);
	assert_int_equal(packet->welcome.call_credit, 200000);
	assert_int_equal(packet->welcome.publish_credit, 200000);
	assert_int_equal(packet->welcome.max_body, WIRE_MAX_BODY);
	assert_int_equal(packet->welcome.heartbeat_ms, 5000);
	fake_ping(client, 77);
	assert_int_equal(fake_expect(client, PACKET_PONG)->pong.id, 77);
	fake_expect_nothing(client);
}

static void test_greeting_of_other_versions_and_strangers_is_refused(void **state)
{
	struct node_bench *bench = *state;
	static const uint32_t versions[] = {0, 2, UINT32_MAX};
	for (size_t i = 0; i < 3; i++) {
		struct fake_client *client = fake_client_new(bench->node, "ann");
		fake_hello_as(client, versions[i]);
		fake_expect_goodbye(client, GOODBYE_VERSION);
	}
	struct fake_client *stranger = fake_client_new(bench->node, "mallory");
	fake_hello_as(stranger, WIRE_VERSION);
	fake_expect_goodbye(stranger, GOODBYE_DENIED);
	assert_int_equal(bench->node->daemon.sessions.count, 0);
}

static void test_greeting_is_asked_of_who_has_no_session(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_new(bench->node, "ann");
	fake_ping(client, 1);
	fake_expect_goodbye(client, GOODBYE_NO_SESSION);
	/* A Goodbye is not answered, or two daemons would talk for ever. */
	struct packet packet = {.kind = PACKET_GOODBYE};
	packet.goodbye.reason = GOODBYE_SHUTDOWN;
	fake_send(client, &packet);
	fake_expect_nothing(client);
	fake_hello_as(client, WIRE_VERSION);
	fake_expect(client, PACKET_WELCOME);
}

static void test_greeting_again_begins_anew(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *client = fake_client_add(bench->node, "ann");
	fake_subscribe(client, &(struct packet_subscribe){.id = 1, .pattern = fake_text(">")});
	assert_int_equal(bench->node->daemon.topics.count, 1);
	fake_hello_as(client, WIRE_VERSION);
	fake_expect(client, PACKET_WELCOME);
	assert_int_equal(bench->node->daemon.topics.count, 0);
	assert_int_equal(bench->node->daemon.sessions.count, 1);
}

static void test_greeting_of_a_node_replaces_its_first_connection(void **state)
{
	struct node_bench *bench = *state;
	struct fake_client *first = fake_client_add(bench->node, "wales");
	struct fake_client *second = fake_client_add(bench->node, "wales");
	const struct packet *packet;
	while ((packet = fake_next(first)) && packet->kind != PACKET_GOODBYE)
		continue;
	assert_non_null(packet);
	assert_int_equal(packet->goodbye.reason, GOODBYE_REPLACED);
	fake_expect(second, PACKET_FOLLOW);
	assert_int_equal(bench->node->daemon.sessions.count, 1);
}

static void test_greeting_one_person_does_not_take_all_sessions(void **state)
{
	struct node_bench *bench = *state;
	struct limits *limits = &bench->node->daemon.limits;
	assert_int_equal(limits->sessions, 4096);
	assert_int_equal(limits->sessions_of_one, 512);
	limits->sessions = 6;
	limits->sessions_of_one = 3;
	limits->sessions_kept = 2;
	for (int i = 0; i < 3; i++)
		fake_client_add(bench->node, "ann");
	struct fake_client *fourth = fake_client_new(bench->node, "ann");
	fake_hello_as(fourth, WIRE_VERSION);
	fake_expect_goodbye(fourth, GOODBYE_DENIED);
	/* What is kept is kept for others than persons. */
	fake_client_add(bench->node, "root");
	limits->sessions_of_one = 10;
	fake_hello_as(fourth, WIRE_VERSION);
	fake_expect_goodbye(fourth, GOODBYE_DENIED);
	fake_client_add(bench->node, "board");
	fake_client_add(bench->node, "root");
	struct fake_client *seventh = fake_client_new(bench->node, "root");
	fake_hello_as(seventh, WIRE_VERSION);
	fake_expect_goodbye(seventh, GOODBYE_DENIED);
}

#define on_bench(test) cmocka_unit_test_setup_teardown(test, node_bench_setup, node_bench_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		on_bench(test_greeting_is_answered_with_limits),
		on_bench(test_greeting_of_other_versions_and_strangers_is_refused),
		on_bench(test_greeting_is_asked_of_who_has_no_session),
		on_bench(test_greeting_again_begins_anew),
		on_bench(test_greeting_of_a_node_replaces_its_first_connection),
		on_bench(test_greeting_one_person_does_not_take_all_sessions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

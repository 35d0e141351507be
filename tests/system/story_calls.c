/* Calls between nodes that know only the hub: there and back, refused, cancelled, too late, and
 * when somebody is gone. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/pb.h"
#include "inbox.h"
#include "shell.h"

static struct network *network;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;

static int start(void **state)
{
	(void)state;
	network = network_of_four();
	hub = network_node(network, "hub");
	nhsa = network_node(network, "nhsa");
	wales = network_node(network, "wales");
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

static void test_call_reaches_the_node_that_serves_it(void **state)
{
	(void)state;
	struct outcome outcome = say(wales, "hello", 0, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	assert_string_equal(outcome.served_by, "nhsa");
	assert_string_equal(outcome.said, "hello|nhsa|wales");
}

static void test_call_of_a_person_says_who_asks(void **state)
{
	(void)state;
	struct lyc_call_options options = {.principal = "ann@wales"};
	struct outcome outcome = say(wales, "hello", 0, &options);
	assert_string_equal(outcome.said, "hello|nhsa|ann@wales");
}

static void test_call_of_an_unknown_service_is_unimplemented(void **state)
{
	(void)state;
	struct outcome outcome =
		ask(wales, node_client(wales), "lyceum.nobody.v1.None/Do", "", 0, NULL);
	assert_int_equal(outcome.status, LYC_UNIMPLEMENTED);
	assert_non_null(strstr(outcome.text, "lyceum.nobody.v1.None/Do"));
}

static void test_call_with_a_wrong_body_is_refused_naming_the_field(void **state)
{
	(void)state;
	struct outcome outcome = say(wales, "", 0, NULL);
	assert_int_equal(outcome.status, LYC_INVALID_ARGUMENT);
	assert_string_equal(outcome.field, "text");
	/* The delay's range is 0 to 60,000. */
	outcome = say(wales, "x", 60001, NULL);
	assert_int_equal(outcome.status, LYC_INVALID_ARGUMENT);
	assert_string_equal(outcome.field, "delay_ms");
	/* Field 1 as a number. */
	outcome = ask(wales, node_client(wales), "lyceum.echo.v1.Echo/Say", "\x08\x01", 2, NULL);
	assert_int_equal(outcome.status, LYC_INVALID_ARGUMENT);
	assert_string_equal(outcome.field, "text");
}

static void test_call_by_the_command_names_who_served_it(void **state)
{
	(void)state;
	struct shell_result result = shell_run(wales, "call", "lyceum.echo.v1.Echo/Say",
					       "{\"text\": \"hi\"}", "--json", "--meta", NULL);
	assert_int_equal(result.code, 0);
	assert_string_equal(shell_text(&result, "reply", "text"), "hi");
	assert_string_equal(shell_text(&result, "meta", "servedBy"), "nhsa");
	shell_result_fini(&result);
	result = shell_run(wales, "status", "--at", "nhsa", "--json", NULL);
	assert_int_equal(result.code, 0);
	assert_string_equal(shell_text(&result, "name", NULL), "nhsa");
	shell_result_fini(&result);
	result = shell_run(wales, "echo", "say", "--at", "medcity", "hi", NULL);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, "'medcity' does not serve"));
	shell_result_fini(&result);
	result = shell_run(wales, "status", "--at", "narnia", NULL);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, "the network has no node 'narnia'"));
	shell_result_fini(&result);
}

static size_t calls_at(struct node *node, const char *session)
{
	size_t count = 0;
	Lyceum__V1__StatusReply *status = node_status(node);
	for (size_t i = 0; i < status->n_session; i++) {
		if (strcmp(status->session[i]->identity, session) == 0)
			count += status->session[i]->calls_outstanding;
	}
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	return count;
}

static bool has_no_call_of_the_hub(const Lyceum__V1__StatusReply *status, const void *arg)
{
	(void)arg;
	for (size_t i = 0; i < status->n_session; i++) {
		if (strcmp(status->session[i]->identity, "hub") == 0)
			return status->session[i]->calls_outstanding == 0;
	}
	return false;
}

static void test_call_that_is_cancelled_ends_at_the_callee(void **state)
{
	struct outcome outcome;
	(void)state;
	uint64_t id = say_start(node_client(wales), "slow", 50000, NULL, &outcome);
	node_barrier(wales, nhsa);
	assert_int_equal(calls_at(nhsa, "hub"), 1);
	lyc_client_cancel(node_client(wales), id);
	outcome_wait(network, node_client(wales), &outcome);
	assert_int_equal(outcome.status, LYC_CANCELLED);
	node_barrier(wales, nhsa);
	node_wait_for_status(nhsa, has_no_call_of_the_hub, NULL, "the call cancelled");
}

static void test_call_ends_at_its_deadline(void **state)
{
	(void)state;
	struct lyc_call_options options = {.timeout_ms = 150};
	uint64_t before = network_now_ms();
	struct outcome outcome = say(wales, "slow", 50000, &options);
	assert_int_equal(outcome.status, LYC_DEADLINE_EXCEEDED);
	assert_true(network_now_ms() - before >= 150);
	assert_true(network_now_ms() - before < 5000);
}

static void test_call_is_unavailable_when_its_node_is_killed(void **state)
{
	struct outcome outcome;
	(void)state;
	struct lyc_call_options options = {.timeout_ms = 30000};
	say_start(node_client(wales), "slow", 50000, &options, &outcome);
	node_barrier(wales, nhsa);
	node_kill(nhsa);
	/* Long before three heartbeats have passed. */
	uint64_t before = network_now_ms();
	outcome_wait(network, node_client(wales), &outcome);
	assert_true(network_now_ms() - before < 5000);
	assert_int_equal(outcome.status, LYC_UNAVAILABLE);
	assert_non_null(strstr(outcome.text, "nhsa"));
	/* And comes through again when the node is back. */
	node_start(nhsa);
	say_until(wales, LYC_OK);
}

struct counted {
	uint64_t id;
	uint32_t last;
	uint64_t unhandled; /* bytes of replies not given back yet */
	uint64_t most;
	bool is_done;
	enum lyc_status status;
};

static void on_number(const struct lyc_reply *reply, void *arg)
{
	struct counted *counted = arg;
	if (!reply->more) {
		counted->is_done = true;
		counted->status = reply->status;
		return;
	}
	struct pb_reader reader = pb_reader_of(span_of(reply->body, reply->body_len));
	struct pb_field field;
	assert_true(pb_read_field(&reader, &field));
	assert_int_equal(field.value, counted->last + 1);
	counted->last = (uint32_t)field.value;
	counted->unhandled += reply->body_len + 64;
	if (counted->unhandled > counted->most)
		counted->most = counted->unhandled;
}

/* A reader who takes his time, through two links: all of it, in order, and never more at once than
 * he granted. */
static void test_call_streams_as_fast_as_its_reader(void **state)
{
	(void)state;
	struct lyc_client *client = node_client(wales);
	struct counted counted = {0};
	struct lyc_call_options options = {
		.at = "nhsa", .timeout_ms = 30000, .credit = 2000, .manual = true};
	/* 3,000 numbers. */
	assert_int_equal(lyc_client_call_start(client, "lyceum.echo.v1.Echo/Count", "\x08\xb8\x17",
					       3, &options, on_number, &counted, &counted.id),
			 LYC_OK);
	uint64_t until_ms = network_now_ms() + 20000;
	while (!counted.is_done && network_now_ms() < until_ms) {
		uint32_t before = counted.last;
		(void)lyc_client_run(client, 100);
		for (uint32_t number = before + 1; number <= counted.last; number++)
			lyc_client_call_handled(client, counted.id, number < 128 ? 2 : 3);
		counted.unhandled = 0;
	}
	assert_true(counted.is_done);
	assert_int_equal(counted.status, LYC_OK);
	assert_int_equal(counted.last, 3000);
	assert_in_range(counted.most, 60, 2070);
}

static bool log_is_longer(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const uint64_t *seq = arg;
	return status->storage->last_seq > *seq;
}

/* From another node, through the hub, before and after the home was killed. */
static void test_call_with_an_idempotency_key_is_remembered_by_its_home(void **state)
{
	(void)state;
	for (int round = 0; round < 2; round++) {
		struct shell_result result =
			shell_run(wales, "echo", "say", "--at", "nhsa", "--idempotency-key",
				  "story-1", "--json", "hi", NULL);
		assert_int_equal(result.code, 0);
		assert_string_equal(shell_text(&result, "text", NULL), "hi");
		shell_result_fini(&result);
		result = shell_run(wales, "echo", "say", "--at", "nhsa", "--idempotency-key",
				   "story-1", "something else", NULL);
		assert_int_not_equal(result.code, 0);
		assert_non_null(strstr(result.err, "give each call a key of its own"));
		shell_result_fini(&result);
		if (round == 0) {
			node_kill(nhsa);
			node_start(nhsa);
			say_until(wales, LYC_OK);
		}
	}
	/* A call that runs when its home is killed: with a key the client asks again by itself, and
	 * the home says that it does not know. Before its start is in the log it does not run, and
	 * the home would run it then. */
	struct outcome outcome;
	struct lyc_call_options options = {.idempotency_key = "story-2", .timeout_ms = 30000};
	uint64_t seq = node_position(nhsa).seq;
	say_start(node_client(wales), "slow", 50000, &options, &outcome);
	node_wait_for_status(nhsa, log_is_longer, &seq, "the call's start");
	node_kill(nhsa);
	node_start(nhsa);
	outcome_wait(network, node_client(wales), &outcome);
	assert_int_equal(outcome.status, LYC_UNKNOWN);
	assert_non_null(strstr(outcome.text, "it is not run again"));
}

static void test_call_is_unavailable_when_the_hub_is_down(void **state)
{
	(void)state;
	uint64_t before = network_now_ms();
	node_kill(hub);
	node_wait_for_link(wales, false);
	assert_true(network_now_ms() - before < 5000);
	struct outcome outcome = say(wales, "hello", 0, NULL);
	assert_int_equal(outcome.status, LYC_UNAVAILABLE);
	assert_non_null(strstr(outcome.text, "the link to the hub 'hub' is down"));
	struct shell_result result = shell_run(wales, "status", "--at", "nhsa", NULL);
	assert_int_equal(result.code, 3);
	assert_non_null(strstr(result.err, "the hub 'hub' is down"));
	shell_result_fini(&result);
	node_start(hub);
	say_until(wales, LYC_OK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_reaches_the_node_that_serves_it),
		cmocka_unit_test(test_call_of_a_person_says_who_asks),
		cmocka_unit_test(test_call_of_an_unknown_service_is_unimplemented),
		cmocka_unit_test(test_call_with_a_wrong_body_is_refused_naming_the_field),
		cmocka_unit_test(test_call_by_the_command_names_who_served_it),
		cmocka_unit_test(test_call_that_is_cancelled_ends_at_the_callee),
		cmocka_unit_test(test_call_ends_at_its_deadline),
		cmocka_unit_test(test_call_is_unavailable_when_its_node_is_killed),
		cmocka_unit_test(test_call_streams_as_fast_as_its_reader),
		cmocka_unit_test(test_call_with_an_idempotency_key_is_remembered_by_its_home),
		cmocka_unit_test(test_call_is_unavailable_when_the_hub_is_down),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

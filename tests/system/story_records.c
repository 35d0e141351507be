/* Records: sent to one node and kept until it has them; followed under a durable name;
 * expectations; and whose key it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inbox.h"
#include "shell.h"

static struct network *network;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;
static struct node *medcity;

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	medcity = network_add(network, "medcity", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_plugin(nhsa, "experts", NULL, "process");
	node_start(hub);
	node_start(nhsa);
	node_start(wales);
	node_start(medcity);
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(nhsa, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

static void send_by_command(struct node *from, const char *to, const char *text)
{
	char json[100];
	snprintf(json, sizeof(json), "{\"text\": \"%s\"}", text);
	struct shell_result result =
		shell_run(from, "send", to, NOTE, json, "--subject", NOTE ".post", NULL);
	if (result.code != 0)
		fail_msg("send: %s", result.err);
	shell_result_fini(&result);
}

static void test_sent_record_waits_for_its_node_and_is_handled_once(void **state)
{
	(void)state;
	const struct lyc_subscribe_options desk = {.durable = "desk", .records_only = true};
	const struct lyc_subscribe_options now = {.records_only = true};
	/* Given a desk at wales, which is down, and curious others. */
	struct inbox *at_wales = inbox_open(network, node_client(wales), NOTE ".post", &desk);
	node_barrier(wales, hub);
	inbox_drop(at_wales);
	node_stop(wales);
	struct inbox *at_nhsa = inbox_open(network, node_client(nhsa), ">", &now);
	struct inbox *at_hub = inbox_open(network, node_client(hub), ">", &now);

	/* When medcity sends to it, and something that everybody may see. */
	send_by_command(medcity, "wales", "for wales only");
	note_publish(node_client(medcity), NOTE ".all", "for all",
		     &(struct lyc_publish_options){.durable = true});
	node_wait_until_holds(hub, medcity);
	node_wait_until_holds(nhsa, medcity);

	/* Then it has it after its return, once, and nobody else ever had. */
	node_start(wales);
	at_wales = inbox_open(network, node_client(wales), NOTE ".post", &desk);
	inbox_wait(at_wales, 1);
	assert_string_equal(at_wales->items[0].text, "for wales only");
	assert_string_equal(at_wales->items[0].origin, "medcity");
	inbox_wait(at_nhsa, 1);
	inbox_wait(at_hub, 1);
	assert_int_equal(at_nhsa->count, 1);
	assert_string_equal(at_nhsa->items[0].text, "for all");
	assert_int_equal(at_hub->count, 1);
	assert_string_equal(at_hub->items[0].text, "for all");
	assert_false(network_files_hold(nhsa->folder, "for wales only"));
	/* Nor does asking the whole log of the hub, which carries it. */
	const struct lyc_subscribe_options whole = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	struct inbox *log = inbox_open(network, node_client(hub), ">", &whole);
	inbox_wait_caught_up(log);
	assert_int_equal(inbox_count(log, "for all"), 1);
	assert_int_equal(inbox_count(log, "for wales only"), 0);
	inbox_close(log);

	/* And not again when the subscriber begins anew. */
	node_barrier(wales, hub);
	inbox_close(at_wales);
	at_wales = inbox_open(network, node_client(wales), NOTE ".post", &desk);
	send_by_command(medcity, "wales", "second");
	inbox_wait(at_wales, 1);
	assert_string_equal(at_wales->items[0].text, "second");
	inbox_close(at_wales);
	inbox_close(at_nhsa);
	inbox_close(at_hub);
}

/* In order without a hole, beginning at the latest with the first that was not handled before.
 * Returns what comes next. */
static int check_order(const struct inbox *inbox, int next)
{
	assert_true(inbox->count > 0);
	assert_true(atoi(inbox->items[0].text) <= next);
	for (size_t i = 1; i < inbox->count; i++)
		assert_int_equal(atoi(inbox->items[i].text), atoi(inbox->items[i - 1].text) + 1);
	return atoi(inbox->items[inbox->count - 1].text) + 1;
}

static void test_durable_follower_loses_nothing_over_restarts(void **state)
{
	enum { AGAIN, KILLED, STOPPED, ROUNDS };
	(void)state;
	const struct lyc_subscribe_options follow = {.durable = "ledger", .records_only = true};
	const struct lyc_publish_options durable = {.durable = true};
	char text[32];
	int published = 0;
	int next = 0;
	/* The position begins where the log ends at the first subscription. */
	struct inbox *inbox = inbox_open(network, node_client(wales), NOTE ".ledger", &follow);
	node_barrier(wales, hub);
	for (int round = AGAIN; round < ROUNDS; round++) {
		for (int i = 0; i < 60; i++) {
			snprintf(text, sizeof(text), "%d", published++);
			note_publish(node_client(wales), NOTE ".ledger", text, &durable);
		}
		inbox_wait(inbox, 20);
		/* Some of it is handled when one side ends: the subscriber, or the daemon, without
		 * and with notice. */
		if (round == KILLED)
			node_kill(wales);
		else if (round == STOPPED)
			node_stop(wales);
		else
			lyc_client_unsubscribe(node_client(wales), inbox->id, false);
		next = check_order(inbox, next);
		inbox_drop(inbox);
		if (round != AGAIN)
			node_start(wales);
		inbox = inbox_open(network, node_client(wales), NOTE ".ledger", &follow);
	}
	note_publish(node_client(wales), NOTE ".ledger", "180", &durable);
	while (inbox_count(inbox, "180") == 0)
		inbox_wait(inbox, inbox->count + 1);
	assert_int_equal(check_order(inbox, next), 181);
	inbox_close(inbox);
}

/* ---- keys ---- */

static enum lyc_status publish_expert(struct node *node, const char *home, const char *id,
				      const struct lyc_publish_options *options,
				      struct lyc_error *error, uint64_t *ret_seq)
{
	return expert_publish(node, home, id, "Ada Okafor", LYC_MEMBERS, NULL, options, ret_seq,
			      error);
}

static void test_expectation_that_fails_tells_the_last_sequence(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	uint64_t first = 0;
	uint64_t second = 0;
	struct lyc_publish_options options = {.durable = true, .expect = true, .expect_seq = 0};
	assert_int_equal(publish_expert(nhsa, "nhsa", "a1", &options, &error, &first), LYC_OK);
	assert_int_equal(publish_expert(nhsa, "nhsa", "a1", &options, &error, &second),
			 LYC_FAILED_PRECONDITION);
	char number[32];
	snprintf(number, sizeof(number), "%llu", (unsigned long long)first);
	if (!strstr(error.text, number))
		fail_msg("the sequence %s is not in: %s", number, error.text);
	options.expect_seq = first;
	assert_int_equal(publish_expert(nhsa, "nhsa", "a1", &options, &error, &second), LYC_OK);
	assert_true(second > first);
}

static void test_key_of_another_home_is_refused_naming_it(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	uint64_t seq = 0;
	const struct lyc_publish_options durable = {.durable = true};
	assert_int_equal(publish_expert(nhsa, "nhsa", "b1", &durable, &error, &seq), LYC_OK);
	node_wait_until_holds(wales, nhsa);
	assert_int_equal(publish_expert(wales, "nhsa", "b1", &durable, &error, &seq),
			 LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "'nhsa'"));
	/* Nor a new one in its name. */
	assert_int_equal(publish_expert(wales, "nhsa", "b2", &durable, &error, &seq),
			 LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "'nhsa'"));
}

static void test_log_leaves_schemas_out_unless_they_are_named(void **state)
{
	(void)state;
	static const char type[] = "lyceum.v1.SchemaVersion";
	struct shell_result result = shell_run(nhsa, "log", NULL);
	assert_int_equal(result.code, 0);
	assert_null(strstr(result.out, type));
	assert_non_null(strstr(result.out, NOTE));
	const char *said = strstr(result.err, type);
	assert_non_null(said);
	assert_null(strstr(said + 1, type));
	shell_result_fini(&result);
	result = shell_run(nhsa, "log", "lyceum.v1.SchemaVersion.>", "--limit", "1", NULL);
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(result.out, type));
	assert_null(strstr(result.err, type));
	shell_result_fini(&result);
}

static void test_log_is_read_from_a_time_on(void **state)
{
	(void)state;
	struct shell_result result = shell_run(nhsa, "log", "--since", "1h", NOTE ".>", NULL);
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(result.out, NOTE));
	shell_result_fini(&result);
	result = shell_run(nhsa, "log", "--since", "2099-01-01", NULL);
	assert_int_equal(result.code, 0);
	assert_string_equal(result.out, "");
	shell_result_fini(&result);
	result = shell_run(nhsa, "subscribe", ">", "--since", "yesterday", NULL);
	assert_int_equal(result.code, 2);
	assert_non_null(strstr(result.err, "--since takes a span"));
	shell_result_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sent_record_waits_for_its_node_and_is_handled_once),
		cmocka_unit_test(test_durable_follower_loses_nothing_over_restarts),
		cmocka_unit_test(test_expectation_that_fails_tells_the_last_sequence),
		cmocka_unit_test(test_key_of_another_home_is_refused_naming_it),
		cmocka_unit_test(test_log_leaves_schemas_out_unless_they_are_named),
		cmocka_unit_test(test_log_is_read_from_a_time_on),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

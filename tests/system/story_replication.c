/* Replication: a link that is cut, a hub that is killed, nodes that start again; and what ages and
 * positions say meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "inbox.h"
#include "link_proxy.h"
#include "shell.h"

static struct network *network;
static struct link_proxy *proxy;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_plugin(nhsa, "experts", NULL, "process");
	node_add_plugin(wales, "experts", NULL, "process");
	node_start(hub);
	proxy = link_proxy_new(hub->listen_tcp);
	snprintf(wales->hub_tcp, sizeof(wales->hub_tcp), "%s", link_proxy_endpoint(proxy));
	node_start(nhsa);
	node_start(wales);
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(nhsa, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(wales, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	link_proxy_free(proxy);
	return 0;
}

static bool outbox_is(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const uint64_t *count = arg;
	return status->uplink && status->uplink->outbox == *count;
}

static int written;

static void write_notes(struct node *node, int count)
{
	const struct lyc_publish_options durable = {.durable = true};
	char text[32];
	for (int i = 0; i < count; i++) {
		snprintf(text, sizeof(text), "%d", written++);
		note_publish(node_client(node), NOTE ".ledger", text, &durable);
	}
}

/* All of wales' notes are in this log, each once, in the order of their origin. */
static void check_ledger(struct node *node)
{
	const struct lyc_subscribe_options whole = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	struct inbox *inbox = inbox_open(network, node_client(node), NOTE ".ledger", &whole);
	inbox_wait_caught_up(inbox);
	if (inbox->count != (size_t)written)
		fail_msg("%s has %zu notes, not %d", node->name, inbox->count, written);
	for (size_t i = 0; i < inbox->count; i++) {
		assert_int_equal(atoi(inbox->items[i].text), i);
		assert_string_equal(inbox->items[i].origin, "wales");
		assert_true(i == 0 || inbox->items[i].origin_seq > inbox->items[i - 1].origin_seq);
	}
	inbox_close(inbox);
}

static void test_records_of_a_cut_link_arrive_later_once_and_in_order(void **state)
{
	(void)state;
	const uint64_t none = 0;
	uint64_t waiting = 50;
	node_wait_for_status(wales, outbox_is, &none, "an empty outbox");
	link_proxy_cut(proxy);
	node_wait_for_link(wales, false);
	write_notes(wales, 50);
	node_wait_for_status(wales, outbox_is, &waiting, "an outbox of 50");
	check_ledger(wales);

	link_proxy_mend(proxy);
	node_wait_for_status(wales, outbox_is, &none, "an empty outbox");
	node_wait_until_holds(nhsa, wales);
	check_ledger(nhsa);
	check_ledger(hub);
}

static void test_records_survive_kills_of_hub_and_node(void **state)
{
	(void)state;
	const uint64_t none = 0;
	write_notes(wales, 40);
	node_kill(hub);
	write_notes(wales, 40);
	node_kill(wales);
	node_start(wales);
	write_notes(wales, 40);
	node_start(hub);
	write_notes(wales, 40);
	node_kill(nhsa);
	write_notes(wales, 40);
	node_kill(hub);
	node_start(nhsa);
	node_start(hub);
	write_notes(wales, 40);
	node_wait_for_status(wales, outbox_is, &none, "an empty outbox");
	node_wait_until_holds(nhsa, wales);
	check_ledger(nhsa);
	check_ledger(hub);
	check_ledger(wales);
}

static void test_outbox_is_known_again_after_a_restart(void **state)
{
	(void)state;
	const uint64_t none = 0;
	const uint64_t waiting = 7;
	node_wait_for_status(wales, outbox_is, &none, "an empty outbox");
	node_stop(wales);
	link_proxy_cut(proxy);
	node_start(wales);
	node_wait_for_status(wales, outbox_is, &none, "an empty outbox");
	write_notes(wales, 7);
	node_wait_for_status(wales, outbox_is, &waiting, "an outbox of 7");
	node_stop(wales);
	node_start(wales);
	node_wait_for_status(wales, outbox_is, &waiting, "an outbox of 7");
	link_proxy_mend(proxy);
	node_wait_for_status(wales, outbox_is, &none, "an empty outbox");
}

static uint64_t age_at(struct node *node, const char *origin)
{
	struct lyc_call_options options = {.want_as_of = true};
	struct outcome outcome =
		ask(node, node_client(node), "lyceum.v1.Node/Status", NULL, 0, &options);
	assert_int_equal(outcome.status, LYC_OK);
	for (size_t i = 0; i < outcome.as_of_count; i++) {
		if (strcmp(outcome.as_of_origin[i], origin) == 0)
			return outcome.as_of_age_ms[i];
	}
	fail_msg("%s says nothing of %s", node->name, origin);
	return 0;
}

static void wait_for_age(struct node *node, const char *origin, uint64_t least, uint64_t most)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (;;) {
		uint64_t age = age_at(node, origin);
		if (age >= least && age <= most)
			return;
		if (network_now_ms() > deadline)
			fail_msg("%s is %llu ms old at %s", origin, (unsigned long long)age,
				 node->name);
		network_run(network, 10);
	}
}

/* Of a node behind the hub, at most, and some more. */
#define USUAL_AGE_MS 3000

static void test_age_grows_without_the_hub_and_over_a_restart(void **state)
{
	(void)state;
	assert_int_equal(age_at(wales, "wales"), 0);
	node_kill(hub);
	node_wait_for_link(wales, false);
	/* Longer than it is old when all is well: both links tell it once a second. */
	wait_for_age(wales, "nhsa", USUAL_AGE_MS, 60000);
	uint64_t before = age_at(wales, "nhsa");
	node_stop(wales);
	node_start(wales);
	assert_true(age_at(wales, "nhsa") >= before);
	assert_int_equal(age_at(wales, "wales"), 0);
	node_start(hub);
	/* Fresh again: younger than the whole outage. */
	wait_for_age(wales, "nhsa", 0, before);
}

static void test_after_waits_for_what_another_node_wrote(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	/* The experts' view of wales is up again. */
	node_wait_for_plugin(wales, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_link(wales, true);
	struct lyc_position after = node_position(nhsa);
	link_proxy_cut(proxy);
	node_wait_for_link(wales, false);
	assert_int_equal(expert_publish(nhsa, "nhsa", "late", "Late Arrival", LYC_MEMBERS, NULL,
					NULL, &after.seq, &error),
			 LYC_OK);

	/* Not there in time: said so. */
	struct lyc_call_options options = {
		.timeout_ms = 200, .after = &after, .after_count = 1, .at = "wales"};
	struct outcome outcome = ask(wales, node_client(wales),
				     "lyceum.experts.v1.ExpertDirectory/List", "", 0, &options);
	assert_int_equal(outcome.status, LYC_FAILED_PRECONDITION);

	/* Waiting while it comes. */
	options.timeout_ms = NETWORK_DEADLINE_MS;
	link_proxy_mend(proxy);
	outcome = ask(wales, node_client(wales), "lyceum.experts.v1.ExpertDirectory/List", "", 0,
		      &options);
	assert_int_equal(outcome.status, LYC_OK);
	assert_non_null(memmem(outcome.body, outcome.body_len, "Late Arrival", 12));
}

static void test_after_by_the_command_reads_what_the_command_wrote(void **state)
{
	(void)state;
	for (int i = 0; i < 5; i++) {
		char name[32];
		snprintf(name, sizeof(name), "Writer Number%d", i);
		struct shell_result result =
			shell_run(nhsa, "experts", "add", name, "--json", "--meta", NULL);
		if (result.code != 0)
			fail_msg("add: %s", result.err);
		const char *after = shell_text(&result, "meta", "after");
		assert_string_not_equal(after, "");
		struct shell_result list = shell_run(wales, "experts", "list", "--json", "--after",
						     after, "--timeout", "10s", NULL);
		if (list.code != 0 || !strstr(list.out, name))
			fail_msg("list: %s%s", list.out, list.err);
		shell_result_fini(&result);
		shell_result_fini(&list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records_of_a_cut_link_arrive_later_once_and_in_order),
		cmocka_unit_test(test_records_survive_kills_of_hub_and_node),
		cmocka_unit_test(test_outbox_is_known_again_after_a_restart),
		cmocka_unit_test(test_age_grows_without_the_hub_and_over_a_restart),
		cmocka_unit_test(test_after_waits_for_what_another_node_wrote),
		cmocka_unit_test(test_after_by_the_command_reads_what_the_command_wrote),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

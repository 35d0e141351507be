/* Retention and erasure: what a stream lets go is gone from the files and heard of by who follows,
 * a stream that a view needs is not let go, and what is erased is erased wherever it went. */
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
static struct node *cork;

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	cork = network_add(network, "cork", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_plugin(wales, "experts", NULL, "process");
	node_add_plugin(cork, "experts", NULL, "process");
	snprintf(wales->extra, sizeof(wales->extra),
		 "streams:\n"
		 "  - {name: notes, subjects: [\"lyceum.echo.v1.Note.>\"], max_age: 2s, "
		 "check_every: 1s}\n"
		 "  - {name: experts, subjects: [\"lyceum.experts.v1.>\"], last_per_subject: true, "
		 "check_every: 1s}\n");
	node_start(hub);
	node_start(nhsa);
	node_start(wales);
	node_start(cork);
	node_wait_for_plugin(nhsa, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(wales, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(cork, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	(void)state;
	network_free(network);
	return 0;
}

static void wait_until_gone(struct node *node, const char *text)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (network_files_hold(node->folder, text)) {
		if (network_now_ms() > deadline)
			fail_msg("the files of %s still hold '%s'", node->name, text);
		network_run(network, 100);
	}
}

/* The last word on this subject: is there a record? */
static bool is_there(const struct inbox *inbox, const char *subject)
{
	bool is_there = false;
	for (size_t i = 0; i < inbox->count; i++) {
		if (strcmp(inbox->items[i].subject, subject) == 0)
			is_there = !inbox->items[i].removed;
	}
	return is_there;
}

static size_t removals(const struct inbox *inbox)
{
	size_t count = 0;
	for (size_t i = 0; i < inbox->count; i++)
		count += inbox->items[i].removed;
	return count;
}

static void test_old_records_are_gone_and_their_followers_know(void **state)
{
	(void)state;
	const struct lyc_publish_options durable = {.durable = true};
	const struct lyc_subscribe_options whole = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	struct inbox *running = inbox_open(network, node_client(wales), NOTE ".>", &whole);
	for (int i = 0; i < 20; i++) {
		char subject[60];
		snprintf(subject, sizeof(subject), NOTE ".old%d", i);
		note_publish(node_client(wales), subject, "soon-forgotten", &durable);
	}
	node_wait_until_holds(nhsa, wales);
	inbox_wait(running, 40);
	assert_int_equal(removals(running), 20);
	wait_until_gone(wales, "soon-forgotten");
	/* What others keep is their own business. */
	assert_true(network_files_hold(hub->folder, "soon-forgotten"));

	note_publish(node_client(wales), NOTE ".young", "still-young", &durable);
	inbox_wait(running, 41);
	struct inbox *fresh = inbox_open(network, node_client(wales), NOTE ".>", &whole);
	inbox_wait_caught_up(fresh);
	assert_true(is_there(fresh, NOTE ".young") && is_there(running, NOTE ".young"));
	assert_false(is_there(fresh, NOTE ".old7") || is_there(running, NOTE ".old7"));
	inbox_close(fresh);
	inbox_close(running);
}

static void test_trimmed_log_begins_again_where_it_was(void **state)
{
	(void)state;
	const struct lyc_publish_options durable = {.durable = true};
	const struct lyc_subscribe_options whole = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	wait_until_gone(wales, "still-young");
	uint64_t before = node_position(wales).seq;
	node_stop(wales);
	node_start(wales);
	assert_true(node_position(wales).seq >= before);
	node_wait_for_link(wales, true);
	note_publish(node_client(wales), NOTE ".later", "after-the-restart", &durable);
	node_wait_until_holds(nhsa, wales);
	struct inbox *inbox = inbox_open(network, node_client(nhsa), NOTE ".>", &whole);
	inbox_wait_caught_up(inbox);
	/* Each once: 20, the young one and this one. */
	assert_int_equal(inbox->count, 22);
	assert_int_equal(removals(inbox), 0);
	inbox_close(inbox);
}

static void test_stream_that_a_view_follows_may_not_lose_its_state(void **state)
{
	(void)state;
	char extra[sizeof(wales->extra)];
	memcpy(extra, wales->extra, sizeof(extra));
	node_stop(wales);
	snprintf(
		wales->extra, sizeof(wales->extra),
		"streams:\n  - {name: people, subjects: [\"lyceum.experts.v1.>\"], max_age: 1d}\n");
	int code = 0;
	char *text = node_start_in_vain(wales, &code);
	assert_int_not_equal(code, 0);
	if (!strstr(text, "'experts' keeps a view") || !strstr(text, "stream 'people'") ||
	    !strstr(text, "last_per_subject"))
		fail_msg("%s", text);
	free(text);
	memcpy(wales->extra, extra, sizeof(extra));
	node_write_config(wales);
	node_start(wales);
	node_wait_for_plugin(wales, "experts", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_link(wales, true);

	/* A plugin that has never been there is refused when it begins to follow. */
	struct node *derry = network_add(network, "derry", NULL);
	node_add_plugin(derry, "experts", NULL, "process");
	snprintf(
		derry->extra, sizeof(derry->extra),
		"streams:\n  - {name: people, subjects: [\"lyceum.experts.v1.>\"], max_age: 1d}\n");
	node_start(derry);
	node_wait_for_plugin(derry, "experts", LYCEUM__V1__PLUGIN__STATE__FAILED);
	Lyceum__V1__StatusReply *status = node_status(derry);
	assert_non_null(strstr(status->plugin[0]->text, "stream 'people'"));
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	node_stop(derry);
}

static bool is_erased_everywhere(const Lyceum__V1__StatusReply *status, const void *arg)
{
	(void)arg;
	return status->n_erasure == 0;
}

static void test_erased_is_gone_wherever_it_went(void **state)
{
	(void)state;
	expert_post(wales, "ada", "Ada Firstname", 2, NULL);
	expert_post(wales, "ada", "Ada Secondname", 3, "cork");
	expert_post(wales, "ada", "Ada Thirdname", 4, NULL);
	expert_post(wales, "ada", "Ada Fourthname", 4, NULL);
	node_wait_until_holds(cork, wales);
	node_wait_until_holds(nhsa, wales);
	assert_true(network_files_hold(hub->folder, "Ada Firstname"));
	assert_true(network_files_hold(hub->folder, "Ada Secondname"));
	assert_true(network_files_hold(nhsa->folder, "Ada Firstname"));
	assert_true(network_files_hold(cork->folder, "Ada Secondname"));
	assert_true(network_files_hold(wales->folder, "Ada Fourthname"));

	/* Only its home. */
	struct shell_result refused = shell_run(hub, "erase", EXPERT ".wales.ada", NULL);
	assert_int_not_equal(refused.code, 0);
	assert_non_null(strstr(refused.err, "wales"));
	shell_result_fini(&refused);

	node_stop(cork);
	struct shell_result result = shell_run(wales, "erase", EXPERT ".wales.ada", NULL);
	if (result.code != 0)
		fail_msg("%s", result.err);
	assert_non_null(strstr(result.out, "gone from the files here"));
	assert_non_null(strstr(result.out, "gone at hub, nhsa"));
	assert_non_null(strstr(result.out, "not yet confirmed by cork"));
	shell_result_fini(&result);
	static const char *const names[] = {"Ada Firstname", "Ada Secondname", "Ada Thirdname",
					    "Ada Fourthname"};
	struct node *const nodes[] = {hub, nhsa, wales};
	for (size_t i = 0; i < 3; i++) {
		const char *found = network_files_find(nodes[i]->folder, names, 4);
		if (found)
			fail_msg("the files of %s hold '%s'", nodes[i]->name, found);
	}
	assert_true(network_files_hold(cork->folder, "Ada Secondname"));
	struct shell_result status = shell_run(wales, "status", NULL);
	assert_non_null(strstr(status.out, EXPERT ".wales.ada"));
	shell_result_fini(&status);

	node_start(cork);
	node_wait_for_status(wales, is_erased_everywhere, NULL, "an erasure that is done");
	assert_null(network_files_find(cork->folder, names, 4));
}

static void test_person_is_erased_by_what_labels_say(void **state)
{
	(void)state;
	struct lyc_error error;
	struct shell_result shown;
	static const char *const bodies[] = {
		"{\"home\": \"wales\", \"id\": \"one\", \"name\": {\"display\": \"Mention One\"}, "
		"\"label\": {\"visibility\": \"MEMBERS\", \"about\": [\"person-17\"]}}",
		"{\"home\": \"wales\", \"id\": \"two\", \"name\": {\"display\": \"Mention Two\"}, "
		"\"contact\": {\"email\": \"two@example.org\", \"label\": {\"visibility\": "
		"\"MEMBERS\", \"about\": [\"person-17\"]}}, \"label\": {\"visibility\": "
		"\"MEMBERS\"}}",
		"{\"home\": \"wales\", \"id\": \"three\", \"name\": {\"display\": \"Mention "
		"Three\"}, \"label\": {\"visibility\": \"MEMBERS\", \"about\": [\"person-18\"]}}",
	};
	(void)error;
	for (size_t i = 0; i < 3; i++) {
		shown = shell_run(wales, "publish", EXPERT, bodies[i], "--durable", NULL);
		if (shown.code != 0)
			fail_msg("%s", shown.err);
		shell_result_fini(&shown);
	}
	node_wait_until_holds(cork, wales);
	shown = shell_run(wales, "erase", "--about", "person-17", NULL);
	if (shown.code != 0)
		fail_msg("%s", shown.err);
	assert_non_null(strstr(shown.out, EXPERT ".wales.one: gone"));
	assert_non_null(strstr(shown.out, EXPERT ".wales.two: gone"));
	assert_null(strstr(shown.out, EXPERT ".wales.three"));
	shell_result_fini(&shown);
	struct node *const nodes[] = {hub, nhsa, wales, cork};
	for (size_t i = 0; i < 4; i++) {
		wait_until_gone(nodes[i], "Mention One");
		wait_until_gone(nodes[i], "Mention Two");
		assert_true(network_files_hold(nodes[i]->folder, "Mention Three"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_old_records_are_gone_and_their_followers_know),
		cmocka_unit_test(test_trimmed_log_begins_again_where_it_was),
		cmocka_unit_test(test_stream_that_a_view_follows_may_not_lose_its_state),
		cmocka_unit_test(test_erased_is_gone_wherever_it_went),
		cmocka_unit_test(test_person_is_erased_by_what_labels_say),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

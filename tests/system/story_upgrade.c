/*
 * Plugins are replaced while calls go on: each call gets its reply, none is lost, and what cannot
 * take over leaves the former instance where it was. And several instances of one plugin: they
 * share what does not append, follow the same log, and end and come back each for itself.
 */
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

#define RUNNING LYCEUM__V1__PLUGIN__STATE__RUNNING
#define OUTSTANDING 24

/* Calls that go on all the time. */
struct load {
	struct node *node;
	struct lyc_client *client;
	struct outcome outcomes[OUTSTANDING];
	char texts[OUTSTANDING][24];
	unsigned long sent;
	unsigned long answered;
};

static void load_send(struct load *load, size_t at)
{
	unsigned long number = load->sent++;
	snprintf(load->texts[at], sizeof(load->texts[at]), "call %lu", number);
	/* Some at once, some after a while: there is always one under way. */
	say_start(load->client, load->texts[at], (uint32_t)(number % 7 * 10),
		  &(struct lyc_call_options){.timeout_ms = 20000}, &load->outcomes[at]);
}

static void load_open(struct load *load, struct node *node)
{
	char path[96];
	struct keypair keys;
	struct lyc_error error;
	snprintf(path, sizeof(path), "%s/operator.key", node->folder);
	assert_int_equal(keyfile_read(path, &keys, &error), LYC_OK);
	*load = (struct load){.node = node, .client = node_open_as(node, &keys)};
	for (size_t i = 0; i < OUTSTANDING; i++)
		load_send(load, i);
}

/* One turn: each reply is the right one, and another call takes its place. */
static void load_run(struct load *load, bool goes_on)
{
	(void)lyc_client_run(load->client, 2);
	for (size_t i = 0; i < OUTSTANDING; i++) {
		struct outcome *outcome = &load->outcomes[i];
		char wanted[120];
		if (!outcome->is_done)
			continue;
		snprintf(wanted, sizeof(wanted), "%s|%s|%s", load->texts[i], load->node->name,
			 load->node->name);
		if (outcome->status != LYC_OK || strcmp(outcome->said, wanted) != 0)
			fail_msg("%s: %s, '%s%s'", load->texts[i], lyc_status_name(outcome->status),
				 outcome->said, outcome->text);
		load->answered++;
		outcome->is_done = false;
		if (goes_on)
			load_send(load, i);
	}
}

static void load_close(struct load *load)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (load->answered < load->sent) {
		load_run(load, false);
		assert_true(network_now_ms() < deadline);
	}
	lyc_client_close(load->client);
}

static void restart_start(struct node *node, const char *name, struct outcome *outcome)
{
	struct buf body = {0};
	pb_write_text(&body, 1, name);
	ask_start(node_client(node), "lyceum.v1.Node/RestartPlugin", body.data, body.len,
		  &(struct lyc_call_options){.timeout_ms = 15000}, outcome);
	buf_fini(&body);
}

static struct outcome restart(struct node *node, const char *name)
{
	struct outcome outcome;
	restart_start(node, name, &outcome);
	outcome_wait(node->network, node_client(node), &outcome);
	return outcome;
}

static struct node *one_with(const char *plugin, const char *path, const char *host)
{
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	node_add_plugin(node, plugin, path, host);
	node_start(node);
	node_wait_for_plugin(node, plugin, RUNNING);
	return node;
}

static int64_t pid_of(struct node *node, const char *name, char *ret_text, size_t size)
{
	int64_t pid = 0;
	Lyceum__V1__StatusReply *status = node_status(node);
	for (size_t i = 0; i < status->n_plugin; i++) {
		if (strcmp(status->plugin[i]->name, name) != 0)
			continue;
		pid = status->plugin[i]->pid;
		if (ret_text)
			snprintf(ret_text, size, "%s", status->plugin[i]->text);
	}
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	return pid;
}

static void upgrade_often(const char *host, unsigned times)
{
	struct node *node = one_with("echo", NULL, host);
	struct load load;
	int64_t pid = pid_of(node, "echo", NULL, 0);
	load_open(&load, node);
	for (unsigned i = 0; i < times; i++) {
		struct outcome outcome;
		unsigned long before = load.answered;
		restart_start(node, "echo", &outcome);
		uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
		while (!outcome.is_done || load.answered < before + 10) {
			load_run(&load, true);
			(void)lyc_client_run(node_client(node), 0);
			assert_true(network_now_ms() < deadline);
		}
		if (outcome.status != LYC_OK)
			fail_msg("upgrade %u: %s", i, outcome.text);
		int64_t now = pid_of(node, "echo", NULL, 0);
		assert_true(strcmp(host, "thread") == 0 || now != pid);
		pid = now;
	}
	load_close(&load);
	print_message("%lu calls during %u upgrades as a %s\n", load.answered, times, host);
	node_stop(node);
	network_free(node->network);
}

static void test_upgrade_loses_no_call_of_a_process(void **state)
{
	(void)state;
	upgrade_often("process", 20);
}

static void test_upgrade_loses_no_call_of_a_thread(void **state)
{
	(void)state;
	upgrade_often("thread", 20);
}

static void copy_file(const char *from, const char *to)
{
	char new_path[120];
	char room[65536];
	size_t len;
	snprintf(new_path, sizeof(new_path), "%s.new", to);
	FILE *in = fopen(from, "re");
	FILE *out = fopen(new_path, "we");
	assert_non_null(in);
	assert_non_null(out);
	while ((len = fread(room, 1, sizeof(room), in)) > 0)
		assert_int_equal(fwrite(room, 1, len, out), len);
	fclose(in);
	assert_int_equal(fclose(out), 0);
	/* As `install` does it: another file takes the name. */
	assert_int_equal(rename(new_path, to), 0);
}

/* What the file is now counts, in a thread, too, where its former code is still mapped. */
static void test_upgrade_takes_the_file_as_it_is_now(void **state)
{
	(void)state;
	for (size_t i = 0; i < 2; i++) {
		char good[300];
		char bad[300];
		char path[120];
		char entry[200];
		char text[300];
		struct network *network = network_new();
		struct node *node = network_add(network, "leeds", NULL);
		snprintf(good, sizeof(good), "%s/plugins/echo/echo.so", network->build);
		snprintf(bad, sizeof(bad), "%s/tests/host/bad_abi.so", network->build);
		snprintf(path, sizeof(path), "%s/echo.so", network->folder);
		copy_file(good, path);
		snprintf(node->plugins, sizeof(node->plugins),
			 "  - {name: echo, path: %s, host: %s}\n", path,
			 i == 0 ? "PROCESS" : "THREAD");
		node_start(node);
		node_wait_for_plugin(node, "echo", RUNNING);
		copy_file(bad, path);
		struct outcome outcome = restart(node, "echo");
		assert_int_equal(outcome.status, LYC_FAILED_PRECONDITION);
		snprintf(entry, sizeof(entry),
			 "'echo' was not replaced: %s was built for plugin "
			 "ABI 99; this is 1: rebuild it.",
			 path);
		assert_string_equal(outcome.text, entry);
		/* The former one goes on, and its note says why. */
		assert_int_equal(say(node, "still here", 0, NULL).status, LYC_OK);
		(void)pid_of(node, "echo", text, sizeof(text));
		assert_int_equal(strncmp(text, "its upgrade failed: ", 20), 0);
		copy_file(good, path);
		assert_int_equal(restart(node, "echo").status, LYC_OK);
		assert_int_equal(say(node, "anew", 0, NULL).status, LYC_OK);
		(void)pid_of(node, "echo", text, sizeof(text));
		assert_string_equal(text, "");
		node_stop(node);
		network_free(network);
	}
}

static void test_upgrade_is_the_operators(void **state)
{
	(void)state;
	struct keypair keys;
	struct lyc_error error;
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	node_add_key(node, "ann", &keys, "role: PERSON");
	node_add_plugin(node, "echo", NULL, "process");
	node_start(node);
	struct lyc_client *ann = node_open_as(node, &keys);
	struct outcome outcome =
		ask(node, ann, "lyceum.v1.Node/RestartPlugin", "\n\4echo", 6, NULL);
	assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	lyc_client_close(ann);
	outcome = restart(node, "nobody");
	assert_int_equal(outcome.status, LYC_NOT_FOUND);
	network_free(network);
}

/* Records that are appended through a plugin which is replaced meanwhile: each once, none lost. */
static void test_upgrade_appends_each_record_once(void **state)
{
	(void)state;
	struct node *node = one_with("experts", NULL, "process");
	struct outcome restarted;
	unsigned added = 0;
	for (unsigned i = 0; i < 5; i++) {
		restart_start(node, "experts", &restarted);
		for (unsigned j = 0; j < 5 || !restarted.is_done; j++) {
			char name[40];
			struct buf body = {0};
			snprintf(name, sizeof(name), "Expert Number%u", added);
			pb_write_text(&body, 1, name);
			struct outcome outcome = ask(node, node_client(node),
						     "lyceum.experts.v1.ExpertDirectory/Add",
						     body.data, body.len, NULL);
			buf_fini(&body);
			if (outcome.status != LYC_OK)
				fail_msg("%s: %s", name, outcome.text);
			added++;
		}
		if (restarted.status != LYC_OK)
			fail_msg("upgrade %u: %s", i, restarted.text);
	}
	struct inbox *inbox =
		inbox_open(node->network, node_client(node), "lyceum.experts.v1.Expert.>",
			   &(struct lyc_subscribe_options){
				   .start = LYC_START_SEQ, .from = 1, .records_only = true});
	inbox_wait_caught_up(inbox);
	assert_int_equal(inbox->count, added);
	inbox_close(inbox);
	network_free(node->network);
}

/* ---- several instances ---- */

#define MAX_PIDS 8

static size_t note_pid(long *pids, size_t count, long pid)
{
	for (size_t i = 0; i < count; i++) {
		if (pids[i] == pid)
			return count;
	}
	assert_true(count < MAX_PIDS);
	pids[count] = pid;
	return count + 1;
}

/* Which processes answer? */
static size_t ask_pids(struct node *node, long *ret_pids)
{
	size_t count = 0;
	for (unsigned i = 0; i < 12; i++) {
		struct outcome outcome = say(node, "pid", 0, NULL);
		assert_int_equal(outcome.status, LYC_OK);
		count = note_pid(ret_pids, count, strtol(outcome.said, NULL, 10));
	}
	return count;
}

static bool all_run(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const uint64_t *restarts = arg;
	static const char *const names[] = {"probe", "probe.2", "probe.3"};
	uint64_t sum = 0;
	if (status->n_plugin != 3)
		return false;
	for (size_t i = 0; i < 3; i++) {
		assert_string_equal(status->plugin[i]->name, names[i]);
		sum += status->plugin[i]->restarts;
		if (status->plugin[i]->state != RUNNING || status->plugin[i]->behind > 0)
			return false;
	}
	return sum == *restarts;
}

/* Every instance has seen as many notes. */
static void all_views_are(struct node *node, const char *wanted, uint64_t seq)
{
	struct lyc_position after = {.origin = node->name, .seq = seq};
	struct lyc_call_options options = {.after = &after, .after_count = 1};
	for (unsigned i = 0; i < 6; i++) {
		struct outcome outcome = say(node, "view", 0, &options);
		if (outcome.status != LYC_OK || strcmp(outcome.said, wanted) != 0)
			fail_msg("'%s' instead of '%s', %s", outcome.said, wanted, outcome.text);
	}
}

static void test_instances_share_calls_and_follow_one_log(void **state)
{
	(void)state;
	char file[96];
	char path[200];
	long before[MAX_PIDS];
	long after[MAX_PIDS];
	uint64_t restarts = 0;
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	snprintf(file, sizeof(file), "%s/probe.yaml", network->folder);
	FILE *yaml = fopen(file, "we");
	assert_non_null(yaml);
	fputs("text: note\n", yaml);
	assert_int_equal(fclose(yaml), 0);
	snprintf(path, sizeof(path), "tests/host/probe.so, config_file: %s, instances: 3", file);
	node_add_plugin(node, "probe", path, "process");
	node_start(node);
	node_wait_for_status(node, all_run, &restarts, "three instances");
	assert_int_equal(ask_pids(node, before), 3);
	(void)note_publish(node_client(node), NULL, "one",
			   &(struct lyc_publish_options){.durable = true});
	uint64_t seq = note_publish(node_client(node), NULL, "two",
				    &(struct lyc_publish_options){.durable = true});
	all_views_are(node, "2||", seq);
	/* One of them dies: the calls that it had are answered, the others go on at once. */
	struct outcome kept[3];
	for (size_t i = 0; i < 3; i++)
		say_start(node_client(node), "keep", 0,
			  &(struct lyc_call_options){.timeout_ms = 4000}, &kept[i]);
	assert_int_equal(say(node, "hello", 0, NULL).status, LYC_OK);
	kill((pid_t)before[1], SIGKILL);
	unsigned unavailable = 0;
	for (size_t i = 0; i < 3; i++) {
		outcome_wait(network, node_client(node), &kept[i]);
		unavailable += kept[i].status == LYC_UNAVAILABLE;
		assert_int_equal(say(node, "hello", 0, NULL).status, LYC_OK);
	}
	assert_int_equal(unavailable, 1);
	restarts = 1;
	node_wait_for_status(node, all_run, &restarts, "three instances again");
	assert_int_equal(ask_pids(node, after), 3);
	all_views_are(node, "2||", seq);
	/* All are replaced, one after the other or at once. */
	struct outcome outcome = restart(node, "probe");
	if (outcome.status != LYC_OK)
		fail_msg("%s", outcome.text);
	size_t count = ask_pids(node, before);
	assert_int_equal(count, 3);
	for (size_t i = 0; i < 3; i++)
		count = note_pid(before, count, after[i]);
	assert_int_equal(count, 6);
	node_wait_for_status(node, all_run, &restarts, "three new instances");
	all_views_are(node, "2||", seq);
	/* And one alone. */
	outcome = restart(node, "probe.2");
	assert_int_equal(outcome.status, LYC_OK);
	node_wait_for_status(node, all_run, &restarts, "three instances at the end");
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_upgrade_loses_no_call_of_a_process),
		cmocka_unit_test(test_upgrade_loses_no_call_of_a_thread),
		cmocka_unit_test(test_upgrade_takes_the_file_as_it_is_now),
		cmocka_unit_test(test_upgrade_is_the_operators),
		cmocka_unit_test(test_upgrade_appends_each_record_once),
		cmocka_unit_test(test_instances_share_calls_and_follow_one_log),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

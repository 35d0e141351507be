/*
 * Backups and what comes after them: the hub is copied under load, dies, and is restored; its nodes
 * send again what it lacks and give back what was its own. The same for a node. Nothing that was
 * acknowledged and had travelled is lost, and nobody sees anything twice.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <pthread.h>

#include "inbox.h"
#include "lyceum/echo/v1/echo.pb-c.h"
#include "shell.h"

#define MAX_LOAD 15000

static struct network *network;
static struct node *hub;
static struct node *nhsa;
static struct node *wales;
static const struct lyc_publish_options durable = {.durable = true};

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	nhsa = network_add(network, "nhsa", hub);
	wales = network_add(network, "wales", hub);
	node_add_plugin(nhsa, "echo", NULL, "process");
	node_add_plugin(nhsa, "experts", NULL, "process");
	node_start(hub);
	node_start(nhsa);
	node_start(wales);
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

/* ---- load ---- */

struct load {
	struct lyc_client *client;
	pthread_t thread;
	atomic_bool is_over;
	atomic_int acknowledged;
};

static void *publish_on(void *arg)
{
	struct load *load = arg;
	for (int i = 0; !load->is_over && i < MAX_LOAD; i++) {
		char text[32];
		uint8_t body[64];
		struct lyc_error error;
		Lyceum__Echo__V1__Note note = LYCEUM__ECHO__V1__NOTE__INIT;
		snprintf(text, sizeof(text), "load %d.", i);
		note.text = text;
		size_t len = lyceum__echo__v1__note__pack(&note, body);
		if (lyc_client_publish(load->client, NOTE ".load", body, len, &durable, NULL,
				       &error) != LYC_OK)
			break;
		load->acknowledged++;
	}
	return NULL;
}

static void load_start(struct load *load, struct node *node)
{
	struct keypair keys;
	struct lyc_error error;
	char path[96];
	snprintf(path, sizeof(path), "%s/operator.key", node->folder);
	assert_int_equal(keyfile_read(path, &keys, &error), LYC_OK);
	*load = (struct load){.client = node_open_as(node, &keys)};
	assert_int_equal(pthread_create(&load->thread, NULL, publish_on, load), 0);
}

static int load_stop(struct load *load)
{
	load->is_over = true;
	pthread_join(load->thread, NULL);
	lyc_client_close(load->client);
	return load->acknowledged;
}

/* ---- backups ---- */

static void backup_of(struct node *node, const char *name, char to[100])
{
	snprintf(to, 100, "%s/%s", network->folder, name);
	struct shell_result made = shell_run(node, "backup", to, NULL);
	if (made.code != 0)
		fail_msg("backup: %s", made.err);
	assert_non_null(strstr(made.out, "records up to"));
	shell_result_fini(&made);
	struct shell_result checked = shell_run(node, "backup", "--check", to, NULL);
	if (checked.code != 0)
		fail_msg("backup --check: %s", checked.err);
	assert_non_null(strstr(checked.out, "is whole"));
	shell_result_fini(&checked);
}

/* Its log is lost, and comes back from the backup. */
static void lose_and_restore(struct node *node, const char *backup)
{
	char command[700];
	char said[800] = "";
	snprintf(command, sizeof(command), "%s/broker/lyceumd --config %s --restore %s 2>&1",
		 network->build, node->config, backup);
	/* Not over a log that is there. */
	FILE *refused = popen(command, "r");
	assert_non_null(refused);
	assert_non_null(fgets(said, sizeof(said), refused));
	assert_int_not_equal(pclose(refused), 0);
	assert_non_null(strstr(said, "There is a log"));
	char away[200];
	snprintf(away, sizeof(away), "mv %s/log %s/lost.%s", node->folder, network->folder,
		 node->name);
	assert_int_equal(system(away), 0);
	FILE *output = popen(command, "r");
	assert_non_null(output);
	assert_non_null(fgets(said, sizeof(said), output));
	if (pclose(output) != 0)
		fail_msg("--restore: %s", said);
	assert_non_null(strstr(said, "new epoch"));
}

/* How often each text is in this daemon's log. */
static struct inbox *whole_log(struct node *node)
{
	const struct lyc_subscribe_options whole = {
		.start = LYC_START_SEQ, .from = 1, .records_only = true};
	struct inbox *log = inbox_open(network, node_client(node), NOTE ".>", &whole);
	inbox_wait_caught_up(log);
	return log;
}

static void check_once(struct node *node, int loads, const char *const *texts)
{
	struct inbox *log = whole_log(node);
	int *seen = calloc((size_t)loads + 1, sizeof(int));
	for (size_t i = 0; i < log->count; i++) {
		int number;
		if (sscanf(log->items[i].text, "load %d.", &number) == 1 && number < loads)
			seen[number]++;
	}
	for (int i = 0; i < loads; i++) {
		if (seen[i] != 1)
			fail_msg("%s has 'load %d.' %d times", node->name, i, seen[i]);
	}
	for (; *texts; texts++) {
		if (inbox_count(log, *texts) != 1)
			fail_msg("%s has '%s' %zu times", node->name, *texts,
				 inbox_count(log, *texts));
	}
	free(seen);
	inbox_close(log);
}

static bool has_stopped_waiting(const Lyceum__V1__StatusReply *status, const void *arg)
{
	(void)arg;
	return status->backup && *status->backup->restored && !status->backup->waits_for_hub;
}

static void test_hub_of_yesterday_learns_again_from_its_nodes(void **state)
{
	(void)state;
	char backup[100];
	struct load load;
	const struct lyc_subscribe_options desk = {.durable = "desk", .records_only = true};
	/* Given load, a follower at wales, and a backup in the middle of it. */
	struct inbox *follower = inbox_open(network, node_client(wales), NOTE ".>", &desk);
	node_barrier(wales, hub);
	load_start(&load, wales);
	note_publish(node_client(hub), NULL, "early of hub", &durable);
	while (load.acknowledged < 50)
		network_run(network, 5);
	backup_of(hub, "hub.backup", backup);
	int then = load.acknowledged;
	while (load.acknowledged < then + 50)
		network_run(network, 5);
	/* When more comes, of all daemons, and the hub's log is lost. */
	note_publish(node_client(hub), NULL, "late of hub", &durable);
	note_publish(node_client(nhsa), NULL, "late of nhsa", &durable);
	int loads = load_stop(&load);
	node_wait_until_holds(hub, wales);
	node_wait_until_holds(hub, nhsa);
	node_wait_until_holds(nhsa, hub);
	node_wait_until_holds(wales, hub);
	node_wait_until_holds(wales, nhsa);
	node_kill(hub);
	lose_and_restore(hub, backup);
	node_start(hub);
	note_publish(node_client(hub), NULL, "after it all", &durable);
	network_settle(network);
	node_wait_for_status(hub, has_stopped_waiting, NULL, "to have been restored");
	/* Then every log has everything, once, and the follower has seen it once. */
	static const char *const texts[] = {"early of hub", "late of hub", "late of nhsa",
					    "after it all", NULL};
	struct inbox *at_hub = whole_log(hub);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while ((inbox_count(at_hub, "late of hub") == 0 ||
		inbox_count(at_hub, "late of nhsa") == 0) &&
	       network_now_ms() < deadline)
		network_run(network, 20);
	inbox_close(at_hub);
	check_once(hub, loads, texts);
	check_once(nhsa, loads, texts);
	check_once(wales, loads, texts);
	inbox_wait(follower, (size_t)loads + 4);
	for (size_t i = 0; texts[i]; i++)
		assert_int_equal(inbox_count(follower, texts[i]), 1);
	assert_int_equal(follower->count, (size_t)loads + 4);
	inbox_close(follower);
	Lyceum__V1__StatusReply *status = node_status(hub);
	assert_int_equal(status->backup->taken_back, 1);
	assert_int_equal(status->backup->not_taken_back, 0);
	lyceum__v1__status_reply__free_unpacked(status, NULL);
}

static void test_node_gets_its_own_records_back_from_its_hub(void **state)
{
	(void)state;
	char backup[100];
	struct lyc_error error = {0};
	note_publish(node_client(wales), NULL, "before the backup", &durable);
	backup_of(wales, "wales.backup", backup);
	note_publish(node_client(wales), NULL, "after the backup", &durable);
	assert_int_equal(
		expert_publish(nhsa, "nhsa", "ann", "Ann of nhsa", 2, NULL, NULL, NULL, &error),
		LYC_OK);
	node_wait_until_holds(hub, wales);
	node_wait_until_holds(nhsa, wales);
	node_kill(wales);
	lose_and_restore(wales, backup);
	node_start(wales);
	node_wait_for_status(wales, has_stopped_waiting, NULL, "to have heard from its hub");
	note_publish(node_client(wales), NULL, "in the new epoch", &durable);
	network_settle(network);
	static const char *const texts[] = {"before the backup", "after the backup",
					    "in the new epoch", NULL};
	check_once(wales, 0, texts);
	check_once(hub, 0, texts);
	check_once(nhsa, 0, texts);
	/* The operator is told. */
	struct shell_result shown = shell_run(wales, "status", NULL);
	assert_int_equal(shown.code, 0);
	assert_non_null(strstr(shown.out, "restored "));
	assert_non_null(strstr(shown.out, "came back"));
	shell_result_fini(&shown);
}

static void test_backup_is_the_operators_and_says_what_is_wrong(void **state)
{
	(void)state;
	char path[100];
	struct shell_result result = shell_run(wales, "backup", "some/folder", NULL);
	assert_int_equal(result.code, 1);
	assert_non_null(strstr(result.err, "absolute path"));
	shell_result_fini(&result);
	snprintf(path, sizeof(path), "%s/wales.backup", network->folder);
	result = shell_run(wales, "backup", path, NULL);
	assert_int_equal(result.code, 1);
	assert_non_null(strstr(result.err, "new or empty"));
	shell_result_fini(&result);
	snprintf(path, sizeof(path), "%s/keys.backup", network->folder);
	result = shell_run(wales, "backup", path, "--with-keys", NULL);
	assert_int_equal(result.code, 0);
	assert_non_null(strstr(result.out, "keep it secret"));
	shell_result_fini(&result);
	/* A byte that has changed is found. */
	char command[300];
	snprintf(command, sizeof(command),
		 "f=$(ls %s/log/*.log | head -1) && printf X | dd of=$f bs=1 seek=200 "
		 "conv=notrunc status=none",
		 path);
	assert_int_equal(system(command), 0);
	result = shell_run(wales, "backup", "--check", path, NULL);
	assert_int_equal(result.code, 1);
	assert_non_null(strstr(result.err, "damaged at offset"));
	shell_result_fini(&result);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_hub_of_yesterday_learns_again_from_its_nodes),
		cmocka_unit_test(test_node_gets_its_own_records_back_from_its_hub),
		cmocka_unit_test(test_backup_is_the_operators_and_says_what_is_wrong),
	};
	return cmocka_run_group_tests(tests, start, stop);
}

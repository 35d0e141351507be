/*
 * A configuration that changes while its daemon runs: what was changed is said and done, nothing
 * else is touched; and where anything is wrong nothing is changed at all.
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

#include "inbox.h"
#include "lyceum/v1/node.pb-c.h"
#include "shell.h"

#define RUNNING LYCEUM__V1__PLUGIN__STATE__RUNNING

/* What `lyceum reload` prints; the outcome has to be this exit code. */
static void reload(struct node *node, int code, const char *const *parts, size_t count)
{
	node_write_config(node);
	struct shell_result result = shell_run(node, "reload", NULL);
	const char *said = code == 0 ? result.out : result.err;
	if (result.code != code)
		fail_msg("code %d: %s%s", result.code, result.out, result.err);
	for (size_t i = 0; i < count; i++) {
		if (!strstr(said, parts[i]))
			fail_msg("it does not say '%s' but: %s", parts[i], said);
	}
	shell_result_fini(&result);
}

#define RELOAD(node, code, ...)                                                                    \
	reload(node, code, (const char *const[]){__VA_ARGS__},                                     \
	       sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

static int64_t pid_of(struct node *node, const char *name)
{
	int64_t pid = -1;
	Lyceum__V1__StatusReply *status = node_status(node);
	for (size_t i = 0; i < status->n_plugin; i++) {
		if (strcmp(status->plugin[i]->name, name) == 0)
			pid = status->plugin[i]->pid;
	}
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	return pid;
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static void test_reload_lets_keys_in_and_cuts_those_that_go(void **state)
{
	(void)state;
	struct keypair ann_keys;
	struct keypair bob_keys;
	struct lyc_error error;
	struct lyc_client *client = NULL;
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	assert_int_equal(keyfile_make(&ann_keys, &error), LYC_OK);
	assert_int_equal(keyfile_make(&bob_keys, &error), LYC_OK);
	node_add_key(node, "ann", &ann_keys, "role: PERSON");
	node_add_plugin(node, "echo", NULL, "process");
	node_start(node);
	node_wait_for_plugin(node, "echo", RUNNING);
	int64_t pid = pid_of(node, "echo");
	struct lyc_client *ann = node_open_as(node, &ann_keys);
	struct outcome outcome = ask(node, ann, "lyceum.echo.v1.Echo/Say", "\n\2hi", 4, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	/* Nothing else has changed: not a word of it. */
	RELOAD(node, 0, "The configuration is as it was.");

	/* Fewer rights for ann hold for the session that she has; bob comes in. */
	node->peer_keys[0] = '\0';
	node_add_key(node, "ann", &ann_keys, "role: PERSON, call: [lyceum.v1.Node/*]");
	node_add_key(node, "bob", &bob_keys, "role: PERSON");
	RELOAD(node, 0, "keys: the rights of 'ann' are others", "keys: 'bob' is let in");
	outcome = ask(node, ann, "lyceum.echo.v1.Echo/Say", "\n\2hi", 4, NULL);
	assert_int_equal(outcome.status, LYC_PERMISSION_DENIED);
	struct lyc_client *bob = node_open_as(node, &bob_keys);
	outcome = ask(node, bob, "lyceum.echo.v1.Echo/Say", "\n\2hi", 4, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	assert_int_equal(pid_of(node, "echo"), pid);

	/* Ann goes: what she has under way ends, her session, and the way back. */
	node->peer_keys[0] = '\0';
	node_add_key(node, "bob", &bob_keys, "role: PERSON");
	RELOAD(node, 0, "keys: 'ann' is not let in any more; its connections were cut");
	outcome = ask(node, ann, "lyceum.v1.Node/Status", "", 0,
		      &(struct lyc_call_options){.timeout_ms = 500});
	assert_int_not_equal(outcome.status, LYC_OK);
	lyc_client_close(ann);
	assert_int_not_equal(node_try_open(node, NULL, &ann_keys, &client, &error), LYC_OK);
	/* Bob did not notice. */
	outcome = ask(node, bob, "lyceum.echo.v1.Echo/Say", "\n\2hi", 4, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	lyc_client_close(bob);
	network_free(network);
}

static void test_reload_starts_stops_and_replaces_plugins(void **state)
{
	(void)state;
	char yaml[120];
	char path[300];
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	node_start(node);
	/* One is added to a daemon that had none. */
	snprintf(yaml, sizeof(yaml), "%s/probe.yaml", network->folder);
	write_file(yaml, "text: first\n");
	snprintf(path, sizeof(path), "tests/host/probe.so, config_file: %s", yaml);
	node_add_plugin(node, "probe", path, "process");
	RELOAD(node, 0, "plugins: 'probe' is started");
	node_wait_for_plugin(node, "probe", RUNNING);
	assert_string_equal(say(node, "config", 0, NULL).said, "first||");
	node_add_plugin(node, "experts", NULL, "process");
	RELOAD(node, 0, "plugins: 'experts' is started");
	node_wait_for_plugin(node, "experts", RUNNING);
	int64_t experts = pid_of(node, "experts");

	/* Its own file changes: it is replaced while a call is under way, experts are not. */
	struct outcome slow;
	say_start(node_client(node), "sleep", 0, NULL, &slow);
	write_file(yaml, "text: second\n");
	RELOAD(node, 0, "plugins: 'probe' is replaced: its files have changed");
	outcome_wait(network, node_client(node), &slow);
	assert_string_equal(slow.said, "done||");
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	for (struct outcome now = say(node, "config", 0, NULL); strcmp(now.said, "second||") != 0;
	     now = say(node, "config", 0, NULL)) {
		assert_int_equal(now.status, LYC_OK);
		assert_true(network_now_ms() < deadline);
	}

	/* From a process to a thread, three of them, and experts go. */
	node->plugins[0] = '\0';
	snprintf(path, sizeof(path), "tests/host/probe.so, config_file: %s, instances: 3", yaml);
	node_add_plugin(node, "probe", path, "thread");
	assert_int_equal(pid_of(node, "experts"), experts);
	RELOAD(node, 0, "plugins: 'experts' is stopped",
	       "plugins: 'probe' is replaced: it is configured otherwise",
	       "plugins: 'probe' has 3 instances");
	node_wait_for_plugin(node, "probe.3", RUNNING);
	deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (pid_of(node, "probe") != 0 || pid_of(node, "experts") != -1)
		assert_true(network_now_ms() < deadline);
	assert_int_equal(say(node, "hello", 0, NULL).status, LYC_OK);
	node_stop(node);
	network_free(network);
}

static void test_reload_refuses_as_a_whole(void **state)
{
	(void)state;
	char yaml[120];
	char path[300];
	char sentence[300];
	struct keypair keys;
	struct lyc_error error;
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	snprintf(yaml, sizeof(yaml), "%s/probe.yaml", network->folder);
	write_file(yaml, "text: first\n");
	snprintf(path, sizeof(path), "tests/host/probe.so, config_file: %s", yaml);
	node_add_plugin(node, "probe", path, "process");
	node_start(node);
	node_wait_for_plugin(node, "probe", RUNNING);
	int64_t pid = pid_of(node, "probe");
	/* Each time this would be let in, too. */
	node_add_key(node, "ann", &keys, "role: PERSON");

	write_file(yaml, "# one\ntest: second\n");
	snprintf(sentence, sizeof(sentence), "%s: line 2: ", yaml);
	RELOAD(node, 1, sentence, "test is no field");
	write_file(yaml, "# one\ntext: ''\n");
	RELOAD(node, 1, yaml, ": line 2: text: is required");
	write_file(yaml, "text: first\n");

	snprintf(node->extra, sizeof(node->extra), "limits: {sessions: -1}\n");
	snprintf(sentence, sizeof(sentence), "%s: line ", node->config);
	/* The command itself reads the file, too, and says the same. */
	RELOAD(node, 2, sentence, "limits.sessions");
	snprintf(node->extra, sizeof(node->extra), "key_file: other.key\n");
	RELOAD(node, 1, "key_file: takes effect with a restart of the daemon only");
	node->extra[0] = '\0';

	size_t len = strlen(node->plugins);
	node_add_plugin(node, "bad", "tests/host/bad_abi.so", "process");
	RELOAD(node, 1, "plugins[1]: ", "was built for plugin ABI 99", sentence);
	node->plugins[len] = '\0';

	char name[32];
	memcpy(name, node->name, sizeof(name));
	snprintf(node->name, sizeof(node->name), "york");
	RELOAD(node, 1, "name: takes effect with a restart of the daemon only");
	memcpy(node->name, name, sizeof(name));

	/* All that time nothing was touched. */
	assert_int_equal(pid_of(node, "probe"), pid);
	struct lyc_client *ann = NULL;
	assert_int_not_equal(node_try_open(node, NULL, &keys, &ann, &error), LYC_OK);
	/* And what is right in the end is taken: here by a signal. */
	node_write_config(node);
	kill(node->pid, SIGHUP);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (node_try_open(node, NULL, &keys, &ann, &error) != LYC_OK)
		assert_true(network_now_ms() < deadline);
	lyc_client_close(ann);
	network_free(network);
}

static void test_reload_opens_and_closes_listeners(void **state)
{
	(void)state;
	char path[120];
	char endpoint[120];
	struct keypair keys;
	struct lyc_error error;
	struct lyc_client *client = NULL;
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	assert_int_equal(keyfile_make(&keys, &error), LYC_OK);
	node_add_key(node, "ann", &keys, "role: PERSON");
	node_start(node);
	struct lyc_client *before = NULL;
	assert_int_equal(node_try_open(node, node->listen_tcp, &keys, &before, &error), LYC_OK);
	char former[64];
	memcpy(former, node->listen_tcp, sizeof(former));
	/* In its place a socket of the file system. */
	snprintf(path, sizeof(path), "ipc://%s/other", node->folder);
	memcpy(node->listen_tcp, path, sizeof(node->listen_tcp) - 1);
	snprintf(endpoint, sizeof(endpoint), "listen: %s is open", node->listen_tcp);
	RELOAD(node, 0, endpoint, "is closed; its peers were told");
	assert_int_equal(node_try_open(node, node->listen_tcp, &keys, &client, &error), LYC_OK);
	lyc_client_close(client);
	struct outcome outcome = ask(node, before, "lyceum.v1.Node/Services", "", 0,
				     &(struct lyc_call_options){.timeout_ms = 1000});
	assert_int_not_equal(outcome.status, LYC_OK);
	lyc_client_close(before);
	assert_int_not_equal(node_try_open(node, former, &keys, &client, &error), LYC_OK);
	/* What cannot be opened refuses the whole. */
	node_add_key(node, "bob", &keys, "role: PERSON");
	node->peer_keys[0] = '\0';
	snprintf(node->listen_tcp, sizeof(node->listen_tcp), "ipc:///nowhere/at/all");
	RELOAD(node, 1, "/nowhere/at/all");
	assert_int_equal(node_try_open(node, path, &keys, &client, &error), LYC_OK);
	lyc_client_close(client);
	network_free(network);
}

static void test_reload_changes_the_hub(void **state)
{
	(void)state;
	struct network *network = network_new();
	struct node *first = network_add(network, "first", NULL);
	struct node *second = network_add(network, "second", NULL);
	struct node *wales = network_add(network, "wales", first);
	node_add_key(second, "wales", &wales->keys, "role: NODE");
	node_add_plugin(wales, "echo", NULL, "process");
	node_start(first);
	node_start(second);
	node_start(wales);
	node_wait_for_link(wales, true);
	/* Its plugin brings the type. */
	say_until(wales, LYC_OK);
	(void)note_publish(node_client(wales), NULL, "for all",
			   &(struct lyc_publish_options){.durable = true});
	wales->hub = second;
	RELOAD(wales, 0, "uplink: the hub is 'second' at ");
	node_wait_until_holds(second, wales);
	wales->hub = NULL;
	RELOAD(wales, 0, "uplink: 'second' is not the hub any more");
	Lyceum__V1__StatusReply *status = node_status(wales);
	assert_null(status->uplink);
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	wales->hub = first;
	RELOAD(wales, 0, "uplink: the hub is 'first' at ");
	node_wait_for_link(wales, true);
	node_wait_until_holds(first, wales);
	for (size_t i = 0; i < network->count; i++)
		node_stop(&network->nodes[i]);
	network_free(network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reload_lets_keys_in_and_cuts_those_that_go),
		cmocka_unit_test(test_reload_starts_stops_and_replaces_plugins),
		cmocka_unit_test(test_reload_refuses_as_a_whole),
		cmocka_unit_test(test_reload_opens_and_closes_listeners),
		cmocka_unit_test(test_reload_changes_the_hub),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

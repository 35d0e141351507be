/* Plugins: killed and started again, in a thread, refused, and gone with their daemon. */
#include <errno.h>
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
#include "shell.h"

struct plugin_info {
	Lyceum__V1__Plugin__State state;
	int64_t pid;
	uint64_t restarts;
	char text[300];
};

static struct plugin_info plugin_of(struct node *node, const char *name)
{
	struct plugin_info info = {0};
	Lyceum__V1__StatusReply *status = node_status(node);
	for (size_t i = 0; i < status->n_plugin; i++) {
		if (strcmp(status->plugin[i]->name, name) != 0)
			continue;
		info.state = status->plugin[i]->state;
		info.pid = status->plugin[i]->pid;
		info.restarts = status->plugin[i]->restarts;
		snprintf(info.text, sizeof(info.text), "%s", status->plugin[i]->text);
	}
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	return info;
}

static struct node *one_with(const char *plugin, const char *path, const char *host)
{
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	node_add_plugin(node, plugin, path, host);
	node_start(node);
	return node;
}

struct restarted {
	uint64_t restarts;
};

static bool has_restarted(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const struct restarted *wanted = arg;
	return status->plugin[0]->restarts >= wanted->restarts &&
	       status->plugin[0]->state == LYCEUM__V1__PLUGIN__STATE__RUNNING;
}

static void test_plugin_that_is_killed_starts_again_and_serves(void **state)
{
	(void)state;
	struct node *node = one_with("echo", NULL, "process");
	struct outcome outcome;
	node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	for (uint64_t i = 1; i <= 2; i++) {
		struct plugin_info before = plugin_of(node, "echo");
		assert_true(before.pid > 0);
		/* A call that it has when it dies ends, and soon. */
		say_start(node_client(node), "slow", 50000, NULL, &outcome);
		(void)plugin_of(node, "echo");
		uint64_t killed_ms = network_now_ms();
		kill((pid_t)before.pid, SIGKILL);
		outcome_wait(node->network, node_client(node), &outcome);
		assert_int_equal(outcome.status, LYC_UNAVAILABLE);
		assert_true(network_now_ms() - killed_ms < 4000);
		node_wait_for_status(node, has_restarted, &(struct restarted){i}, "a restart");
		assert_true(plugin_of(node, "echo").pid != before.pid);
		assert_int_equal(say(node, "again", 0, NULL).status, LYC_OK);
	}
	network_free(node->network);
}

static void test_plugin_serves_as_a_thread(void **state)
{
	(void)state;
	struct node *node = one_with("echo", NULL, "thread");
	node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	assert_int_equal(plugin_of(node, "echo").pid, 0);
	struct outcome outcome = say(node, "hello", 0, NULL);
	assert_string_equal(outcome.said, "hello|leeds|leeds");
	outcome = say(node, "later", 30, NULL);
	assert_string_equal(outcome.said, "later|leeds|leeds");
	node_stop(node);
	node_start(node);
	node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	assert_int_equal(say(node, "hello", 0, NULL).status, LYC_OK);
	network_free(node->network);
}

/* The probe of the runner's tests serves the echo, too. The rest of its entry in the configuration
 * comes along. */
static const char *configured_probe(struct node *node, char *to, size_t size)
{
	char file[96];
	snprintf(file, sizeof(file), "%s/probe.yaml", node->network->folder);
	FILE *yaml = fopen(file, "we");
	assert_non_null(yaml);
	fputs("text: configured\n", yaml);
	assert_int_equal(fclose(yaml), 0);
	snprintf(to, size, "tests/host/probe.so, config_file: %s", file);
	return to;
}

static void test_plugin_that_is_refused_says_why(void **state)
{
	(void)state;
	static const char *const hosts[] = {"process", "thread"};
	for (size_t i = 0; i < 2; i++) {
		char path[200];
		struct network *network = network_new();
		struct node *node = network_add(network, "leeds", NULL);
		node_add_plugin(node, "echo", NULL, "process");
		node_start(node);
		node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
		node_stop(node);
		/* Another that serves the same; whoever of the two comes second is refused. */
		node_add_plugin(node, "probe", configured_probe(node, path, sizeof(path)),
				hosts[i]);
		node_add_plugin(node, "bad", "tests/host/bad_abi.so", hosts[i]);
		node_add_plugin(node, "absent", "nowhere.so", hosts[i]);
		node_start(node);
		node_wait_for_plugin(node, "bad", LYCEUM__V1__PLUGIN__STATE__FAILED);
		assert_non_null(strstr(plugin_of(node, "bad").text, "ABI"));
		node_wait_for_plugin(node, "absent", LYCEUM__V1__PLUGIN__STATE__FAILED);
		assert_non_null(strstr(plugin_of(node, "absent").text, "nowhere.so"));
		uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
		struct plugin_info one;
		struct plugin_info other;
		do {
			one = plugin_of(node, "echo");
			other = plugin_of(node, "probe");
			assert_true(network_now_ms() < deadline);
			network_run(network, 5);
		} while (one.state != LYCEUM__V1__PLUGIN__STATE__FAILED &&
			 other.state != LYCEUM__V1__PLUGIN__STATE__FAILED);
		const struct plugin_info *failed =
			one.state == LYCEUM__V1__PLUGIN__STATE__FAILED ? &one : &other;
		if (!strstr(failed->text, "serves lyceum.echo.v1.Echo already"))
			fail_msg("it says: %s", failed->text);
		/* The first one serves on, and the command shows the sentence. */
		say_until(node, LYC_OK);
		struct shell_result result = shell_run(node, "plugins", NULL);
		assert_int_equal(result.code, 0);
		assert_non_null(strstr(result.out, "failed"));
		assert_non_null(strstr(result.out, "already"));
		shell_result_fini(&result);
		node_stop(node);
		network_free(network);
	}
}

static bool log_says(const struct node *node, const char *text)
{
	char path[96];
	char line[1000];
	bool is_there = false;
	snprintf(path, sizeof(path), "%s.log", node->folder);
	FILE *log = fopen(path, "re");
	assert_non_null(log);
	while (!is_there && fgets(line, sizeof(line), log))
		is_there = strstr(line, text) != NULL;
	fclose(log);
	return is_there;
}

/* A thread cannot be killed; the daemon ends all the same, in order. */
static void test_plugin_thread_that_hangs_does_not_keep_the_daemon(void **state)
{
	(void)state;
	struct node *node = one_with("bad", "tests/host/bad_hang.so", "thread");
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (!log_says(node, "going to hang")) {
		assert_true(network_now_ms() < deadline);
		network_run(node->network, 5);
	}
	node_stop(node);
	assert_true(log_says(node, "a plugin's thread hangs"));
	network_free(node->network);
}

static void test_plugin_process_ends_with_a_killed_daemon(void **state)
{
	(void)state;
	struct node *node = one_with("echo", NULL, "process");
	node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	pid_t pid = (pid_t)plugin_of(node, "echo").pid;
	node_kill(node);
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (kill(pid, 0) == 0 && network_now_ms() < deadline)
		network_run(node->network, 10);
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	network_free(node->network);
}

static void test_plugin_process_is_confined_and_shown(void **state)
{
	(void)state;
	struct node *node = one_with("echo", NULL, "process");
	node_wait_for_plugin(node, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	struct shell_result result = shell_run(node, "plugin", "inspect", "echo", NULL);
	assert_int_equal(result.code, 0);
	const char *const parts[] = {"lyceum.echo.v1.Echo/Say", "nothing beyond its own folder",
				     "echo, a process", "reaches its folder", "seccomp"};
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (!strstr(result.out, parts[i]))
			fail_msg("'%s' is missing in: %s", parts[i], result.out);
	}
	shell_result_fini(&result);
	result = shell_run(node, "plugin", "inspect", "nobody", NULL);
	assert_int_equal(result.code, 4);
	assert_non_null(strstr(result.err, "this daemon has no plugin 'nobody'"));
	shell_result_fini(&result);
	node_stop(node);
	network_free(node->network);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plugin_that_is_killed_starts_again_and_serves),
		cmocka_unit_test(test_plugin_serves_as_a_thread),
		cmocka_unit_test(test_plugin_that_is_refused_says_why),
		cmocka_unit_test(test_plugin_process_ends_with_a_killed_daemon),
		cmocka_unit_test(test_plugin_process_is_confined_and_shown),
		cmocka_unit_test(test_plugin_thread_that_hangs_does_not_keep_the_daemon),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

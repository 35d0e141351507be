/*
 * What a plugin can do wrong, in a process of its own and in a thread: what its caller gets, what
 * the log and `lyceum status` say, and what happens next. Each time the daemon and the plugin
 * beside it go on as if nothing were.
 */
#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "inbox.h"
#include "shell.h"

#define RUNNING LYCEUM__V1__PLUGIN__STATE__RUNNING
#define WAITING LYCEUM__V1__PLUGIN__STATE__WAITING
#define FAILED LYCEUM__V1__PLUGIN__STATE__FAILED

struct seen {
	Lyceum__V1__Plugin__State state;
	int64_t pid;
	uint64_t restarts;
	uint64_t faults;
	char text[300];
	char last_fault[300];
};

static struct seen look(struct node *node, const char *name)
{
	struct seen seen = {0};
	Lyceum__V1__StatusReply *status = node_status(node);
	for (size_t i = 0; i < status->n_plugin; i++) {
		const Lyceum__V1__Plugin *plugin = status->plugin[i];
		if (strcmp(plugin->name, name) != 0)
			continue;
		seen.state = plugin->state;
		seen.pid = plugin->pid;
		seen.restarts = plugin->restarts;
		seen.faults = plugin->faults;
		snprintf(seen.text, sizeof(seen.text), "%s", plugin->text);
		snprintf(seen.last_fault, sizeof(seen.last_fault), "%s", plugin->last_fault);
	}
	lyceum__v1__status_reply__free_unpacked(status, NULL);
	return seen;
}

static bool log_says(const struct node *node, const char *text)
{
	char path[96];
	char line[1200];
	bool is_there = false;
	snprintf(path, sizeof(path), "%s.log", node->folder);
	FILE *log = fopen(path, "re");
	assert_non_null(log);
	while (!is_there && fgets(line, sizeof(line), log))
		is_there = strstr(line, text) != NULL;
	fclose(log);
	return is_there;
}

static void wait_for_line(struct node *node, const char *text)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while (!log_says(node, text)) {
		if (network_now_ms() > deadline)
			fail_msg("the log does not say: %s", text);
		network_run(node->network, 5);
	}
}

/* A daemon with the probe, which does as its callers say, and experts beside it. `text` is the
 * probe's configuration, `rest` more of its entry. */
static struct node *one_with_probe(const char *host, const char *text, const char *rest)
{
	char path[300];
	struct network *network = network_new();
	struct node *node = network_add(network, "leeds", NULL);
	snprintf(path, sizeof(path), "%s/probe.yaml", network->folder);
	FILE *yaml = fopen(path, "we");
	assert_non_null(yaml);
	fprintf(yaml, "text: %s\n", text);
	assert_int_equal(fclose(yaml), 0);
	snprintf(path, sizeof(path), "tests/host/probe.so, config_file: %s/probe.yaml%s",
		 network->folder, rest);
	node_add_plugin(node, "probe", path, host);
	node_add_plugin(node, "experts", NULL, "process");
	node_start(node);
	node_wait_for_plugin(node, "experts", RUNNING);
	return node;
}

/* The plugin beside it has not been disturbed. */
static void experts_go_on(struct node *node, const struct seen *before)
{
	struct outcome outcome =
		ask(node, node_client(node), "lyceum.experts.v1.ExpertDirectory/List", "", 0, NULL);
	if (outcome.status != LYC_OK)
		fail_msg("experts: %s", outcome.text);
	struct seen now = look(node, "experts");
	assert_int_equal(now.state, RUNNING);
	assert_int_equal(now.pid, before->pid);
	assert_int_equal(now.restarts, 0);
}

struct failure {
	const char *text; /* what the probe is asked */
	uint32_t timeout_ms;
	/* What the caller gets. */
	enum lyc_status status;
	const char *reply; /* what is said, or a part of the refusal */
	/* A line of the log; NULL: none. */
	const char *line;
	/* What `lyceum status` says afterwards, a part of text or last_fault; NULL: nothing. */
	const char *note;
	bool is_fault;
	bool ends; /* the instance ends, and another is started */
};

/* Everything that a thread can do, too. */
static const struct failure failures[] = {
	{"hello", 5000, LYC_OK, "hello", NULL, NULL, false, false},
	/* late: the caller has its answer at the deadline, and the reply is dropped */
	{"sleep", 100, LYC_DEADLINE_EXCEEDED,
	 "lyceum.echo.v1.Echo/Say: 'probe' did not answer in time", NULL, NULL, false, false},
	{"twice", 5000, LYC_OK, "once", "a method ended its call twice", NULL, false, false},
	{"nothing", 5000, LYC_INTERNAL, "lyceum.echo.v1.Echo/Say returned without a reply.",
	 "lyceum.echo.v1.Echo/Say returned without a reply", NULL, false, false},
	{"not text", 5000, LYC_INTERNAL,
	 "lyceum.echo.v1.Echo/Say answered with a message that its schema refuses: text: ",
	 "plugin answers wrongly",
	 "lyceum.echo.v1.Echo/Say answered with a message that its schema refuses: text: ", true,
	 false},
	{"large", 5000, LYC_RESOURCE_EXHAUSTED, "1200", NULL, NULL, false, false},
	{"flood", 20000, LYC_OK, "done", "lines more than 200 a second were dropped", NULL, false,
	 false},
};

static const struct failure failures_of_processes[] = {
	{"crash", 5000, LYC_UNAVAILABLE,
	 "'probe' went away before it answered; whether the call ran is not known",
	 "it was ended by signal 6 (Aborted)", "it was ended by signal 6 (Aborted)", false, true},
	{"exit", 5000, LYC_UNAVAILABLE, "'probe' went away", "it ended with exit status 7",
	 "it ended with exit status 7", false, true},
	{"eat", 20000, LYC_UNAVAILABLE, "'probe' went away",
	 "its memory limit (memory_limit) is used up",
	 "it was ended by signal 6 (Aborted): its memory limit (memory_limit) is used up", false,
	 true},
};

static void wait_for_end(struct node *node, const struct seen *before, const char *note)
{
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	struct seen seen;
	bool was_noted = false;
	do {
		seen = look(node, "probe");
		was_noted = was_noted || strstr(seen.text, note);
		if (network_now_ms() > deadline)
			fail_msg("state %d, %llu restarts, '%s'; wanted '%s'", (int)seen.state,
				 (unsigned long long)seen.restarts, seen.text, note);
	} while (seen.restarts == before->restarts || seen.state != RUNNING);
	if (!was_noted)
		fail_msg("the status never said '%s'", note);
	assert_true(seen.pid != before->pid);
}

static void try_failure(struct node *node, const struct failure *failure)
{
	struct seen experts = look(node, "experts");
	struct seen before = look(node, "probe");
	struct lyc_call_options options = {.timeout_ms = failure->timeout_ms};
	struct outcome outcome = say(node, failure->text, 0, &options);
	const char *got = outcome.status == LYC_OK ? outcome.said : outcome.text;
	if (outcome.status != failure->status || !strstr(got, failure->reply))
		fail_msg("%s: %s, '%s'", failure->text, lyc_status_name(outcome.status), got);
	if (failure->ends)
		wait_for_end(node, &before, failure->note);
	if (failure->line)
		wait_for_line(node, failure->line);
	struct seen after = look(node, "probe");
	assert_int_equal(after.restarts, before.restarts + failure->ends);
	assert_int_equal(after.faults, before.faults + failure->is_fault);
	if (failure->is_fault && !strstr(after.last_fault, failure->note))
		fail_msg("%s: the status says '%s'", failure->text, after.last_fault);
	assert_string_equal(say(node, "hello", 0, NULL).said, "hello||");
	experts_go_on(node, &experts);
}

static void test_failure_of_one_call_ends_that_call(void **state)
{
	(void)state;
	static const char *const hosts[] = {"process", "thread"};
	for (size_t i = 0; i < 2; i++) {
		struct node *node = one_with_probe(hosts[i], "note", "");
		node_wait_for_plugin(node, "probe", RUNNING);
		for (size_t j = 0; j < sizeof(failures) / sizeof(failures[0]); j++)
			try_failure(node, &failures[j]);
		/* The table of the command shows what went wrong last. */
		struct shell_result result = shell_run(node, "plugins", NULL);
		assert_non_null(strstr(result.out, "FAULTS"));
		assert_non_null(strstr(result.out, "its schema refuses"));
		shell_result_fini(&result);
		node_stop(node);
		network_free(node->network);
	}
}

static void test_failure_after_a_cancel_is_heard_by_nobody(void **state)
{
	(void)state;
	static const char *const hosts[] = {"process", "thread"};
	for (size_t i = 0; i < 2; i++) {
		struct outcome outcome;
		struct node *node = one_with_probe(hosts[i], "note", "");
		node_wait_for_plugin(node, "probe", RUNNING);
		uint64_t id = say_start(node_client(node), "keep", 0, NULL, &outcome);
		assert_string_equal(say(node, "hello", 0, NULL).said, "hello||");
		lyc_client_cancel(node_client(node), id);
		outcome_wait(node->network, node_client(node), &outcome);
		assert_int_equal(outcome.status, LYC_CANCELLED);
		/* It answers now: that it is cancelled it knew, and nobody gets the answer. */
		assert_string_equal(say(node, "use kept", 0, NULL).said, "1 0||");
		assert_int_equal(outcome.reply_count, 1);
		assert_string_equal(say(node, "hello", 0, NULL).said, "hello||");
		network_free(node->network);
	}
}

static void test_failure_of_a_process_is_its_own(void **state)
{
	(void)state;
	struct node *node =
		one_with_probe("process", "note", ", memory_limit: 67108864, confinement: NONE");
	node_wait_for_plugin(node, "probe", RUNNING);
	for (size_t i = 0; i < sizeof(failures_of_processes) / sizeof(failures[0]); i++)
		try_failure(node, &failures_of_processes[i]);
	/* So many that more than 4,096 are never open at once. */
	struct outcome outcome = say(node, "files", 0, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	assert_in_range(strtol(outcome.said, NULL, 10), 100, 4096);
	/* What it forked, where it may, ends with it. */
	outcome = say(node, "fork", 0, NULL);
	pid_t child = (pid_t)strtol(outcome.said, NULL, 10);
	assert_true(child > 0);
	assert_int_equal(kill(child, 0), 0);
	struct seen before = look(node, "probe");
	assert_int_equal(say(node, "crash", 0, NULL).status, LYC_UNAVAILABLE);
	wait_for_end(node, &before, "signal 6");
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	char path[40];
	char text[200] = "";
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)child);
	/* Gone, or waiting for somebody to ask how it ended. */
	while (kill(child, 0) == 0 && !strstr(text, ") Z")) {
		FILE *file = fopen(path, "re");
		if (file && !fgets(text, sizeof(text), file))
			text[0] = '\0';
		if (file)
			fclose(file);
		assert_true(network_now_ms() < deadline);
		network_run(node->network, 5);
	}
	network_free(node->network);
}

/* Ended after the stated time; while its call's deadline is not over it may be busy with it. */
static void test_failure_to_come_back_ends_the_instance(void **state)
{
	(void)state;
	struct node *node = one_with_probe("process", "note", ", hang_ms: 1000");
	struct outcome slow;
	node_wait_for_plugin(node, "probe", RUNNING);
	struct seen experts = look(node, "experts");
	struct seen before = look(node, "probe");
	uint64_t start_ms = network_now_ms();
	say_start(node_client(node), "hang", 0, &(struct lyc_call_options){.timeout_ms = 2500},
		  &slow);
	while (network_now_ms() < start_ms + 1800)
		network_run(node->network, 100);
	assert_int_equal(look(node, "probe").pid, before.pid);
	outcome_wait(node->network, node_client(node), &slow);
	assert_int_equal(slow.status, LYC_DEADLINE_EXCEEDED);
	wait_for_end(node, &before, "it hung");
	before = look(node, "probe");
	slow = say(node, "hang", 0, &(struct lyc_call_options){.timeout_ms = 300});
	assert_int_equal(slow.status, LYC_DEADLINE_EXCEEDED);
	static const char note[] =
		"it hung: nothing was heard of it for 1000 ms (hang_ms); it was killed";
	wait_for_end(node, &before, note);
	wait_for_line(node, note);
	assert_string_equal(say(node, "hello", 0, NULL).said, "hello||");
	experts_go_on(node, &experts);
	network_free(node->network);
}

static void test_failure_of_a_thread_to_come_back_is_told(void **state)
{
	(void)state;
	struct node *node = one_with_probe("thread", "note", ", hang_ms: 1000");
	node_wait_for_plugin(node, "probe", RUNNING);
	struct seen experts = look(node, "experts");
	struct outcome outcome =
		say(node, "hang", 0, &(struct lyc_call_options){.timeout_ms = 300});
	assert_int_equal(outcome.status, LYC_DEADLINE_EXCEEDED);
	node_wait_for_plugin(node, "probe", FAILED);
	static const char note[] = "it hung: nothing was heard of it for 1000 ms (hang_ms), and a "
				   "thread cannot be ended: restart the daemon";
	assert_string_equal(look(node, "probe").text, note);
	wait_for_line(node, note);
	assert_int_not_equal(say(node, "hello", 0, NULL).status, LYC_OK);
	experts_go_on(node, &experts);
	node_stop(node);
	network_free(node->network);
}

struct bad_start {
	const char *text;
	const char *note;
};

static bool has_tried_twice(const Lyceum__V1__StatusReply *status, const void *arg)
{
	return status->plugin[0]->restarts >= 2 && status->plugin[0]->state == WAITING &&
	       strstr(status->plugin[0]->text, arg);
}

static void test_failure_at_the_start_is_tried_again_after_a_while(void **state)
{
	(void)state;
	static const struct bad_start starts[] = {
		{"crash at start", "it was ended by signal 6 (Aborted)"},
		{"crash when idle", "it was ended by signal 6 (Aborted)"},
		{"exit at start", "it ended with exit status 7"},
		{"hang at start",
		 "it hung: nothing was heard of it for 700 ms (hang_ms); it was killed"},
	};
	for (size_t i = 0; i < sizeof(starts) / sizeof(starts[0]); i++) {
		struct node *node =
			one_with_probe("process", starts[i].text, i == 3 ? ", hang_ms: 700" : "");
		struct seen experts = look(node, "experts");
		node_wait_for_status(node, has_tried_twice, starts[i].note, starts[i].text);
		wait_for_line(node, starts[i].note);
		if (i != 1)
			assert_int_not_equal(say(node, "hello", 0, NULL).status, LYC_OK);
		experts_go_on(node, &experts);
		network_free(node->network);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_failure_of_one_call_ends_that_call),
		cmocka_unit_test(test_failure_after_a_cancel_is_heard_by_nobody),
		cmocka_unit_test(test_failure_of_a_process_is_its_own),
		cmocka_unit_test(test_failure_to_come_back_ends_the_instance),
		cmocka_unit_test(test_failure_of_a_thread_to_come_back_is_told),
		cmocka_unit_test(test_failure_at_the_start_is_tried_again_after_a_while),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

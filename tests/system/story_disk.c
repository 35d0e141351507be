/* A disk that is full: what a daemon refuses, what it goes on with, and how it goes on when there
 * is room again. The disk is a small one in memory, mounted where only this story sees it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cmocka.h>

#include "inbox.h"
#include "shell.h"

#define TEXT_LEN 900
/* Of the disk: the log's segments have 1 MiB. */
#define DISK_SIZE "size=6m"
#define BALLAST_LEN (2560u << 10)

static const struct lyc_publish_options durable = {.durable = true};
static const struct lyc_subscribe_options whole = {
	.start = LYC_START_SEQ, .from = 1, .records_only = true};

static struct network *network;
static struct node *hub;
static struct node *wales;
static bool has_disk;

static bool mount_disk(void)
{
	struct lyc_error error;
	char path[96];
	if (unshare(CLONE_NEWNS) != 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
	    mount("tmpfs", wales->folder, "tmpfs", 0, DISK_SIZE) != 0) {
		print_message("skipped: cannot mount a small disk here: %s\n", strerror(errno));
		return false;
	}
	snprintf(path, sizeof(path), "%s/daemon.key", wales->folder);
	assert_int_equal(keyfile_write(path, &wales->keys, &error), LYC_OK);
	return true;
}

static int start(void **state)
{
	(void)state;
	network = network_new();
	hub = network_add(network, "hub", NULL);
	wales = network_add(network, "wales", hub);
	node_add_plugin(hub, "echo", NULL, "process");
	node_add_plugin(wales, "echo", NULL, "process");
	snprintf(wales->extra, sizeof(wales->extra), "store: {segment_mib: 1}\n");
	has_disk = mount_disk();
	if (!has_disk)
		return 0;
	node_start(hub);
	node_start(wales);
	node_wait_for_plugin(hub, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	node_wait_for_plugin(wales, "echo", LYCEUM__V1__PLUGIN__STATE__RUNNING);
	network_settle(network);
	return 0;
}

static int stop(void **state)
{
	char folder[64];
	(void)state;
	snprintf(folder, sizeof(folder), "%s", wales->folder);
	for (size_t i = 0; i < network->count; i++) {
		if (network->nodes[i].pid)
			node_kill(&network->nodes[i]);
	}
	if (has_disk)
		umount2(folder, MNT_DETACH);
	network_free(network);
	return 0;
}

/* A file of somebody else's. */
static void fill(size_t max_len)
{
	char path[96];
	static char block[4096];
	snprintf(path, sizeof(path), "%s/ballast", wales->folder);
	FILE *file = fopen(path, "ae");
	assert_non_null(file);
	setvbuf(file, NULL, _IONBF, 0);
	for (size_t len = 0; len < max_len && fwrite(block, 1, sizeof(block), file) > 0;)
		len += sizeof(block);
	fclose(file);
}

static void make_room(void)
{
	char path[96];
	snprintf(path, sizeof(path), "%s/ballast", wales->folder);
	assert_int_equal(unlink(path), 0);
}

static void text_of(int number, char to[TEXT_LEN + 1])
{
	memset(to, 'x', TEXT_LEN);
	to[TEXT_LEN] = '\0';
	int len = snprintf(to, TEXT_LEN, "%d", number);
	to[len] = ' ';
}

static size_t said(const char *what)
{
	char path[96];
	char line[1000];
	size_t count = 0;
	snprintf(path, sizeof(path), "%s.log", wales->folder);
	FILE *file = fopen(path, "re");
	assert_non_null(file);
	while (fgets(line, sizeof(line), file))
		count += strstr(line, what) != NULL;
	fclose(file);
	return count;
}

/* All notes of wales, each once and in order, at this daemon. */
static void check_notes(struct node *node, int count)
{
	struct inbox *inbox = inbox_open(network, node_client(node), NOTE ".ledger", &whole);
	inbox_wait_caught_up(inbox);
	if (inbox->count != (size_t)count)
		fail_msg("%s has %zu notes, not %d", node->name, inbox->count, count);
	for (int i = 0; i < count; i++)
		assert_int_equal(atoi(inbox->items[i].text), i);
	inbox_close(inbox);
}

static enum lyc_status write_note(int number, struct lyc_error *error)
{
	char text[TEXT_LEN + 1];
	text_of(number, text);
	return note_try(node_client(wales), NOTE ".ledger", text, &durable, error);
}

static void test_disk_full_refuses_appends_serves_reads_and_goes_on(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	enum lyc_status status = LYC_OK;
	int count = 0;
	if (!has_disk)
		skip();
	/* Given a disk that others have filled but for what the log has by now. */
	note_publish(node_client(wales), NOTE ".draft", "to be withdrawn", &durable);
	fill(BALLAST_LEN);
	while (status == LYC_OK && count < 20000) {
		status = write_note(count, &error);
		count += status == LYC_OK;
	}
	assert_true(count > 100);
	fill(SIZE_MAX);

	/* When it is full, records are refused with a sentence, and everything else goes on. */
	assert_int_equal(status, LYC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(error.text, "The disk is full"));
	assert_int_equal(write_note(count, &error), LYC_RESOURCE_EXHAUSTED);
	check_notes(wales, count);
	struct outcome outcome = say(wales, "still here", 0, NULL);
	assert_int_equal(outcome.status, LYC_OK);
	node_wait_until_holds(hub, wales);
	check_notes(hub, count);
	/* A withdrawal has the reserve. */
	const struct lyc_publish_options withdrawal = {.durable = true, .remove = true};
	assert_int_equal(lyc_client_publish(node_client(wales), NOTE ".draft", NULL, 0, &withdrawal,
					    NULL, &error),
			 LYC_OK);
	node_wait_until_holds(hub, wales);
	/* Records of others wait at the hub. */
	note_publish(node_client(hub), NOTE ".board", "from the hub", &durable);
	assert_int_equal(write_note(count, &error), LYC_RESOURCE_EXHAUSTED);

	/* It starts on the full disk, too. */
	node_stop(wales);
	node_start(wales);
	check_notes(wales, count);
	assert_int_equal(write_note(count, &error), LYC_RESOURCE_EXHAUSTED);
	size_t refusals = said("the log takes no records");
	assert_int_equal(refusals, 2);

	/* And with room again it goes on by itself. */
	make_room();
	assert_int_equal(write_note(count++, &error), LYC_OK);
	assert_int_equal(write_note(count++, &error), LYC_OK);
	network_settle(network);
	check_notes(wales, count);
	check_notes(hub, count);
	struct inbox *board = inbox_open(network, node_client(wales), NOTE ".board", &whole);
	inbox_wait(board, 1);
	assert_string_equal(board->items[0].text, "from the hub");
	inbox_close(board);
	assert_true(said("the log takes records again") >= 1);
	node_stop(wales);
	node_start(wales);
	check_notes(wales, count);
}

/* ---- making the log smaller on the full disk ---- */

static bool is_refusing(const Lyceum__V1__StatusReply *status, const void *arg)
{
	(void)arg;
	return status->storage && strcmp(status->storage->refusal, "the disk is full") == 0;
}

static bool has_removed(const Lyceum__V1__StatusReply *status, const void *arg)
{
	const char *stream = arg;
	for (size_t i = 0; status->storage && i < status->storage->n_stream; i++) {
		const Lyceum__V1__StreamState *state = status->storage->stream[i];
		if (strcmp(state->name, stream) == 0 && state->removed > 0)
			return true;
	}
	return false;
}

/* The daemon starts again with other rules, on the disk as it is. */
static void set_streams(const char *streams)
{
	node_stop(wales);
	snprintf(wales->extra, sizeof(wales->extra), "store: {segment_mib: 1}\n%s", streams);
	node_start(wales);
	network_settle(network);
}

static enum lyc_status try_note(const char *subject, int number, struct lyc_error *error)
{
	char text[TEXT_LEN + 1];
	text_of(number, text);
	return note_try(node_client(wales), subject, text, &durable, error);
}

/* Until no more is taken, and nothing is left for others either; how many were. */
static int fill_log(const char *subject)
{
	struct lyc_error error = {0};
	int count = 0;
	while (count < 20000 && try_note(subject, count, &error) == LYC_OK)
		count++;
	fill(SIZE_MAX);
	assert_int_equal(try_note(subject, count, &error), LYC_RESOURCE_EXHAUSTED);
	assert_non_null(strstr(error.text, "The disk is full"));
	node_wait_for_status(wales, is_refusing, NULL, "a log that takes no records");
	return count;
}

/* Without a restart, and with nobody making room on the disk. */
static void wait_until_taken(const char *subject)
{
	struct lyc_error error = {0};
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	pid_t pid = wales->pid;
	while (try_note(subject, 0, &error) != LYC_OK) {
		if (network_now_ms() > deadline)
			fail_msg("the log still takes no records: %s", error.text);
		network_run(network, 100);
	}
	assert_int_equal(wales->pid, pid);
	struct shell_result shown = shell_run(wales, "status", NULL);
	assert_null(strstr(shown.out, "it takes no records"));
	shell_result_fini(&shown);
}

static void test_erasure_runs_on_a_full_disk(void **state)
{
	(void)state;
	if (!has_disk)
		skip();
	char subject[60];
	for (int i = 0; i < 400; i++) {
		struct lyc_error error = {0};
		char text[TEXT_LEN + 1];
		text_of(i, text);
		memcpy(text + 10, "to-be-erased", 12);
		assert_int_equal(
			note_try(node_client(wales), NOTE ".secret", text, &durable, &error),
			LYC_OK);
	}
	fill(SIZE_MAX);
	(void)fill_log(NOTE ".ballast");
	struct shell_result shown = shell_run(wales, "status", NULL);
	assert_non_null(strstr(shown.out, "it takes no records: the disk is full"));
	shell_result_fini(&shown);
	struct inbox *inbox = inbox_open(network, node_client(wales), NOTE ".secret", &whole);
	inbox_wait_caught_up(inbox);
	assert_int_equal(inbox->count, 400);
	inbox_close(inbox);
	snprintf(subject, sizeof(subject), NOTE ".secret");
	shown = shell_run(wales, "erase", subject, NULL);
	if (shown.code != 0)
		fail_msg("%s", shown.err);
	assert_non_null(strstr(shown.out, "gone from the files here"));
	shell_result_fini(&shown);
	assert_false(network_files_hold(wales->folder, "to-be-erased"));
	make_room();
	wait_until_taken(NOTE ".after");
}

/* By size, by age and by subject: each finds a full disk, and makes room by itself. */
static void test_retention_runs_on_a_full_disk(void **state)
{
	static const struct {
		const char *name;
		const char *rule;
	} cases[] = {
		{"size", "max_bytes: 262144"},
		{"age", "max_age: 2s"},
		{"last", "last_per_subject: true"},
	};
	(void)state;
	if (!has_disk)
		skip();
	for (size_t i = 0; i < 3; i++) {
		char streams[200];
		char subject[60];
		snprintf(subject, sizeof(subject), NOTE ".%s", cases[i].name);
		set_streams("");
		(void)fill_log(subject);
		snprintf(streams, sizeof(streams),
			 "streams:\n  - {name: %s, subjects: [\"%s\"], %s, check_every: 1s}\n",
			 cases[i].name, subject, cases[i].rule);
		set_streams(streams);
		node_wait_for_status(wales, has_removed, cases[i].name, "a stream that was cut");
		print_message("cut by %s\n", cases[i].name);
		wait_until_taken(NOTE ".after");
		make_room();
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_disk_full_refuses_appends_serves_reads_and_goes_on),
		cmocka_unit_test(test_erasure_runs_on_a_full_disk),
		cmocka_unit_test(test_retention_runs_on_a_full_disk),
	};
	int failed = cmocka_run_group_tests(tests, start, stop);
	return failed == 0 && !has_disk ? 77 : failed;
}

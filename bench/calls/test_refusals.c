/*
 * What the bench of calls measures is the whole work: on the very path of its rows (the daemon as
 * kit/daemon.c configures it, the sample's type, the public client, 256 calls at once) a body that
 * breaks a rule, a missing right and a label that hides are refused, each in the midst of calls
 * that are answered.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <ftw.h>
#include <unistd.h>

#include <lyceum/client.h>

#include "kit/daemon.h"
#include "kit/process.h"

#define SAY "lyceum.echo.v1.Echo/Say"
#define FIND "lyceum.equipment.v1.Equipment/Find"
/* The daemon has it, and the caller's list of rights has not. */
#define NOT_ALLOWED "lyceum.v1.Node/Status"
#define RIGHTS "\"lyceum.echo.v1.Echo/*\", \"lyceum.equipment.v1.Equipment/*\""
#define PLUGINS(host)                                                                              \
	"plugins:\n  - name: echo\n    path: @/plugins/echo/echo.so\n    host: " host "\n"         \
	"  - name: equipment\n    path: @/bench/leak.so\n    host: " host "\n"
#define WINDOW 256
#define CALLS 2048
/* Of eight calls one has a wrong body and one asks for what it may not. */
#define EACH 8
#define WAIT_MS 20000

static const struct daemon process = {
	.name = "process", .config = PLUGINS("PROCESS"), .call = RIGHTS};
static const struct daemon thread = {.name = "thread", .config = PLUGINS("THREAD"), .call = RIGHTS};
static const struct daemon node = {.name = "process-node", .call = RIGHTS};

static struct contestant by_process = {.who = "plugin process", .kind = &process};
static struct contestant by_thread = {.who = "plugin thread", .kind = &thread};
static struct contestant by_node = {.who = "remote node", .kind = &node, .needs = &by_process};
static struct contestant *const all[] = {&by_process, &by_thread, &by_node};
static struct setting setting;

/* ---- daemons ---- */

static int start_all(void **state)
{
	const char *base = getenv("TMPDIR");
	(void)state;
	snprintf(setting.folder, sizeof(setting.folder), "%s/lyceum-refusals-XXXXXX",
		 base && strlen(base) < 60 ? base : "/tmp");
	if (!mkdtemp(setting.folder))
		return -1;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		if (!daemon_start(all[i], &setting)) {
			print_error("%s: %s\n", all[i]->who, all[i]->missing);
			return -1;
		}
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *info, int kind, struct FTW *place)
{
	(void)info;
	(void)kind;
	(void)place;
	return remove(path);
}

static int end_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		process_end(all[i]->broker);
	return nftw(setting.folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static struct lyc_client *client_of(const struct contestant *contestant)
{
	struct measure measure = {0};
	struct lyc_client *client = NULL;
	if (!daemon_open(contestant, &client, &measure) ||
	    !daemon_await(client, SAY, "\x0a\x01x", 3, &measure) ||
	    !daemon_await(client, FIND, NULL, 0, &measure))
		fail_msg("%s: %s", contestant->who, measure.fault);
	return client;
}

/* ---- a window of calls, some of them wrong ---- */

struct run {
	struct lyc_client *client;
	unsigned begun;
	unsigned ended;
	unsigned answered;
	unsigned wrong_bodies;
	unsigned missing_rights;
};

struct one {
	struct run *run;
	unsigned number;
};

static void begin(struct one *one);

static void take(const struct lyc_reply *reply, void *arg)
{
	struct one *one = arg;
	struct run *run = one->run;
	run->ended++;
	switch (one->number % EACH) {
	case 3:
		assert_int_equal(reply->status, LYC_INVALID_ARGUMENT);
		assert_string_equal(reply->field, "delay_ms");
		assert_string_equal(reply->text, "delay_ms: is 60001, only 0 to 60000 is allowed");
		run->wrong_bodies++;
		break;
	case 6:
		assert_int_equal(reply->status, LYC_PERMISSION_DENIED);
		assert_string_equal(reply->text, "'anonymous' may not call " NOT_ALLOWED
						 ": its key's `call` list does not have it");
		run->missing_rights++;
		break;
	default:
		assert_int_equal(reply->status, LYC_OK);
		assert_true(reply->body_len > 3 && memcmp(reply->body, "\x0a\x01x", 3) == 0);
		run->answered++;
		break;
	}
	if (run->begun < CALLS)
		begin(one);
}

static void begin(struct one *one)
{
	struct run *run = one->run;
	static const char good[] = "\x0a\x01x";
	/* delay_ms of 60001, one more than the rule lets pass. */
	static const char wrong[] = "\x0a\x01x\x10\xe1\xd4\x03";
	bool is_wrong = run->begun % EACH == 3;
	bool is_denied = run->begun % EACH == 6;
	one->number = run->begun++;
	assert_int_equal(lyc_client_call_start(run->client, is_denied ? NOT_ALLOWED : SAY,
					       is_wrong ? wrong : good,
					       (is_wrong ? sizeof(wrong) : sizeof(good)) - 1, NULL,
					       take, one, NULL),
			 LYC_OK);
}

static void expect_refusals(const struct contestant *contestant)
{
	static struct one ones[WINDOW];
	struct run run = {.client = client_of(contestant)};
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_MS * 1000000;
	for (size_t i = 0; i < WINDOW; i++) {
		ones[i].run = &run;
		begin(&ones[i]);
	}
	while (run.ended < CALLS && now_ns() < until_ns)
		(void)lyc_client_run(run.client, 100);
	assert_int_equal(run.ended, CALLS);
	assert_int_equal(run.wrong_bodies, CALLS / EACH);
	assert_int_equal(run.missing_rights, CALLS / EACH);
	assert_int_equal(run.answered, CALLS - 2 * CALLS / EACH);
	lyc_client_close(run.client);
}

/* The plugin shows both of its things; the daemon lets pass the one that this caller may see. */
static void expect_hidden(const struct contestant *contestant)
{
	struct lyc_client *client = client_of(contestant);
	struct lyc_error error = {0};
	uint8_t *body;
	size_t len;
	for (int i = 0; i < 3; i++) {
		if (lyc_client_call(client, FIND, NULL, 0, NULL, &body, &len, &error) != LYC_OK)
			fail_msg("%s: %s", contestant->who, error.text);
		assert_non_null(memmem(body, len, "open-thing", 10));
		assert_null(memmem(body, len, "hidden-thing", 12));
		free(body);
	}
	lyc_client_close(client);
}

static void test_refusals_with_a_plugin_process(void **state)
{
	(void)state;
	expect_refusals(&by_process);
	expect_hidden(&by_process);
}

static void test_refusals_with_a_plugin_thread(void **state)
{
	(void)state;
	expect_refusals(&by_thread);
	expect_hidden(&by_thread);
}

static void test_refusals_from_a_remote_node(void **state)
{
	(void)state;
	expect_refusals(&by_node);
	expect_hidden(&by_node);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_refusals_with_a_plugin_process),
		cmocka_unit_test(test_refusals_with_a_plugin_thread),
		cmocka_unit_test(test_refusals_from_a_remote_node),
	};
	if (argc != 2 || !realpath(argv[1], setting.build)) {
		fprintf(stderr, "usage: test_refusals BUILD_FOLDER\n");
		return 2;
	}
	return cmocka_run_group_tests(tests, start_all, end_all);
}

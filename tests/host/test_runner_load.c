/*
 * What a plugin is before it runs: loaded, refused with a sentence, configured. Arguments:
 * thread|process, the lyceum-plugin executable, the folder of the test plugins.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runner_bench.h"

/* This kernel cannot refuse files. */
static bool landlock_is_missing(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0, 1) <= 0;
}

/* What it says; % stands for the file. */
struct refusal {
	const char *file;
	const char *text;
};

static const struct refusal refusals[] = {
	{"bad_abi", "% was built for plugin ABI 99; this is 1: rebuild it."},
	{"bad_config", "The schema of the plugin \"bad\" does not define its configuration, "
		       "lyceum.echo.v1.Nothing."},
	{"bad_function", "% needs the function lyc_not_any_more, which nothing here has: was it "
			 "built for another version?"},
	{"bad_library", "% needs the library liblyceum-absent.so.1, which is not installed."},
	{"bad_name", "% is the plugin \"worse\", not \"bad\"."},
	{"bad_nowhere", "There is no plugin file %."},
	{"bad_no_schema", "The plugin \"bad\" has no schema."},
	{"bad_rights",
	 "The plugin \"bad\" has \"lyceum.echo.v1..Note\" in `publishes`: a pattern is "
	 "a subject in which * stands for one token and a last > for the rest."},
	{"bad_schema", "The schema of the plugin \"bad\" does not compile: "},
	{"bad_service", "The schema of the plugin \"bad\" does not define the service "
			"lyceum.echo.v1.Echo."},
	{"bad_size", "% has a descriptor of 8 bytes; "},
	{"bad_slot", "The method lyceum.echo.v1.Echo/Count has no function"},
	{"bad_start", "The plugin \"bad\" does not start: The index is broken."},
	{"bad_stop", "The plugin \"bad\" has no `stop` function."},
	{"bad_symbol", "% is not a plugin: it exports no `lyc_plugin`."},
	{"bad_text", "% is not a shared object: it does not begin as an ELF file does."},
};

/* A sentence, or its beginning where what follows is not this code's. */
static bool says(const char *text, const char *wanted, const char *path)
{
	char whole[900];
	const char *mark = strchr(wanted, '%');
	int len = mark ? (int)(mark - wanted) : 0;
	snprintf(whole, sizeof(whole), "%.*s%s%s", len, wanted, mark ? path : "",
		 mark ? mark + 1 : wanted);
	return strncmp(text, whole, strlen(whole)) == 0 &&
	       (text[strlen(whole)] == '\0' || whole[strlen(whole) - 1] != '.');
}

static void test_runner_refuses_each_with_a_sentence_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		char path[512];
		snprintf(path, sizeof(path), "%s", runner_plugin(refusals[i].file));
		harness_start(harness, path, "bad", NULL);
		harness_wait_exit(harness);
		assert_false(harness_was_clean(harness));
		assert_true(harness_was_refused(harness));
		if (!says(harness_exit_text(harness), refusals[i].text, path))
			fail_msg("%s: %s", refusals[i].file, harness_exit_text(harness));
		harness_close(harness);
		harness = harness_open();
	}
}

static bool registers_as_speaker(const char *file, const char *name)
{
	harness_start(harness, runner_plugin(file), name, NULL);
	const struct packet *packet = harness_expect(harness, PACKET_REGISTER);
	bool speaks = packet->reg.speaks_for_people;
	struct packet answer = {.kind = PACKET_REGISTERED, .registered = {.id = packet->reg.id}};
	harness_send(harness, &answer);
	return speaks;
}

static void test_runner_tells_who_speaks_for_people(void **state)
{
	(void)state;
	assert_true(registers_as_speaker("speaker", "bad"));
}

static void test_runner_takes_a_descriptor_of_the_first_size(void **state)
{
	(void)state;
	harness_start(harness, runner_plugin("probe"), "probe", runner_config);
	const struct packet *packet = harness_expect(harness, PACKET_SUBSCRIBE);
	struct packet gap = {.kind = PACKET_GAP, .gap = {.id = packet->subscribe.id}};
	harness_send(harness, &gap);
	assert_false(harness_expect(harness, PACKET_REGISTER)->reg.speaks_for_people);
}

static void test_runner_reports_a_crash(void **state)
{
	(void)state;
	if (harness_is_thread())
		skip(); /* It would be this program's. */
	harness_start(harness, runner_plugin("bad_crash"), "bad", NULL);
	harness_wait_exit(harness);
	assert_false(harness_was_clean(harness));
	assert_false(harness_was_refused(harness));
	assert_non_null(strstr(harness_exit_text(harness), "signal 6"));
}

/* A thread is not confined: there the mark is made, which shows that this test could fail. */
static void test_runner_confines_code_that_runs_while_it_is_loaded(void **state)
{
	(void)state;
	char path[64];
	snprintf(path, sizeof(path), "/tmp/lyc-early-%d", getpid());
	setenv("LYC_TEST_EARLY", path, 1);
	registers_as_speaker("bad_early", "bad");
	unsetenv("LYC_TEST_EARLY");
	assert_int_equal(unlink(path) == 0, harness_is_thread() || landlock_is_missing());
}

static void test_runner_reports_a_hang(void **state)
{
	(void)state;
	harness_start(harness, runner_plugin("bad_hang"), "bad", NULL);
	harness_expect_line(harness, "3 going to hang");
	harness_stop(harness, 50);
	assert_false(harness_was_clean(harness));
	assert_non_null(
		strstr(harness_exit_text(harness), harness_is_thread() ? "hangs" : "was killed"));
}

static void test_runner_reads_the_configuration(void **state)
{
	(void)state;
	runner_write_config("text: from the file\n");
	runner_start_probe();
	harness_say(harness, 1, "config", 5000);
	assert_true(harness_said(harness_expect_reply(harness, 1), "from the file"));
}

static void test_runner_names_the_line_of_a_wrong_configuration(void **state)
{
	(void)state;
	runner_write_config("# one\nsize: 3\n");
	harness_start(harness, runner_plugin("probe"), "probe", runner_config);
	harness_wait_exit(harness);
	runner_write_config("text: note\n");
	assert_true(harness_was_refused(harness));
	assert_non_null(strstr(harness_exit_text(harness), "line 2"));
	assert_non_null(strstr(harness_exit_text(harness), runner_config));
}

static void test_runner_checks_the_rules_of_the_configuration(void **state)
{
	(void)state;
	harness_start(harness, runner_plugin("probe"), "probe", NULL);
	harness_wait_exit(harness);
	assert_true(harness_was_refused(harness));
	assert_non_null(strstr(harness_exit_text(harness), "text"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		RUNNER_TEST(test_runner_refuses_each_with_a_sentence_of_its_own),
		RUNNER_TEST(test_runner_tells_who_speaks_for_people),
		RUNNER_TEST(test_runner_takes_a_descriptor_of_the_first_size),
		RUNNER_TEST(test_runner_reports_a_crash),
		RUNNER_TEST(test_runner_confines_code_that_runs_while_it_is_loaded),
		RUNNER_TEST(test_runner_reads_the_configuration),
		RUNNER_TEST(test_runner_names_the_line_of_a_wrong_configuration),
		RUNNER_TEST(test_runner_checks_the_rules_of_the_configuration),
		/* Last: its thread stays behind. */
		RUNNER_TEST(test_runner_reports_a_hang),
	};
	if (!runner_begin(argc, argv))
		return 2;
	int code = cmocka_run_group_tests(tests, NULL, NULL);
	runner_end();
	return code;
}

/* Options by table. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "command.h"
#include "outcome.h"

const struct command commands[] = {{"fetch", "FILE", "Fetches", NULL, NULL}, {0}};

struct wanted {
	bool is_fast;
	const char *name;
	uint64_t count;
};

#define MAX_WORDS 12

/* What command_read answered for these words; the arguments stay in argv. */
static int read_words(struct session *session, struct wanted *wanted, const char *const *words,
		      int *argc, char **argv)
{
	const struct option options[] = {
		{"fast", OPTION_FLAG, &wanted->is_fast, NULL, "fast"},
		{"name", OPTION_TEXT, &wanted->name, "NAME", "name"},
		{"count", OPTION_NUMBER, &wanted->count, "N", "count"},
		{0},
	};
	for (*argc = 0; words[*argc]; ++*argc)
		argv[*argc] = (char *)words[*argc];
	return command_read(session, &commands[0], options, 1, 2, argc, argv);
}

static int answer(const char *const *words)
{
	struct session session = {0};
	struct wanted wanted = {0};
	char *argv[MAX_WORDS];
	int argc;
	int code = read_words(&session, &wanted, words, &argc, argv);
	session_close(&session);
	return code;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_command_takes_options_anywhere(void **state)
{
	struct session session = {0};
	struct wanted wanted = {0};
	char *argv[MAX_WORDS];
	int argc;
	(void)state;
	assert_int_equal(read_words(&session, &wanted,
				    WORDS("--fast", "a", "--name", "-x", "--timeout=2s", "-",
					  "--count=7", "--at", "hub"),
				    &argc, argv),
			 COMMAND_GO_ON);
	assert_int_equal(argc, 2);
	assert_string_equal(argv[0], "a");
	assert_string_equal(argv[1], "-");
	assert_true(wanted.is_fast);
	assert_string_equal(wanted.name, "-x");
	assert_int_equal(wanted.count, 7);
	assert_int_equal(session.options.timeout_ms, 2000);
	assert_string_equal(session.options.at, "hub");
	session_close(&session);
}

static void test_command_stops_at_two_dashes(void **state)
{
	struct session session = {0};
	struct wanted wanted = {0};
	char *argv[MAX_WORDS];
	int argc;
	(void)state;
	assert_int_equal(read_words(&session, &wanted, WORDS("--", "--fast"), &argc, argv),
			 COMMAND_GO_ON);
	assert_int_equal(argc, 1);
	assert_string_equal(argv[0], "--fast");
	assert_false(wanted.is_fast);
}

static void test_command_reads_positions(void **state)
{
	struct session session = {0};
	struct wanted wanted = {0};
	char *argv[MAX_WORDS];
	int argc;
	(void)state;
	assert_int_equal(read_words(&session, &wanted,
				    WORDS("a", "--after", "wales:3:118,nhsa:1:20"), &argc, argv),
			 COMMAND_GO_ON);
	assert_int_equal(session.options.after_count, 2);
	assert_string_equal(session.options.after[0].origin, "wales");
	assert_int_equal(session.options.after[0].epoch, 3);
	assert_int_equal(session.options.after[1].seq, 20);
	session_close(&session);
	assert_int_equal(answer(WORDS("a", "--after", "wales:3")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--after", "wales:3:4;x")), OUTCOME_USAGE);
}

static void test_command_refuses_what_it_cannot_read(void **state)
{
	(void)state;
	assert_int_equal(answer(WORDS("a", "--count", "x")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--count", "99999999999999999999")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--fast=yes")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--timeout", "soon")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--timeout", "0")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--name")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "--fats")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "-f")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("--fast")), OUTCOME_USAGE);
	assert_int_equal(answer(WORDS("a", "b", "c")), OUTCOME_USAGE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_command_takes_options_anywhere),
		cmocka_unit_test(test_command_stops_at_two_dashes),
		cmocka_unit_test(test_command_reads_positions),
		cmocka_unit_test(test_command_refuses_what_it_cannot_read),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

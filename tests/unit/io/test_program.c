/* Programs that are run to their end: what they say, how they end, and those that do not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/error.h"
#include "io/program.h"

static enum lyc_status run(const char *script, int fd, size_t max_len, uint32_t timeout_ms,
			   struct buf *to, int *ret_code)
{
	struct lyc_error error;
	char *words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c",
			 (char *)(uintptr_t)script, NULL};
	const struct program program = {.path = "/bin/sh",
					.words = words,
					.fd = fd,
					.max_len = max_len,
					.timeout_ms = timeout_ms};
	error_clear(&error);
	enum lyc_status status = program_run(&program, to, ret_code, &error);
	assert_int_equal(error.text[0] == '\0', status == LYC_OK);
	return status;
}

static void test_program_is_heard_on_the_output_that_was_asked_for(void **state)
{
	(void)state;
	struct buf said = {0};
	int code = -2;
	assert_int_equal(
		run("echo out; echo err >&2; exit 3", STDERR_FILENO, 100, 10000, &said, &code),
		LYC_OK);
	assert_int_equal(code, 3);
	assert_string_equal(buf_text(&said), "err\n");
	buf_clear(&said);
	assert_int_equal(run("echo out; exit 0", STDOUT_FILENO, 100, 10000, &said, &code), LYC_OK);
	assert_int_equal(code, 0);
	assert_string_equal(buf_text(&said), "out\n");
	buf_fini(&said);
}

/* It is read to its end all the same: a full pipe would hold it up. */
static void test_program_that_says_more_is_cut_and_ends(void **state)
{
	(void)state;
	struct buf said = {0};
	int code = -2;
	assert_int_equal(run("yes word | head -c 300000", STDOUT_FILENO, 10, 10000, &said, &code),
			 LYC_OK);
	assert_int_equal(code, 0);
	assert_int_equal(said.len, 10);
	buf_fini(&said);
}

static void test_program_that_a_signal_ends_has_no_exit_code(void **state)
{
	(void)state;
	struct buf said = {0};
	int code = -2;
	assert_int_equal(run("echo last; kill -9 $$", STDOUT_FILENO, 100, 10000, &said, &code),
			 LYC_OK);
	assert_int_equal(code, -1);
	assert_string_equal(buf_text(&said), "last\n");
	buf_fini(&said);
}

static void test_program_that_does_not_end_is_killed(void **state)
{
	(void)state;
	struct buf said = {0};
	int code = -2;
	assert_int_equal(run("exec tail -f /dev/null", STDOUT_FILENO, 100, 50, &said, &code),
			 LYC_DEADLINE_EXCEEDED);
	assert_int_equal(code, -2);
	buf_fini(&said);
}

static void test_program_that_is_not_there_is_told(void **state)
{
	(void)state;
	struct buf said = {0};
	struct lyc_error error;
	int code = -2;
	char *words[] = {(char *)(uintptr_t) "none", NULL};
	const struct program program = {
		.path = "/nowhere/none", .words = words, .fd = STDOUT_FILENO, .timeout_ms = 1000};
	error_clear(&error);
	assert_int_equal(program_run(&program, &said, &code, &error), LYC_UNAVAILABLE);
	assert_non_null(strstr(error.text, "/nowhere/none"));
	assert_int_equal(code, -2);
	buf_fini(&said);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_program_is_heard_on_the_output_that_was_asked_for),
		cmocka_unit_test(test_program_that_says_more_is_cut_and_ends),
		cmocka_unit_test(test_program_that_a_signal_ends_has_no_exit_code),
		cmocka_unit_test(test_program_that_does_not_end_is_killed),
		cmocka_unit_test(test_program_that_is_not_there_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

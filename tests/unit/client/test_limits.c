/* A plugin's process gets memory, descriptors and processes up to its limits, and no more. Each
 * test runs in a child of a user without rights, as a daemon should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/sanitizer.h"
#include "client/exit_code.h"
#include "client/limits.h"

#define MEMORY (64ull << 20)
/* Nobody has processes under this number. */
#define A_USER 54321

/* What a child says on its stderr, and how it ended. */
static int run(void (*in_child)(void), char *to, size_t size)
{
	int ends[2];
	int result;
	size_t len = 0;
	ssize_t got;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		setsid();
		dup2(ends[1], STDERR_FILENO);
		if (getuid() == 0 && (setgid(A_USER) != 0 || setuid(A_USER) != 0))
			_exit(1);
		in_child();
		_exit(0);
	}
	close(ends[1]);
	while (len + 1 < size && (got = read(ends[0], to + len, size - 1 - len)) > 0)
		len += (size_t)got;
	close(ends[0]);
	to[len] = '\0';
	assert_int_equal(waitpid(pid, &result, 0), pid);
	return result;
}

static void limit(void)
{
	struct lyc_error error;
	if (limits_set(MEMORY, &error) != LYC_OK) {
		fprintf(stderr, "%s\n", error.text);
		_exit(1);
	}
}

static size_t eat(size_t piece)
{
	size_t got = 0;
	for (char *at = malloc(piece); at && got < 16 * MEMORY; at = malloc(piece)) {
		memset(at, 1, piece);
		got += piece;
	}
	return got;
}

static void take_memory(void)
{
	limit();
	fprintf(stderr, "%zu\n", eat(1 << 20) >> 20);
}

static void test_limits_end_memory(void **state)
{
	char said[200];
	(void)state;
	if (WITH_ADDRESS_SANITIZER)
		skip(); /* Its own memory is counted, too. */
	assert_int_equal(run(take_memory, said, sizeof(said)), 0);
	assert_in_range(strtoul(said, NULL, 10), (MEMORY >> 20) - 8, MEMORY >> 20);
}

static void crash_without_memory(void)
{
	limit();
	(void)eat(4096);
	abort();
}

static void crash_with_memory(void)
{
	limit();
	abort();
}

static void test_limits_say_why_a_process_without_memory_crashed(void **state)
{
	char said[200];
	(void)state;
	if (WITH_ADDRESS_SANITIZER)
		skip(); /* Its own memory is counted, too. */
	int result = run(crash_without_memory, said, sizeof(said));
	assert_true(WIFSIGNALED(result));
	assert_int_equal(WTERMSIG(result), SIGABRT);
	assert_string_equal(said, "1 " PLUGIN_MEMORY_LINE "\n");
	result = run(crash_with_memory, said, sizeof(said));
	assert_true(WIFSIGNALED(result));
	assert_int_equal(WTERMSIG(result), SIGABRT);
	assert_string_equal(said, "");
}

static void take_descriptors(void)
{
	int count = 0;
	struct rlimit all;
	getrlimit(RLIMIT_NOFILE, &all);
	limit();
	while (count < 100000 && open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
		count++;
	fprintf(stderr, "%d %d\n", count,
		errno == EMFILE && (all.rlim_max < LIMITS_DESCRIPTORS || count > 1000));
}

static void test_limits_end_descriptors(void **state)
{
	char said[200];
	unsigned count;
	int is_so;
	(void)state;
	assert_int_equal(run(take_descriptors, said, sizeof(said)), 0);
	assert_int_equal(sscanf(said, "%u %d", &count, &is_so), 2);
	assert_true(is_so);
	assert_in_range(count, 10, LIMITS_DESCRIPTORS);
}

static void fork_bomb(void)
{
	int count = 0;
	limit();
	/* Bounded, should the limit not hold. */
	while (count < 2 * LIMITS_TASKS) {
		pid_t pid = fork();
		if (pid == 0) {
			close(STDERR_FILENO);
			for (;;)
				pause();
		}
		if (pid < 0)
			break;
		count++;
	}
	fprintf(stderr, "%d\n", count);
	/* As the daemon does it: the group. */
	kill(0, SIGKILL);
}

static void test_limits_end_a_fork_bomb(void **state)
{
	char said[200];
	(void)state;
	int result = run(fork_bomb, said, sizeof(said));
	assert_true(WIFSIGNALED(result));
	assert_in_range(strtoul(said, NULL, 10), 1, LIMITS_TASKS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_limits_end_memory),
		cmocka_unit_test(test_limits_say_why_a_process_without_memory_crashed),
		cmocka_unit_test(test_limits_end_descriptors),
		cmocka_unit_test(test_limits_end_a_fork_bomb),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

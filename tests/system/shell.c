/* fork, exec, two pipes and a deadline. */
#include "shell.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"

#define MAX_OUTPUT (256 * 1024)
#define MAX_ARGS 24

static void read_both(int out, int err, struct shell_result *result)
{
	char *texts[2] = {result->out, result->err};
	size_t lens[2] = {0};
	struct pollfd items[2] = {{.fd = out, .events = POLLIN}, {.fd = err, .events = POLLIN}};
	uint64_t deadline = network_now_ms() + NETWORK_DEADLINE_MS;
	while ((items[0].fd >= 0 || items[1].fd >= 0) && network_now_ms() < deadline) {
		if (poll(items, 2, 1000) <= 0)
			continue;
		for (int i = 0; i < 2; i++) {
			if (items[i].fd < 0 || !items[i].revents)
				continue;
			ssize_t got =
				read(items[i].fd, texts[i] + lens[i], MAX_OUTPUT - 1 - lens[i]);
			if (got <= 0)
				items[i].fd = -1;
			else
				lens[i] += (size_t)got;
		}
	}
}

struct shell_result shell_run(struct node *node, ...)
{
	char program[300];
	const char *argv[MAX_ARGS] = {"lyceum", "--config", node->config};
	size_t argc = 3;
	va_list args;
	va_start(args, node);
	for (const char *arg = va_arg(args, const char *); arg; arg = va_arg(args, const char *)) {
		ensure(argc < MAX_ARGS - 1);
		argv[argc++] = arg;
	}
	va_end(args);
	snprintf(program, sizeof(program), "%s/tools/lyceum/lyceum", node->network->build);
	int out[2];
	int err[2];
	ensure(pipe2(out, O_CLOEXEC) == 0 && pipe2(err, O_CLOEXEC) == 0);
	fflush(NULL);
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(out[1], STDOUT_FILENO);
		dup2(err[1], STDERR_FILENO);
		execv(program, (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	close(out[1]);
	close(err[1]);
	struct shell_result result = {.out = calloc(1, MAX_OUTPUT), .err = calloc(1, MAX_OUTPUT)};
	ensure(result.out && result.err);
	read_both(out[0], err[0], &result);
	close(out[0]);
	close(err[0]);
	int status;
	kill(pid, 0);
	ensure(waitpid(pid, &status, 0) == pid);
	result.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	result.json = json_loads(result.out, JSON_DISABLE_EOF_CHECK, NULL);
	return result;
}

void shell_result_fini(struct shell_result *result)
{
	free(result->out);
	free(result->err);
	json_decref(result->json);
}

const char *shell_text(const struct shell_result *result, const char *outer, const char *inner)
{
	const json_t *value = json_object_get(result->json, outer);
	if (inner)
		value = json_object_get(value, inner);
	return json_is_string(value) ? json_string_value(value) : "";
}

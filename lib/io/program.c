/* posix_spawn, one pipe and a deadline. The end of a program is the end of its output. */
#include "io/program.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "io/clock.h"

/* Of posix_spawn and of the shell. */
#define CODE_NOT_STARTED 127

extern char **environ;

static pid_t start(const struct program *program, int fd)
{
	pid_t pid = -1;
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fd, program->fd);
	if (posix_spawn(&pid, program->path, &actions, NULL, program->words, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* Until it closes its end. False: it does not in time. */
static bool listen_to(const struct program *program, int fd, struct buf *to)
{
	uint64_t end = mono_ms() + program->timeout_ms;
	size_t left = program->max_len;
	for (;;) {
		char room[4096];
		uint64_t now = mono_ms();
		struct pollfd item = {.fd = fd, .events = POLLIN};
		if (now >= end || poll(&item, 1, (int)(end - now)) == 0)
			return false;
		ssize_t got = read(fd, room, sizeof(room));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			return true;
		size_t used = (size_t)got < left ? (size_t)got : left;
		buf_add(to, room, used);
		left -= used;
	}
}

enum lyc_status program_run(const struct program *program, struct buf *to, int *ret_code,
			    struct lyc_error *error)
{
	int ends[2];
	int code = 0;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no pipe: %s", strerror(errno));
	pid_t pid = start(program, ends[1]);
	close(ends[1]);
	bool is_done = pid > 0 && listen_to(program, ends[0], to);
	close(ends[0]);
	if (pid > 0 && !is_done)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, &code, 0) < 0 && errno == EINTR)
		continue;
	/* Where posix_spawn cannot tell, the child says so by its exit code. */
	if (pid <= 0 || (is_done && WIFEXITED(code) && WEXITSTATUS(code) == CODE_NOT_STARTED))
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be started: is it installed?",
				 program->path);
	if (!is_done)
		return error_set(error, LYC_DEADLINE_EXCEEDED, "%s did not end within %u s",
				 program->path, program->timeout_ms / 1000);
	*ret_code = WIFEXITED(code) ? WEXITSTATUS(code) : -1;
	return LYC_OK;
}

/*
 * The child says through a pipe what it does and what was answered; the parent reads for a random
 * number of lines and microseconds, sends SIGKILL, reads what is still in the pipe, and compares.
 */
#include "kill.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/rng.h"
#include "load.h"
#include "work_folder.h"

#define MAX_LINES 900
#define MAX_PAUSE_US 3000

struct child {
	pid_t pid;
	int fd;
	struct buf lines; /* read, but not yet a whole line */
};

static struct child start(const char *folder, uint64_t seed)
{
	int ends[2];
	char seed_text[24];
	char fd_text[24];
	ensure(pipe(ends) == 0);
	snprintf(seed_text, sizeof(seed_text), "%" PRIu64, seed);
	snprintf(fd_text, sizeof(fd_text), "%d", ends[1]);
	fflush(NULL);
	pid_t pid = fork();
	ensure(pid >= 0);
	if (pid == 0) {
		close(ends[0]);
		execl("/proc/self/exe", "prove-durability", "load", folder, seed_text, "0",
		      "with-sync", fd_text, (char *)NULL);
		_exit(127);
	}
	close(ends[1]);
	return (struct child){.pid = pid, .fd = ends[0]};
}

/* Reads once; false at the end. Hands whole lines to the oracle. */
static bool listen_once(struct child *child, struct oracle *oracle, uint64_t *ret_lines)
{
	struct buf *lines = &child->lines;
	ensure(buf_reserve(lines, 4096));
	ssize_t got = read(child->fd, lines->data + lines->len, 4096);
	if (got < 0 && errno == EINTR)
		return true;
	if (got <= 0)
		return false;
	lines->len += (size_t)got;
	size_t start_at = 0;
	for (size_t i = 0; i < lines->len; i++) {
		if (lines->data[i] != '\n')
			continue;
		lines->data[i] = '\0';
		oracle_note(oracle, (const char *)lines->data + start_at);
		start_at = i + 1;
		++*ret_lines;
	}
	memmove(lines->data, lines->data + start_at, lines->len - start_at);
	lines->len -= start_at;
	return true;
}

static void kill_once(const char *folder, struct rng *rng, struct oracle *oracle)
{
	struct child child = start(folder, rng_next(rng));
	uint64_t want = rng_below(rng, MAX_LINES);
	uint64_t lines = 0;
	while (lines <= want) {
		if (!listen_once(&child, oracle, &lines)) {
			fprintf(stderr, "the writer ended by itself\n");
			abort();
		}
	}
	/* In the middle of whatever it does by then. */
	usleep((useconds_t)rng_below(rng, MAX_PAUSE_US));
	ensure(kill(child.pid, SIGKILL) == 0);
	while (listen_once(&child, oracle, &lines))
		;
	int result;
	ensure(waitpid(child.pid, &result, 0) == child.pid);
	ensure(WIFSIGNALED(result) && WTERMSIG(result) == SIGKILL);
	close(child.fd);
	buf_fini(&child.lines);
}

void kill_run(uint64_t seed, uint64_t kill_count, struct verdict *ret_verdict)
{
	char folder[64];
	struct rng rng;
	struct oracle oracle = {0};
	rng_init(&rng, seed + 2);
	work_folder_make(folder);
	for (uint64_t i = 0; i < kill_count; i++) {
		kill_once(folder, &rng, &oracle);
		oracle_compare(&oracle, folder, LOAD_SEGMENT_LEN, true, ret_verdict);
	}
	work_folder_clear(folder, true);
	oracle_fini(&oracle);
}

/* The processes of a bench. */
#include "kit/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define END_MS 5000

pid_t process_fork(void)
{
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
	}
	return pid;
}

static uint64_t started_ns;

uint64_t process_started_ns(void)
{
	return started_ns;
}

pid_t process_start(char *const argv[], const char *output)
{
	started_ns = now_ns();
	pid_t pid = process_fork();
	if (pid != 0)
		return pid;
	int fd = open(output, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(fd, 1);
	dup2(fd, 2);
	execvp(argv[0], argv);
	_exit(127);
}

bool process_is_running(pid_t pid)
{
	siginfo_t info = {0};
	return waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	       info.si_pid == 0;
}

static bool has_ended(pid_t pid, uint64_t timeout_ms)
{
	uint64_t until_ns = now_ns() + timeout_ms * 1000000;
	struct timespec pause = {.tv_nsec = 2000000};
	while (waitpid(pid, NULL, WNOHANG) == 0) {
		if (now_ns() >= until_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

bool process_wait(pid_t pid, uint64_t timeout_ms)
{
	if (has_ended(pid, timeout_ms))
		return true;
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return false;
}

void process_end(pid_t pid)
{
	if (pid <= 0)
		return;
	kill(pid, SIGTERM);
	process_wait(pid, END_MS);
}

double process_cpu_s(pid_t pid)
{
	clockid_t clock;
	struct timespec used;
	if (clock_getcpuclockid(pid, &clock) != 0 || clock_gettime(clock, &used) != 0)
		return 0;
	return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

double process_private_mib(pid_t pid)
{
	char path[64];
	char line[200];
	unsigned long kib;
	unsigned long sum = 0;
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "Private_Clean: %lu", &kib) == 1 ||
		    sscanf(line, "Private_Dirty: %lu", &kib) == 1)
			sum += kib;
	}
	if (file)
		fclose(file);
	return (double)sum / 1024;
}

void process_pin(pid_t pid, int cpu)
{
	char path[64];
	cpu_set_t set;
	CPU_ZERO(&set);
	for (int i = 0; i < CPU_SETSIZE; i++) {
		if (cpu < 0 || i == cpu)
			CPU_SET(i, &set);
	}
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	DIR *folder = opendir(path);
	struct dirent *entry;
	while (folder && (entry = readdir(folder))) {
		if (entry->d_name[0] != '.')
			sched_setaffinity((pid_t)atoi(entry->d_name), sizeof(set), &set);
	}
	if (folder)
		closedir(folder);
}

int process_children(pid_t pid, pid_t *to, int max)
{
	char path[64];
	int count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", (int)pid, (int)pid);
	FILE *file = fopen(path, "re");
	int child;
	while (file && count < max && fscanf(file, "%d", &child) == 1)
		to[count++] = (pid_t)child;
	if (file)
		fclose(file);
	return count;
}

bool process_find(const char *name, char *path, size_t size)
{
	char *folders = strdup(getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
	bool is_found = false;
	char *rest = folders;
	char *folder;
	while (!is_found && (folder = strsep(&rest, ":"))) {
		snprintf(path, size, "%s/%s", folder, name);
		is_found = access(path, X_OK) == 0;
	}
	/* Debian keeps servers where a user's PATH does not look. */
	if (!is_found) {
		snprintf(path, size, "/usr/sbin/%s", name);
		is_found = access(path, X_OK) == 0;
	}
	free(folders);
	return is_found;
}

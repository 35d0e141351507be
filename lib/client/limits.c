/*
 * Limits of a plugin's process. RLIMIT_DATA is what holds a leak: RLIMIT_AS also counts what is
 * only reserved (64 MiB for each thread's arena) and would have to be several times as large to do
 * no harm.
 */
#include "client/limits.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/error.h"
#include "client/exit_code.h"

/* For the handler of a crash: set once, before it is installed. */
static uint64_t memory_end;
static uint64_t page_len = 4096;
static int statm_fd = -1;
static char crash_stack[16 * 1024];

/* The sixth number of statm, data and stack in pages: async-signal-safe, for the handler. */
static uint64_t data_in_use(void)
{
	char text[256];
	/* Opened while it could be: by then the process may reach no files. */
	ssize_t len = pread(statm_fd, text, sizeof(text), 0);
	int spaces = 0;
	uint64_t pages = 0;
	for (ssize_t i = 0; i < len && spaces < 6; i++) {
		if (text[i] == ' ')
			spaces++;
		else if (spaces == 5 && text[i] >= '0' && text[i] <= '9')
			pages = pages * 10 + (uint64_t)(text[i] - '0');
	}
	return pages * page_len;
}

static void explain_crash(int number)
{
	static const char line[] = "1 " PLUGIN_MEMORY_LINE "\n";
	/* Whoever asked for a large piece leaves more. */
	if (data_in_use() >= memory_end - memory_end / 8 &&
	    write(STDERR_FILENO, line, sizeof(line) - 1) < 0)
		_exit(PLUGIN_EXIT_LOST);
	/* SA_RESETHAND: the second time it ends the process as it would have. */
	raise(number);
}

static void watch_crashes(void)
{
	static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
	stack_t stack = {.ss_sp = crash_stack, .ss_size = sizeof(crash_stack)};
	struct sigaction action = {.sa_handler = explain_crash,
				   .sa_flags = SA_ONSTACK | (int)SA_RESETHAND | SA_NODEFER};
	sigaltstack(&stack, NULL);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++)
		sigaction(numbers[i], &action, NULL);
}

/* Threads of all processes of this user, which is what RLIMIT_NPROC counts. */
static uint64_t tasks_of_user(void)
{
	uint64_t count = 0;
	uid_t self = getuid();
	DIR *dir = opendir("/proc");
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		char path[300];
		char line[200];
		uint64_t uid = UINT64_MAX;
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/status", entry->d_name);
		FILE *file = fopen(path, "re");
		while (file && fgets(line, sizeof(line), file)) {
			if (strncmp(line, "Uid:", 4) == 0)
				uid = strtoull(line + 4, NULL, 10);
			else if (strncmp(line, "Threads:", 8) == 0 && uid == self)
				count += strtoull(line + 8, NULL, 10);
		}
		if (file)
			fclose(file);
	}
	if (dir)
		closedir(dir);
	return count;
}

/* Never above what the machine allows already. */
static enum lyc_status set(int resource, const char *what, uint64_t value, struct lyc_error *error)
{
	struct rlimit limit;
	if (getrlimit((__rlimit_resource_t)resource, &limit) == 0) {
		if (limit.rlim_max == RLIM_INFINITY || value < limit.rlim_max)
			limit.rlim_max = value;
		limit.rlim_cur = limit.rlim_max;
		if (setrlimit((__rlimit_resource_t)resource, &limit) == 0)
			return LYC_OK;
	}
	return error_set(error, LYC_FAILED_PRECONDITION,
			 "The plugin's limit of %s cannot be set: %s.", what, strerror(errno));
}

enum lyc_status limits_set(uint64_t memory, struct lyc_error *error)
{
	if (statm_fd < 0)
		statm_fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	page_len = (uint64_t)sysconf(_SC_PAGESIZE);
	memory_end = data_in_use() + (memory > 0 ? memory : LIMITS_DEFAULT_MEMORY);
	enum lyc_status status = set(RLIMIT_DATA, "memory", memory_end, error);
	if (status == LYC_OK)
		status = set(RLIMIT_NOFILE, "descriptors", LIMITS_DESCRIPTORS, error);
	if (status == LYC_OK)
		status = set(RLIMIT_NPROC, "processes", tasks_of_user() + LIMITS_TASKS, error);
	if (status == LYC_OK)
		watch_crashes();
	return status;
}

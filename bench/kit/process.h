/* The processes of a bench: started, pinned, measured and ended by it. */
#ifndef LYC_BENCH_PROCESS_H
#define LYC_BENCH_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

static inline uint64_t now_ns(void)
{
	struct timespec at;
	clock_gettime(CLOCK_MONOTONIC, &at);
	return (uint64_t)at.tv_sec * 1000000000 + (uint64_t)at.tv_nsec;
}

/* As fork; the child is killed when this process ends, however it ends. */
pid_t process_fork(void);
/* A program with its output in a file. argv[0] is looked for in PATH; -1 when it cannot start. */
pid_t process_start(char *const argv[], const char *output);
/* When process_start was last called. */
uint64_t process_started_ns(void);
/* Whether a child is still there; it is waited for later all the same. */
bool process_is_running(pid_t pid);
/* Ask it to end, kill it after five seconds, and wait. Accepts 0. */
void process_end(pid_t pid);
/* Wait for an end by itself, at most this long; false when it was killed. */
bool process_wait(pid_t pid, uint64_t timeout_ms);
/* Seconds of CPU that all its threads have used. */
double process_cpu_s(pid_t pid);
/* Memory that it shares with nobody, in MiB. */
double process_private_mib(pid_t pid);
/* Put all its threads on one CPU; -1: on any. */
void process_pin(pid_t pid, int cpu);
/* The children of a process: the plugins of a daemon. Returns how many of max. */
int process_children(pid_t pid, pid_t *to, int max);
/* The path of a program; false when there is none. */
bool process_find(const char *name, char *path, size_t size);

#endif

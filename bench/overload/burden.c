/* Processes that make a load, and the rounds beside them. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kit/process.h"
#include "overload/overload.h"

#define MAX_PROCESSES 200
#define BEGIN_MS 20000
/* The flood is on its way before it is measured what it does to others. */
#define SETTLE_MS 200
/* Until the load before has been worked off. */
#define REST_MS 10000
#define REST_STEP_MS 100
/* For a p99, without the flood: ten of them are above it. With it there are as many as it lets
 * through: of fewer than a hundred their p99 is the slowest one. */
#define QUIET_CALLS 1000
#define FLOODED_CALLS 20
/* Of all time of the processors. */
#define TRIES 12
#define MOST_TAKEN 0.03
#define FAR_TOO_MUCH 0.1

struct burden {
	pid_t pids[MAX_PROCESSES];
	size_t count;
	struct overload_board *board;
};

static void wait_ms(uint64_t ms)
{
	struct timespec pause = {.tv_sec = (time_t)(ms / 1000),
				 .tv_nsec = (long)(ms % 1000) * 1000000};
	nanosleep(&pause, NULL);
}

static bool burden_start(struct burden *burden, const struct contestant *self, size_t count,
			 enum load_kind kind, const struct overload_way *way)
{
	struct overload_board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*burden = (struct burden){.board = board};
	for (burden->count = 0; burden->count < count && burden->count < MAX_PROCESSES;
	     burden->count++) {
		pid_t pid = process_fork();
		if (pid == 0) {
			const struct sched_param none = {0};
			if (way->is_from_afar)
				(void)sched_setscheduler(0, SCHED_IDLE, &none);
			way->make_load(self, kind, board);
			atomic_fetch_add(&board->wrong, 1);
			_exit(1);
		}
		burden->pids[burden->count] = pid;
	}
	uint64_t until_ns = now_ns() + (uint64_t)BEGIN_MS * 1000000;
	while (atomic_load(&board->begun) < burden->count) {
		if (now_ns() > until_ns)
			return false;
		wait_ms(5);
	}
	return true;
}

static void burden_end(struct burden *burden, struct measure *ret_measure)
{
	if (atomic_load(&burden->board->wrong) > 0)
		contest_fail(ret_measure, "who made the load was refused or lost its connection");
	for (size_t i = 0; i < burden->count; i++)
		process_end(burden->pids[i]);
	munmap(burden->board, sizeof(*burden->board));
}

/* What is left of the load before, in buffers and at whoever serves, is worked off: all processes
 * of the contestant rest. */
static bool await_rest(const struct contestant *self)
{
	uint64_t until_ns = now_ns() + (uint64_t)REST_MS * 1000000;
	double used_s;
	do {
		double before_s = contest_cpu(self).all_s;
		wait_ms(REST_STEP_MS);
		used_s = contest_cpu(self).all_s - before_s;
	} while (used_s * 1000 > REST_STEP_MS / 10.0 && now_ns() < until_ns);
	return used_s * 1000 <= REST_STEP_MS / 10.0;
}

struct machine {
	double all;
	double taken; /* by the host, for somebody else */
};

/* Of /proc/stat: user, nice, system, idle, iowait, irq, softirq, steal. */
static struct machine look_at_machine(void)
{
	double ticks[8] = {0};
	struct machine machine = {0};
	FILE *file = fopen("/proc/stat", "re");
	if (!file)
		return machine;
	if (fscanf(file, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &ticks[0], &ticks[1], &ticks[2],
		   &ticks[3], &ticks[4], &ticks[5], &ticks[6], &ticks[7]) == 8) {
		for (int i = 0; i < 8; i++)
			machine.all += ticks[i];
		machine.taken = ticks[7];
	}
	fclose(file);
	return machine;
}

/* One part of a round; again, where the host took the processors away meanwhile: what a call then
 * waits for is neither the broker nor the flood. Of few calls there is no p99. */
static bool measure_part(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, overload_calls_fn calls, unsigned min_calls,
			 struct measure *ret_measure)
{
	double taken = 1;
	for (int i = 0; i < TRIES && taken > MOST_TAKEN && !ret_measure->fault[0]; i++) {
		struct machine before = look_at_machine();
		calls(self, setting, work, ret_measure);
		struct machine after = look_at_machine();
		taken = after.all > before.all
				? (after.taken - before.taken) / (after.all - before.all)
				: 0;
	}
	double count = ret_measure->value * (double)setting->round_ms / 1000;
	if (taken > FAR_TOO_MUCH)
		contest_fail(ret_measure, "the host took %.0f %% of the processors' time",
			     taken * 100);
	else if (count < min_calls)
		contest_fail(ret_measure, "%.0f calls came back in %llu ms, fewer than %u", count,
			     (unsigned long long)setting->round_ms, min_calls);
	return !ret_measure->fault[0];
}

static void flood_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, const struct overload_way *way,
			struct measure *ret_measure)
{
	struct burden burden;
	struct setting half = *setting;
	struct measure quiet = {0};
	half.round_ms = setting->round_ms / 2;
	if (!await_rest(self)) {
		contest_fail(ret_measure, "it does not come to rest");
		return;
	}
	if (!measure_part(self, &half, work, way->calls, QUIET_CALLS, &quiet)) {
		contest_fail(ret_measure, "without the flood: %s", quiet.fault);
		return;
	}
	if (burden_start(&burden, self, 1, load_kind_of(work), way)) {
		wait_ms(SETTLE_MS);
		uint64_t before = atomic_load(&burden.board->sent);
		uint64_t from_ns = now_ns();
		(void)measure_part(self, &half, work, way->calls, FLOODED_CALLS, ret_measure);
		uint64_t sent = atomic_load(&burden.board->sent) - before;
		ret_measure->beside_per_s = (double)sent * 1e9 / (double)(now_ns() - from_ns);
		if (sent == 0)
			contest_fail(ret_measure, "the flood stood still");
		ret_measure->value = ret_measure->p99_us / quiet.p99_us;
	} else {
		contest_fail(ret_measure, "the flood did not begin");
	}
	/* Of a peer that floods nobody counts the CPU. */
	ret_measure->cpu_s = ret_measure->all_cpu_s = 0;
	burden_end(&burden, ret_measure);
}

static void memory_round(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, const struct overload_way *way,
			 struct measure *ret_measure)
{
	struct burden burden;
	uint64_t step_ms = setting->round_ms / CONTEST_MAX_SAMPLES + 1;
	if (!burden_start(&burden, self, work->count, load_kind_of(work), way)) {
		contest_fail(ret_measure, "not all publishers could begin");
		burden_end(&burden, ret_measure);
		return;
	}
	uint64_t begin_ns = now_ns();
	struct cpu from = contest_cpu(self);
	ret_measure->sample_ms = (unsigned)step_ms;
	while (ret_measure->sample_count < CONTEST_MAX_SAMPLES &&
	       now_ns() - begin_ns < setting->round_ms * 1000000) {
		double mib = process_private_mib(self->broker);
		ret_measure->samples[ret_measure->sample_count++] = (float)mib;
		if (mib > ret_measure->value)
			ret_measure->value = mib;
		/* By the clock, so that a slow look does not move the ones behind it. */
		uint64_t next_ns = begin_ns + ret_measure->sample_count * step_ms * 1000000;
		uint64_t now = now_ns();
		if (next_ns > now)
			wait_ms((next_ns - now) / 1000000);
	}
	contest_cpu_between(from, contest_cpu(self), atomic_load(&burden.board->sent), ret_measure);
	ret_measure->all_cpu_s = 0;
	if (load_kind_of(work) == MANY_WRITERS && atomic_load(&burden.board->acknowledged) == 0)
		contest_fail(ret_measure, "no record was acknowledged");
	burden_end(&burden, ret_measure);
}

void overload_round(const struct contestant *self, const struct setting *setting,
		    const struct workload *work, const struct overload_way *way,
		    struct measure *ret_measure)
{
	if (work->count == 0)
		flood_round(self, setting, work, way, ret_measure);
	else
		memory_round(self, setting, work, way, ret_measure);
}

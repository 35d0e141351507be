/* Processes that hold connections. */
#include "scale/crowd.h"

#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "kit/process.h"

/* All of them, and how long nobody may come. */
#define GATHER_MS 120000
#define STILL_MS 20000
#define TICK_MS 250

struct board {
	_Atomic uint32_t there;
	/* Processes that could not go on. */
	_Atomic uint32_t failed;
};

static void allow_descriptors(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* Those who are connected give signs of life while others connect. */
static void tick_all(const struct crowd_parts *parts, char *peers, unsigned count)
{
	uint64_t now = now_ns();
	for (unsigned i = 0; parts->tick && i < count; i++)
		parts->tick(peers + i * parts->size, now);
}

static volatile sig_atomic_t has_to_leave;

static void on_term(int number)
{
	(void)number;
	has_to_leave = 1;
}

static void hold(struct crowd *crowd, const struct contestant *self,
		 const struct crowd_parts *parts, unsigned count)
{
	struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};
	struct board *board = crowd->board;
	char *peers = calloc(count, parts->size);
	unsigned there = 0;
	allow_descriptors();
	signal(SIGTERM, on_term);
	for (; there < count && !has_to_leave; there++) {
		if (!parts->connect(self, peers + there * parts->size)) {
			atomic_fetch_add(&board->failed, 1);
			break;
		}
		atomic_fetch_add(&board->there, 1);
		if (there % 100 == 99)
			tick_all(parts, peers, there);
	}
	while (there == count && !has_to_leave) {
		nanosleep(&pause, NULL);
		tick_all(parts, peers, count);
	}
	for (unsigned i = 0; parts->leave && i < there; i++)
		parts->leave(peers + i * parts->size);
}

bool crowd_gather(struct crowd *crowd, const struct contestant *self,
		  const struct crowd_parts *parts, size_t count)
{
	struct timespec pause = {.tv_nsec = 5000000};
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	*crowd = (struct crowd){.board = board, .processes = CROWD_PROCESSES};
	for (unsigned i = 0; i < CROWD_PROCESSES; i++) {
		unsigned first = (unsigned)(count * i / CROWD_PROCESSES);
		unsigned next = (unsigned)(count * (i + 1) / CROWD_PROCESSES);
		crowd->pids[i] = process_fork();
		if (crowd->pids[i] == 0) {
			hold(crowd, self, parts, next - first);
			_exit(1);
		}
	}
	uint64_t until_ns = now_ns() + (uint64_t)GATHER_MS * 1000000;
	uint64_t still_ns = 0;
	uint32_t before = 0;
	uint32_t there;
	while ((there = atomic_load(&board->there)) < count) {
		uint64_t now = now_ns();
		if (there > before || still_ns == 0)
			still_ns = now + (uint64_t)STILL_MS * 1000000;
		before = there;
		crowd->there = there;
		if (now > until_ns || now > still_ns || atomic_load(&board->failed) > 0)
			return false;
		nanosleep(&pause, NULL);
	}
	crowd->there = there;
	return true;
}

void crowd_leave(struct crowd *crowd)
{
	for (unsigned i = 0; i < crowd->processes; i++)
		process_end(crowd->pids[i]);
	munmap(crowd->board, sizeof(struct board));
}

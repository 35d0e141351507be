/* Publishers in processes, what they counted in memory that all share. */
#include "durable/writers.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kit/histogram.h"
#include "kit/process.h"
#include "topic/reading.h"

#define WARM_MS 300
#define READY_MS 10000
#define GRACE_MS 5000

/* What one publisher tells the others. */
struct tally {
	_Atomic uint64_t acked;
	_Atomic uint64_t lost;
	struct measure measure;
	struct histogram latencies;
};

struct board {
	_Atomic uint32_t ready;
	_Atomic uint64_t from_ns;
	_Atomic uint64_t until_ns;
	struct tally tallies[WRITERS_MAX];
};

struct writer {
	unsigned index;
	struct board *board;
	struct tally *tally;
	const struct workload *work;
	const struct writer_parts *parts;
	void *connection;
	bool is_over;
	bool has_failed;
	uint64_t number;
	size_t outstanding;
	uint64_t sent_ns[WRITERS_MAX_OUTSTANDING];
	uint8_t bodies[WRITERS_SUBJECTS][READING_MAX_LEN];
	char subjects[WRITERS_SUBJECTS][80];
};

/* ---- one publisher ---- */

unsigned writer_index(const struct writer *writer)
{
	return writer->index;
}

static void put_next(struct writer *writer, size_t slot)
{
	size_t at = writer->number % WRITERS_SUBJECTS;
	reading_set_number(writer->bodies[at], writer->number++);
	writer->sent_ns[slot] = now_ns();
	writer->outstanding++;
	if (!writer->parts->put(writer->connection, slot, writer->subjects[at], writer->bodies[at],
				writer->work->size))
		writer->has_failed = true;
}

void writer_acked(struct writer *writer, size_t slot)
{
	uint64_t now = now_ns();
	uint64_t from_ns = atomic_load_explicit(&writer->board->from_ns, memory_order_relaxed);
	uint64_t until_ns = atomic_load_explicit(&writer->board->until_ns, memory_order_relaxed);
	if (slot >= writer->work->outstanding) {
		writer_refused(writer, "an acknowledgement of nothing");
		return;
	}
	writer->outstanding--;
	if (now >= from_ns && now < until_ns) {
		atomic_fetch_add_explicit(&writer->tally->acked, 1, memory_order_relaxed);
		histogram_add(&writer->tally->latencies, now - writer->sent_ns[slot]);
	}
	writer->is_over = now >= until_ns;
	if (!writer->is_over)
		put_next(writer, slot);
}

void writer_refused(struct writer *writer, const char *text)
{
	contest_fail(&writer->tally->measure, "%s", text);
	writer->has_failed = true;
}

static void run_writer(const struct contestant *self, struct writer *writer)
{
	struct board *board = writer->board;
	struct timespec pause = {.tv_nsec = 1000000};
	for (unsigned i = 0; i < WRITERS_SUBJECTS; i++) {
		reading_write(writer->bodies[i], writer->work->size, writer->index, i, 0);
		reading_subject(writer->subjects[i], sizeof(writer->subjects[i]), writer->index, i,
				'.');
	}
	writer->connection = writer->parts->open(self, &writer->tally->measure, writer);
	atomic_fetch_add(&board->ready, 1);
	if (!writer->connection)
		return;
	while (atomic_load(&board->from_ns) == 0)
		nanosleep(&pause, NULL);
	uint64_t give_up_ns = atomic_load(&board->until_ns) + (uint64_t)GRACE_MS * 1000000;
	for (size_t slot = 0; slot < writer->work->outstanding; slot++)
		put_next(writer, slot);
	while (!writer->has_failed && writer->outstanding > 0 && now_ns() < give_up_ns) {
		if (!writer->parts->turn(writer->connection))
			writer_refused(writer, "the connection has ended");
	}
	atomic_store(&writer->tally->lost, writer->outstanding);
	writer->parts->close(writer->connection);
}

/* ---- a round ---- */

static void start_writers(const struct contestant *self, struct writer *writer,
			  struct contestant *ret_all, pid_t *pids)
{
	*ret_all = *self;
	for (unsigned i = 0; i < writer->work->count; i++) {
		writer->index = i;
		writer->tally = &writer->board->tallies[i];
		pids[i] = process_fork();
		if (pids[i] == 0) {
			run_writer(self, writer);
			_exit(0);
		}
		for (size_t j = 0; j < CONTEST_MAX_PROCESSES; j++) {
			if (ret_all->others[j] <= 0) {
				ret_all->others[j] = pids[i];
				break;
			}
		}
	}
}

static bool await_ready(struct board *board, size_t count)
{
	uint64_t until_ns = now_ns() + (uint64_t)READY_MS * 1000000;
	struct timespec pause = {.tv_nsec = 1000000};
	while (atomic_load(&board->ready) < count) {
		if (now_ns() > until_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void sleep_until(uint64_t at_ns)
{
	struct timespec at = {.tv_sec = (time_t)(at_ns / 1000000000),
			      .tv_nsec = (long)(at_ns % 1000000000)};
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &at, NULL) != 0)
		;
}

static void add_up(struct board *board, size_t count, uint64_t round_ms, struct cpu used,
		   struct measure *ret_measure)
{
	static struct histogram all;
	uint64_t acked = 0;
	memset(&all, 0, sizeof(all));
	for (size_t i = 0; i < count; i++) {
		struct tally *tally = &board->tallies[i];
		acked += atomic_load(&tally->acked);
		ret_measure->lost += atomic_load(&tally->lost);
		if (tally->measure.fault[0])
			contest_fail(ret_measure, "%s", tally->measure.fault);
		all.count += tally->latencies.count;
		for (size_t j = 0; j < HISTOGRAM_BUCKETS; j++)
			all.buckets[j] += tally->latencies.buckets[j];
	}
	if (acked == 0) {
		contest_fail(ret_measure, "nothing was acknowledged");
		return;
	}
	ret_measure->value = (double)acked * 1e3 / (double)round_ms;
	ret_measure->p50_us = histogram_us(&all, 0.5);
	ret_measure->p99_us = histogram_us(&all, 0.99);
	contest_cpu_between((struct cpu){0}, used, acked, ret_measure);
}

void writers_round(const struct contestant *self, const struct setting *setting,
		   const struct workload *work, const struct writer_parts *parts,
		   struct measure *ret_measure)
{
	static struct writer writer;
	static struct contestant all;
	pid_t pids[WRITERS_MAX];
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
				   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (board == MAP_FAILED)
		return;
	writer = (struct writer){.board = board, .work = work, .parts = parts};
	start_writers(self, &writer, &all, pids);
	if (await_ready(board, work->count)) {
		uint64_t from_ns = now_ns() + (uint64_t)WARM_MS * 1000000;
		uint64_t until_ns = from_ns + setting->round_ms * 1000000;
		atomic_store(&board->until_ns, until_ns);
		atomic_store(&board->from_ns, from_ns);
		sleep_until(from_ns);
		struct cpu cpu_from = contest_cpu(&all);
		sleep_until(until_ns);
		struct cpu cpu_until = contest_cpu(&all);
		struct cpu used = {cpu_until.broker_s - cpu_from.broker_s,
				   cpu_until.all_s - cpu_from.all_s};
		for (size_t i = 0; i < work->count; i++)
			process_wait(pids[i], GRACE_MS + 1000);
		add_up(board, work->count, setting->round_ms, used, ret_measure);
	} else {
		contest_fail(ret_measure, "the publishers did not get ready");
	}
	munmap(board, sizeof(*board));
}

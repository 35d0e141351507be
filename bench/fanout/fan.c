/* One publisher, many subscribers. */
#include "fanout/fan.h"

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include "kit/process.h"
#include "topic/reading.h"

#define WARM_MS 300
#define READY_MS 20000
#define GRACE_MS 5000
/* Messages between two looks at the counters. */
#define BATCH 64
#define PATTERNS_OF_MANY 10

/* ---- subscribers ---- */

void fan_is_ready(struct fan *fan)
{
	atomic_fetch_add(&fan->ready, 1);
}

void fan_received(struct fan *fan, unsigned index, const uint8_t *body, size_t len)
{
	struct fan_counter *counter = &fan->counters[index];
	uint64_t expected = atomic_load_explicit(&counter->received, memory_order_relaxed);
	if (reading_number(body, len) != expected)
		atomic_fetch_add(&fan->wrong, 1);
	atomic_store_explicit(&counter->received, expected + 1, memory_order_release);
}

unsigned fan_pattern_count(const struct workload *work)
{
	return work->count > FAN_MAX_PROCESSES ? PATTERNS_OF_MANY : 1;
}

void fan_pattern(char *to, size_t size, const struct workload *work, unsigned number,
		 const char *type, char separator, const char *one, const char *rest)
{
	if (fan_pattern_count(work) == 1)
		snprintf(to, size, "%s%c%s", type, separator, rest);
	else
		snprintf(to, size, "%s%c%s%cd%04u", type, separator, one, separator, number);
}

static void turn_all(struct fan_subscriber *subscribers, struct pollfd *items, unsigned count,
		     struct fan *fan, fan_turn_fn turn)
{
	while (!atomic_load_explicit(&fan->stop, memory_order_relaxed)) {
		if (poll(items, count, 100) <= 0)
			continue;
		for (unsigned i = 0; i < count; i++) {
			if (items[i].revents && !turn(&subscribers[i]))
				return;
		}
	}
}

void fan_subscribe_by_lines(const struct contestant *self, struct fan *fan, unsigned first,
			    unsigned count, const struct workload *work, fan_connect_fn connect,
			    fan_turn_fn turn)
{
	struct fan_subscriber *subscribers = calloc(count, sizeof(*subscribers));
	struct pollfd *items = calloc(count, sizeof(*items));
	unsigned there = 0;
	if (!subscribers || !items)
		abort();
	for (; there < count; there++) {
		struct fan_subscriber *subscriber = &subscribers[there];
		subscriber->fan = fan;
		subscriber->index = first + there;
		if (!connect(subscriber, self, work))
			break;
		items[there] = (struct pollfd){.fd = subscriber->line.fd, .events = POLLIN};
		fan_is_ready(fan);
	}
	if (there == count)
		turn_all(subscribers, items, count, fan, turn);
	free(items);
	free(subscribers);
}

/* ---- the publisher ---- */

struct course {
	struct fan *fan;
	const struct fan_parts *parts;
	const struct workload *work;
	void *publisher;
	uint64_t sent;
	size_t window;
	/* One of each device: the keys of a body are its subject's. */
	uint8_t bodies[PATTERNS_OF_MANY][READING_MAX_LEN];
	char subjects[PATTERNS_OF_MANY][80];
};

static uint64_t received_by_all(const struct course *course, uint64_t *ret_least)
{
	uint64_t sum = 0;
	uint64_t least = UINT64_MAX;
	for (size_t i = 0; i < course->work->count; i++) {
		uint64_t received = atomic_load_explicit(&course->fan->counters[i].received,
							 memory_order_acquire);
		sum += received;
		least = received < least ? received : least;
	}
	*ret_least = least;
	return sum;
}

/* As many as the window allows. False when the connection has ended. */
static bool publish(struct course *course)
{
	const struct fan_parts *parts = course->parts;
	uint64_t least;
	(void)received_by_all(course, &least);
	uint64_t room = least + course->window - course->sent;
	if (room == 0) {
		/* The subscribers need the core more. */
		struct timespec pause = {.tv_nsec = 20000};
		nanosleep(&pause, NULL);
	}
	for (uint64_t i = 0; i < room && i < BATCH; i++) {
		size_t device = course->sent % fan_pattern_count(course->work);
		reading_set_number(course->bodies[device], course->sent);
		if (!parts->put(course->publisher, course->subjects[device], course->bodies[device],
				course->work->size))
			break;
		course->sent++;
	}
	return parts->flush(course->publisher);
}

static void prepare(struct course *course)
{
	const struct workload *work = course->work;
	course->window = work->count > FAN_MAX_PROCESSES ? FAN_WINDOW_OF_MANY : FAN_WINDOW;
	for (unsigned i = 0; i < fan_pattern_count(work); i++) {
		reading_write(course->bodies[i], work->size, 1, i, 0);
		reading_subject(course->subjects[i], sizeof(course->subjects[i]), 1, i,
				course->parts->separator);
	}
}

static void publish_and_measure(struct course *course, const struct contestant *self,
				const struct setting *setting, struct measure *ret_measure)
{
	uint64_t least;
	uint64_t begin_ns = now_ns();
	uint64_t from_ns = begin_ns + (uint64_t)WARM_MS * 1000000;
	bool is_fine = true;
	while (is_fine && now_ns() < from_ns)
		is_fine = publish(course);
	struct cpu cpu_from = contest_cpu(self);
	uint64_t received_from = received_by_all(course, &least);
	from_ns = now_ns();
	uint64_t until_ns = from_ns + setting->round_ms * 1000000;
	while (is_fine && now_ns() < until_ns)
		is_fine = publish(course);
	uint64_t received = received_by_all(course, &least) - received_from;
	double seconds = (double)(now_ns() - from_ns) / 1e9;
	contest_cpu_between(cpu_from, contest_cpu(self), received, ret_measure);
	ret_measure->value = (double)received / seconds;
	if (!is_fine)
		contest_fail(ret_measure, "the publisher's connection has ended");
	else if (received == 0)
		contest_fail(ret_measure, "nothing came while it was measured");
}

/* What was sent has to come to everybody. */
static uint64_t await_the_rest(struct course *course)
{
	uint64_t until_ns = now_ns() + (uint64_t)GRACE_MS * 1000000;
	uint64_t least;
	uint64_t wanted = course->sent * course->work->count;
	uint64_t received;
	struct timespec pause = {.tv_nsec = 1000000};
	while ((received = received_by_all(course, &least)) < wanted && now_ns() < until_ns) {
		if (!course->parts->flush(course->publisher))
			break;
		nanosleep(&pause, NULL);
	}
	return wanted - received;
}

/* ---- a round ---- */

static unsigned start_subscribers(const struct contestant *self, struct fan *fan,
				  const struct workload *work, const struct fan_parts *parts,
				  struct contestant *ret_all, pid_t *pids)
{
	unsigned processes =
		work->count < FAN_MAX_PROCESSES ? (unsigned)work->count : FAN_MAX_PROCESSES;
	unsigned each = (unsigned)work->count / processes;
	*ret_all = *self;
	for (unsigned i = 0; i < processes; i++) {
		pids[i] = process_fork();
		if (pids[i] == 0) {
			parts->subscribe(self, fan, i * each, each, work);
			_exit(0);
		}
		if (i < CONTEST_MAX_PROCESSES)
			ret_all->others[i] = pids[i];
	}
	return processes;
}

static bool await_subscribers(struct fan *fan, size_t count)
{
	uint64_t until_ns = now_ns() + (uint64_t)READY_MS * 1000000;
	struct timespec pause = {.tv_nsec = 2000000};
	while (atomic_load(&fan->ready) < count) {
		if (now_ns() > until_ns)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

void fan_round(const struct contestant *self, const struct setting *setting,
	       const struct workload *work, const struct fan_parts *parts,
	       struct measure *ret_measure)
{
	static struct course course;
	static struct contestant all;
	pid_t pids[FAN_MAX_PROCESSES];
	struct fan *fan =
		mmap(NULL, sizeof(*fan), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fan == MAP_FAILED)
		return;
	memset(&course, 0, sizeof(course));
	course.fan = fan;
	course.parts = parts;
	course.work = work;
	prepare(&course);
	unsigned count = start_subscribers(self, fan, work, parts, &all, pids);
	if (!await_subscribers(fan, work->count))
		contest_fail(ret_measure, "only %u of %zu subscribers are there",
			     atomic_load(&fan->ready), work->count);
	course.publisher = ret_measure->fault[0] ? NULL : parts->open(self, ret_measure);
	if (course.publisher) {
		publish_and_measure(&course, &all, setting, ret_measure);
		ret_measure->lost = await_the_rest(&course) + atomic_load(&fan->wrong);
		parts->close(course.publisher);
	}
	atomic_store(&fan->stop, 1);
	for (unsigned i = 0; i < count; i++)
		process_wait(pids[i], 3000);
	munmap(fan, sizeof(*fan));
}

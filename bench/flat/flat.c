/*
 * What a message costs against what else there is: subscriptions, services, subjects, connected
 * peers. The daemon's processor time for one message is measured, which a busy machine moves least.
 * It should be flat: nothing that stands by makes a message dearer.
 */
#include <signal.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "calls/calls.h"
#include "fanout/fanout.h"
#include "flat/subjects.h"
#include "kit/daemon.h"
#include "kit/process.h"
#include "kit/raw_peer.h"
#include "scale/crowd.h"
#include "topic/reading.h"

#define ECHO "\"lyceum.echo.v1.Echo/*\""
#define READING "\"lyceum.bench.v1.Reading.>\""
#define LINE_SIZE 4096
#define BODY_LEN 256
#define HOLDERS 10
#define TICK_MS 250

enum dimension { SUBSCRIPTIONS, SERVICES, SUBJECTS, PEERS, DIMENSIONS };

static const enum dimension dimensions[DIMENSIONS] = {SUBSCRIPTIONS, SERVICES, SUBJECTS, PEERS};

/* ---- daemons ---- */

#define BASE                                                                                       \
	"limits: {sessions: 12000, sessions_of_one: 11000, subscriptions: 20000}\n"                \
	"plugins:\n"                                                                               \
	"  - name: echo\n    path: @/plugins/echo/echo.so\n"                                       \
	"  - name: topic\n    path: @/bench/topic.so\n"
#define MANY(number)                                                                               \
	"  - name: many" number "\n    path: @/bench/many" number ".so\n    host: THREAD\n"

#define DAEMON(called, more)                                                                       \
	{                                                                                          \
		.name = (called), .node = READING_HOME, .config = BASE more, .call = ECHO,         \
		.publish = READING, .subscribe = READING                                           \
	}

/* All have the name of the home of what is published, in folders of their own. */
static const struct daemon base = DAEMON("bench", "");
static const struct daemon some_services = DAEMON("services-250", MANY("0"));
static const struct daemon many_services =
	DAEMON("services-1000", MANY("0") MANY("1") MANY("2") MANY("3"));
static const struct daemon few_subjects = DAEMON("subjects-10", "");
static const struct daemon some_subjects = DAEMON("subjects-1000", "");
static const struct daemon many_subjects = DAEMON("subjects-100000", "");

/* ---- contestants ---- */

enum who {
	SUBSCRIPTIONS_FEW,
	SUBSCRIPTIONS_SOME,
	SUBSCRIPTIONS_MANY,
	SERVICES_NONE,
	SERVICES_SOME,
	SERVICES_MANY,
	SUBJECTS_FEW,
	SUBJECTS_SOME,
	SUBJECTS_MANY,
	PEERS_FEW,
	PEERS_SOME,
	PEERS_MANY,
	CONTESTANTS,
};

static const struct {
	enum dimension dimension;
	size_t number;
} places[CONTESTANTS] = {
	{SUBSCRIPTIONS, 10}, {SUBSCRIPTIONS, 1000}, {SUBSCRIPTIONS, 100000}, {SERVICES, 1},
	{SERVICES, 251},     {SERVICES, 1001},      {SUBJECTS, 10},          {SUBJECTS, 1000},
	{SUBJECTS, 100000},  {PEERS, 10},           {PEERS, 1000},           {PEERS, 10000},
};

static struct contestant contestants[CONTESTANTS];

static size_t number_of(const struct contestant *self)
{
	return places[self - contestants].number;
}

static bool can(const struct contestant *self, const struct workload *work)
{
	return places[self - contestants].dimension == *(const enum dimension *)work->kind;
}

/* ---- subscriptions: held by ten peers in a process ---- */

/* All different, half of them wildcards, none that matches what is published. */
static void make_pattern(char *to, size_t size, size_t number)
{
	static const char *const forms[] = {READING_TYPE ".x%zu.y%zu", READING_TYPE ".x%zu.*",
					    READING_TYPE ".y%zu.x%zu", READING_TYPE ".*.x%zu"};
	snprintf(to, size, forms[number % 4], number, number);
}

static bool subscribe_all(const struct contestant *self, struct raw_peer *peers)
{
	char pattern[100];
	size_t each = number_of(self) / HOLDERS;
	for (size_t i = 0; i < HOLDERS; i++) {
		if (!raw_peer_open(&peers[i], self->endpoint, LINE_SIZE, NULL, NULL))
			return false;
		for (size_t j = 0; j < each; j++) {
			make_pattern(pattern, sizeof(pattern), i * each + j);
			if (!raw_peer_subscribe(&peers[i], (unsigned)j, pattern))
				return false;
		}
		if (!raw_peer_sync(&peers[i]))
			return false;
	}
	return true;
}

static volatile sig_atomic_t has_to_leave;

static void on_term(int number)
{
	(void)number;
	has_to_leave = 1;
}

static void hold(const struct contestant *self, int ready)
{
	static struct raw_peer peers[HOLDERS];
	struct timespec pause = {.tv_nsec = TICK_MS * 1000000L};
	if (!subscribe_all(self, peers) || write(ready, "1", 1) != 1)
		return;
	signal(SIGTERM, on_term);
	while (!has_to_leave) {
		nanosleep(&pause, NULL);
		for (size_t i = 0; i < HOLDERS; i++) {
			if (!raw_peer_tick(&peers[i], now_ns()) || !raw_peer_drain(&peers[i]))
				return;
		}
	}
	for (size_t i = 0; i < HOLDERS; i++)
		raw_peer_close(&peers[i]);
}

static void hold_subscriptions(struct contestant *self, const struct setting *setting,
			       const struct workload *work)
{
	(void)setting;
	(void)work;
	self->others[0] = 0;
	if (contest_start_other(self, hold))
		return;
	process_end(self->others[0]);
	self->others[0] = 0;
}

static void drop_subscriptions(struct contestant *self, const struct setting *setting,
			       const struct workload *work)
{
	(void)setting;
	(void)work;
	process_end(self->others[0]);
	self->others[0] = 0;
}

/* ---- subjects ---- */

static bool is_filled[CONTESTANTS];

static void fill_subjects(struct contestant *self, const struct setting *setting,
			  const struct workload *work)
{
	struct measure measure = {0};
	bool *is_done = &is_filled[self - contestants];
	(void)setting;
	if (!*is_done)
		*is_done = subjects_fill(self, number_of(self), work->size, &measure);
}

/* ---- rounds ---- */

/* What the daemon takes for one message: a millionth of a million's. */
static void take_cpu(struct measure *measure)
{
	measure->value = measure->cpu_s;
	measure->all_cpu_s = 0;
	if (measure->value <= 0)
		contest_fail(measure, "no processor time was measured");
}

static void subscriptions_round(const struct contestant *self, const struct setting *setting,
				const struct workload *work, struct measure *ret_measure)
{
	struct workload one = *work;
	one.count = 1;
	if (self->others[0] == 0) {
		contest_fail(ret_measure, "the subscriptions were not taken");
		return;
	}
	lyceum_fanout_round(self, setting, &one, ret_measure);
	take_cpu(ret_measure);
}

static void services_round(const struct contestant *self, const struct setting *setting,
			   const struct workload *work, struct measure *ret_measure)
{
	lyceum_calls_round(self, setting, work, ret_measure);
	take_cpu(ret_measure);
}

static void all_subjects_round(const struct contestant *self, const struct setting *setting,
			       const struct workload *work, struct measure *ret_measure)
{
	if (!is_filled[self - contestants]) {
		contest_fail(ret_measure, "the subjects could not be filled");
		return;
	}
	subjects_round(self, setting, number_of(self), work->size, ret_measure);
	take_cpu(ret_measure);
}

static bool connect_peer(const struct contestant *self, void *peer)
{
	return raw_peer_open(peer, self->endpoint, LINE_SIZE, NULL, NULL);
}

static void close_peer(void *peer)
{
	raw_peer_close(peer);
}

static void tick_peer(void *peer, uint64_t now)
{
	(void)raw_peer_tick(peer, now);
	(void)raw_peer_drain(peer);
}

static void peers_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	static const struct crowd_parts parts = {sizeof(struct raw_peer), connect_peer, tick_peer,
						 close_peer};
	struct crowd crowd;
	if (crowd_gather(&crowd, self, &parts, number_of(self))) {
		lyceum_calls_round(self, setting, work, ret_measure);
		take_cpu(ret_measure);
	} else {
		contest_fail(ret_measure, "not all peers could connect");
	}
	crowd_leave(&crowd);
}

#define OWN(name, of) .who = (name), .kind = &(of), .start = daemon_start, .can = can
#define SHARED(name) OWN(name, base), .shared = &contestants[SUBSCRIPTIONS_FEW]
#define HOLDING                                                                                    \
	.before = hold_subscriptions, .after = drop_subscriptions, .round = subscriptions_round

static struct contestant contestants[CONTESTANTS] = {
	[SUBSCRIPTIONS_FEW] = {OWN("10", base), HOLDING},
	[SUBSCRIPTIONS_SOME] = {SHARED("1,000"), HOLDING},
	[SUBSCRIPTIONS_MANY] = {SHARED("100,000"), HOLDING},
	[SERVICES_NONE] = {SHARED("1"), .round = services_round},
	[SERVICES_SOME] = {OWN("251", some_services), .round = services_round},
	[SERVICES_MANY] = {OWN("1,001", many_services), .round = services_round},
	[SUBJECTS_FEW] = {OWN("10", few_subjects), .before = fill_subjects,
			  .round = all_subjects_round},
	[SUBJECTS_SOME] = {OWN("1,000", some_subjects), .before = fill_subjects,
			   .round = all_subjects_round},
	[SUBJECTS_MANY] = {OWN("100,000", many_subjects), .before = fill_subjects,
			   .round = all_subjects_round},
	[PEERS_FEW] = {SHARED("10"), .round = peers_round},
	[PEERS_SOME] = {SHARED("1,000"), .round = peers_round},
	[PEERS_MANY] = {SHARED("10,000"), .round = peers_round},
};

#define FLAT(text, of, first, window)                                                              \
	{                                                                                          \
		.name = "flat", .title = text, .unit = "us of the daemon's processor a message",   \
		.is_less_better = true, .target = "flat: every ratio near 1", .size = BODY_LEN,    \
		.outstanding = (window), .kind = &dimensions[of], .reference = &contestants[first] \
	}

static const struct workload workloads[] = {
	FLAT("publish, against other subscriptions", SUBSCRIPTIONS, SUBSCRIPTIONS_FEW, 0),
	FLAT("call, against services", SERVICES, SERVICES_NONE, 256),
	FLAT("durable publish, against subjects in the log", SUBJECTS, SUBJECTS_FEW, 256),
	FLAT("call, against connected peers", PEERS, PEERS_FEW, 256),
};

int main(int argc, char **argv)
{
	static const struct contest contest = {
		.name = "flat",
		.title = "Flatness",
		.contestants = contestants,
		.contestant_count = CONTESTANTS,
		.workloads = workloads,
		.workload_count = sizeof(workloads) / sizeof(workloads[0]),
		.round_ms = 400,
	};
	return contest_main(&contest, argc, argv);
}

/*
 * Overload, side by side: what a quiet peer's calls take while another one floods, and the broker's
 * private memory while a hundred publish at full speed.
 */
#include "overload/overload.h"

#include "calls/calls.h"
#include "kit/daemon.h"
#include "kit/nats.h"

#define PUBLISHERS 100
#define AFAR                                                                                       \
	"who floods gets only the processor time that nobody else wants, as if on a machine of "   \
	"its own; the broker's work for the flood is what it was"

enum who { NATS, NATS_AFAR, LYCEUM, LYCEUM_AFAR, LYCEUM_APART, CONTESTANTS };

static const struct nats_server nats = {0};
static const struct daemon lyceum = {
	.name = "bench",
	.call = "\"lyceum.echo.v1.Echo/*\"",
	.publish = "\"lyceum.echo.v1.>\"",
	.config = "plugins:\n  - name: echo\n    path: @/plugins/echo/echo.so\n"
		  "limits: {memory: 134217728, sessions_of_one: 500}\n",
};

/* Others to be flooded, whose memory nobody looks at. */
#define FLOODED(text)                                                                              \
	{                                                                                          \
		.name = text, .call = "\"lyceum.echo.v1.Echo/*\"",                                 \
		.publish = "\"lyceum.echo.v1.>\"",                                                 \
		.config = "plugins:\n  - name: echo\n    path: @/plugins/echo/echo.so\n"           \
	}

static const struct daemon afar = FLOODED("afar");
static const struct daemon apart = FLOODED("apart");

static struct contestant contestants[CONTESTANTS];

static bool is_flood(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->count == 0;
}

static bool nats_afar_can(const struct contestant *self, const struct workload *work)
{
	return is_flood(self, work) && nats_overload_can(self, work);
}

/* By a daemon that nobody floods. */
static void calls_apart(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	(void)self;
	if (contestants[LYCEUM].broker > 0)
		lyceum_calls_round(&contestants[LYCEUM], setting, work, ret_measure);
	else
		contest_fail(ret_measure, "the daemon for the quiet peer is not there");
}

static void apart_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	static const struct overload_way way = {.make_load = lyceum_overload_load,
						.calls = calls_apart};
	overload_round(self, setting, work, &way, ret_measure);
}

static struct contestant contestants[CONTESTANTS] = {
	[NATS] = {.who = "NATS",
		  .meaning = "bytes by subject; who publishes too fast is made to wait by TCP",
		  .kind = &nats,
		  .is_optional = true,
		  .can = nats_overload_can,
		  .start = nats_calls_start,
		  .round = nats_overload_round},
	[NATS_AFAR] = {.who = "NATS, flooded from afar",
		       .meaning = AFAR,
		       .kind = &nats,
		       .is_optional = true,
		       .can = nats_afar_can,
		       .start = nats_calls_start,
		       .round = nats_overload_round_from_afar},
	[LYCEUM] = {.who = "Lyceum",
		    .meaning = "typed, checked, authorised; limits.memory is 128 MiB, and beside "
			       "it each connection may have 16 frames of 64 KiB in ZeroMQ",
		    .kind = &lyceum,
		    .start = daemon_start,
		    .round = lyceum_overload_round},
	[LYCEUM_AFAR] = {.who = "Lyceum, flooded from afar",
			 .meaning = AFAR,
			 .kind = &afar,
			 .can = is_flood,
			 .start = daemon_start,
			 .round = lyceum_overload_round_from_afar},
	[LYCEUM_APART] = {.who = "Lyceum, beside a daemon that is flooded",
			  .meaning = "the flood goes to another daemon with a plugin of its own: "
				     "what the machine adds, where all share its processors",
			  .kind = &apart,
			  .can = is_flood,
			  .start = daemon_start,
			  .round = apart_round},
};

#define FLOOD(text)                                                                                \
	{                                                                                          \
		.name = "flood", .title = text, .unit = "x p99 of quiet", .is_less_better = true,  \
		.target = "at most 3; of 1,000 calls or more each without the flood", .size = 256, \
		.outstanding = 1                                                                   \
	}
#define MEMORY(text)                                                                               \
	{                                                                                          \
		.name = "memory", .title = text, .unit = "MiB private at most",                    \
		.is_less_better = true, .size = 256, .count = PUBLISHERS                           \
	}

/* In the order of enum load_kind. */
static const struct workload workloads[] = {
	FLOOD("One peer calls, another publishes without end: p99 beside it to p99 without it"),
	FLOOD("One peer calls, another calls the same service without end: p99 beside it to p99 "
	      "without it"),
	MEMORY("100 publishers at full speed"),
	MEMORY("100 publishers at full speed, durable"),
};

enum load_kind load_kind_of(const struct workload *work)
{
	size_t kind = 0;
	while (kind < sizeof(workloads) / sizeof(workloads[0]) - 1 &&
	       work->title != workloads[kind].title)
		kind++;
	return (enum load_kind)kind;
}

static const struct contest contest = {
	.name = "overload",
	.title = "Overload",
	.contestants = contestants,
	.contestant_count = CONTESTANTS,
	.reference = NATS,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 3000,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

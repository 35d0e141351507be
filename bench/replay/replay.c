/*
 * Replay, side by side: one consumer reads five million records from the first to the last, and
 * checks that every one comes, in order. Each contestant is filled once, before its first round.
 */
#include "replay/replay.h"

#include "kit/daemon.h"

#define READING "\"lyceum.bench.v1.Reading.>\""

enum who { JETSTREAM, REDIS, LYCEUM, CONTESTANTS };

static const struct daemon lyceum = {
	.name = "bench",
	.config = "plugins:\n  - name: topic\n    path: @/bench/topic.so\n",
	.publish = READING,
	.subscribe = READING,
};

static struct contestant contestants[CONTESTANTS] = {
	[JETSTREAM] = {.who = "JetStream, push consumer",
		       .meaning = "from its files; no acknowledgements, no flow control",
		       .is_optional = true,
		       .start = jetstream_replay_start,
		       .before = jetstream_replay_before,
		       .round = jetstream_replay_round},
	[REDIS] = {.who = "Redis Streams, XRANGE",
		   .meaning = "from memory, where all of it has to fit",
		   .is_optional = true,
		   .start = redis_replay_start,
		   .before = redis_replay_before,
		   .round = redis_replay_round},
	[LYCEUM] = {.who = "Lyceum",
		    .meaning = "from its files, each record's checksum looked at and its label "
			       "judged; with credit, so a slow reader is not flooded",
		    .kind = &lyceum,
		    .start = daemon_start,
		    .before = lyceum_replay_before,
		    .round = lyceum_replay_round},
};

static const struct workload workloads[] = {
	{.name = "replay",
	 .title = "5,000,000 records of 256 bytes, from the first",
	 .unit = "records/s",
	 .size = 256,
	 .count = 5000000},
};

static const struct contest contest = {
	.name = "replay",
	.title = "Replay",
	.contestants = contestants,
	.contestant_count = CONTESTANTS,
	.reference = JETSTREAM,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 1000,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

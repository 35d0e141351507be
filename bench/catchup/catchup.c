/*
 * A node that was away: it starts with an empty log, copies a million records from its hub, and a
 * subscriber of the node checks that every one comes, in order. Beside it what the hub alone takes
 * to replay them.
 */
#include "catchup/catchup.h"

#include "kit/daemon.h"
#include "replay/replay.h"

#define READING "\"lyceum.bench.v1.Reading.>\""

enum who { HUB, NODE, STREAM, MIRROR, CONTESTANTS };

static const struct daemon hub = {
	.name = "bench",
	.config = "plugins:\n  - name: topic\n    path: @/bench/topic.so\n",
	.publish = READING,
	.subscribe = READING,
};

/* As the hub knows its key. */
static const struct daemon node = {
	.name = "bench-node",
	.subscribe = READING,
};

static struct contestant contestants[CONTESTANTS] = {
	[HUB] = {.who = "Lyceum, replay by the hub",
		 .meaning = "no node: what the same records take from the hub's files",
		 .kind = &hub,
		 .start = daemon_start,
		 .before = lyceum_replay_before,
		 .round = lyceum_replay_round},
	[NODE] = {.who = "Lyceum, node that was away",
		  .needs = &contestants[HUB],
		  .meaning =
			  "over a CURVE link; each record checked again, synced in the node's own "
			  "log and then delivered there; the node's start included",
		  .kind = &node,
		  .round = lyceum_catchup_round},
	[STREAM] = {.who = "JetStream, replay",
		    .meaning = "no mirror: what the same records take from its files",
		    .is_optional = true,
		    .start = jetstream_replay_start,
		    .before = jetstream_replay_before,
		    .round = jetstream_replay_round},
	[MIRROR] = {.who = "JetStream, new mirror",
		    .needs = &contestants[STREAM],
		    .meaning = "a mirror within the same server: no link, nothing synced",
		    .is_optional = true,
		    .round = jetstream_catchup_round},
};

static const struct workload workloads[] = {
	{.name = "catchup",
	 .title = "1,000,000 records of 256 bytes that came while the node was away",
	 .unit = "records/s",
	 .size = 256,
	 .count = 1000000},
};

static const struct contest contest = {
	.name = "catchup",
	.title = "Catching up",
	.contestants = contestants,
	.contestant_count = CONTESTANTS,
	.reference = HUB,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 1000,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

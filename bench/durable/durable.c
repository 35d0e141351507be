/*
 * Durable publishes, side by side. What an acknowledgement means is another thing with each of
 * them, and stands below the tables.
 */
#include "durable/durable.h"

#include <unistd.h>

#include "durable/writers.h"
#include "kit/daemon.h"

#define READING "\"lyceum.bench.v1.Reading.>\""

enum who { REDIS_ALWAYS, REDIS_EVERYSEC, JETSTREAM, POSTGRES, BARE_FILE, LYCEUM, CONTESTANTS };

static const struct daemon lyceum = {
	.name = "bench",
	.config = "plugins:\n  - name: topic\n    path: @/bench/topic.so\n",
	.publish = READING,
	.subscribe = READING,
};

/* What one has written and not synced must not slow down the next. */
static void sync_disk(struct contestant *self, const struct setting *setting,
		      const struct workload *work)
{
	(void)self;
	(void)setting;
	(void)work;
	sync();
}

static struct contestant contestants[CONTESTANTS] = {
	[REDIS_ALWAYS] = {.who = "Redis Streams, fsync always",
			  .meaning = "synced: the AOF is synced before the reply",
			  .kind = "always",
			  .is_optional = true,
			  .start = redis_start,
			  .before = redis_before,
			  .after = sync_disk,
			  .round = redis_round},
	[REDIS_EVERYSEC] = {.who = "Redis Streams, fsync every second",
			    .meaning = "written to the AOF, synced within a second or two: that "
				       "much of what was acknowledged can be lost",
			    .kind = "everysec",
			    .is_optional = true,
			    .start = redis_start,
			    .before = redis_before,
			    .after = sync_disk,
			    .round = redis_round},
	[JETSTREAM] = {.who = "JetStream, raw client",
		       .meaning = "written to the stream's file, not synced",
		       .is_optional = true,
		       .start = jetstream_start,
		       .before = jetstream_before,
		       .after = sync_disk,
		       .round = jetstream_round},
	[POSTGRES] = {.who = "PostgreSQL, libpq pipeline",
		      .meaning = "committed: the WAL is synced; all that is outstanding shares a "
				 "transaction",
		      .is_optional = true,
		      .has_backends = true,
		      .start = postgres_start,
		      .before = postgres_before,
		      .after = sync_disk,
		      .round = postgres_round},
	[BARE_FILE] = {.who = "bare file by tcp",
		       .meaning = "the limit: written to one file as it comes and synced",
		       .start = bare_file_start,
		       .after = sync_disk,
		       .round = bare_file_round},
	[LYCEUM] = {.who = "Lyceum",
		    .meaning = "synced; before that typed, the body checked, the publisher "
			       "authorised, the label judged",
		    .kind = &lyceum,
		    .start = daemon_start,
		    .after = sync_disk,
		    .round = lyceum_durable_round},
};

#define DURABLE(text, publishers, window)                                                          \
	{                                                                                          \
		.name = "durable", .title = text, .unit = "acknowledged/s", .size = 256,           \
		.outstanding = (window), .count = (publishers)                                     \
	}

static const struct workload workloads[] = {
	DURABLE("one publisher, 256 outstanding, 256-byte bodies", 1, 256),
	DURABLE("one publisher, 1,024 outstanding, 256-byte bodies", 1, 1024),
	DURABLE("one publisher, one outstanding, 256-byte bodies", 1, 1),
	DURABLE("eight publishers, 256 outstanding each, 256-byte bodies", 8, 256),
	DURABLE("eight publishers, one outstanding each, 256-byte bodies", 8, 1),
};

static const struct contest contest = {
	.name = "durable",
	.title = "Durable publish",
	.contestants = contestants,
	.contestant_count = CONTESTANTS,
	.reference = REDIS_ALWAYS,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 600,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

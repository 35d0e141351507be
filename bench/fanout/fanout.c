/*
 * Fan-out, side by side: one publisher, eight subscribers; then a thousand subscribers with ten
 * wildcard patterns each. Delivered messages in a second are counted, of all subscribers together.
 */
#include "fanout/fanout.h"
#include "kit/daemon.h"
#include "kit/mqtt.h"
#include "kit/nats.h"

#define READING "\"lyceum.bench.v1.Reading.>\""

enum who { NATS, ZXPROXY, MOSQUITTO, RELAY, LYCEUM, LYCEUM_CURVE, CONTESTANTS };

static const struct nats_server nats = {0};
static const struct daemon lyceum = {
	.name = "bench",
	.config = "plugins:\n  - name: topic\n    path: @/bench/topic.so\n"
		  "limits: {sessions: 12000, sessions_of_one: 11000}\n",
	.publish = READING,
	.subscribe = READING,
};
static const struct daemon curve = {.way = DAEMON_CURVE_TCP};

static bool is_few(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->count <= 8;
}

static struct contestant contestants[CONTESTANTS] = {
	[NATS] = {.who = "NATS, raw clients",
		  .meaning = "bytes by subject, no rights set up",
		  .kind = &nats,
		  .is_optional = true,
		  .start = nats_fanout_start,
		  .round = nats_fanout_round},
	[ZXPROXY] = {.who = "zmq_proxy, XSUB and XPUB",
		     .meaning = "bytes by prefix, no wildcards, no rights",
		     .can = is_few,
		     .start = zxproxy_start,
		     .round = zxproxy_round},
	[MOSQUITTO] = {.who = "Mosquitto, raw clients",
		       .meaning = "bytes by topic, QoS 0, no rights set up",
		       .is_optional = true,
		       .start = mosquitto_start,
		       .round = mosquitto_fanout_round},
	[RELAY] = {.who = "byte relay",
		   .meaning = "the limit: writes what comes to everybody and looks at nothing",
		   .can = relay_fanout_can,
		   .start = relay_fanout_start,
		   .round = relay_fanout_round},
	[LYCEUM] = {.who = "Lyceum",
		    .meaning =
			    "typed, the body checked, the publisher authorised, the label judged "
			    "for each subscriber",
		    .kind = &lyceum,
		    .start = daemon_start,
		    .round = lyceum_fanout_round},
	[LYCEUM_CURVE] = {.who = "Lyceum with CURVE",
			  .kind = &curve,
			  .shared = &contestants[LYCEUM],
			  .can = is_few,
			  .start = daemon_start,
			  .round = lyceum_fanout_round},
};

static const struct workload workloads[] = {
	{.name = "fan-out",
	 .title = "1 to 8 subscribers, 256-byte bodies",
	 .unit = "delivered/s",
	 .size = 256,
	 .count = 8},
	{.name = "fan-out",
	 .title = "1 to 1,000 subscribers with 10,000 wildcard subscriptions, 256-byte bodies",
	 .unit = "delivered/s",
	 .size = 256,
	 .count = 1000},
};

static const struct contest contest = {
	.name = "fanout",
	.title = "Fan-out",
	.contestants = contestants,
	.contestant_count = CONTESTANTS,
	.reference = NATS,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 800,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

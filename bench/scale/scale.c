/*
 * Many connected peers, side by side: the broker's private memory with so many of them, and what a
 * call takes meanwhile, one at a time and all on one core.
 */
#include <stdlib.h>
#include <unistd.h>

#include "calls/calls.h"
#include "kit/daemon.h"
#include "kit/mqtt.h"
#include "kit/nats.h"
#include "kit/process.h"
#include "kit/raw_peer.h"
#include "kit/zmtp.h"
#include "scale/crowd.h"

#define ECHO "\"lyceum.echo.v1.Echo/*\""
#define LINE_SIZE 4096

typedef void (*round_fn)(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure);

/* ---- crowds ---- */

static bool connect_zmq(const struct contestant *self, void *peer)
{
	return zmtp_open(peer, self->endpoint, LINE_SIZE);
}

static bool connect_nats(const struct contestant *self, void *peer)
{
	return nats_open_small(peer, self, "", LINE_SIZE);
}

static bool connect_raw_peer(const struct contestant *self, void *peer)
{
	return raw_peer_open(peer, self->endpoint, LINE_SIZE, NULL, NULL);
}

static void close_raw_peer(void *peer)
{
	raw_peer_close(peer);
}

static void tick_raw_peer(void *peer, uint64_t now)
{
	(void)raw_peer_tick(peer, now);
	(void)raw_peer_drain(peer);
}

/* ---- rounds ---- */

static void crowded_round(const struct contestant *self, const struct setting *setting,
			  const struct workload *work, const struct crowd_parts *parts,
			  round_fn calls, struct measure *ret_measure)
{
	struct crowd crowd;
	if (crowd_gather(&crowd, self, parts, work->count)) {
		double mib = process_private_mib(self->broker);
		calls(self, setting, work, ret_measure);
		ret_measure->value = mib;
	} else {
		contest_fail(ret_measure, "%zu of %zu peers could connect", crowd.there,
			     work->count);
	}
	crowd_leave(&crowd);
}

static void zproxy_scale(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	static const struct crowd_parts parts = {sizeof(struct line), connect_zmq, NULL};
	crowded_round(self, setting, work, &parts, zproxy_round, ret_measure);
}

static void nats_scale(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure)
{
	static const struct crowd_parts parts = {sizeof(struct line), connect_nats, NULL};
	crowded_round(self, setting, work, &parts, nats_calls_round, ret_measure);
}

static void lyceum_scale(const struct contestant *self, const struct setting *setting,
			 const struct workload *work, struct measure *ret_measure)
{
	static const struct crowd_parts parts = {sizeof(struct raw_peer), connect_raw_peer,
						 tick_raw_peer, close_raw_peer};
	crowded_round(self, setting, work, &parts, lyceum_calls_round, ret_measure);
}

/* ---- who ---- */

enum who { ZPROXY, NATS, LYCEUM, CONTESTANTS };

static const struct nats_server nats = {0};
static const struct daemon lyceum = {
	.name = "bench",
	.call = ECHO,
	.config = "plugins:\n  - name: echo\n    path: @/plugins/echo/echo.so\n"
		  "limits: {sessions: 12000, sessions_of_one: 11000}\n",
};

static struct contestant contestants[CONTESTANTS] = {
	[ZPROXY] = {.who = "zmq_proxy",
		    .meaning = "libzmq's own connections, and nothing else",
		    .kind = "tcp",
		    .start = zproxy_start,
		    .round = zproxy_scale},
	[NATS] = {.who = "NATS",
		  .kind = &nats,
		  .is_optional = true,
		  .start = nats_calls_start,
		  .round = nats_scale},
	[LYCEUM] = {.who = "Lyceum",
		    .meaning =
			    "each peer has a session with its own rights and gives signs of life",
		    .kind = &lyceum,
		    .start = daemon_start,
		    .round = lyceum_scale},
};

#define SCALE(text, peers)                                                                         \
	{                                                                                          \
		.name = "scale", .title = text, .unit = "MiB private", .is_less_better = true,     \
		.size = 256, .outstanding = 1, .is_pinned = true, .count = (peers)                 \
	}

static const struct workload workloads[] = {
	SCALE("8 connected peers", 8),
	SCALE("1,000 connected peers", 1000),
	SCALE("10,000 connected peers", 10000),
};

static const struct contest contest = {
	.name = "scale",
	.title = "Connected peers",
	.contestants = contestants,
	.contestant_count = CONTESTANTS,
	.reference = ZPROXY,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 500,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

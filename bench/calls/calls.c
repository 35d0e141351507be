/*
 * Calls through a broker, side by side: Lyceum (typed, checked, authorised) beside zmq_proxy, NATS
 * and Mosquitto, which pass bytes, and a relay that does not even look where they go. Many
 * outstanding first, then one at a time with every process on one core.
 */
#include "calls/calls.h"
#include "kit/daemon.h"
#include "kit/nats.h"

#define ECHO "\"lyceum.echo.v1.Echo/*\""
#define ECHO_PLUGIN(host)                                                                          \
	"plugins:\n  - name: echo\n    path: @/plugins/echo/echo.so\n    host: " host "\n"
#define TYPED                                                                                      \
	"typed, both bodies checked, authorised; the service unpacks its body and packs another"

enum who {
	ZPROXY_TCP,
	ZPROXY_IPC,
	NATS,
	NATS_TLS,
	MOSQUITTO,
	RELAY,
	PROCESS,
	THREAD,
	REMOTE,
	CURVE_TCP,
	CURVE_IPC,
	CURVE_THREAD,
	CONTESTANTS,
};

static struct contestant contestants[CONTESTANTS];

static const struct nats_server nats = {0};
static const struct nats_server nats_tls = {.has_tls = true};
static const struct daemon process = {
	.name = "process", .config = ECHO_PLUGIN("PROCESS"), .call = ECHO};
static const struct daemon thread = {
	.name = "thread", .config = ECHO_PLUGIN("THREAD"), .call = ECHO};
static const struct daemon node = {.name = "process-node", .call = ECHO};
static const struct daemon curve_tcp = {.way = DAEMON_CURVE_TCP};
static const struct daemon curve_ipc = {.way = DAEMON_CURVE_IPC};

static struct contestant contestants[CONTESTANTS] = {
	[ZPROXY_TCP] = {.who = "zmq_proxy, tcp",
			.meaning = "bytes; no types, no rights, no deadlines",
			.kind = "tcp",
			.start = zproxy_start,
			.round = zproxy_round},
	[ZPROXY_IPC] = {.who = "zmq_proxy, ipc",
			.kind = "ipc",
			.start = zproxy_start,
			.round = zproxy_round},
	[NATS] = {.who = "NATS, raw client",
		  .meaning = "bytes by subject, no rights set up",
		  .kind = &nats,
		  .is_optional = true,
		  .start = nats_calls_start,
		  .round = nats_calls_round},
	[NATS_TLS] = {.who = "NATS with TLS 1.3, raw client",
		      .kind = &nats_tls,
		      .is_optional = true,
		      .start = nats_calls_start,
		      .round = nats_calls_round},
	[MOSQUITTO] = {.who = "Mosquitto, raw client",
		       .meaning = "bytes by topic, QoS 0, no rights set up",
		       .is_optional = true,
		       .start = mosquitto_calls_start,
		       .round = mosquitto_calls_round},
	[RELAY] = {.who = "byte relay",
		   .meaning = "the limit: copies bytes between two sockets and looks at none",
		   .start = relay_calls_start,
		   .round = relay_calls_round},
	[PROCESS] = {.who = "Lyceum, plugin process",
		     .meaning = TYPED,
		     .kind = &process,
		     .start = daemon_start,
		     .round = lyceum_calls_round},
	[THREAD] = {.who = "Lyceum, plugin thread",
		    .kind = &thread,
		    .start = daemon_start,
		    .round = lyceum_calls_round},
	[REMOTE] = {.who = "Lyceum, remote node",
		    .needs = &contestants[PROCESS],
		    .meaning = "the caller's daemon is a node, its hub runs the plugin: two "
			       "daemons and a CURVE "
			       "link on the way",
		    .kind = &node,
		    .start = daemon_start,
		    .round = lyceum_calls_round},
	[CURVE_TCP] = {.who = "Lyceum, tcp with CURVE, plugin process",
		       .kind = &curve_tcp,
		       .shared = &contestants[PROCESS],
		       .start = daemon_start,
		       .round = lyceum_calls_round},
	[CURVE_IPC] = {.who = "Lyceum, ipc with CURVE, plugin process",
		       .kind = &curve_ipc,
		       .shared = &contestants[PROCESS],
		       .start = daemon_start,
		       .round = lyceum_calls_round},
	[CURVE_THREAD] = {.who = "Lyceum, tcp with CURVE, plugin thread",
			  .kind = &curve_tcp,
			  .shared = &contestants[THREAD],
			  .start = daemon_start,
			  .round = lyceum_calls_round},
};

#define CALLS(text, bytes, window)                                                                 \
	{                                                                                          \
		.name = "calls", .title = text, .unit = "requests/s", .size = (bytes),             \
		.outstanding = (window), .is_pinned = (window) == 1                                \
	}

static const struct workload workloads[] = {
	CALLS("256 outstanding, 256-byte bodies", 256, 256),
	CALLS("256 outstanding, 64-byte bodies", 64, 256),
	CALLS("256 outstanding, 4096-byte bodies", 4096, 256),
	CALLS("one outstanding, 256-byte bodies", 256, 1),
};

static const struct contest contest = {
	.name = "calls",
	.title = "Calls",
	.contestants = contestants,
	.reference = ZPROXY_TCP,
	.contestant_count = CONTESTANTS,
	.workloads = workloads,
	.workload_count = sizeof(workloads) / sizeof(workloads[0]),
	.round_ms = 600,
};

int main(int argc, char **argv)
{
	return contest_main(&contest, argc, argv);
}

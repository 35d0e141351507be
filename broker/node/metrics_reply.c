/* The reply to Node/Metrics: one table of the daemon's own, then what plugins told. */
#include "node/metrics_reply.h"

#include <stdlib.h>

#include "base/mem.h"
#include "host/report.h"
#include "lyceum/v1/node.pb-c.h"
#include "node/reply_pack.h"

#define MAX_REPORTED 1000

/* ---- Metrics ---- */

static uint64_t plugins_in(const struct daemon *daemon, enum plugin_state state)
{
	uint64_t count = 0;
	list_each (node, &daemon->host.plugins)
		count += list_entry(node, struct plugin, node)->state == state;
	return count;
}

static uint64_t copies_sent(const struct links *links)
{
	uint64_t sum = 0;
	list_each (node, &links->all)
		sum += list_entry(node, const struct link, node)->copied_count;
	return sum;
}

void metrics_reply(struct daemon *daemon, struct buf *to)
{
	const struct router_counters *router = &daemon->router.counters;
	const struct daemon_counters *counters = &daemon->counters;
	const struct link *uplink = daemon->uplink.link;
	struct store_stats stats = {0};
	const char *folder = "";
	uint64_t free_bytes = 0;
	daemon->storage(daemon->env.world, &stats, &folder, &free_bytes);
	const struct {
		const char *name;
		const char *unit;
		const char *help;
		uint64_t value;
	} table[] = {
		{"lyceum_frames_total", "1", "frames received", counters->frames},
		{"lyceum_packets_total", "1", "packets received", counters->packets},
		{"lyceum_malformed_total", "1", "frames refused as malformed", counters->malformed},
		{"lyceum_strangers_total", "1", "packets from connections without a session",
		 counters->strangers},
		{"lyceum_refused_keys_total", "1", "connections refused for their key",
		 counters->refused_keys},
		{"lyceum_floods_total", "1", "peers cut for sending beyond their credit",
		 counters->floods},
		{"lyceum_calls_total", "1", "calls received", router->calls},
		{"lyceum_replies_total", "1", "replies passed on", router->replies},
		{"lyceum_calls_refused_total", "1", "calls ended by this daemon with a status",
		 router->refused},
		{"lyceum_calls_expired_total", "1", "calls that reached their deadline",
		 router->expired},
		{"lyceum_late_replies_total", "1", "replies to calls that had ended",
		 router->late_replies},
		{"lyceum_bad_replies_total", "1", "replies that their schema refuses",
		 router->bad_replies},
		{"lyceum_cut_replies_total", "1",
		 "replies from which labelled parts had to be cut: a plugin's fault",
		 router->cut_parts},
		{"lyceum_calls_outstanding", "1", "calls that wait for their reply",
		 daemon->router.calls.count},
		{"lyceum_waiting_bytes", "bytes", "memory of what waits for peers to be read",
		 daemon->sessions.waiting_len},
		{"lyceum_appends_bytes", "bytes", "memory of publishes on their way to the log",
		 daemon->stream.appends_len},
		{"lyceum_held_calls_bytes", "bytes", "memory of calls that wait",
		 daemon->router.calls.held_len},
		{"lyceum_sessions", "1", "peers connected", daemon->sessions.count},
		{"lyceum_subscriptions", "1", "subscriptions", daemon->topics.count},
		{"lyceum_log_last_seq", "1", "last sequence of the log", daemon->stream.last_seq},
		{"lyceum_held_types", "1", "types of which records are held without their schema",
		 daemon->stream.held.count},
		{"lyceum_copies_sent_total", "1", "records sent to other daemons",
		 copies_sent(&daemon->links)},
		{"lyceum_refused_copies_total", "1", "copied records that were refused",
		 daemon->links.refused_copies},
		{"lyceum_free_bytes", "bytes", "left on the file system of the log", free_bytes},
		{"lyceum_uplink_up", "1", "1 while the link to the hub is up",
		 uplink && uplink->session ? 1 : 0},
		{"lyceum_outbox_records", "1", "own records that the hub has not confirmed",
		 uplink ? uplink->outbox_count : 0},
		{"lyceum_plugins_running", "1", "plugin instances that run",
		 plugins_in(daemon, PLUGIN_RUNNING)},
		{"lyceum_plugins_failed", "1", "plugin instances that were refused or given up",
		 plugins_in(daemon, PLUGIN_FAILED)},
	};
	const size_t count = sizeof(table) / sizeof(table[0]);
	Lyceum__V1__MetricsReply reply = LYCEUM__V1__METRICS_REPLY__INIT;
	struct report_item *items = mem_get(MAX_REPORTED * sizeof(*items));
	size_t item_count = report_list(&daemon->host, items, MAX_REPORTED);
	Lyceum__V1__Metric *metrics = mem_get((count + item_count) * sizeof(*metrics));
	for (size_t i = 0; i < count; i++) {
		lyceum__v1__metric__init(&metrics[i]);
		metrics[i].name = (char *)(uintptr_t)table[i].name;
		metrics[i].unit = (char *)(uintptr_t)table[i].unit;
		metrics[i].help = (char *)(uintptr_t)table[i].help;
		metrics[i].value = (double)table[i].value;
	}
	for (size_t i = 0; i < item_count; i++) {
		lyceum__v1__metric__init(&metrics[count + i]);
		metrics[count + i].name = items[i].name;
		metrics[count + i].unit = items[i].unit;
		metrics[count + i].help = items[i].help;
		metrics[count + i].value = items[i].value;
	}
	reply.n_metric = count + item_count;
	reply.metric = reply_point(metrics, sizeof(metrics[0]), count + item_count);
	reply_pack(&reply.base, to);
	free(reply.metric);
	free(metrics);
	free(items);
}

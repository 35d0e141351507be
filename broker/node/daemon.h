/*
 * The daemon as a state machine: frames, commits, reads and ticks go in; what comes out goes
 * through struct env. No socket, no file, no clock and no thread of its own.
 */
#ifndef LYC_NODE_DAEMON_H
#define LYC_NODE_DAEMON_H

#include <stdbool.h>
#include <stdint.h>

#include "host/host.h"
#include "host/router.h"
#include "node/backups.h"
#include "node/link.h"
#include "node/healing.h"
#include "node/pace.h"
#include "node/summary.h"
#include "node/uplink.h"
#include "store/store.h"
#include "stream/stream.h"

struct Lyceum__V1__Config;
struct why_inner;

/* What a link may have outstanding, in the limit of one peer: it is the sum of many callers. */
#define LINK_CREDIT_SCALE 4

struct limits {
	uint64_t call_credit;
	uint64_t publish_credit;
	uint32_t sessions;
	uint32_t sessions_of_one; /* person */
	uint32_t sessions_kept;   /* for all but persons */
	uint32_t heartbeat_ms;
};

struct daemon_counters {
	uint64_t frames;
	uint64_t packets;
	uint64_t malformed;
	uint64_t strangers; /* packets without a session */
	uint64_t floods;
	uint64_t refused_keys;
};

struct daemon {
	struct env env;
	char name[64];
	struct limits limits;
	uint64_t started_ms;
	bool is_stopping;
	bool has_said_goodbye;
	uint64_t drained_by_ms; /* calls that are under way when it stops may take so long */

	struct policy policy;
	struct types types;
	struct services services;
	struct session_table sessions;
	struct topics topics;
	struct stream stream;
	struct router router;
	struct links links;
	struct pace pace;
	struct uplink uplink;
	struct host host;
	struct barred *barred; /* barred.h */
	/* Upgrades that somebody waits for: restart.h. */
	struct list restarts;
	struct list erase_jobs;

	struct journal journal;
	/* Inquiries of Why, and the peer inside that asks other daemons: why.h. */
	struct list inquiries;
	struct why_inner *why_inner;

	struct frame_reader reader;
	struct daemon_counters counters;
	uint64_t next_tick_ms;
	uint64_t heads_saved_ms;
	struct summary_state summary;
	struct healing healing;
	size_t searches; /* for records that others have lost */
	struct backups backups;
	/* Read the configuration anew and answer this call of Node/Reload, with
	 * router_builtin_done; is_check: only look at it. NULL: there is no file. */
	enum lyc_status (*reload)(void *world, uint64_t call_id, bool is_check,
				  struct lyc_error *error);
	/* Fills in what the store knows of itself, and its file system of what is left. */
	void (*storage)(void *world, struct store_stats *ret_stats, const char **ret_folder,
			uint64_t *ret_free_bytes);
};

/* `env` is copied. INVALID_ARGUMENT for a configuration that cannot be. */
LYC_MUST_USE enum lyc_status daemon_init(struct daemon *daemon,
					 const struct Lyceum__V1__Config *config,
					 const struct env *env, uint64_t epoch,
					 const char *plugin_folder, struct lyc_error *error);
void daemon_fini(struct daemon *daemon);
/* Another hub than before, or none; daemon_leave_hub first. */
struct Lyceum__V1__Uplink;
void daemon_join_hub(struct daemon *daemon, const struct Lyceum__V1__Uplink *uplink);
void daemon_leave_hub(struct daemon *daemon);
/* A listener is closed: whoever came by it has to come again. */
void daemon_close_port(struct daemon *daemon, uint32_t port);
/* Once per record of the log, in order, before daemon_start; from summary_restore's answer on. */
void daemon_replay(struct daemon *daemon, uint64_t seq, struct span record);
/* That was all; the log has come to last_seq, though the last records may have been removed. */
void daemon_replayed(struct daemon *daemon, uint64_t last_seq);
void daemon_start(struct daemon *daemon);

/* A frame came in. `identity` is who the transport says it is: the key's name, "anonymous", or a
 * plugin's on its own channel. `fd` is for env.cut, -1: none. */
void daemon_frame(struct daemon *daemon, uint32_t port, struct span routing_id,
		  const char *identity, int fd, struct span frame);
/* The transport has lost the hub. */
void daemon_uplink_cut(struct daemon *daemon);
/* A plugin's instance has ended: its session with it, so that nobody waits for an answer. As
 * host_exited. */
void daemon_instance_ended(struct daemon *daemon, struct plugin *plugin, bool is_final,
			   const char *text);
/* The end of a turn of the loop: flush. True when something waits for a socket. */
bool daemon_turn(struct daemon *daemon);
/* Every 10 ms or so. */
void daemon_tick(struct daemon *daemon);
/* Refuse new sessions and calls; when those under way have ended, or after a second, say Goodbye to
 * everybody and stop the plugins. */
void daemon_stop(struct daemon *daemon);
/* It has stopped: no plugin runs, and nothing is on its way to the log. */
bool daemon_is_quiet(const struct daemon *daemon);

/* ---- builtin.c: lyceum.v1.Node ---- */
enum lyc_status builtin_call(const char *method, const struct call *call, struct span body,
			     struct buf *ret_reply, struct lyc_error *error, void *arg);

#endif

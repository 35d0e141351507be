/* The parts of one daemon's world, for the files of this folder only: sockets, keys and plugin
 * instances around one loop. */
#ifndef LYC_WORLD_PARTS_H
#define LYC_WORLD_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include <uv.h>

#include "io/channel_watch.h"
#include "io/keyfile.h"
#include "io/zap.h"
#include "io/zsock.h"
#include "node/daemon.h"
#include "world/log_keeper.h"
#include "world/log_threads.h"
#include "world/spare_memory.h"
#include "world/world.h"

/* ZAP domains: with a key, and without one. */
#define NETWORK_DOMAIN "lyceum"
#define PLAIN_DOMAIN "plain"

/* A listener, or this end of a plugin's channel. */
struct port {
	struct world *world;
	uint32_t number;
	struct zsock *zsock;
	struct channel_watch *channel;
	/* Of a channel's only peer; NULL: ask the transport. */
	char *identity;
	/* A listener's endpoint as the configuration has it; NULL: it is not from there. */
	char *configured;
	bool is_plain;
	/* While a new configuration is taken: it stays, it has just been opened. */
	bool is_kept;
	bool is_new;
};

/* How the peers of a listener prove who they are. */
enum way_in {
	WAY_CURVE,
	/* Not at all: they are anonymous. */
	WAY_PLAIN,
};

struct backup_work;

struct world {
	const struct world_options *options;
	const Lyceum__V1__Config *config;     /* as it is now */
	Lyceum__V1__Config *config_read_anew; /* the same, where it was read anew; else NULL */
	bool is_reloading;
	uv_loop_t loop;
	uv_timer_t ticks;
	uv_timer_t held; /* runs while messages wait for the next millisecond */
	uv_signal_t signals[3];
	void *zmq;
	struct zap *zap;

	struct store *store;
	struct log_threads *log_threads;
	struct log_keeper *log_keeper;
	struct daemon daemon;

	struct keypair keys;
	char data[400];

	struct port **ports;
	uint32_t port_count;
	struct port uplink;

	/* Of refused keys: how many the log has, and when it may have the next line. */
	uint64_t refused_logged;
	uint64_t refused_due_ms;

	struct backup_work *backup; /* under way; NULL */

	struct spare_memory spare_memory;

	uint64_t stop_at_ms;
	/* The time of day, and in which millisecond of the loop it was read. */
	uint64_t wall_ms;
	uint64_t wall_of_ms;
	/* A plugin's thread was left behind, and may still run. */
	bool has_hung;
};

/* ---- world.c ---- */

/* Accepts NULL. */
void world_free_config(Lyceum__V1__Config *config);

/* ---- daemon_env.c ---- */

struct env daemon_env(struct world *world);

/* ---- log_opening.c ---- */

/* Open the log and its threads, make the daemon and tell it what the log has. */
LYC_MUST_USE enum lyc_status log_opening_run(struct world *world, struct lyc_error *error);

/* ---- reload.c ---- */

/* Read the configuration anew: struct daemon's `reload`. call_id 0: nobody waits. */
LYC_MUST_USE enum lyc_status world_reload(void *world, uint64_t call_id, bool is_check,
					  struct lyc_error *error);

/* ---- ports.c ---- */

/* Close what it is reached by; the port itself stays until the end. Accepts NULL. */
void port_close(struct port *port);
LYC_MUST_USE enum lyc_status port_listen(struct world *world, const char *endpoint,
					 enum way_in way_in, struct lyc_error *error);
/* A channel to a plugin that is to be started: the port of the one end, and the other. */
LYC_MUST_USE enum lyc_status port_open_channel(struct world *world, const char *identity,
					       struct port **ret_port, int *ret_plugin_fd,
					       struct lyc_error *error);
/* Begin and end an attempt to reach the hub. */
LYC_MUST_USE enum lyc_status port_open_uplink(struct world *world, struct lyc_error *error);
/* Has the attempt failed by now? Writes why, or else what it waits for. */
bool port_uplink_failed(struct world *world, char *ret_text, size_t size);
/* Where the peers of this daemon connect, one a line, in <data>/endpoints. */
LYC_MUST_USE enum lyc_status ports_write_endpoints(struct world *world, struct lyc_error *error);

/* ---- identities.c ---- */

/* This daemon's key pair, made at the first start, and its public half beside it. */
LYC_MUST_USE enum lyc_status identities_open(struct world *world, struct lyc_error *error);
/* Whoever may read the operator's key file is the operator. */
LYC_MUST_USE enum lyc_status identities_admit_operator(struct world *world,
						       struct lyc_error *error);
/* Tell the key check who is known now. */
LYC_MUST_USE enum lyc_status identities_publish(struct world *world, struct lyc_error *error);
/* Count and log the keys that were refused: one line for all of ten seconds. */
void identities_report_refused(struct world *world);

/* ---- backup_thread.c ---- */

/* For struct env. */
void backup_thread_start(void *world, struct backup_job *job);
/* Let the one that is under way end, and be answered. */
void backup_thread_stop(struct world *world);

/* ---- running.c ---- */

LYC_MUST_USE enum lyc_status running_start(struct world *world, struct plugin *plugin,
					   struct lyc_error *error);
void running_stop(struct plugin *plugin, uint32_t grace_ms);
LYC_MUST_USE enum lyc_status running_make_folder(const char *path, struct lyc_error *error);

#endif

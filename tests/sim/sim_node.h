/*
 * One daemon of the simulation: the core that ships, on struct env; the store that ships, on a disk
 * in memory; and what happens to a machine: it crashes, its power is cut, its clock jumps, it is
 * restored from a backup.
 */
#ifndef LYC_TESTS_SIM_SIM_NODE_H
#define LYC_TESTS_SIM_SIM_NODE_H

#include "memory_disk.h"
#include "node/daemon.h"
#include "simulation.h"
#include "store/store.h"

#define SIM_TICK_US 40000
#define SIM_HEARTBEAT_MS 1000
#define SIM_BACKLOG (20u * 1024)
#define SIM_PUBLISH_CREDIT 20000u

struct saved_value {
	char *key;
	struct buf value;
	struct saved_value *next;
};

struct sim_node {
	struct sim *sim;
	size_t index;
	char name[16];
	struct sim_node *hub; /* NULL: this one is it */

	struct env env;
	struct daemon daemon;
	struct store *store;
	struct memory_disk *disk;
	bool is_running;
	bool is_stopping;
	/* Begun anew with each start: what was meant for an earlier life is ignored. */
	uint64_t life;
	int64_t skew_ms; /* of the wall clock */
	bool has_turn;   /* one is due */

	/* The log's two threads, as events. */
	struct append *appends;
	struct append *appended;
	bool is_writing;
	bool is_failing;
	struct log_read *reads;
	struct log_removal *removal;
	bool is_reading;
	struct saved_value *values;
	bool is_saving;
	bool has_kept_name; /* carol's, on the disk */

	struct line *uplink;
	bool is_apart; /* no connection reaches it, or leaves it */

	/* The plugin's instance: the world's handle is the peer. */
	struct sim_peer *board;
	struct plugin *plugin;
	unsigned schema_wanted; /* 0 or 1: which of sim.schemas */
	int schema_known;       /* what its plugin registered in this life; -1: nothing */

	/* Backups made so far; the log's last sequence in the last good one; and restores. */
	unsigned backup_count;
	bool has_backup;
	uint64_t backup_seq;
	unsigned restore_count;
};

extern const char *const sim_node_names[SIM_NODES];
/* By name; SIM_NODES: none. */
size_t sim_node_find(struct span name);
struct sim_node *sim_node_new(struct sim *sim, size_t index, const char *name,
			      struct sim_node *hub);
void sim_node_free(struct sim_node *node);
void sim_node_start(struct sim_node *node);
/* Begin its daemon by its configuration. */
enum lyc_status sim_node_configure(struct sim_node *node, uint64_t epoch, struct lyc_error *error);
/* It ends without a word. With is_power the disk forgets what was not synced. */
void sim_node_crash(struct sim_node *node, bool is_power);
/* A backup is made, while it runs. */
void sim_node_back_up(struct sim_node *node);
/* Its disk is lost; it begins again from the last backup, in a new epoch. */
void sim_node_restore(struct sim_node *node);
/* It is told to end, and does. */
void sim_node_stop(struct sim_node *node);
bool sim_node_is_reached(const struct sim_node *node);

void sim_node_frame(struct sim_node *node, uint32_t port, struct span routing_id,
		    const char *identity, struct span frame);
void sim_node_uplink_lost(struct sim_node *node, const struct line *line);
/* The end of a turn, now or in a moment. */
void sim_node_turn(struct sim_node *node);
/* The plugin's instance ends, and is started again by its host. */
void sim_node_end_plugin(struct sim_node *node);
uint64_t sim_node_wall_ms(const struct sim_node *node);

/* ---- sim_log.c ---- */

void sim_log_env(struct env *env);
/* Opens the store and replays it into the daemon; false when it does not open: the promise is
 * broken then. */
bool sim_log_open(struct sim_node *node);
bool sim_log_replay(struct sim_node *node);
/* Ends everything that is under way: nothing of it is answered well. */
void sim_log_close(struct sim_node *node);

/* ---- sim_values.c ---- */

void sim_values_env(struct env *env);
/* What is not written by now is not. */
void sim_values_close(struct sim_node *node);

#endif

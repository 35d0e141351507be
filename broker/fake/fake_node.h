/*
 * Daemons without sockets, files, threads and clocks: each has a log in memory whose appends and
 * reads are answered when the test says so, and links to its hub whose frames are delivered one by
 * one, lost, or left lying. The clock is the test's.
 */
#ifndef LYC_FAKE_FAKE_NODE_H
#define LYC_FAKE_FAKE_NODE_H

#include "base/rng.h"
#include "node/daemon.h"

#define FAKE_MAX_NODES 16
#define FAKE_MAX_CLIENTS 64
/* The port at which a daemon has its nodes and clients. */
#define FAKE_LISTENER 1
/* Passes for a key of Z85. */
#define FAKE_KEY "0123456789012345678901234567890123456789"

struct fake_frames {
	struct buf *items;
	size_t first;
	size_t count;
};

/* Empty where it has been removed. */
struct fake_record {
	struct buf subject;
	struct buf record;
};

struct fake_value {
	char *key;
	struct buf value;
	struct fake_value *next;
};

struct Lyceum__V1__Config;
struct fake_backup;
struct fake_world;
struct fake_node;

/* Takes the frame's content. */
void fake_frames_add(struct fake_frames *frames, struct buf *frame);
/* The oldest frame, the caller's now; false when there is none. */
bool fake_frames_take(struct fake_frames *frames, struct buf *ret_frame);
/* All of them are lost. */
void fake_frames_drop(struct fake_frames *frames);

/* Somebody connected to one daemon. */
struct fake_client {
	struct fake_node *node;
	char identity[64];
	char routing_id[32];
	struct fake_frames in;
	/* The socket takes nothing. */
	bool is_full;
	struct frame_reader reader;
	struct buf frame;
	bool is_reading;
	struct packet packet;
	struct buf out;
};

struct fake_node {
	struct fake_world *world;
	char name[32];
	struct fake_node *hub;
	struct env env;
	struct daemon daemon;
	bool is_running;
	uint64_t epoch;

	/* The disk. */
	struct fake_record *records;
	size_t record_count;
	struct fake_value *values;
	struct append *appends;
	struct log_read *reads;
	struct log_removal *removal;
	bool keeps_damaged;      /* files that are kept aside cannot be deleted */
	unsigned forgot_damaged; /* so often they were */
	/* fake_settle answers no appends. */
	bool is_held;
	/* What the next appends are answered with, unless OK. */
	enum lyc_status append_status;
	size_t max_read_len; /* of one stretch of the log; 0: as long as is asked for */

	/* The connection to the hub: each has a number of its own. */
	bool is_open;
	bool is_refused;          /* the hub is not to be reached */
	const char *uplink_fault; /* what the transport says of an attempt; NULL: nothing */
	unsigned connection;
	struct fake_frames up;
	struct fake_frames down;
	/* Everything that was ever put onto the link towards this node, lost or not; and from it.
	 */
	struct buf seen_down;
	struct buf seen_up;

	int cut_fd;
	unsigned cut_count;

	/* Of plugins. */
	unsigned start_count;
	unsigned stop_count;
	enum lyc_status start_status;
};

/* What somebody makes of these daemons. Each may be NULL. */
struct fake_hooks {
	/* Before a daemon starts: more for its configuration, which has a name, a hub and credit.
	 * What is set has to last until `prepare`. */
	void (*configure)(struct fake_node *node, struct Lyceum__V1__Config *config);
	/* The daemon is made and has not read its log yet. */
	void (*prepare)(struct fake_node *node);
	/* Let run what else there is, after each round of the daemons; true: it has done something.
	 */
	bool (*run)(struct fake_world *world);
	/* Of struct env; NULL: the node counts them. */
	enum lyc_status (*plugin_start)(struct fake_node *node, struct plugin *plugin,
					struct lyc_error *error);
	void (*plugin_stop)(struct fake_node *node, struct plugin *plugin, uint32_t grace_ms);
	void *arg;
};

struct fake_plugin;

struct fake_world {
	uint64_t now_ms;
	/* The time of day is that much more than now_ms. */
	int64_t wall_offset_ms;
	struct rng rng;
	struct fake_hooks hooks;
	/* Known to every daemon from its start; NULL: none. */
	struct schema *schema;
	struct fake_node *nodes[FAKE_MAX_NODES];
	size_t node_count;
	struct fake_client *clients[FAKE_MAX_CLIENTS];
	size_t client_count;
	size_t clients_ever;
	/* Running; see fake_plugin.h. */
	struct fake_plugin *plugins;
};

/* `hooks` is copied; NULL: none. */
struct fake_world *fake_world_make(uint64_t seed, const struct fake_hooks *hooks);
void fake_world_free(struct fake_world *world);

/* A running daemon. `hub` NULL: none; otherwise one that knows this name as a node. */
struct fake_node *fake_node_add(struct fake_world *world, const char *name, struct fake_node *hub);
/* Ends without a word and begins again with what its disk has; what had not been answered is lost.
 */
void fake_node_restart(struct fake_node *node);

/* What the disk has at this moment. */
struct fake_backup *fake_backup_new(const struct fake_node *node);
void fake_backup_free(struct fake_backup *backup);
/* Ends without a word and begins again with what a backup has, in a new epoch. */
void fake_node_restore(struct fake_node *node, const struct fake_backup *backup,
		       bool waits_for_hub);

/* Replace the disk's content. For fake_node_restore. */
void fake_disk_restore(struct fake_node *node, const struct fake_backup *backup,
		       bool waits_for_hub);
void fake_disk_clear(struct fake_node *node);

/* The part of struct env that is the log. */
void fake_disk_env(struct env *env);
/* Answer up to `count` appends or reads, and with the reads a removal; returns how many. */
size_t fake_commit(struct fake_node *node, size_t count);
size_t fake_serve(struct fake_node *node, size_t count);
/* Deliver one frame of the link between this node and its hub; false when there is none. */
bool fake_deliver_up(struct fake_node *node);
bool fake_deliver_down(struct fake_node *node);
/* The connection breaks: what is under way is lost, and what comes next is of a new connection. */
void fake_cut(struct fake_node *node);
/* Answer and deliver everything until nothing is left to do. */
void fake_settle(struct fake_world *world);
/* Let time pass in ticks of 10 ms, everything settled in each. */
void fake_pass(struct fake_world *world, uint64_t ms);
/* The same without settling. */
void fake_tick(struct fake_world *world, uint64_t ms);

/* Somebody connected to this daemon, who has not said a word. Goes with the world. */
struct fake_client *fake_client_new(struct fake_node *node, const char *identity);
/* Gone, without a word. */
void fake_client_free(struct fake_client *client);
void fake_hello(struct fake_client *client);
void fake_send(struct fake_client *client, const struct packet *packet);
void fake_send_bytes(struct fake_client *client, struct span frame);
/* The next packet that came; NULL when there is none. Valid until the next. */
const struct packet *fake_next(struct fake_client *client);
struct span fake_text(const char *chars);

#endif

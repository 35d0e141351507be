/*
 * Daemons without sockets, files, threads and clocks: each has a log in memory whose appends and
 * reads are answered when the test says so, and links to its hub whose frames are delivered one by
 * one, lost, or left lying. The clock is the test's.
 */
#ifndef LYC_TESTS_SUPPORT_FAKE_WORLD_H
#define LYC_TESTS_SUPPORT_FAKE_WORLD_H

#include "base/rng.h"
#include "node/daemon.h"

#define FAKE_MAX_NODES 4
#define FAKE_MAX_CLIENTS 12
/* The port at which a daemon has its nodes and clients. */
#define FAKE_LISTENER 1

struct fake_frames {
	struct buf *items;
	size_t first;
	size_t count;
};

struct fake_record {
	struct buf subject;
	struct buf record;
};

struct fake_value {
	char *key;
	struct buf value;
	struct fake_value *next;
};

struct fake_world;
struct fake_node;

/* The oldest frame, the caller's now; false when there is none. */
bool fake_frames_take(struct fake_frames *frames, struct buf *ret_frame);

/* Somebody connected to one daemon. */
struct fake_client {
	struct fake_node *node;
	char identity[64];
	char routing_id[16];
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
	/* What the next appends are answered with, unless OK. */
	enum lyc_status append_status;

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

struct fake_world {
	uint64_t now_ms;
	struct rng rng;
	struct schema *schema;
	struct fake_node *nodes[FAKE_MAX_NODES];
	size_t node_count;
	struct fake_client *clients[FAKE_MAX_CLIENTS];
	size_t client_count;
};

struct fake_world *fake_world_new(uint64_t seed);
void fake_world_free(struct fake_world *world);

/* A running daemon that knows notice.proto, with the peers `ann` (a person in the group policy),
 * `root` (the operator), the nodes wales, cork and derry, and the plugin instances board and
 * board.2. `hub` NULL: none. */
struct fake_node *fake_node_add(struct fake_world *world, const char *name, struct fake_node *hub);
/* Ends without a word and begins again with what its disk has; what had not been answered is lost.
 */
void fake_node_restart(struct fake_node *node);

/* The part of struct env that is the log. */
void fake_disk_env(struct env *env);
/* Answer up to `count` appends or reads; returns how many. */
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

/* Connects without a word; fake_greet says Hello and takes the Welcome. */
struct fake_client *fake_client_new(struct fake_node *node, const char *identity);
struct fake_client *fake_client_add(struct fake_node *node, const char *identity);
void fake_send(struct fake_client *client, const struct packet *packet);
void fake_send_bytes(struct fake_client *client, struct span frame);
/* The next packet that came; NULL when there is none. Valid until the next. */
const struct packet *fake_next(struct fake_client *client);
/* The next, which has to be of this kind. */
const struct packet *fake_expect(struct fake_client *client, enum packet_kind kind);
void fake_expect_nothing(struct fake_client *client);

/* ---- What tests say again and again ---- */

/* A Notice of this home; visibility 0: without a label; audience NULL: none. */
void fake_notice(struct buf *to, const char *home, const char *id, const char *text, int visibility,
		 const char *audience);
/* Publish a Notice of the client's daemon durably, under this id. */
void fake_post(struct fake_client *client, uint64_t publish_id, const char *id, const char *text,
	       int visibility, const char *audience);
void fake_remove(struct fake_client *client, uint64_t publish_id, const char *id);
void fake_subscribe(struct fake_client *client, const struct packet_subscribe *subscribe);
/* The plugin `board` as it connects and serves lyceum.notice.v1.Board. */
struct fake_client *fake_board_add(struct fake_node *node, const char *identity);
struct span fake_text(const char *chars);

#endif

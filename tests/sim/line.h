/*
 * A connection between a daemon and whoever connected to it: a node, or a peer. Frames arrive late,
 * in order, and are lost with it. It may break so that both sides hear of it, or one, or none; it
 * may come back under another routing id unseen; it may stall, and fill up.
 */
#ifndef LYC_TESTS_SIM_LINE_H
#define LYC_TESTS_SIM_LINE_H

#include "simulation.h"

/* The port at which a daemon has its nodes and clients. */
#define LINE_LISTENER 1

enum line_way { LINE_UP = 0, LINE_DOWN = 1 };

struct line_queue {
	struct buf *frames;
	size_t first;
	size_t count;
	size_t cap;
	size_t len; /* bytes */
	uint64_t last_us;
	uint64_t stalled_until_us;
};

struct line {
	struct line *next;
	struct sim *sim;
	uint64_t id;
	char routing_id[24];
	char identity[64];
	struct sim_node *server;
	/* One of them is the other end. */
	struct sim_node *node;
	struct sim_peer *peer;

	bool is_connected;
	bool was_connected;
	bool is_ended;
	/* From when on the server's socket knows that nobody is there. */
	uint64_t gone_us;
	/* Frames of a former generation are lost. */
	uint64_t generation;
	struct line_queue ways[2];
};

/* An attempt: it connects after a while, or never where the server cannot be reached. */
struct line *line_open(struct sim *sim, struct sim_node *server, struct sim_node *node,
		       struct sim_peer *peer, const char *identity);
/* As env.send. */
enum lyc_status line_send(struct line *line, enum line_way way, struct buf *frame);
/* The other end has closed it. */
void line_close(struct line *line);
/* It breaks; each side hears of it after its delay. UINT64_MAX: not by this. */
void line_cut(struct line *line, uint64_t server_delay_us, uint64_t client_delay_us);
/* It breaks and comes back under another routing id: nobody is told. */
void line_swap(struct line *line);
void line_stall(struct line *line, enum line_way way, uint64_t for_us);
/* The line of a routing id at a daemon; NULL. */
struct line *line_find(struct sim_node *server, struct span routing_id);
/* By its present number; NULL. */
struct line *line_by_id(const struct sim *sim, uint64_t id);
void lines_free(struct sim *sim);

/* ---- mutated_frames.c ---- */

/* The frame as a deliberate fault makes of it; may be emptied. */
void mutated_frame(struct line *line, enum line_way way, struct buf *frame);

#endif

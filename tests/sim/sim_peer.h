/*
 * Somebody who speaks packets with a daemon: connects, says Hello, keeps the session alive, comes
 * back when it is lost. What it does beyond that is its role.
 */
#ifndef LYC_TESTS_SIM_SIM_PEER_H
#define LYC_TESTS_SIM_SIM_PEER_H

#include "line.h"
#include "simulation.h"
#include "wire/packet.h"

struct peer_role {
	/* The session is there; it has ended (what was outstanding is unknown); a packet came. */
	void (*on_up)(struct sim_peer *peer);
	void (*on_down)(struct sim_peer *peer);
	void (*on_packet)(struct sim_peer *peer, const struct packet *packet);
	/* A daemon sends it this frame; NULL: nobody looks. */
	void (*on_sent)(struct sim_peer *peer, struct span frame);
	void (*free)(struct sim_peer *peer);
	uint32_t (*reader_bit)(size_t node);
};

struct sim_peer {
	struct sim *sim;
	struct sim_node *node;
	char identity[16];
	const struct peer_role *role;
	void *state;

	bool is_started;
	bool is_up;
	uint64_t epoch; /* of the daemon's log, as Welcome says */
	/* Begun anew with each connection. */
	uint64_t session;
	struct line *line;
	uint64_t heard_us;
	uint64_t next_id;
	struct frame_reader reader;
	struct buf out;
};

struct sim_peer *sim_peer_new(struct sim *sim, struct sim_node *node, const char *identity,
			      const struct peer_role *role, void *state);
void sim_peer_free(struct sim_peer *peer);
/* Connect, in a while; and again whenever the connection is lost, until it is stopped. */
void sim_peer_start(struct sim_peer *peer, uint64_t delay_us);
void sim_peer_stop(struct sim_peer *peer);
void sim_peer_send(struct sim_peer *peer, const struct packet *packet);
/* Its session goes on after this many microseconds, or not: a callback whose tag is the session. */
void sim_peer_in(struct sim_peer *peer, uint64_t delay_us, sim_event_fn run);

/* ---- of the line ---- */
void sim_peer_connected(struct sim_peer *peer);
void sim_peer_lost(struct sim_peer *peer);
void sim_peer_frame(struct sim_peer *peer, struct span frame);
uint32_t sim_peer_bit(const struct sim_peer *peer);

struct span text_span(const char *text);

#endif

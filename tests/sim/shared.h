/*
 * What a group promises, held against what a daemon does: its place in the log passes no record
 * that no member has handled; while the members stay, each record of a subject goes to one of them,
 * once, in order; and what lies before the place does not come again.
 */
#ifndef LYC_TESTS_SIM_SHARED_H
#define LYC_TESTS_SIM_SHARED_H

#include "reader.h"
#include "sim_node.h"
#include "wire/packet.h"

/* The members' key and their group's durable name. */
#define SHARED_OWNER "gina"
#define SHARED_NAME "g"
#define SHARED_PATTERN "lyceum.notice.v1.Notice.>"

/* To whom the last record of a subject went. */
struct shared_last {
	uint64_t seq;
	const struct sim_peer *peer;
	uint64_t session;
};

struct shared {
	bool is_played;
	uint8_t handled[READER_SEQS];
	uint64_t judged_seq;
	/* The place, as the daemon in its present life has it, and as it lies on the disk. */
	uint64_t place_seq;
	uint64_t stored_seq;
	/* Who the members are, and the log's end when that was seen to have changed. */
	uint64_t members;
	uint64_t floor_seq;
	struct shared_last last[SIM_NODES][VIEW_IDS];
};

/* Members of groups, at two daemons. */
void shared_play(struct sim *sim);

/* A daemon sends a record to a member; a member says that it has handled one. */
void shared_sent(const struct sim_peer *peer, const struct packet_deliver *deliver);
void shared_handled(const struct sim_peer *peer, uint64_t seq);

/* ---- of the daemon's small values ---- */

void shared_saved(struct sim_node *node, const char *key, struct span value);
void shared_stored(struct sim_node *node, const char *key, struct span value);
/* May change what is found, as a deliberate fault does. */
void shared_found(struct sim_node *node, const char *key, struct buf *value);
/* The daemon begins a new life; its log was restored. */
void shared_begin(struct sim_node *node);
void shared_forget(struct sim_node *node);

bool shared_has_settled(const struct sim_node *node);

#endif

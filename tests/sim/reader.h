/*
 * Two readers at each daemon. carol, an operator, follows records: under a durable name, from where
 * she was, and into a view. ann, a person, listens to what comes by: alone and with carol in a
 * group; she is slow.
 */
#ifndef LYC_TESTS_SIM_READER_H
#define LYC_TESTS_SIM_READER_H

#include "sim_peer.h"
#include "store/backup.h"
#include "view.h"

#define READER_SEQS 4096

/* Each restore begins at the next multiple of BACKUP_EPOCH_STEP: where a sequence has its place. */
static inline uint64_t reader_place(uint64_t seq)
{
	return seq / BACKUP_EPOCH_STEP * 1000 + seq % BACKUP_EPOCH_STEP;
}

struct carol {
	/* By local sequence. */
	uint8_t seen_durable[READER_SEQS];
	uint8_t seen_next[READER_SEQS];
	uint64_t durable_session_seq; /* in this session */
	uint64_t durable_used_us;     /* since when the name is in use */
	uint64_t durable_to;          /* handed out so far, by Deliver or Gap */
	uint64_t next_seq;
	uint64_t next_told;
	uint8_t seen_origin[SIM_NODES][READER_SEQS];
	uint64_t origin_seq[SIM_NODES];
	uint64_t origin_epoch[SIM_NODES];
	struct view folded; /* of all that came since the beginning */
	uint64_t fresh_told;
	struct view fresh; /* of this session, from the last records */
	uint64_t durable_held;
};

struct sim_peer *carol_new(struct sim *sim, struct sim_node *node);
const struct carol *carol_of(const struct sim_peer *peer);
/* Fold anew, from the last records. */
void carol_refresh(struct sim_peer *peer);

struct sim_peer *ann_new(struct sim *sim, struct sim_node *node);
/* Return all credit that is owed. */
void ann_catch_up(struct sim_peer *peer);
/* Ask for all records at once, and never give anything back. */
void ann_gulp(struct sim_peer *peer);
void ann_check(struct sim_peer *peer);

#endif

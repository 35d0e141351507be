/*
 * Disks that flip a bit: what is damaged comes back whole from another daemon's copy, or is named
 * as lost; and nothing that is not what was written is taken for it. Here are the flips, what the
 * world does about damage, and what must hold in the end.
 */
#ifndef LYC_TESTS_SIM_DAMAGE_H
#define LYC_TESTS_SIM_DAMAGE_H

#include "book.h"
#include "reader.h"
#include "sim_node.h"
#include "wire/packet.h"

/* What a log has taken, whatever becomes of its bytes. */
struct damage_truth {
	bool is_there;
	size_t origin;
	uint64_t epoch;
	uint64_t origin_seq;
	bool has_key;
	size_t home;
	size_t id;
};

struct damage {
	struct damage_truth *truth; /* by reader_place; NULL: nobody asks */
	/* Were ever lost, by reader_place. */
	uint8_t had[READER_SEQS];
	struct log_heal *heals;
	struct log_heal *healed;
	bool is_healing;
	bool is_told; /* the daemon will look */
	uint64_t scrub_seq;
	unsigned calm_rounds; /* of the scrub, since there are no more faults */
	uint64_t mended_us;
};

/* Flips from now on, in some seeds. */
void damage_play(struct sim *sim);
void damage_free(struct sim *sim);

/* ---- the world's part ---- */

void damage_env(struct env *env);
void damage_started(struct sim_node *node);
void damage_closed(struct sim_node *node);
/* The log has taken this. */
void damage_taken(struct sim_node *node, uint64_t seq, struct span record);
/* What is damaged around there is put aside and named; true when there was something. */
bool damage_mend(struct sim_node *node, uint64_t seq);

/* ---- what the checks ask ---- */

bool damage_is_named(const struct sim_node *node, uint64_t seq);
/* Was it ever lost there? */
bool damage_has_had(const struct sim_node *node, uint64_t seq);
bool damage_has_settled(struct sim_node *node);
/* A record is what was published. */
void damage_check_bytes(const struct sim_peer *peer, const struct packet_deliver *deliver);

/* Keys of which something was ever lost somewhere: who follows may have passed it. */
struct damage_marks {
	bool keys[SIM_NODES][VIEW_IDS];
	uint8_t ids[SIM_NODES][READER_SEQS]; /* by origin, and its sequence */
};
void damage_mark(struct sim *sim);
/* May this record be missing with others because it was lost somewhere? */
bool damage_excuses(const struct sim *sim, size_t origin, uint64_t seq);
/* Leave such keys out of two views. */
void damage_leave(const struct sim *sim, struct view *a, struct view *b);
/* What is lost and lies whole where it was to be asked for has come back. */
void damage_check_healed(struct sim *sim, const struct book *books);

#endif

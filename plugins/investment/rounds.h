/*
 * Money promised and raised: a fold of the records of rounds and commitments. Every record has a
 * key and a revision; the highest revision of a key counts and a record that comes again changes
 * nothing, so the order and number of deliveries do not matter. Keeps what stands; adding up is
 * attribution.h's.
 */
#ifndef INVESTMENT_ROUNDS_H
#define INVESTMENT_ROUNDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

struct rounds;

struct rounds_round {
	/* The key. */
	const char *id;
	/* Above that of every earlier version of the round. */
	uint64_t revision;
	const char *venture;
	uint32_t stage;
	/* UTC milliseconds; 0: still open. */
	int64_t closed_ms;
	bool is_withdrawn;
};

struct rounds_credit {
	const char *node;
	uint32_t weight;
};

struct rounds_commitment {
	/* The key. */
	const char *id;
	uint64_t revision;
	const char *round;
	const char *investor;
	/* Minor units, not negative. */
	int64_t amount;
	const char *currency;
	/* The node through whose network it came; empty: none's. */
	const char *via_node;
	bool is_withdrawn;
	/* Who passed the interest on, with their weights; none: all of it is via_node's. */
	const struct rounds_credit *credits;
	size_t credit_count;
};

#define ROUNDS_MAX_CREDITS 16

/* A commitment and its round; NULL when the round has not come yet. Both are borrowed. */
typedef void (*rounds_each_fn)(const struct rounds_commitment *commitment,
			       const struct rounds_round *round, void *closure);

/* Returns, caller frees with rounds_free; NULL when there is no memory. */
struct rounds *rounds_new(void);
void rounds_free(struct rounds *rounds);
/* Take a version of a round. LYC_OK also when it is old or came before; LYC_INVALID_ARGUMENT when a
 * text is NULL, the id is empty or the revision 0; LYC_ALREADY_EXISTS when this revision came
 * before with another content. Copies. */
LYC_MUST_USE enum lyc_status rounds_put_round(struct rounds *rounds,
					      const struct rounds_round *round);
/* The same of a commitment. LYC_INVALID_ARGUMENT also for a negative amount and for credits that
 * attribution_split refuses; LYC_OUT_OF_RANGE when all commitments of its currency would be more
 * than 64 bits hold: it is then not taken. */
LYC_MUST_USE enum lyc_status rounds_put_commitment(struct rounds *rounds,
						   const struct rounds_commitment *commitment);
/* Call for every commitment, in no particular order, withdrawn ones too. */
void rounds_each(const struct rounds *rounds, rounds_each_fn each, void *closure);
/* How often rounds_each would call. */
size_t rounds_commitment_count(const struct rounds *rounds);

#endif

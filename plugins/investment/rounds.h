/*
 * Money raised: a fold of rounds and commitments into totals, exact in minor units. Every record
 * has a key and a revision; the highest revision of a key counts and a record that comes again
 * changes nothing, so the order and number of deliveries do not matter. Totals are of one currency
 * at a time. Who is credited is what the commitment says: the node whose network it came through,
 * and, where it says so, shares for the nodes that passed an interest on.
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

/* What is counted. */
struct rounds_filter {
	const char *currency;
	/* The node that asks: what came through its network is its own. */
	const char *node;
	/* Rounds closed within [from, until); 0 for no bound. */
	int64_t from_ms;
	int64_t until_ms;
	/* NULL or empty: all. */
	const char *venture;
};

struct rounds_report {
	/* In closed rounds: raised = own + others, exactly. */
	int64_t raised;
	int64_t own;
	int64_t others;
	/* In rounds still open; the dates do not apply. */
	int64_t pledged;
	/* Ventures, closed rounds and commitments behind `raised`. */
	uint64_t venture_count;
	uint64_t round_count;
	uint64_t commitment_count;
	/* Commitments to a round that has not come yet, in any currency. */
	uint64_t waiting_count;
};

/* A node's part of what was raised; the parts of all nodes sum to it. */
struct rounds_share {
	/* Empty for what came through nobody's network. Valid until the next change. */
	const char *node;
	int64_t amount;
};

/* Returns, caller frees with rounds_free; NULL when there is no memory. */
struct rounds *rounds_new(void);
void rounds_free(struct rounds *rounds);
/* Take a version of a round. LYC_OK also when it is old or came before. LYC_INVALID_ARGUMENT
 * without an id or revision; LYC_ALREADY_EXISTS when this revision was another content. Copies. */
LYC_MUST_USE enum lyc_status rounds_put_round(struct rounds *rounds,
					      const struct rounds_round *round);
/* The same of a commitment; LYC_OUT_OF_RANGE when all commitments of its currency would be more
 * than 64 bits hold: it is then not taken. */
LYC_MUST_USE enum lyc_status rounds_put_commitment(struct rounds *rounds,
						   const struct rounds_commitment *commitment);
/* What rounds_put_commitment would answer. Changes nothing: for before a record is appended. */
LYC_MUST_USE enum lyc_status rounds_may_commit(const struct rounds *rounds,
					       const struct rounds_commitment *commitment);
/* A record is gone (erased, or its retention ended): as if it had never come. */
void rounds_remove_round(struct rounds *rounds, const char *id);
void rounds_remove_commitment(struct rounds *rounds, const char *id);
/* The totals. */
void rounds_report(const struct rounds *rounds, const struct rounds_filter *filter,
		   struct rounds_report *ret_report);
/* What was raised by who is credited, ascending by node. The filter's node does not matter. The
 * caller frees the array. */
LYC_MUST_USE enum lyc_status rounds_shares(const struct rounds *rounds,
					   const struct rounds_filter *filter,
					   struct rounds_share **ret_shares, size_t *ret_count);
/* Split an amount by weights so that the parts sum to it: each its share rounded down, and what is
 * left goes one by one to the largest remainders, the first of equals first. LYC_INVALID_ARGUMENT
 * for a negative amount, no weights, or weights that are all 0. */
LYC_MUST_USE enum lyc_status rounds_split(int64_t amount, const struct rounds_credit *credits,
					  size_t count, int64_t *ret_parts);

#endif

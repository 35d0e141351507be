/*
 * Who is credited with the money that was raised: exact totals in minor units over the rounds that
 * a filter names, of one currency at a time. Own is what came through the asking node's network, as
 * each commitment says; shares divide each commitment among the nodes that passed the interest on.
 */
#ifndef INVESTMENT_ATTRIBUTION_H
#define INVESTMENT_ATTRIBUTION_H

#include "rounds.h"

/* What is counted. */
struct attribution_filter {
	const char *currency;
	/* The node that asks: what came through its network is its own. */
	const char *node;
	/* Rounds closed within [from, until); 0 for no bound. */
	int64_t from_ms;
	int64_t until_ms;
	/* NULL or empty: all. */
	const char *venture;
};

struct attribution_report {
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
struct attribution_share {
	/* Empty for what came through nobody's network. Valid until the next change. */
	const char *node;
	int64_t amount;
};

/* The totals. LYC_RESOURCE_EXHAUSTED when there is no memory to count ventures. */
LYC_MUST_USE enum lyc_status attribution_report(const struct rounds *rounds,
						const struct attribution_filter *filter,
						struct attribution_report *ret_report);
/* What was raised by who is credited, ascending by node; the filter's node does not matter. The
 * caller frees the array. */
LYC_MUST_USE enum lyc_status attribution_shares(const struct rounds *rounds,
						const struct attribution_filter *filter,
						struct attribution_share **ret_shares,
						size_t *ret_count);
/* Split an amount by up to ROUNDS_MAX_CREDITS weights so that the parts sum to it: each its share
 * rounded down, and what is left goes one by one to the largest remainders, the first of equals
 * first. LYC_INVALID_ARGUMENT for a negative amount, no weights, or weights that are all 0. */
LYC_MUST_USE enum lyc_status attribution_split(int64_t amount, const struct rounds_credit *credits,
					       size_t count, int64_t *ret_parts);

#endif

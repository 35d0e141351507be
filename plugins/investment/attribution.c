/* Everything is added up when it is asked for, so no total can drift from the records. */
#include "attribution.h"

#include <stdlib.h>
#include <string.h>

__extension__ typedef unsigned __int128 wide;

static bool is_in(const struct attribution_filter *filter, const struct rounds_round *round)
{
	return (!filter->venture || !filter->venture[0] ||
		strcmp(filter->venture, round->venture) == 0) &&
	       !round->is_withdrawn;
}

static bool is_raised(const struct attribution_filter *filter, const struct rounds_round *round)
{
	return round->closed_ms != 0 && is_in(filter, round) &&
	       (filter->from_ms == 0 || round->closed_ms >= filter->from_ms) &&
	       (filter->until_ms == 0 || round->closed_ms < filter->until_ms);
}

static int compare_rounds(const void *left, const void *right)
{
	const struct rounds_round *one = *(const struct rounds_round *const *)left;
	const struct rounds_round *two = *(const struct rounds_round *const *)right;
	int order = strcmp(one->venture, two->venture);
	return order != 0 ? order : strcmp(one->id, two->id);
}

static void count_rounds(const struct rounds_round **found, size_t count,
			 struct attribution_report *report)
{
	if (count > 1)
		qsort(found, count, sizeof(*found), compare_rounds);
	for (size_t i = 0; i < count; i++) {
		bool is_first = i == 0;
		if (is_first || found[i] != found[i - 1])
			report->round_count++;
		if (is_first || strcmp(found[i]->venture, found[i - 1]->venture) != 0)
			report->venture_count++;
	}
}

/* What goes through the commitments, and what it has found. */
struct totals {
	const struct attribution_filter *filter;
	struct attribution_report report;
	const struct rounds_round **found;
	size_t found_count;
};

static void add_commitment(const struct rounds_commitment *commitment,
			   const struct rounds_round *round, void *closure)
{
	struct totals *totals = closure;
	struct attribution_report *report = &totals->report;
	const char *node = totals->filter->node;

	if (!round)
		report->waiting_count++;
	if (!round || commitment->is_withdrawn ||
	    strcmp(commitment->currency, totals->filter->currency) != 0)
		return;
	if (round->closed_ms == 0 && is_in(totals->filter, round))
		report->pledged += commitment->amount;
	if (!is_raised(totals->filter, round))
		return;
	report->raised += commitment->amount;
	if (node && node[0] && strcmp(commitment->via_node, node) == 0)
		report->own += commitment->amount;
	report->commitment_count++;
	totals->found[totals->found_count++] = round;
}

enum lyc_status attribution_report(const struct rounds *rounds,
				   const struct attribution_filter *filter,
				   struct attribution_report *ret_report)
{
	struct totals totals = {.filter = filter};

	totals.found = calloc(rounds_commitment_count(rounds) + 1, sizeof(*totals.found));
	if (!totals.found)
		return LYC_RESOURCE_EXHAUSTED;
	rounds_each(rounds, add_commitment, &totals);
	totals.report.others = totals.report.raised - totals.report.own;
	count_rounds(totals.found, totals.found_count, &totals.report);
	free(totals.found);
	*ret_report = totals.report;
	return LYC_OK;
}

enum lyc_status attribution_split(int64_t amount, const struct rounds_credit *credits, size_t count,
				  int64_t *ret_parts)
{
	wide remainders[ROUNDS_MAX_CREDITS];
	uint64_t sum = 0;
	int64_t left = amount;

	if (amount < 0 || count == 0 || count > ROUNDS_MAX_CREDITS)
		return LYC_INVALID_ARGUMENT;
	for (size_t i = 0; i < count; i++)
		sum += credits[i].weight;
	if (sum == 0)
		return LYC_INVALID_ARGUMENT;
	for (size_t i = 0; i < count; i++) {
		wide share = (wide)(uint64_t)amount * credits[i].weight;
		ret_parts[i] = (int64_t)(share / sum);
		/* One more than it is, so that 0 can say "has had its turn". */
		remainders[i] = share % sum + 1;
		left -= ret_parts[i];
	}
	for (; left > 0; left--) {
		size_t largest = 0;
		for (size_t i = 1; i < count; i++) {
			if (remainders[i] > remainders[largest])
				largest = i;
		}
		ret_parts[largest]++;
		remainders[largest] = 0;
	}
	return LYC_OK;
}

static int compare_shares(const void *left, const void *right)
{
	const struct attribution_share *one = left, *two = right;
	return strcmp(one->node, two->node);
}

struct sharing {
	const struct attribution_filter *filter;
	struct attribution_share *shares;
	size_t count;
};

static void count_shares(const struct rounds_commitment *commitment,
			 const struct rounds_round *round, void *closure)
{
	struct sharing *sharing = closure;

	(void)round;
	sharing->count += commitment->credit_count + 1;
}

static void add_shares(const struct rounds_commitment *commitment, const struct rounds_round *round,
		       void *closure)
{
	struct sharing *sharing = closure;
	int64_t parts[ROUNDS_MAX_CREDITS];

	if (!round || commitment->is_withdrawn || !is_raised(sharing->filter, round) ||
	    strcmp(commitment->currency, sharing->filter->currency) != 0)
		return;
	if (attribution_split(commitment->amount, commitment->credits, commitment->credit_count,
			      parts) != LYC_OK) {
		sharing->shares[sharing->count++] = (struct attribution_share){
			.node = commitment->via_node, .amount = commitment->amount};
		return;
	}
	for (size_t i = 0; i < commitment->credit_count; i++)
		sharing->shares[sharing->count++] = (struct attribution_share){
			.node = commitment->credits[i].node, .amount = parts[i]};
}

static size_t merge_shares(struct attribution_share *shares, size_t count)
{
	size_t kept = 0;

	if (count > 1)
		qsort(shares, count, sizeof(*shares), compare_shares);
	for (size_t i = 0; i < count; i++) {
		if (kept > 0 && strcmp(shares[kept - 1].node, shares[i].node) == 0)
			shares[kept - 1].amount += shares[i].amount;
		else
			shares[kept++] = shares[i];
	}
	return kept;
}

enum lyc_status attribution_shares(const struct rounds *rounds,
				   const struct attribution_filter *filter,
				   struct attribution_share **ret_shares, size_t *ret_count)
{
	struct sharing sharing = {.filter = filter};

	rounds_each(rounds, count_shares, &sharing);
	sharing.shares = calloc(sharing.count + 1, sizeof(*sharing.shares));
	if (!sharing.shares)
		return LYC_RESOURCE_EXHAUSTED;
	sharing.count = 0;
	rounds_each(rounds, add_shares, &sharing);
	*ret_count = merge_shares(sharing.shares, sharing.count);
	*ret_shares = sharing.shares;
	return LYC_OK;
}

/* The fold is made for each question: a few thousand records, a few milliseconds, nothing to keep
 * in step. */
#include "ledger.h"

#include <stdlib.h>
#include <string.h>

#include "attribution.h"
#include "introduction.h"
#include "money.h"

typedef Lyceum__Investment__V1__ReportReply report_reply;
typedef Lyceum__Investment__V1__ReportRequest report_request;

static bool put_round(struct pad *pad, struct rounds *rounds, const struct held *held)
{
	const round_msg *round = (const void *)held->message;
	const struct rounds_round taken = {
		.id = pad_print(pad, "%s/%s", round->home, round->id),
		.revision = held->seq,
		.venture = pad_print(pad, "%s/%s", round->home, round->venture),
		.stage = (uint32_t)round->stage,
		.closed_ms = round->closed_ms,
	};

	return rounds_put_round(rounds, &taken) == LYC_OK;
}

static bool put_commitment(struct pad *pad, const struct view *view, struct rounds *rounds,
			   const struct held *held)
{
	const commitment_msg *commitment = (const void *)held->message;
	const proposal_msg *proposal = commitment->proposal[0]
					       ? introduction_find(view, commitment->proposal, NULL)
					       : NULL;
	size_t credit_count =
		proposal && proposal->n_credit <= ROUNDS_MAX_CREDITS ? proposal->n_credit : 0;
	struct rounds_credit *credits = pad_new(pad, credit_count, sizeof(*credits));

	for (size_t i = 0; i < credit_count; i++)
		credits[i] = (struct rounds_credit){proposal->credit[i]->node,
						    proposal->credit[i]->share_millionths};
	const struct rounds_commitment taken = {
		.id = pad_print(pad, "%s/%s", commitment->home, commitment->id),
		.revision = held->seq,
		.round = pad_print(pad, "%s/%s", commitment->home, commitment->round),
		.investor = commitment->investor,
		.amount = commitment->amount_minor,
		.currency = commitment->currency,
		.via_node = commitment->via_node,
		.credits = credits,
		.credit_count = credit_count,
	};
	return rounds_put_commitment(rounds, &taken) == LYC_OK;
}

struct rounds *ledger_fold(const struct view *view, ledger_may_see_fn may_see, void *arg)
{
	struct rounds *rounds = rounds_new();
	struct pad pad = {0};
	bool is_whole = rounds != NULL;

	VIEW_EACH(held, view, KIND_ROUND)
	{
		const round_msg *round = (const void *)held->message;
		if (is_whole && may_see(arg, round->label))
			is_whole = put_round(&pad, rounds, held);
	}
	VIEW_EACH(held, view, KIND_COMMITMENT)
	{
		const commitment_msg *commitment = (const void *)held->message;
		if (is_whole && may_see(arg, commitment->label))
			is_whole = put_commitment(&pad, view, rounds, held);
	}
	pad_fini(&pad);
	if (!is_whole) {
		rounds_free(rounds);
		return NULL;
	}
	return rounds;
}

/* ---- The report ---- */

static size_t currencies(const struct view *view, const char *found[16])
{
	size_t count = 0;

	VIEW_EACH(held, view, KIND_COMMITMENT)
	{
		const char *currency =
			((const commitment_msg *)(const void *)held->message)->currency;
		size_t at = 0;
		while (at < count && strcmp(found[at], currency) != 0)
			at++;
		if (at == count && count < 16)
			found[count++] = currency;
	}
	return count;
}

static bool add_shares(struct pad *pad, const struct rounds *rounds,
		       const struct attribution_filter *filter, report_row_msg *row)
{
	struct attribution_share *shares;
	size_t count;

	if (attribution_shares(rounds, filter, &shares, &count) != LYC_OK)
		return false;
	for (size_t i = 0; i < count; i++) {
		share_row_msg *share = PAD_NEW(pad, share_row);
		share->node = pad_copy(pad, shares[i].node[0] ? shares[i].node : "-");
		share->amount_minor = shares[i].amount;
		share->amount = money_text(pad, shares[i].amount);
		pad_push(pad, &row->share, &row->n_share, share);
	}
	free(shares);
	return true;
}

static uint64_t add_row(struct pad *pad, const struct rounds *rounds,
			const struct attribution_filter *filter, report_reply *reply)
{
	struct attribution_report totals;
	report_row_msg *row = PAD_NEW(pad, report_row);

	if (attribution_report(rounds, filter, &totals) != LYC_OK)
		return 0;
	if (totals.commitment_count == 0 && totals.pledged == 0)
		return totals.waiting_count;
	row->currency = pad_copy(pad, filter->currency);
	row->ventures = totals.venture_count;
	row->rounds = totals.round_count;
	row->commitments = totals.commitment_count;
	row->raised_minor = totals.raised;
	row->own_minor = totals.own;
	row->others_minor = totals.others;
	row->pledged_minor = totals.pledged;
	row->raised = money_text(pad, totals.raised);
	row->own = money_text(pad, totals.own);
	row->others = money_text(pad, totals.others);
	row->pledged = money_text(pad, totals.pledged);
	if (add_shares(pad, rounds, filter, row))
		pad_push(pad, &reply->row, &reply->n_row, row);
	return totals.waiting_count;
}

report_reply *ledger_report(struct pad *pad, const struct view *view, const struct rounds *rounds,
			    const report_request *request, const char *node)
{
	report_reply *reply = pad_message(pad, &lyceum__investment__v1__report_reply__descriptor);
	const char *found[16];
	uint64_t waiting = 0;
	size_t count = currencies(view, found);
	struct attribution_filter filter = {
		.node = request->network[0] ? request->network : node,
		.from_ms = request->from ? request->from->seconds * 1000 : 0,
		.until_ms = request->until ? request->until->seconds * 1000 : 0,
		.venture = request->venture[0] ? pad_print(pad, "%s/%s", node, request->venture)
					       : NULL,
	};

	for (size_t i = 0; i < count; i++) {
		filter.currency = found[i];
		waiting = add_row(pad, rounds, &filter, reply);
	}
	pad_push(pad, &reply->note, &reply->n_note,
		 pad_print(pad,
			   "Own network: %s. Sums of what is recorded; no mean is made of them, "
			   "and currencies are not added up.",
			   filter.node));
	if (waiting > 0)
		pad_push(pad, &reply->note, &reply->n_note,
			 pad_print(pad,
				   "%llu commitments are to rounds that are not recorded here: "
				   "they are not counted.",
				   (unsigned long long)waiting));
	return reply;
}

/* From a batch's matched pairs to the records that the two homes get. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "interest.h"
#include "reason.h"

static void add_parts(struct pad *pad, proposal_msg *proposal, const struct score *score,
		      side_value side)
{
	for (size_t i = 0; i < score->part_count; i++) {
		if (score->parts[i].points == 0)
			continue;
		part_msg *part = PAD_NEW(pad, part);
		part->side = side;
		part->name = (char *)(uintptr_t)score_name_text(score->parts[i].name);
		part->points = score->parts[i].points;
		part->most = score->parts[i].most;
		part->text = reason_of_part(pad, &score->parts[i]);
		pad_push(pad, &proposal->part, &proposal->n_part, part);
	}
}

static void add_credits(const struct desk *desk, struct pad *pad, proposal_msg *proposal)
{
	const interest_fit_msg *fit =
		interest_fit_of(&desk->view, proposal->venture, proposal->investor);
	uint32_t shares[16];

	if (!fit || fit->n_path == 0 || fit->n_path > 16)
		return;
	interest_shares(fit->n_path, shares);
	for (size_t i = 0; i < fit->n_path; i++) {
		credit_msg *credit = PAD_NEW(pad, credit);
		credit->node = fit->path[i];
		credit->share_millionths = shares[i];
		pad_push(pad, &proposal->credit, &proposal->n_credit, credit);
	}
}

static proposal_msg *propose(const struct desk *desk, struct pad *pad, const batch_msg *batch,
			     const struct certificate *certificate,
			     const struct certificate_edge *edge)
{
	proposal_msg *proposal = PAD_NEW(pad, proposal);
	const venture_in_batch_msg *venture = batch->venture[edge->venture];
	const investor_in_batch_msg *investor = batch->investor[edge->investor];
	struct score score;

	proposal->home = batch->home;
	proposal->batch = batch->id;
	proposal->venture_home = venture->home;
	proposal->venture = venture->token;
	proposal->investor_home = investor->home;
	proposal->investor = investor->token;
	proposal->venture_points = edge->venture_points;
	proposal->investor_points = edge->investor_points;
	batch_score(batch, edge->venture, edge->investor, SCORE_FOR_VENTURE, &score);
	add_parts(pad, proposal, &score, SIDE_VENTURE);
	batch_score(batch, edge->venture, edge->investor, SCORE_FOR_INVESTOR, &score);
	add_parts(pad, proposal, &score, SIDE_INVESTOR);
	(void)batch_edge(certificate, batch, edge->venture, edge->investor, &proposal->venture_rank,
			 &proposal->investor_rank);
	proposal->made_ms = batch->made_ms;
	proposal->expires_ms = batch->expires_ms;
	add_credits(desk, pad, proposal);
	const char *homes[] = {venture->home, investor->home};
	proposal->label = desk_label_for(desk, pad, homes, 2);
	return proposal;
}

static int by_points(const void *a, const void *b)
{
	const proposal_msg *x = *(proposal_msg *const *)a, *y = *(proposal_msg *const *)b;
	int64_t left = x->venture_points + x->investor_points;
	int64_t right = y->venture_points + y->investor_points;

	if (left != right)
		return left < right ? 1 : -1;
	int order = strcmp(x->venture, y->venture);
	return order ? order : strcmp(x->investor, y->investor);
}

size_t batch_proposals(const struct desk *desk, struct pad *pad, const batch_msg *batch,
		       proposal_msg ***ret_proposals)
{
	struct certificate certificate;
	proposal_msg **list = NULL;
	size_t count = 0;

	if (!batch_certificate(pad, batch, &certificate))
		return 0;
	for (size_t i = 0; i < certificate.edge_count; i++) {
		if (certificate.edges[i].state == CERTIFICATE_MATCHED)
			pad_push(pad, &list, &count,
				 propose(desk, pad, batch, &certificate, &certificate.edges[i]));
	}
	if (count > 1)
		qsort(list, count, sizeof(*list), by_points);
	for (size_t i = 0; i < count; i++)
		list[i]->id = pad_print(pad, "%s-%zu", batch->id, i + 1);
	*ret_proposals = list;
	return count;
}

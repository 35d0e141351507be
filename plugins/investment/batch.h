/*
 * A batch of introductions over blind profiles: made at one node, worked out again at any other
 * from what the record says and what that node itself holds.
 */
#ifndef INVESTMENT_BATCH_H
#define INVESTMENT_BATCH_H

#include "certificate.h"
#include "desk.h"
#include "rules.h"
#include "score.h"

/* What the record's schema and a message's size allow. */
#define BATCH_MAX_PAIRS 300000
#define BATCH_MAX_EDGES 12000

struct batch_wish {
	/* The listed word or NULL: only ventures of it. */
	const char *sector;
	const char *region;
	/* A token or NULL: only this investor. */
	const char *investor;
	int64_t made_ms;
	int64_t expires_ms;
};

/* A batch over everything in the view that is open, as a record without proposals.
 * LYC_OUT_OF_RANGE when there are too many pairs for one batch, LYC_FAILED_PRECONDITION when one
 * side has nobody; then error has the sentence. */
enum lyc_status batch_make(const struct desk *desk, struct pad *pad, const struct batch_wish *wish,
			   batch_msg **ret_batch, struct lyc_error *error);
/* Its proposals, the best first; ids are the batch's with a number. */
size_t batch_proposals(const struct desk *desk, struct pad *pad, const batch_msg *batch,
		       proposal_msg ***ret_proposals);

/* The record as certificate.h has it, on the pad. False when its counts do not fit together. */
bool batch_certificate(struct pad *pad, const batch_msg *batch,
		       struct certificate *ret_certificate);
/* What the rules say of one pair of the batch, barred and all; the mask. */
uint16_t batch_judge(const batch_msg *batch, size_t venture, size_t investor,
		     struct refusal ret_refusals[RULE_COUNT], size_t *ret_count);
bool batch_is_barred(const batch_msg *batch, size_t venture, size_t investor);
/* The pair's score for one side, from the record alone. */
void batch_score(const batch_msg *batch, size_t venture, size_t investor, enum score_side side,
		 struct score *ret_score);
/* Places in the batch by token. */
bool batch_find(const batch_msg *batch, const char *venture, const char *investor,
		size_t *ret_venture, size_t *ret_investor);
/* The edge of a pair and how many better ones each side has, plus one. NULL: no edge. */
const struct certificate_edge *batch_edge(const struct certificate *certificate,
					  const batch_msg *batch, size_t venture, size_t investor,
					  uint32_t *ret_venture_rank, uint32_t *ret_investor_rank);

#endif

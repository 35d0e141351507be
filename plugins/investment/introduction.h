/*
 * How far an introduction has come: a proposal and what the two homes have said of it, read from
 * the view. What has to follow from it is duty.c's.
 */
#ifndef INVESTMENT_INTRODUCTION_H
#define INVESTMENT_INTRODUCTION_H

#include "desk.h"

enum introduction_state {
	INTRODUCTION_OPEN,
	/* Our side has said yes; the other has not been heard, or its identity is not here yet. */
	INTRODUCTION_WAITING,
	/* Both have agreed, and the other side's identity is here if this node may have it. */
	INTRODUCTION_MADE,
	INTRODUCTION_REFUSED,
	INTRODUCTION_TAKEN_BACK,
	INTRODUCTION_NOT_POSSIBLE,
	INTRODUCTION_EXPIRED,
};

const char *introduction_state_name(enum introduction_state state);
/* What that side's home has said last of the proposal as it stands: what it said of other parties,
 * of another node's proposal or of another time does not count. held may be NULL. */
answer_state introduction_answer(const struct view *view, const proposal_msg *proposal,
				 side_value side, const struct held **ret_held);
enum introduction_state introduction_state(const struct desk *desk, const proposal_msg *proposal,
					   int64_t now_ms);
/* Is there nothing more to come of it? */
bool introduction_is_dead(enum introduction_state state);
const char *introduction_home(const proposal_msg *proposal, side_value side);
const char *introduction_token(const proposal_msg *proposal, side_value side);
side_value introduction_other(side_value side);
/* The second half of an answer's or reveal's key. */
const char *introduction_side_key(side_value side);
/* A new answer of this node, for whoever that concerns, with no more than the state to be added. */
answer_msg *introduction_new_answer(const struct desk *desk, struct pad *pad,
				    const proposal_msg *proposal, side_value side);
/* Is the key of that side's answer used up by what was said of something else? */
bool introduction_is_usurped(const struct held *answer, const proposal_msg *proposal);
/* Is what lies there given for this proposal? */
bool introduction_is_given(const struct held *reveal, const proposal_msg *proposal);
/* By ID or ID@HOME; NULL: this node holds none, or (ret_is_ambiguous, which may be NULL) several
 * nodes have made one of this id. */
const proposal_msg *introduction_find(const struct view *view, const char *name,
				      bool *ret_is_ambiguous);
/* The row that people see; only for people of this node. */
proposal_row_msg *introduction_row(const struct desk *desk, struct pad *pad,
				   const proposal_msg *proposal, int64_t now_ms);
/* The other side's identity as its home has sealed it for us; NULL: not given, or called back. */
identity_msg *introduction_identity(const struct desk *desk, struct pad *pad,
				    const proposal_msg *proposal, side_value side);

#endif

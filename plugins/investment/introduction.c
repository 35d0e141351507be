/* Reads answers by their keys. An answer counts only under the name of the side's own home, which
 * alone can write it, and only for the proposal as it stood when it was given. */
#include "introduction.h"

#include <string.h>

#include "moment.h"

const char *introduction_state_name(enum introduction_state state)
{
	static const char *const names[] = {"open",       "waiting for the other side",
					    "introduced", "refused",
					    "taken back", "not possible",
					    "expired"};

	return names[state];
}

const char *introduction_home(const proposal_msg *proposal, side_value side)
{
	return side == SIDE_VENTURE ? proposal->venture_home : proposal->investor_home;
}

const char *introduction_token(const proposal_msg *proposal, side_value side)
{
	return side == SIDE_VENTURE ? proposal->venture : proposal->investor;
}

side_value introduction_other(side_value side)
{
	return side == SIDE_VENTURE ? SIDE_INVESTOR : SIDE_VENTURE;
}

const char *introduction_side_key(side_value side)
{
	return side == SIDE_VENTURE ? "1" : "2";
}

const proposal_msg *introduction_find(const struct view *view, const char *name,
				      bool *ret_is_ambiguous)
{
	size_t len = strcspn(name, "@");
	const char *home = name[len] ? name + len + 1 : NULL;
	const proposal_msg *found = NULL;

	if (ret_is_ambiguous)
		*ret_is_ambiguous = false;
	VIEW_EACH(held, view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (strlen(proposal->id) != len || memcmp(proposal->id, name, len) != 0 ||
		    (home && strcmp(proposal->home, home) != 0))
			continue;
		if (found) {
			if (ret_is_ambiguous)
				*ret_is_ambiguous = true;
			return NULL;
		}
		found = proposal;
	}
	return found;
}

answer_msg *introduction_new_answer(const struct desk *desk, struct pad *pad,
				    const proposal_msg *proposal, side_value side)
{
	const char *nodes[] = {introduction_home(proposal, introduction_other(side)),
			       proposal->home};
	answer_msg *answer = PAD_NEW(pad, answer);

	answer->home = (char *)(uintptr_t)desk->node;
	answer->proposal = pad_copy(pad, proposal->id);
	answer->side = side;
	answer->proposal_home = pad_copy(pad, proposal->home);
	answer->venture_home = pad_copy(pad, proposal->venture_home);
	answer->venture = pad_copy(pad, proposal->venture);
	answer->investor_home = pad_copy(pad, proposal->investor_home);
	answer->investor = pad_copy(pad, proposal->investor);
	answer->expires_ms = proposal->expires_ms;
	answer->label = desk_label_for(desk, pad, nodes, 2);
	return answer;
}

bool introduction_is_usurped(const struct held *held, const proposal_msg *proposal)
{
	if (!held || !held->message)
		return false;
	const answer_msg *answer = (const void *)held->message;
	return strcmp(answer->proposal_home, proposal->home) != 0 ||
	       strcmp(answer->venture_home, proposal->venture_home) != 0 ||
	       strcmp(answer->venture, proposal->venture) != 0 ||
	       strcmp(answer->investor_home, proposal->investor_home) != 0 ||
	       strcmp(answer->investor, proposal->investor) != 0 ||
	       answer->expires_ms != proposal->expires_ms;
}

bool introduction_is_given(const struct held *held, const proposal_msg *proposal)
{
	if (!held || !held->message)
		return false;
	const reveal_msg *reveal = (const void *)held->message;
	return strcmp(reveal->proposal_home, proposal->home) == 0 &&
	       strcmp(reveal->venture, proposal->venture) == 0 &&
	       strcmp(reveal->investor, proposal->investor) == 0;
}

answer_state introduction_answer(const struct view *view, const proposal_msg *proposal,
				 side_value side, const struct held **ret_held)
{
	const struct held *held = view_held(view, KIND_ANSWER, introduction_home(proposal, side),
					    proposal->id, introduction_side_key(side));

	if (ret_held)
		*ret_held = held;
	return held && held->message && !introduction_is_usurped(held, proposal)
		       ? ((const answer_msg *)(const void *)held->message)->state
		       : ANSWER_NONE;
}

/* Both have agreed, but what the other side's home gives is not here yet. */
static bool is_awaited(const struct desk *desk, const proposal_msg *proposal)
{
	for (side_value side = SIDE_VENTURE; side <= SIDE_INVESTOR; side++) {
		if (strcmp(introduction_home(proposal, introduction_other(side)), desk->node) ==
			    0 &&
		    !view_held(&desk->view, KIND_REVEAL, introduction_home(proposal, side),
			       proposal->id, introduction_side_key(side)))
			return true;
	}
	return false;
}

enum introduction_state introduction_state(const struct desk *desk, const proposal_msg *proposal,
					   int64_t now_ms)
{
	answer_state venture = introduction_answer(&desk->view, proposal, SIDE_VENTURE, NULL);
	answer_state investor = introduction_answer(&desk->view, proposal, SIDE_INVESTOR, NULL);
	bool has_said_yes = false;

	if (venture == ANSWER_NOT_POSSIBLE || investor == ANSWER_NOT_POSSIBLE)
		return INTRODUCTION_NOT_POSSIBLE;
	if (venture == ANSWER_NO || investor == ANSWER_NO)
		return INTRODUCTION_REFUSED;
	if (venture == ANSWER_AGREED && investor == ANSWER_AGREED)
		return is_awaited(desk, proposal) ? INTRODUCTION_WAITING : INTRODUCTION_MADE;
	if (now_ms >= proposal->expires_ms)
		return INTRODUCTION_EXPIRED;
	if (venture == ANSWER_TAKEN_BACK || investor == ANSWER_TAKEN_BACK)
		return INTRODUCTION_TAKEN_BACK;
	if (strcmp(proposal->venture_home, desk->node) == 0)
		has_said_yes = venture == ANSWER_YES || venture == ANSWER_AGREED;
	if (strcmp(proposal->investor_home, desk->node) == 0)
		has_said_yes |= investor == ANSWER_YES || investor == ANSWER_AGREED;
	return has_said_yes ? INTRODUCTION_WAITING : INTRODUCTION_OPEN;
}

bool introduction_is_dead(enum introduction_state state)
{
	return state == INTRODUCTION_REFUSED || state == INTRODUCTION_NOT_POSSIBLE ||
	       state == INTRODUCTION_EXPIRED;
}

identity_msg *introduction_identity(const struct desk *desk, struct pad *pad,
				    const proposal_msg *proposal, side_value side)
{
	const struct held *held =
		view_held(&desk->view, KIND_REVEAL, introduction_home(proposal, side), proposal->id,
			  introduction_side_key(side));

	if (!introduction_is_given(held, proposal))
		return NULL;
	const reveal_msg *reveal = (const void *)held->message;
	identity_msg *identity = secret_open(pad, &desk->secret, reveal->sealed,
					     &lyceum__investment__v1__identity__descriptor);
	if (!identity || strcmp(identity->token, introduction_token(proposal, side)) != 0)
		return NULL;
	return identity;
}

/* ---- The row ---- */

static char *describe(const struct desk *desk, struct pad *pad, const proposal_msg *proposal,
		      side_value side, bool is_ours)
{
	const char *token = introduction_token(proposal, side);
	struct party party;

	if (is_ours)
		return desk_party_by_token(desk, side, token, &party)
			       ? pad_print(pad, "%s (%s)", party.name, token)
			       : pad_print(pad, "%s (withdrawn)", token);
	identity_msg *identity = introduction_identity(desk, pad, proposal, side);
	return identity ? pad_print(pad, "%s (%s, %s)", identity->name, token,
				    introduction_home(proposal, side))
			: pad_print(pad, "%s, %s", token, introduction_home(proposal, side));
}

static const char *next_step(const proposal_row_msg *row, enum introduction_state state)
{
	switch (state) {
	case INTRODUCTION_OPEN:
	case INTRODUCTION_TAKEN_BACK:
		return row->may_opt_in ? "opt-in or opt-out" : "the two homes answer";
	case INTRODUCTION_WAITING:
		return row->may_opt_in    ? "opt-in for the other side, or opt-out"
		       : row->may_opt_out ? "wait, or opt-out to take it back"
					  : "wait: the other side's identity is on its way";
	case INTRODUCTION_MADE:
		return "talk to each other";
	default:
		return "nothing";
	}
}

proposal_row_msg *introduction_row(const struct desk *desk, struct pad *pad,
				   const proposal_msg *proposal, int64_t now_ms)
{
	proposal_row_msg *row = PAD_NEW(pad, proposal_row);
	enum introduction_state state = introduction_state(desk, proposal, now_ms);
	char *ours[2], *others[2];
	size_t our_count = 0, other_count = 0;

	row->side = pad_new(pad, 2, sizeof(row->side[0]));
	for (side_value side = SIDE_VENTURE; side <= SIDE_INVESTOR; side++) {
		bool is_ours = strcmp(introduction_home(proposal, side), desk->node) == 0;
		answer_state said = introduction_answer(&desk->view, proposal, side, NULL);
		char *text = describe(desk, pad, proposal, side, is_ours);
		if (!is_ours) {
			others[other_count++] = text;
			continue;
		}
		ours[our_count++] = text;
		row->side[row->n_side++] = side;
		bool is_alive = !introduction_is_dead(state) && state != INTRODUCTION_MADE;
		row->may_opt_in |= is_alive && said != ANSWER_YES && said != ANSWER_AGREED;
		row->may_opt_out |= is_alive && said != ANSWER_AGREED && said != ANSWER_TAKEN_BACK;
	}
	row->id = proposal->id;
	row->batch = proposal->batch;
	row->venture = proposal->venture;
	row->venture_home = proposal->venture_home;
	row->investor = proposal->investor;
	row->investor_home = proposal->investor_home;
	row->score = proposal->venture_points < proposal->investor_points
			     ? proposal->venture_points
			     : proposal->investor_points;
	row->venture_rank = proposal->venture_rank;
	row->investor_rank = proposal->investor_rank;
	row->expires = moment_minute(pad, proposal->expires_ms);
	row->expires_ms = proposal->expires_ms;
	row->state = (char *)(uintptr_t)introduction_state_name(state);
	row->ours = pad_join(pad, ours, our_count, " and ");
	row->other = pad_join(pad, others, other_count, " and ");
	row->next = (char *)(uintptr_t)next_step(row, state);
	return row;
}

/* Each duty compares what should be in the log with what is. */
#include "duty.h"

#include <string.h>

#include "blind.h"
#include "conflict.h"
#include "interest.h"
#include "introduction.h"
#include "moment.h"

static char *name_of(const struct desk *desk)
{
	return (char *)(uintptr_t)desk->node;
}

/* ---- The key ---- */

static ProtobufCBinaryData bytes_of(struct pad *pad, const uint8_t bytes[32])
{
	return (ProtobufCBinaryData){32, (uint8_t *)pad_copy_bytes(pad, bytes, 32)};
}

static void keep_key(struct task *task)
{
	struct desk *desk = task->desk;
	const struct held *held = view_held(&desk->view, KIND_NODE_KEY, desk->node, NULL, NULL);
	const node_key_msg *shown = held ? (const void *)held->message : NULL;

	if (shown && shown->public_key.len == 32 &&
	    memcmp(shown->public_key.data, desk->secret.public_key, 32) == 0)
		return;
	node_key_msg *key = PAD_NEW(&task->pad, node_key);
	key->home = name_of(desk);
	key->public_key = bytes_of(&task->pad, desk->secret.public_key);
	key->label = desk_label_members(desk, &task->pad);
	task_append_over(task, key, held);
}

/* ---- Profiles ---- */

static void keep_venture_profiles(struct task *task)
{
	struct desk *desk = task->desk;
	struct pad *pad = &task->pad;

	VIEW_EACH(held, &desk->view, KIND_VENTURE)
	{
		const venture_msg *venture = (const void *)held->message;
		char token[SECRET_TOKEN_SIZE];
		desk_token(desk, SIDE_VENTURE, venture->id, token);
		const venture_profile_msg *shown =
			view_find(&desk->view, KIND_VENTURE_PROFILE, desk->node, token, NULL);
		blind_venture_msg *blind = blind_venture(pad, venture);
		if (shown && shown->blind && blind_is_equal(&shown->blind->base, &blind->base))
			continue;
		venture_profile_msg *profile = PAD_NEW(pad, venture_profile);
		profile->home = name_of(desk);
		profile->token = pad_copy(pad, token);
		profile->blind = blind;
		profile->label = desk_label_members(desk, pad);
		task_append(task, profile);
	}
	VIEW_EACH(held, &desk->view, KIND_VENTURE_PROFILE)
	{
		const venture_profile_msg *profile = (const void *)held->message;
		struct party party;
		if (strcmp(profile->home, desk->node) == 0 &&
		    !desk_party(desk, SIDE_VENTURE, profile->token, &party))
			task_withdraw(task, profile);
	}
}

static void keep_investor_profiles(struct task *task)
{
	struct desk *desk = task->desk;
	struct pad *pad = &task->pad;

	VIEW_EACH(held, &desk->view, KIND_INVESTOR)
	{
		const investor_msg *investor = (const void *)held->message;
		char token[SECRET_TOKEN_SIZE];
		desk_token(desk, SIDE_INVESTOR, investor->id, token);
		const investor_profile_msg *shown =
			view_find(&desk->view, KIND_INVESTOR_PROFILE, desk->node, token, NULL);
		blind_investor_msg *blind = blind_investor(pad, investor);
		if (shown && shown->blind && blind_is_equal(&shown->blind->base, &blind->base))
			continue;
		investor_profile_msg *profile = PAD_NEW(pad, investor_profile);
		profile->home = name_of(desk);
		profile->token = pad_copy(pad, token);
		profile->blind = blind;
		profile->label = desk_label_members(desk, pad);
		task_append(task, profile);
	}
	VIEW_EACH(held, &desk->view, KIND_INVESTOR_PROFILE)
	{
		const investor_profile_msg *profile = (const void *)held->message;
		struct party party;
		if (strcmp(profile->home, desk->node) == 0 &&
		    !desk_party(desk, SIDE_INVESTOR, profile->token, &party))
			task_withdraw(task, profile);
	}
}

/* ---- Conflicts ---- */

/* Has that home been told, or is it none that has to be? */
static bool is_told(const struct desk *desk, const conflict_msg *conflict, const char *home)
{
	return strcmp(home, desk->node) == 0 || secret_is_token(conflict->other) ||
	       (conflict->other_home[0] && strcmp(conflict->other_home, home) != 0) ||
	       view_find(&desk->view, KIND_CONFLICT_NOTICE, desk->node, conflict->id, home);
}

bool duty_has_told(const struct desk *desk, const struct party *party, const char *home)
{
	VIEW_EACH(held, &desk->view, KIND_CONFLICT)
	{
		const conflict_msg *conflict = (const void *)held->message;
		if (conflict->side == party->side && strcmp(conflict->ours, party->id) == 0 &&
		    !is_told(desk, conflict, home))
			return false;
	}
	return true;
}

static void tell(struct task *task, const conflict_msg *conflict, const node_key_msg *key)
{
	struct desk *desk = task->desk;
	struct pad *pad = &task->pad;
	char token[SECRET_TOKEN_SIZE];
	if (!key || key->public_key.len != 32 || is_told(desk, conflict, key->home))
		return;
	const char *nodes[] = {key->home};
	desk_token(desk, conflict->side, conflict->ours, token);
	sealed_conflict_msg *said = PAD_NEW(pad, sealed_conflict);
	said->token = token;
	said->other = conflict->other;
	said->other_company_number = conflict->other_company_number;
	said->until_ms = conflict->until_ms;
	conflict_notice_msg *notice = PAD_NEW(pad, conflict_notice);
	notice->home = name_of(desk);
	notice->id = conflict->id;
	notice->node = pad_copy(pad, key->home);
	notice->sealed = secret_seal(pad, key->public_key.data, &said->base);
	notice->label = desk_label_for(desk, pad, nodes, 1);
	task_append(task, notice);
}

/* Nobody is told a name but a home that was named, or to which one of its own is proposed. */
static void tell_homes(struct task *task, const conflict_msg *conflict)
{
	struct desk *desk = task->desk;
	const char *told[64];
	size_t told_count = 0;
	char token[SECRET_TOKEN_SIZE];

	if (conflict->other_home[0]) {
		tell(task, conflict,
		     view_find(&desk->view, KIND_NODE_KEY, conflict->other_home, NULL, NULL));
		return;
	}
	desk_token(desk, conflict->side, conflict->ours, token);
	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		const char *other = introduction_home(proposal, introduction_other(conflict->side));
		if (strcmp(introduction_home(proposal, conflict->side), desk->node) != 0 ||
		    strcmp(introduction_token(proposal, conflict->side), token) != 0)
			continue;
		size_t at = 0;
		while (at < told_count && strcmp(told[at], other) != 0)
			at++;
		/* The rest with the next run. */
		if (at < told_count || told_count == 64)
			continue;
		if (!is_told(desk, conflict, other) &&
		    view_find(&desk->view, KIND_NODE_KEY, other, NULL, NULL))
			told[told_count++] = other;
	}
	for (size_t i = 0; i < told_count; i++)
		tell(task, conflict, view_find(&desk->view, KIND_NODE_KEY, told[i], NULL, NULL));
}

static void keep_notices(struct task *task)
{
	struct desk *desk = task->desk;

	VIEW_EACH(held, &desk->view, KIND_CONFLICT)
	{
		const conflict_msg *conflict = (const void *)held->message;
		if (!secret_is_token(conflict->other))
			tell_homes(task, conflict);
	}
	VIEW_EACH(held, &desk->view, KIND_CONFLICT_NOTICE)
	{
		const conflict_notice_msg *notice = (const void *)held->message;
		if (strcmp(notice->home, desk->node) == 0 &&
		    !view_find(&desk->view, KIND_CONFLICT, desk->node, notice->id, NULL))
			task_withdraw(task, notice);
	}
}

/* ---- Introductions ---- */

static void answer(struct task *task, const proposal_msg *proposal, side_value side,
		   answer_state state, const struct held *held)
{
	answer_msg *made = introduction_new_answer(task->desk, &task->pad, proposal, side);

	made->state = state;
	task_append_over(task, made, held);
}

/* Sealed for the other home, and for it alone. */
static void reveal(struct task *task, const proposal_msg *proposal, const struct party *party)
{
	struct desk *desk = task->desk;
	struct pad *pad = &task->pad;
	const char *other = introduction_home(proposal, introduction_other(party->side));
	const node_key_msg *key = view_find(&desk->view, KIND_NODE_KEY, other, NULL, NULL);

	if (!key || key->public_key.len != 32)
		return;
	identity_msg *identity = PAD_NEW(pad, identity);
	identity->token = (char *)(uintptr_t)party->token;
	identity->name = (char *)(uintptr_t)party->name;
	identity->company_number = (char *)(uintptr_t)party->company_number;
	identity->contact = party->venture ? party->venture->contact : party->investor->contact;
	identity->summary = party->venture ? party->venture->summary : party->investor->summary;
	reveal_msg *made = PAD_NEW(pad, reveal);
	made->home = name_of(desk);
	made->proposal = pad_copy(pad, proposal->id);
	made->side = party->side;
	made->proposal_home = pad_copy(pad, proposal->home);
	made->venture = pad_copy(pad, proposal->venture);
	made->investor = pad_copy(pad, proposal->investor);
	made->sealed = secret_seal(pad, key->public_key.data, &identity->base);
	made->label = desk_label_for(desk, pad, &other, 1);
	/* Never a second time: also not when the first one was called back. */
	task_append_over(task, made, NULL);
}

static void keep_identity(struct task *task, const proposal_msg *proposal, side_value side,
			  const struct party *party)
{
	const struct view *view = &task->desk->view;
	answer_state ours = introduction_answer(view, proposal, side, NULL);
	answer_state other = introduction_answer(view, proposal, introduction_other(side), NULL);
	const struct held *given = view_held(view, KIND_REVEAL, task->desk->node, proposal->id,
					     introduction_side_key(side));

	if (party && !given && ours == ANSWER_AGREED && other == ANSWER_AGREED)
		reveal(task, proposal, party);
	else if (introduction_is_given(given, proposal) &&
		 (!party || ours == ANSWER_NOT_POSSIBLE || other == ANSWER_NOT_POSSIBLE))
		task_withdraw(task, given->message);
}

/* Have the same two been introduced by another proposal, of another node perhaps? */
static bool is_made_otherwise(const struct desk *desk, const proposal_msg *proposal, int64_t now_ms)
{
	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *other = (const void *)held->message;
		if (other != proposal && strcmp(other->venture, proposal->venture) == 0 &&
		    strcmp(other->investor, proposal->investor) == 0 &&
		    introduction_state(desk, other, now_ms) == INTRODUCTION_MADE)
			return true;
	}
	return false;
}

static void keep_answer(struct task *task, const proposal_msg *proposal, side_value side,
			int64_t now_ms)
{
	struct desk *desk = task->desk;
	side_value other_side = introduction_other(side);
	const struct held *held;
	struct party party;
	const char *reason;
	answer_state ours = introduction_answer(&desk->view, proposal, side, &held);
	answer_state other = introduction_answer(&desk->view, proposal, other_side, NULL);
	const char *token = introduction_token(proposal, side);
	const char *other_token = introduction_token(proposal, other_side);
	const char *other_home = introduction_home(proposal, other_side);
	bool is_there = desk_party_by_token(desk, side, token, &party);
	bool is_late = now_ms >= proposal->expires_ms && ours != ANSWER_AGREED;
	bool is_barred = false;

	/* No answer at all to what was never ours: it would tell which names there are. */
	if (introduction_is_usurped(held, proposal) ||
	    (!is_there && !desk_has_published(desk, side, token)))
		return;
	if (ours != ANSWER_NOT_POSSIBLE && other != ANSWER_NOT_POSSIBLE && other != ANSWER_NO &&
	    !is_late) {
		bool is_mutual =
			ours == ANSWER_YES && (other == ANSWER_YES || other == ANSWER_AGREED);
		is_barred = !is_there ||
			    conflict_bars(desk, &party, other_token, other_home, now_ms) ||
			    ((is_mutual || ours == ANSWER_AGREED) &&
			     conflict_is_told(desk, &party, other_token, other_home, now_ms));
		if (is_barred ||
		    (ours != ANSWER_AGREED && (!desk_is_open(&party, now_ms, &reason) ||
					       is_made_otherwise(desk, proposal, now_ms))))
			answer(task, proposal, side, ANSWER_NOT_POSSIBLE, held);
		else if (is_mutual)
			answer(task, proposal, side, ANSWER_AGREED, held);
	}
	keep_identity(task, proposal, side, is_there && !is_barred ? &party : NULL);
}

void duty_collect_introductions(struct task *task, int64_t now_ms)
{
	struct desk *desk = task->desk;

	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (strcmp(proposal->venture_home, desk->node) == 0)
			keep_answer(task, proposal, SIDE_VENTURE, now_ms);
		if (strcmp(proposal->investor_home, desk->node) == 0)
			keep_answer(task, proposal, SIDE_INVESTOR, now_ms);
	}
}

void duty_collect(struct task *task)
{
	int64_t now_ms = moment_now_ms();

	keep_key(task);
	keep_notices(task);
	keep_venture_profiles(task);
	keep_investor_profiles(task);
	duty_collect_introductions(task, now_ms);
	interest_collect(task, now_ms);
}

/* The Matching service: lists, answers of both sides, and the way to the matchmaker. */
#include <string.h>

#include "desk.h"
#include "duty.h"
#include "introduction.h"
#include "interest.h"
#include "matchmaker.h"
#include "moment.h"
#include "service.h"

typedef Lyceum__Investment__V1__Matching_Service matching_srv;
typedef Lyceum__Investment__V1__AnswerRequest answer_request;

static const char ambiguous[] =
	"several nodes have made a proposal of this id: write ID@HOME, and look at both first";

static void matching_propose(matching_srv *service,
			     const Lyceum__Investment__V1__ProposeRequest *request,
			     Lyceum__Investment__V1__ProposeReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    matchmaker_prepare, matchmaker_answer);
}

/* ---- Lists ---- */

static bool concerns(const struct desk *desk, const proposal_msg *proposal, const char *party_name)
{
	struct party party;

	if (!party_name[0])
		return true;
	const char *token =
		desk_party(desk, SIDE_NONE, party_name, &party) ? party.token : party_name;
	return strcmp(proposal->venture, token) == 0 || strcmp(proposal->investor, token) == 0;
}

static void matching_list_proposals(matching_srv *service,
				    const Lyceum__Investment__V1__ListProposalsRequest *request,
				    Lyceum__Investment__V1__ListProposalsReply_Closure closure,
				    void *call)
{
	Lyceum__Investment__V1__ListProposalsReply reply =
		LYCEUM__INVESTMENT__V1__LIST_PROPOSALS_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	uint32_t limit = request->limit ? request->limit : 100;
	int64_t now_ms = moment_now_ms();
	struct pad pad = {0};

	(void)service;
	if (!desk_admit(desk, call))
		return;
	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		const char *state =
			introduction_state_name(introduction_state(desk, proposal, now_ms));
		if ((request->state[0] && strcmp(request->state, state) != 0) ||
		    !concerns(desk, proposal, request->party))
			continue;
		if (reply.total++ >= request->offset && reply.n_proposal < limit)
			pad_push(&pad, &reply.proposal, &reply.n_proposal,
				 introduction_row(desk, &pad, proposal, now_ms));
	}
	closure(&reply, call);
	pad_fini(&pad);
}

static void tell_identity(struct pad *pad, const identity_msg *identity,
			  Lyceum__Investment__V1__ShowProposalReply *reply)
{
	const char *const lines[][2] = {{"Name", identity->name},
					{"Company number", identity->company_number},
					{"Contact", identity->contact},
					{"Summary", identity->summary}};

	for (size_t i = 0; i < 4; i++) {
		if (lines[i][1][0])
			pad_push(pad, &reply->line, &reply->n_line,
				 pad_print(pad, "%s: %s", lines[i][0], lines[i][1]));
	}
}

static void show(const struct desk *desk, struct pad *pad, const proposal_msg *proposal,
		 Lyceum__Investment__V1__ShowProposalReply *reply)
{
	reply->proposal = introduction_row(desk, pad, proposal, moment_now_ms());
	reply->part = proposal->part;
	reply->n_part = proposal->n_part;
	reply->credit = proposal->credit;
	reply->n_credit = proposal->n_credit;
	pad_push(pad, &reply->line, &reply->n_line,
		 pad_print(pad, "Ours: %s", reply->proposal->ours));
	pad_push(pad, &reply->line, &reply->n_line,
		 pad_print(pad, "The other side: %s", reply->proposal->other));
	for (side_value side = SIDE_VENTURE; side <= SIDE_INVESTOR; side++) {
		identity_msg *identity = introduction_identity(desk, pad, proposal, side);
		if (!identity)
			continue;
		pad_push(pad, &reply->identity, &reply->n_identity, identity);
		tell_identity(pad, identity, reply);
	}
	for (size_t i = 0; i < proposal->n_credit; i++)
		pad_push(pad, &reply->line, &reply->n_line,
			 pad_print(pad, "Brought about by %s: %u of %d", proposal->credit[i]->node,
				   proposal->credit[i]->share_millionths, INTEREST_WHOLE));
}

static void matching_show_proposal(matching_srv *service,
				   const Lyceum__Investment__V1__ShowProposalRequest *request,
				   Lyceum__Investment__V1__ShowProposalReply_Closure closure,
				   void *call)
{
	Lyceum__Investment__V1__ShowProposalReply reply =
		LYCEUM__INVESTMENT__V1__SHOW_PROPOSAL_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};

	(void)service;
	if (!desk_admit(desk, call))
		return;
	bool is_ambiguous;
	const proposal_msg *proposal =
		introduction_find(&desk->view, request->proposal, &is_ambiguous);
	if (is_ambiguous) {
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "proposal", "%s", ambiguous);
	} else if (proposal) {
		show(desk, &pad, proposal, &reply);
		closure(&reply, call);
	} else {
		lyc_call_fail_field(
			call, LYC_NOT_FOUND, "proposal",
			"%.64s has no such proposal: `lyceum invest proposals` lists them",
			desk->node);
	}
	pad_fini(&pad);
}

/* ---- Answers ---- */

/* The side that is meant, of this node; false when the task has been failed. */
static bool find_side(struct task *task, const proposal_msg **ret_proposal, side_value *ret_side)
{
	const answer_request *request = (const void *)task->request;
	struct desk *desk = task->desk;
	bool is_ambiguous;
	const proposal_msg *proposal =
		introduction_find(&desk->view, request->proposal, &is_ambiguous);
	side_value side = request->side;

	if (is_ambiguous) {
		task_fail(task, LYC_FAILED_PRECONDITION, "proposal", "%s", ambiguous);
		return false;
	}
	if (!proposal) {
		task_fail(task, LYC_NOT_FOUND, "proposal",
			  "%.64s has no such proposal: `lyceum invest proposals` lists them",
			  desk->node);
		return false;
	}
	bool venture_is_ours = strcmp(proposal->venture_home, desk->node) == 0;
	bool investor_is_ours = strcmp(proposal->investor_home, desk->node) == 0;
	if (side == SIDE_NONE && venture_is_ours && investor_is_ours) {
		task_fail(task, LYC_INVALID_ARGUMENT, "side",
			  "both sides are of %.64s: say --side venture or --side investor",
			  desk->node);
		return false;
	}
	if (side == SIDE_NONE)
		side = venture_is_ours ? SIDE_VENTURE : SIDE_INVESTOR;
	if (!(side == SIDE_VENTURE ? venture_is_ours : investor_is_ours)) {
		task_fail(task, LYC_PERMISSION_DENIED, "side",
			  "that side is answered at %.64s, its home",
			  introduction_home(proposal, side));
		return false;
	}
	*ret_proposal = proposal;
	*ret_side = side;
	const struct held *held;
	(void)introduction_answer(&desk->view, proposal, side, &held);
	if (introduction_is_usurped(held, proposal)) {
		task_fail(task, LYC_FAILED_PRECONDITION, "proposal",
			  "our side has answered another proposal of the same id, or this one "
			  "with other parties: do not trust %.64s, which made it",
			  proposal->home);
		return false;
	}
	task->notes = pad_print(&task->pad, "%s@%s", proposal->id, proposal->home);
	return true;
}

static void say(struct task *task, const proposal_msg *proposal, side_value side,
		answer_state state, const struct held *held)
{
	answer_msg *answer = introduction_new_answer(task->desk, &task->pad, proposal, side);

	answer->state = state;
	task_append_over(task, answer, held);
}

static bool is_too_late(struct task *task, const proposal_msg *proposal)
{
	enum introduction_state state = introduction_state(task->desk, proposal, moment_now_ms());

	if (!introduction_is_dead(state))
		return false;
	task_fail(task, LYC_FAILED_PRECONDITION, "proposal", "this proposal is %s",
		  introduction_state_name(state));
	return true;
}

static void prepare_yes(struct task *task)
{
	const proposal_msg *proposal;
	side_value side;
	const struct held *held;
	struct party party;
	const char *reason;

	if (!find_side(task, &proposal, &side) || is_too_late(task, proposal))
		return;
	answer_state said = introduction_answer(&task->desk->view, proposal, side, &held);
	if (said == ANSWER_YES || said == ANSWER_AGREED)
		return;
	if (!desk_party_by_token(task->desk, side, introduction_token(proposal, side), &party))
		task_fail(task, LYC_FAILED_PRECONDITION, "proposal", "our side was withdrawn");
	else if (!desk_is_open(&party, moment_now_ms(), &reason))
		task_fail(task, LYC_FAILED_PRECONDITION, "proposal", "not possible: %s", reason);
	else if (!duty_has_told(task->desk, &party,
				introduction_home(proposal, introduction_other(side))))
		task_fail(task, LYC_UNAVAILABLE, "proposal",
			  "the other home has not been told yet whom our side may not meet: try "
			  "again in a moment");
	else
		say(task, proposal, side, ANSWER_YES, held);
}

static void prepare_no(struct task *task)
{
	const proposal_msg *proposal;
	side_value side;
	const struct held *held;

	if (!find_side(task, &proposal, &side))
		return;
	answer_state said = introduction_answer(&task->desk->view, proposal, side, &held);
	if (said == ANSWER_AGREED)
		task_fail(task, LYC_FAILED_PRECONDITION, "proposal",
			  "both sides have said yes already; `lyceum invest remove` withdraws our "
			  "side from the market and calls its identity back");
	else if (said == ANSWER_YES)
		say(task, proposal, side, ANSWER_TAKEN_BACK, held);
	else if (said == ANSWER_NONE)
		say(task, proposal, side, ANSWER_NO, held);
}

/* The state may have gone further meanwhile: what is told is what is there now. */
static void answer_answer(struct task *task)
{
	Lyceum__Investment__V1__AnswerReply reply = LYCEUM__INVESTMENT__V1__ANSWER_REPLY__INIT;
	const proposal_msg *proposal = introduction_find(&task->desk->view, task->notes, NULL);

	if (!proposal) {
		lyc_call_fail(task->call, LYC_ABORTED, "the proposal was withdrawn meanwhile");
		return;
	}
	reply.proposal = introduction_row(task->desk, &task->pad, proposal, moment_now_ms());
	((Lyceum__Investment__V1__AnswerReply_Closure)task->closure)(&reply, task->call);
}

static void matching_opt_in(matching_srv *service, const answer_request *request,
			    Lyceum__Investment__V1__AnswerReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_yes, answer_answer);
}

static void matching_opt_out(matching_srv *service, const answer_request *request,
			     Lyceum__Investment__V1__AnswerReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure, prepare_no,
		    answer_answer);
}

/* ---- Reasons and checks ---- */

static void matching_why(matching_srv *service, const Lyceum__Investment__V1__WhyRequest *request,
			 Lyceum__Investment__V1__WhyReply_Closure closure, void *call)
{
	struct desk *desk = lyc_call_state(call);
	struct party venture, investor;
	struct pad pad = {0};

	(void)service;
	if (!desk_admit(desk, call))
		return;
	const char *v = desk_party(desk, SIDE_VENTURE, request->venture, &venture)
				? venture.token
				: request->venture;
	const char *i = desk_party(desk, SIDE_INVESTOR, request->investor, &investor)
				? investor.token
				: request->investor;
	const batch_msg *batch = request->batch[0] ? matchmaker_batch(desk, request->batch)
						   : matchmaker_last_batch(desk, v, i);
	if (request->batch[0] && !batch)
		lyc_call_fail_field(call, LYC_NOT_FOUND, "batch",
				    "%.64s has no such batch: `lyceum invest batches` lists them",
				    desk->node);
	else
		closure(matchmaker_why(desk, &pad, batch, v, i), call);
	pad_fini(&pad);
}

static void matching_verify(matching_srv *service,
			    const Lyceum__Investment__V1__VerifyRequest *request,
			    Lyceum__Investment__V1__VerifyReply_Closure closure, void *call)
{
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};

	(void)service;
	if (!desk_admit(desk, call))
		return;
	const batch_msg *batch = matchmaker_batch(desk, request->batch);
	if (batch)
		closure(matchmaker_verify(desk, &pad, batch), call);
	else
		lyc_call_fail_field(call, LYC_NOT_FOUND, "batch",
				    "%.64s has no such batch: `lyceum invest batches` lists them",
				    desk->node);
	pad_fini(&pad);
}

static void matching_list_batches(matching_srv *service,
				  const Lyceum__Investment__V1__ListBatchesRequest *request,
				  Lyceum__Investment__V1__ListBatchesReply_Closure closure,
				  void *call)
{
	Lyceum__Investment__V1__ListBatchesReply reply =
		LYCEUM__INVESTMENT__V1__LIST_BATCHES_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};

	(void)service;
	(void)request;
	if (!desk_admit(desk, call))
		return;
	VIEW_EACH(held, &desk->view, KIND_BATCH)
	{
		const batch_msg *batch = (const void *)held->message;
		batch_row_msg *row = PAD_NEW(&pad, batch_row);
		row->id = batch->id;
		row->home = batch->home;
		row->made = moment_minute(&pad, batch->made_ms);
		row->ventures = (uint32_t)batch->n_venture;
		row->investors = (uint32_t)batch->n_investor;
		row->pairs = (uint32_t)batch->n_state;
		for (size_t i = 0; i < batch->n_state; i++)
			row->proposals += batch->state[i] == 1;
		pad_push(&pad, &reply.batch, &reply.n_batch, row);
	}
	closure(&reply, call);
	pad_fini(&pad);
}

Lyceum__Investment__V1__Matching_Service matching_service =
	LYCEUM__INVESTMENT__V1__MATCHING__INIT(matching_);

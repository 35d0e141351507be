/* Declaring and following interests, and who has brought introductions about. */
#include <inttypes.h>
#include <string.h>

#include "blind.h"
#include "desk.h"
#include "interest.h"
#include "introduction.h"
#include "moment.h"
#include "service.h"
#include "vocabulary.h"

#define USUAL_STEPS 3

typedef Lyceum__Investment__V1__Interests_Service interests_srv;
typedef Lyceum__Investment__V1__DeclareInterestRequest declare_request;
typedef Lyceum__Investment__V1__DeclareInterestReply declare_reply;
typedef Lyceum__Investment__V1__RemoveInterestReply remove_reply;
typedef Lyceum__Investment__V1__ListInterestsReply list_reply;
typedef Lyceum__Investment__V1__ListCreditsReply credits_reply;

/* ---- Declaring ---- */

static bool narrow(struct task *task, const char *field, enum word_kind kind, char *const *said,
		   size_t said_count, char ***words, size_t *word_count)
{
	char **kept = NULL;
	size_t count = 0;

	for (size_t i = 0; i < said_count; i++) {
		const char *word = vocabulary_find(kind, said[i]);
		if (!word) {
			task_fail(task, LYC_INVALID_ARGUMENT, field,
				  "\"%.40s\" is no %s of the list: %s", said[i],
				  vocabulary_kind_name(kind), vocabulary_hint(&task->pad, kind));
			return false;
		}
		pad_push(&task->pad, &kept, &count, pad_copy(&task->pad, word));
	}
	if (count > 0) {
		*words = kept;
		*word_count = count;
	}
	return true;
}

static void address(struct task *task, const declare_request *request, interest_msg *interest,
		    declare_reply *reply)
{
	struct desk *desk = task->desk;
	char *const *to = request->n_to ? request->to : desk->neighbours;
	size_t count = request->n_to ? request->n_to : desk->neighbour_count;

	if (count == 0) {
		interest->label = desk_label_members(desk, &task->pad);
		reply->told = "all";
		return;
	}
	interest->label =
		desk_label_for(desk, &task->pad, (const char *const *)(uintptr_t)to, count);
	interest->steps_left = request->steps ? request->steps : USUAL_STEPS;
	reply->told =
		pad_join(&task->pad, interest->label->audience, interest->label->n_audience, ", ");
}

static void prepare_declaration(struct task *task)
{
	const declare_request *request = (const void *)task->request;
	struct desk *desk = task->desk;
	interest_msg *interest = PAD_NEW(&task->pad, interest);
	declare_reply *reply = pad_message(
		&task->pad, &lyceum__investment__v1__declare_interest_reply__descriptor);
	struct party party;

	if (!desk_party(desk, SIDE_INVESTOR, request->investor, &party)) {
		task_fail(task, LYC_NOT_FOUND, "investor", "%.64s has no investor \"%.60s\"",
			  desk->node, request->investor);
		return;
	}
	blind_investor_msg *wanted = blind_investor(&task->pad, party.investor);
	if (!narrow(task, "sector", WORD_SECTOR, request->sector, request->n_sector,
		    &wanted->sector, &wanted->n_sector) ||
	    !narrow(task, "region", WORD_REGION, request->region, request->n_region,
		    &wanted->region, &wanted->n_region))
		return;
	interest->home = interest->investor_home = (char *)(uintptr_t)desk->node;
	interest->id = secret_name(&task->pad);
	interest->investor = pad_copy(&task->pad, party.token);
	interest->wanted = wanted;
	pad_push(&task->pad, &interest->path, &interest->n_path, interest->home);
	address(task, request, interest, reply);
	reply->id = interest->id;
	task->notes = reply;
	task_append_over(task, interest, NULL);
}

static void answer_declaration(struct task *task)
{
	((Lyceum__Investment__V1__DeclareInterestReply_Closure)task->closure)(task->notes,
									      task->call);
}

static void interests_declare_interest(interests_srv *service, const declare_request *request,
				       Lyceum__Investment__V1__DeclareInterestReply_Closure closure,
				       void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_declaration, answer_declaration);
}

static void prepare_removal(struct task *task)
{
	const Lyceum__Investment__V1__RemoveInterestRequest *request = (const void *)task->request;
	const interest_msg *interest =
		view_find(&task->desk->view, KIND_INTEREST, task->desk->node, request->id, NULL);

	if (!interest || interest->n_path != 1) {
		task_fail(task, LYC_NOT_FOUND, "id", "%.64s has declared no such interest",
			  task->desk->node);
		return;
	}
	remove_reply *reply =
		pad_message(&task->pad, &lyceum__investment__v1__remove_interest_reply__descriptor);
	reply->id = pad_copy(&task->pad, interest->id);
	task->notes = reply;
	task_withdraw(task, interest);
}

static void answer_removal(struct task *task)
{
	((Lyceum__Investment__V1__RemoveInterestReply_Closure)task->closure)(task->notes,
									     task->call);
}

static void interests_remove_interest(interests_srv *service,
				      const Lyceum__Investment__V1__RemoveInterestRequest *request,
				      Lyceum__Investment__V1__RemoveInterestReply_Closure closure,
				      void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_removal, answer_removal);
}

/* ---- Lists ---- */

static void add_fits(const struct desk *desk, struct pad *pad, interest_row_msg *row)
{
	VIEW_EACH(held, &desk->view, KIND_INTEREST_FIT)
	{
		const interest_fit_msg *fit = (const void *)held->message;
		if (strcmp(fit->interest, row->id) != 0)
			continue;
		fit_row_msg *line = PAD_NEW(pad, fit_row);
		line->venture = fit->venture;
		line->home = fit->home;
		line->score = fit->points;
		line->path = interest_path_text(pad, fit->path, fit->n_path);
		pad_push(pad, &row->fit, &row->n_fit, line);
		/* The best first. */
		for (size_t i = row->n_fit - 1; i > 0 && row->fit[i - 1]->score < line->score;
		     i--) {
			row->fit[i] = row->fit[i - 1];
			row->fit[i - 1] = line;
		}
	}
	row->fits = (uint32_t)row->n_fit;
}

static void interests_list_interests(interests_srv *service,
				     const Lyceum__Investment__V1__ListInterestsRequest *request,
				     Lyceum__Investment__V1__ListInterestsReply_Closure closure,
				     void *call)
{
	list_reply reply = LYCEUM__INVESTMENT__V1__LIST_INTERESTS_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};

	(void)service;
	(void)request;
	if (!desk_admit(desk, call))
		return;
	VIEW_EACH(held, &desk->view, KIND_INTEREST)
	{
		const interest_msg *interest = (const void *)held->message;
		if (interest_known(desk, interest->id) != interest)
			continue;
		interest_row_msg *row = PAD_NEW(&pad, interest_row);
		row->id = interest->id;
		row->investor = interest->investor;
		row->investor_home = interest->investor_home;
		row->path = interest_path_text(&pad, interest->path, interest->n_path);
		row->steps_left = interest->steps_left;
		add_fits(desk, &pad, row);
		pad_push(&pad, &reply.interest, &reply.n_interest, row);
	}
	closure(&reply, call);
	pad_fini(&pad);
}

/* ---- Credits ---- */

static void credit(struct pad *pad, credits_reply *reply, const char *node, uint32_t share)
{
	size_t at = 0;

	while (at < reply->n_credit && strcmp(reply->credit[at]->node, node) != 0)
		at++;
	if (at == reply->n_credit) {
		credit_row_msg *row = PAD_NEW(pad, credit_row);
		row->node = (char *)(uintptr_t)node;
		pad_push(pad, &reply->credit, &reply->n_credit, row);
	}
	reply->credit[at]->introductions++;
	reply->credit[at]->share_millionths += share;
}

/* An introduction that no interest brought about is the work of the homes of the two. */
static void count(struct pad *pad, credits_reply *reply, const proposal_msg *proposal)
{
	bool is_across = strcmp(proposal->venture_home, proposal->investor_home) != 0;
	uint32_t shares[2];

	reply->introductions++;
	reply->across += is_across;
	reply->by_interest += proposal->n_credit > 0;
	for (size_t i = 0; i < proposal->n_credit; i++)
		credit(pad, reply, proposal->credit[i]->node,
		       proposal->credit[i]->share_millionths);
	if (proposal->n_credit > 0)
		return;
	interest_shares(is_across ? 2 : 1, shares);
	credit(pad, reply, proposal->venture_home, shares[0]);
	if (is_across)
		credit(pad, reply, proposal->investor_home, shares[1]);
}

static void interests_list_credits(interests_srv *service,
				   const Lyceum__Investment__V1__ListCreditsRequest *request,
				   Lyceum__Investment__V1__ListCreditsReply_Closure closure,
				   void *call)
{
	credits_reply reply = LYCEUM__INVESTMENT__V1__LIST_CREDITS_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	int64_t now_ms = moment_now_ms();
	struct pad pad = {0};

	(void)service;
	(void)request;
	if (!desk_admit(desk, call))
		return;
	VIEW_EACH(held, &desk->view, KIND_PROPOSAL)
	{
		const proposal_msg *proposal = (const void *)held->message;
		if (introduction_state(desk, proposal, now_ms) == INTRODUCTION_MADE)
			count(&pad, &reply, proposal);
	}
	for (size_t i = 0; i < reply.n_credit; i++) {
		uint64_t share = reply.credit[i]->share_millionths;
		reply.credit[i]->share = pad_print(&pad, "%" PRIu64 ".%06" PRIu64,
						   share / INTEREST_WHOLE, share % INTEREST_WHOLE);
	}
	closure(&reply, call);
	pad_fini(&pad);
}

Lyceum__Investment__V1__Interests_Service interests_service =
	LYCEUM__INVESTMENT__V1__INTERESTS__INIT(interests_);

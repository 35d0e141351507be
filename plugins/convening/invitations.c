/* Methods of lyceum.convening.v1.Invitations. Whom to invite is invite.c's, what an answer becomes
 * answering.c's business. */
#include "answering.h"
#include "hold.h"
#include "invite.h"
#include "methods.h"
#include "postroom.h"
#include "reply_page.h"
#include "standing.h"
#include "waves.h"

typedef Lyceum__Convening__V1__Invitations_Service service_msg;
typedef Lyceum__Convening__V1__ListAnswersReply__Item item_msg;

static void invitations_invite(service_msg *service,
			       const Lyceum__Convening__V1__InviteRequest *request,
			       Lyceum__Convening__V1__InviteReply_Closure closure,
			       void *closure_data)
{
	(void)service;
	invite_start(lyc_call_state(closure_data), closure_data, request, closure);
}

/* ---- Rsvp ---- */

static void reply_rsvp(struct lyc_call *call, void (*closure)(void), struct entry *entry,
		       const struct seats_standing *standing)
{
	Lyceum__Convening__V1__RsvpReply reply = LYCEUM__CONVENING__V1__RSVP_REPLY__INIT;
	char because[STANDING_TEXT_SIZE], name[240];
	standing_msg own;

	standing_fill(standing, entry->event, because, &own);
	snprintf(name, sizeof(name), "%s@%s", entry->id, entry->home);
	reply.event = name;
	reply.standing = &own;
	((Lyceum__Convening__V1__RsvpReply_Closure)closure)(&reply, call);
}

static void invitations_rsvp(service_msg *service,
			     const Lyceum__Convening__V1__RsvpRequest *request,
			     Lyceum__Convening__V1__RsvpReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	const char *principal = lyc_call_principal(call);
	const char *at = strchr(principal, '@');

	(void)service;
	if (!at || strcmp(at + 1, state->view.node) != 0) {
		lyc_call_fail(
			call, LYC_PERMISSION_DENIED,
			"a person of %.64s answers here, and %.80s is none: use a person's key",
			state->view.node, principal);
		return;
	}
	struct entry *entry = convening_event(state, call, request->event);
	if (!entry)
		return;
	answering_start(state, call, entry, principal, request->choice, request->group, false,
			(void (*)(void))closure, reply_rsvp);
}

/* ---- The reply link ---- */

static void reply_reply_page(struct lyc_call *call, void (*closure)(void), struct entry *entry,
			     const struct seats_standing *standing)
{
	Lyceum__Convening__V1__ReplyPage reply = LYCEUM__CONVENING__V1__REPLY_PAGE__INIT;
	char because[STANDING_TEXT_SIZE];
	standing_msg own;

	reply.page = reply_page(entry->event, standing);
	reply.event = entry->event;
	if (standing) {
		standing_fill(standing, entry->event, because, &own);
		reply.standing = &own;
	}
	((Lyceum__Convening__V1__ReplyPage_Closure)closure)(&reply, call);
	free(reply.page);
}

/* NULL: the call has been ended. */
static struct token_entry *token_of(struct lyc_call *call, const char *text)
{
	struct convening *state = lyc_call_state(call);
	struct token_entry *token = view_token(&state->view, text);

	if (token && token->entry->event)
		return token;
	lyc_call_fail_field(call, LYC_NOT_FOUND, "token",
			    "this link is not known here, or the event is gone");
	return NULL;
}

static void invitations_open_reply(service_msg *service,
				   const Lyceum__Convening__V1__OpenReplyRequest *request,
				   Lyceum__Convening__V1__ReplyPage_Closure closure,
				   void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	const struct token_entry *token = token_of(call, request->token);
	struct seats_standing standing;

	(void)service;
	if (!token)
		return;
	bool has = view_standing(&state->view, token->entry, token->invitation, &standing);
	reply_reply_page(call, (void (*)(void))closure, token->entry, has ? &standing : NULL);
}

static void invitations_answer_reply(service_msg *service,
				     const Lyceum__Convening__V1__AnswerReplyRequest *request,
				     Lyceum__Convening__V1__ReplyPage_Closure closure,
				     void *closure_data)
{
	struct lyc_call *call = closure_data;
	const struct token_entry *token = token_of(call, request->token);

	(void)service;
	if (!token)
		return;
	answering_start(lyc_call_state(call), call, token->entry, token->invitation,
			request->choice, "", true, (void (*)(void))closure, reply_reply_page);
}

/* ---- ListAnswers ---- */

struct answers {
	struct convening *state;
	struct entry *entry;
	const Lyceum__Convening__V1__ListAnswersRequest *request;
	Lyceum__Convening__V1__ListAnswersReply reply;
	size_t capacity;
	size_t limit;
};

/* Who an invitation was for, in words. */
static char *who_of(const struct entry *entry, const char *person)
{
	const struct invited *invited = view_invited(entry, person);
	char text[200];

	if (!invited)
		return hold_text(person);
	if (!invited->msg->expert[0])
		return hold_text(invited->msg->name[0] ? invited->msg->name : invited->msg->email);
	snprintf(text, sizeof(text), "%s@%s", invited->msg->expert, invited->msg->expert_home);
	return hold_text(text);
}

static void count(struct answers *answers, const struct seats_standing *standing)
{
	Lyceum__Convening__V1__ListAnswersReply *reply = &answers->reply;

	reply->total++;
	reply->invited += standing->is_invited;
	reply->yes += standing->choice == SEATS_YES;
	reply->no += standing->choice == SEATS_NO;
	reply->maybe += standing->choice == SEATS_MAYBE;
}

static void add_answer(const struct seats_standing *standing, void *arg)
{
	struct answers *answers = arg;
	char because[STANDING_TEXT_SIZE];
	struct seats_standing own = *standing;
	standing_msg told;

	count(answers, standing);
	if (answers->request->state && (standing->decided_number < standing->number ||
					(int)answers->request->state != (int)standing->state))
		return;
	if (answers->reply.n_answer >= answers->limit)
		return;
	/* Asking the place in the line costs a walk: only for a list that people read. */
	if (standing->state == SEATS_WAITING && answers->reply.n_answer < 200)
		seats_find(answers->entry->seats, standing->node, standing->person, &own);
	standing_fill(&own, answers->entry->event, because, &told);
	item_msg *item = hold_new(1, sizeof(*item));
	lyceum__convening__v1__list_answers_reply__item__init(item);
	item->who = who_of(answers->entry, standing->person);
	item->node = (char *)(uintptr_t)standing->node;
	item->group = (char *)(uintptr_t)standing->group;
	item->choice = told.choice;
	item->state = told.state;
	item->reason = told.reason;
	item->because = hold_text(because);
	item->position = told.position;
	item->is_invited = standing->is_invited;
	if (standing->is_invited)
		item->mail = (char *)(uintptr_t)postroom_tell(
			answers->state, answers->entry,
			view_invited(answers->entry, standing->person));
	answers->reply.answer =
		hold_grow(answers->reply.answer, &answers->capacity, answers->reply.n_answer + 1,
			  sizeof(*answers->reply.answer));
	answers->reply.answer[answers->reply.n_answer++] = item;
}

static void invitations_list_answers(service_msg *service,
				     const Lyceum__Convening__V1__ListAnswersRequest *request,
				     Lyceum__Convening__V1__ListAnswersReply_Closure closure,
				     void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct answers answers = {.state = lyc_call_state(call),
				  .request = request,
				  .limit = request->limit ? request->limit : 1000};

	(void)service;
	answers.entry = convening_own_event(answers.state, call, request->event);
	if (!answers.entry)
		return;
	lyceum__convening__v1__list_answers_reply__init(&answers.reply);
	answers.reply.taken = seats_taken(answers.entry->seats);
	answers.reply.waiting = (uint32_t)seats_waiting(answers.entry->seats);
	seats_each(answers.entry->seats, add_answer, &answers);
	closure(&answers.reply, call);
	for (size_t i = 0; i < answers.reply.n_answer; i++) {
		free(answers.reply.answer[i]->who);
		free(answers.reply.answer[i]->because);
		free(answers.reply.answer[i]);
	}
	free(answers.reply.answer);
}

/* ---- Plan ---- */

static void count_unanswered(const struct seats_standing *standing, void *arg)
{
	*(uint32_t *)arg += standing->is_invited && standing->choice == SEATS_UNANSWERED;
}

static void advise(const Lyceum__Convening__V1__PlanRequest *request,
		   const Lyceum__Convening__V1__PlanReply *reply, uint32_t least, double risk,
		   char *to, size_t size)
{
	double comes = request->accept * (request->show_up > 0 ? request->show_up : 1);
	uint32_t needed = waves_least(comes, least, risk);

	if (reply->invite == 0)
		snprintf(to, size, "wait: %u invitations have no answer yet, and that is enough",
			 reply->unanswered);
	else if (reply->underflow_chance <= risk)
		snprintf(to, size, "invite %u", reply->invite);
	else if (needed < WAVES_MAX)
		snprintf(to, size,
			 "no number keeps both risks: %u invitations would fill the room with %u, "
			 "and "
			 "then too many say yes with %.1f %%; invite %u, and more when answers "
			 "have come",
			 needed, request->least,
			 100 * waves_over(needed, request->accept, reply->free), reply->invite);
	else
		snprintf(to, size, "so many do not come at these chances");
}

static void invitations_plan(service_msg *service,
			     const Lyceum__Convening__V1__PlanRequest *request,
			     Lyceum__Convening__V1__PlanReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct entry *entry = convening_own_event(lyc_call_state(call), call, request->event);
	Lyceum__Convening__V1__PlanReply reply = LYCEUM__CONVENING__V1__PLAN_REPLY__INIT;
	double risk = request->risk > 0 ? request->risk : 0.01;
	double comes = request->accept * (request->show_up > 0 ? request->show_up : 1);
	char over[24], under[24], advice[300];

	(void)service;
	if (!entry)
		return;
	if (entry->event->cap == 0) {
		lyc_call_fail_field(call, LYC_FAILED_PRECONDITION, "event",
				    "the event has no cap: invite as many as you like");
		return;
	}
	uint32_t taken = seats_taken(entry->seats);
	seats_each(entry->seats, count_unanswered, &reply.unanswered);
	reply.free = entry->event->cap > taken ? entry->event->cap - taken : 0;
	uint32_t most = reply.free ? waves_most(request->accept, reply.free, risk) : 0;
	reply.invite = most > reply.unanswered ? most - reply.unanswered : 0;
	uint32_t outstanding = reply.invite + reply.unanswered;
	reply.overflow_chance = waves_over(outstanding, request->accept, reply.free);
	/* Of those who have a seat already so many are expected; fewer are needed then. */
	double expected = taken * (request->show_up > 0 ? request->show_up : 1);
	uint32_t least = request->least > expected ? request->least - (uint32_t)expected : 0;
	reply.underflow_chance = waves_under(outstanding, comes, least);
	snprintf(over, sizeof(over), "%.2f %%", 100 * reply.overflow_chance);
	snprintf(under, sizeof(under), "%.2f %%", 100 * reply.underflow_chance);
	advise(request, &reply, least, risk, advice, sizeof(advice));
	reply.overflow = over;
	reply.underflow = request->least ? under : (char *)(uintptr_t) "";
	reply.advice = advice;
	closure(&reply, call);
}

service_msg convening_invitations = LYCEUM__CONVENING__V1__INVITATIONS__INIT(invitations_);

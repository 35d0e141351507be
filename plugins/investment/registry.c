/* The ventures and investors of this node, for its own people. */
#include <string.h>

#include "blind.h"
#include "desk.h"
#include "intake.h"
#include "moment.h"
#include "money.h"
#include "service.h"

typedef Lyceum__Investment__V1__Registry_Service registry_srv;

#define REQUEST(task, type) ((const Lyceum__Investment__V1__##type *)(const void *)(task)->request)

/* ---- Entering ---- */

static void prepare_venture(struct task *task)
{
	ProtobufCMessage *entry = (ProtobufCMessage *)(uintptr_t)task->request;
	intake_prepare(task, INTAKE_VENTURE, &entry, 1, false);
}

static void prepare_investor(struct task *task)
{
	ProtobufCMessage *entry = (ProtobufCMessage *)(uintptr_t)task->request;
	intake_prepare(task, INTAKE_INVESTOR, &entry, 1, false);
}

static void prepare_ventures(struct task *task)
{
	const Lyceum__Investment__V1__ImportVenturesRequest *request =
		REQUEST(task, ImportVenturesRequest);
	intake_prepare(task, INTAKE_VENTURE, (ProtobufCMessage *const *)request->items,
		       request->n_items, request->dry_run);
}

static void prepare_investors(struct task *task)
{
	const Lyceum__Investment__V1__ImportInvestorsRequest *request =
		REQUEST(task, ImportInvestorsRequest);
	intake_prepare(task, INTAKE_INVESTOR, (ProtobufCMessage *const *)request->items,
		       request->n_items, request->dry_run);
}

static void registry_add_venture(registry_srv *service, const venture_entry_msg *request,
				 Lyceum__Investment__V1__ChangeReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_venture, intake_answer_one);
}

static void registry_add_investor(registry_srv *service, const investor_entry_msg *request,
				  Lyceum__Investment__V1__ChangeReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_investor, intake_answer_one);
}

static void registry_import_ventures(registry_srv *service,
				     const Lyceum__Investment__V1__ImportVenturesRequest *request,
				     Lyceum__Investment__V1__ImportReply_Closure closure,
				     void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_ventures, intake_answer_all);
}

static void registry_import_investors(registry_srv *service,
				      const Lyceum__Investment__V1__ImportInvestorsRequest *request,
				      Lyceum__Investment__V1__ImportReply_Closure closure,
				      void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_investors, intake_answer_all);
}

/* ---- Withdrawing ---- */

static void prepare_removal(struct task *task)
{
	const char *id = REQUEST(task, RemovePartyRequest)->id;
	struct party party;

	if (!desk_party(task->desk, SIDE_NONE, id, &party)) {
		task_fail(task, LYC_NOT_FOUND, "id", "%.64s has no venture or investor \"%.60s\"",
			  task->desk->node, id);
		return;
	}
	Lyceum__Investment__V1__RemovePartyReply *reply =
		pad_message(&task->pad, &lyceum__investment__v1__remove_party_reply__descriptor);
	reply->id = pad_copy(&task->pad, party.id);
	reply->name = pad_copy(&task->pad, party.name);
	task->notes = reply;
	task_withdraw(task,
		      party.venture ? (const void *)party.venture : (const void *)party.investor);
}

static void answer_removal(struct task *task)
{
	((Lyceum__Investment__V1__RemovePartyReply_Closure)task->closure)(task->notes, task->call);
}

static void registry_remove_party(registry_srv *service,
				  const Lyceum__Investment__V1__RemovePartyRequest *request,
				  Lyceum__Investment__V1__RemovePartyReply_Closure closure,
				  void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_removal, answer_removal);
}

/* ---- Showing ---- */

static char *state_text(struct pad *pad, const struct party *party)
{
	const char *reason = "";
	int64_t until =
		party->venture ? party->venture->open_until_ms : party->investor->open_until_ms;

	if (!desk_is_open(party, moment_now_ms(), &reason))
		return pad_print(pad, "not open: %s", reason);
	return until ? pad_print(pad, "open until %s", moment_day(pad, until - 1))
		     : pad_copy(pad, "open");
}

static char *certificate_text(struct pad *pad, const certification_msg *held)
{
	if (!held || (!held->is_exempt && !held->type[0]))
		return pad_copy(pad, "none");
	if (held->is_exempt)
		return pad_copy(pad, "needs none");
	return pad_print(pad, "%s until %s", held->type, moment_day(pad, held->expires_ms - 1));
}

static void show_venture(const struct desk *desk, struct pad *pad, const venture_msg *venture,
			 const char *token, show_party_reply_msg *row)
{
	blind_venture_msg *blind = blind_venture(pad, venture);

	row->contact = venture->contact;
	row->summary = venture->summary;
	row->stage = pad_new(pad, 1, sizeof(row->stage[0]));
	row->stage[0] = venture->stage;
	row->n_stage = venture->stage != 0;
	row->sector = venture->sector;
	row->n_sector = venture->n_sector;
	row->region = pad_new(pad, 1, sizeof(row->region[0]));
	row->region[0] = venture->region;
	row->n_region = venture->region[0] != '\0';
	row->money = money_range_text(pad, venture->currency, venture->ask_min_minor,
				      venture->ask_max_minor);
	row->capacity = venture->capacity;
	row->others_see = blind_venture_text(pad, blind);
	row->look_alike = intake_look_alikes(desk, &blind->base, token);
}

static void show_investor(const struct desk *desk, struct pad *pad, const investor_msg *investor,
			  const char *token, show_party_reply_msg *row)
{
	blind_investor_msg *blind = blind_investor(pad, investor);
	const mandate_msg *mandate = investor->mandate;

	row->contact = investor->contact;
	row->summary = investor->summary;
	if (mandate) {
		row->stage = mandate->stage;
		row->n_stage = mandate->n_stage;
		row->sector = mandate->sector;
		row->n_sector = mandate->n_sector;
		row->region = mandate->region;
		row->n_region = mandate->n_region;
		row->money = money_range_text(pad, mandate->currency, mandate->ticket_min_minor,
					      mandate->ticket_max_minor);
	}
	row->capacity = investor->capacity;
	row->certification = certificate_text(pad, investor->certification);
	row->others_see = blind_investor_text(pad, blind);
	row->look_alike = intake_look_alikes(desk, &blind->base, token);
}

static show_party_reply_msg *show(const struct desk *desk, struct pad *pad,
				  const struct party *party)
{
	show_party_reply_msg *row = PAD_NEW(pad, show_party_reply);

	row->side = party->side;
	row->name = (char *)(uintptr_t)party->name;
	row->id = (char *)(uintptr_t)party->id;
	row->token = pad_copy(pad, party->token);
	row->state = state_text(pad, party);
	if (party->venture)
		show_venture(desk, pad, party->venture, party->token, row);
	else
		show_investor(desk, pad, party->investor, party->token, row);
	return row;
}

static void registry_show_party(registry_srv *service,
				const Lyceum__Investment__V1__ShowPartyRequest *request,
				Lyceum__Investment__V1__ShowPartyReply_Closure closure, void *call)
{
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};
	struct party party;

	(void)service;
	if (!desk_admit(desk, call))
		return;
	if (desk_party(desk, SIDE_NONE, request->id, &party))
		closure(show(desk, &pad, &party), call);
	else
		lyc_call_fail_field(call, LYC_NOT_FOUND, "id",
				    "%.64s has no venture or investor with this id or token",
				    desk->node);
	pad_fini(&pad);
}

static void add_row(const struct desk *desk, struct pad *pad, side_value side, const char *id,
		    const Lyceum__Investment__V1__ListPartiesRequest *request,
		    Lyceum__Investment__V1__ListPartiesReply *reply)
{
	uint32_t limit = request->limit ? request->limit : 100;
	uint32_t place = reply->ventures + reply->investors;
	struct party party;

	if (request->side != SIDE_NONE && request->side != side)
		return;
	reply->ventures += side == SIDE_VENTURE;
	reply->investors += side == SIDE_INVESTOR;
	if (place >= request->offset && reply->n_party < limit &&
	    desk_party(desk, side, id, &party))
		pad_push(pad, &reply->party, &reply->n_party, show(desk, pad, &party));
}

static void registry_list_parties(registry_srv *service,
				  const Lyceum__Investment__V1__ListPartiesRequest *request,
				  Lyceum__Investment__V1__ListPartiesReply_Closure closure,
				  void *call)
{
	Lyceum__Investment__V1__ListPartiesReply reply =
		LYCEUM__INVESTMENT__V1__LIST_PARTIES_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};

	(void)service;
	if (!desk_admit(desk, call))
		return;
	VIEW_EACH(held, &desk->view, KIND_VENTURE)
	add_row(desk, &pad, SIDE_VENTURE, ((const venture_msg *)(const void *)held->message)->id,
		request, &reply);
	VIEW_EACH(held, &desk->view, KIND_INVESTOR)
	add_row(desk, &pad, SIDE_INVESTOR, ((const investor_msg *)(const void *)held->message)->id,
		request, &reply);
	closure(&reply, call);
	pad_fini(&pad);
}

Lyceum__Investment__V1__Registry_Service registry_service =
	LYCEUM__INVESTMENT__V1__REGISTRY__INIT(registry_);

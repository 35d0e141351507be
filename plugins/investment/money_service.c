/* The Rounds service. */
#include <string.h>

#include "blind.h"
#include "desk.h"
#include "intake.h"
#include "ledger.h"
#include "moment.h"
#include "money.h"
#include "service.h"

typedef Lyceum__Investment__V1__Rounds_Service rounds_srv;

static void prepare_round(struct task *task)
{
	ProtobufCMessage *entry = (ProtobufCMessage *)(uintptr_t)task->request;
	intake_prepare(task, INTAKE_ROUND, &entry, 1, false);
}

static void prepare_commitment(struct task *task)
{
	ProtobufCMessage *entry = (ProtobufCMessage *)(uintptr_t)task->request;
	intake_prepare(task, INTAKE_COMMITMENT, &entry, 1, false);
}

static void prepare_rounds(struct task *task)
{
	const Lyceum__Investment__V1__ImportRoundsRequest *request = (const void *)task->request;
	intake_prepare(task, INTAKE_ROUND, (ProtobufCMessage *const *)request->items,
		       request->n_items, request->dry_run);
}

static void prepare_commitments(struct task *task)
{
	const Lyceum__Investment__V1__ImportCommitmentsRequest *request =
		(const void *)task->request;
	intake_prepare(task, INTAKE_COMMITMENT, (ProtobufCMessage *const *)request->items,
		       request->n_items, request->dry_run);
}

static void money_add_round(rounds_srv *service, const round_entry_msg *request,
			    Lyceum__Investment__V1__ChangeReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_round, intake_answer_one);
}

static void money_commit(rounds_srv *service, const commitment_entry_msg *request,
			 Lyceum__Investment__V1__ChangeReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_commitment, intake_answer_one);
}

static void money_import_rounds(rounds_srv *service,
				const Lyceum__Investment__V1__ImportRoundsRequest *request,
				Lyceum__Investment__V1__ImportReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_rounds, intake_answer_all);
}

static void
money_import_commitments(rounds_srv *service,
			 const Lyceum__Investment__V1__ImportCommitmentsRequest *request,
			 Lyceum__Investment__V1__ImportReply_Closure closure, void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_commitments, intake_answer_all);
}

/* ---- Lists and the report ---- */

static bool may_see(void *call, const label_msg *label)
{
	return lyc_call_may_see(call, label);
}

static round_row_msg *row_of(const struct desk *desk, struct pad *pad, struct lyc_call *call,
			     const round_msg *round)
{
	round_row_msg *row = PAD_NEW(pad, round_row);
	int64_t committed = 0;

	VIEW_EACH(held, &desk->view, KIND_COMMITMENT)
	{
		const commitment_msg *commitment = (const void *)held->message;
		if (strcmp(commitment->home, round->home) != 0 ||
		    strcmp(commitment->round, round->id) != 0 ||
		    strcmp(commitment->currency, round->currency) != 0 ||
		    !lyc_call_may_see(call, commitment->label) ||
		    commitment->amount_minor > INT64_MAX - committed)
			continue;
		committed += commitment->amount_minor;
		row->commitments++;
	}
	row->id = round->id;
	row->home = round->home;
	row->venture = round->venture;
	row->stage = round->stage;
	row->currency = round->currency;
	row->target = money_text(pad, round->target_minor);
	row->committed = money_text(pad, committed);
	row->closed = moment_day(pad, round->closed_ms);
	row->label = round->label;
	return row;
}

static void money_list_rounds(rounds_srv *service,
			      const Lyceum__Investment__V1__ListRoundsRequest *request,
			      Lyceum__Investment__V1__ListRoundsReply_Closure closure, void *call)
{
	Lyceum__Investment__V1__ListRoundsReply reply =
		LYCEUM__INVESTMENT__V1__LIST_ROUNDS_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	uint32_t limit = request->limit ? request->limit : 100;
	struct pad pad = {0};

	(void)service;
	VIEW_EACH(held, &desk->view, KIND_ROUND)
	{
		const round_msg *round = (const void *)held->message;
		if (!lyc_call_may_see(call, round->label) ||
		    (request->venture[0] && strcmp(request->venture, round->venture) != 0))
			continue;
		if (reply.total++ >= request->offset && reply.n_round < limit)
			pad_push(&pad, &reply.round, &reply.n_round,
				 row_of(desk, &pad, call, round));
	}
	closure(&reply, call);
	pad_fini(&pad);
}

static void money_report(rounds_srv *service, const Lyceum__Investment__V1__ReportRequest *request,
			 Lyceum__Investment__V1__ReportReply_Closure closure, void *call)
{
	struct desk *desk = lyc_call_state(call);
	struct rounds *rounds = ledger_fold(&desk->view, may_see, call);
	struct pad pad = {0};

	(void)service;
	if (rounds)
		closure(ledger_report(&pad, &desk->view, rounds, request, desk->node), call);
	else
		lyc_call_fail(call, LYC_OUT_OF_RANGE,
			      "the commitments are more than can be summed in 64 bits");
	pad_fini(&pad);
	rounds_free(rounds);
}

Lyceum__Investment__V1__Rounds_Service rounds_service =
	LYCEUM__INVESTMENT__V1__ROUNDS__INIT(money_);

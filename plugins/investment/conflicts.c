/* Declaring conflicts: a record that stays at home; who else has to know is told by a duty. */
#include <string.h>

#include "desk.h"
#include "service.h"

typedef Lyceum__Investment__V1__Conflicts_Service conflicts_srv;
typedef Lyceum__Investment__V1__DeclareConflictRequest declare_request;
typedef Lyceum__Investment__V1__DeclareConflictReply declare_reply;
typedef Lyceum__Investment__V1__RemoveConflictReply remove_reply;

static void prepare_declaration(struct task *task)
{
	const declare_request *request = (const void *)task->request;
	conflict_msg *conflict = PAD_NEW(&task->pad, conflict);
	declare_reply *reply = pad_message(
		&task->pad, &lyceum__investment__v1__declare_conflict_reply__descriptor);
	struct party party;

	if (!desk_party(task->desk, SIDE_NONE, request->ours, &party)) {
		task_fail(task, LYC_NOT_FOUND, "ours", "%.64s has no venture or investor \"%.60s\"",
			  task->desk->node, request->ours);
		return;
	}
	conflict->home = (char *)(uintptr_t)task->desk->node;
	conflict->id = secret_name(&task->pad);
	conflict->ours = (char *)(uintptr_t)party.id;
	conflict->side = party.side;
	conflict->other = request->other;
	conflict->other_company_number = request->company_number;
	conflict->other_home = request->of;
	conflict->nature = request->nature;
	conflict->label = desk_label_private(task->desk, &task->pad);
	reply->id = conflict->id;
	reply->text = pad_print(&task->pad,
				"%s and %s are not introduced; what was open between them is ended "
				"without saying who asked for it.",
				party.name, request->other);
	task->notes = reply;
	task_append_over(task, conflict, NULL)->names_caller = true;
}

static void answer_declaration(struct task *task)
{
	((Lyceum__Investment__V1__DeclareConflictReply_Closure)task->closure)(task->notes,
									      task->call);
}

static void conflicts_declare_conflict(conflicts_srv *service, const declare_request *request,
				       Lyceum__Investment__V1__DeclareConflictReply_Closure closure,
				       void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_declaration, answer_declaration);
}

static void conflicts_list_conflicts(conflicts_srv *service,
				     const Lyceum__Investment__V1__ListConflictsRequest *request,
				     Lyceum__Investment__V1__ListConflictsReply_Closure closure,
				     void *call)
{
	Lyceum__Investment__V1__ListConflictsReply reply =
		LYCEUM__INVESTMENT__V1__LIST_CONFLICTS_REPLY__INIT;
	struct desk *desk = lyc_call_state(call);
	struct pad pad = {0};

	(void)service;
	(void)request;
	if (!desk_admit(desk, call))
		return;
	VIEW_EACH(held, &desk->view, KIND_CONFLICT)
	pad_push(&pad, &reply.conflict, &reply.n_conflict, held->message);
	closure(&reply, call);
	pad_fini(&pad);
}

static void prepare_removal(struct task *task)
{
	const Lyceum__Investment__V1__RemoveConflictRequest *request = (const void *)task->request;
	const conflict_msg *conflict =
		view_find(&task->desk->view, KIND_CONFLICT, task->desk->node, request->id, NULL);

	if (!conflict) {
		task_fail(task, LYC_NOT_FOUND, "id",
			  "%.64s has no such conflict: `lyceum invest conflicts` lists them",
			  task->desk->node);
		return;
	}
	remove_reply *reply =
		pad_message(&task->pad, &lyceum__investment__v1__remove_conflict_reply__descriptor);
	reply->id = pad_copy(&task->pad, conflict->id);
	task->notes = reply;
	task_withdraw(task, conflict);
}

static void answer_removal(struct task *task)
{
	((Lyceum__Investment__V1__RemoveConflictReply_Closure)task->closure)(task->notes,
									     task->call);
}

static void conflicts_remove_conflict(conflicts_srv *service,
				      const Lyceum__Investment__V1__RemoveConflictRequest *request,
				      Lyceum__Investment__V1__RemoveConflictReply_Closure closure,
				      void *call)
{
	(void)service;
	task_submit(lyc_call_state(call), call, &request->base, (void (*)(void))closure,
		    prepare_removal, answer_removal);
}

Lyceum__Investment__V1__Conflicts_Service conflicts_service =
	LYCEUM__INVESTMENT__V1__CONFLICTS__INIT(conflicts_);

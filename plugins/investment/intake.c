/* Works for four kinds of entry; what each says of itself is in one table. */
#include "intake.h"

#include <stdio.h>
#include <string.h>

#include "blind.h"
#include "entry.h"

/* An item and what became of it. */
struct item {
	change_result_msg *result;
	/* What shall be, by id; the same for several items of one id. */
	struct wanted *wanted;
};

struct wanted {
	const char *id;
	const struct held *held;
	ProtobufCMessage *record;
	struct wish *wish;
};

struct intake {
	enum intake_kind kind;
	bool is_single;
	struct item *items;
	size_t count;
	struct wanted **wanted;
	size_t wanted_count;
};

static const enum kind kinds[] = {[INTAKE_VENTURE] = KIND_VENTURE,
				  [INTAKE_INVESTOR] = KIND_INVESTOR,
				  [INTAKE_ROUND] = KIND_ROUND,
				  [INTAKE_COMMITMENT] = KIND_COMMITMENT};

static const char *id_of(struct pad *pad, enum intake_kind kind, const ProtobufCMessage *entry)
{
	const venture_entry_msg *venture = (const void *)entry;
	const investor_entry_msg *investor = (const void *)entry;

	switch (kind) {
	case INTAKE_VENTURE:
		return venture->id[0] ? venture->id : entry_id_of(pad, venture->name);
	case INTAKE_INVESTOR:
		return investor->id[0] ? investor->id : entry_id_of(pad, investor->name);
	case INTAKE_ROUND:
		return ((const round_entry_msg *)(const void *)entry)->id;
	default:
		return ((const commitment_entry_msg *)(const void *)entry)->id;
	}
}

static enum lyc_status read_entry(struct task *task, enum intake_kind kind,
				  const ProtobufCMessage *entry, const ProtobufCMessage *held,
				  ProtobufCMessage **ret_record, struct lyc_error *error)
{
	const void *from = entry, *old = held;
	void *record = NULL;
	enum lyc_status status;

	switch (kind) {
	case INTAKE_VENTURE:
		status = entry_venture(task->desk, &task->pad, from, old, (venture_msg **)&record,
				       error);
		break;
	case INTAKE_INVESTOR:
		status = entry_investor(task->desk, &task->pad, from, old, (investor_msg **)&record,
					error);
		break;
	case INTAKE_ROUND:
		status = entry_round(task->desk, &task->pad, from, old, (round_msg **)&record,
				     error);
		break;
	default:
		status = entry_commitment(task->desk, &task->pad, from, old,
					  (commitment_msg **)&record, error);
	}
	*ret_record = record;
	return status;
}

static struct wanted *find_wanted(struct task *task, struct intake *intake, const char *id)
{
	for (size_t i = 0; i < intake->wanted_count; i++) {
		if (strcmp(intake->wanted[i]->id, id) == 0)
			return intake->wanted[i];
	}
	struct wanted *wanted = pad_new(&task->pad, 1, sizeof(*wanted));
	wanted->id = pad_copy(&task->pad, id);
	wanted->held =
		view_held(&task->desk->view, kinds[intake->kind], task->desk->node, id, NULL);
	pad_push(&task->pad, &intake->wanted, &intake->wanted_count, wanted);
	return wanted;
}

/* ---- What is said of an item ---- */

uint32_t intake_look_alikes(const struct desk *desk, const ProtobufCMessage *blind,
			    const char *token)
{
	uint32_t count = 0;

	VIEW_EACH(held, &desk->view, KIND_VENTURE_PROFILE)
	{
		const venture_profile_msg *profile = (const void *)held->message;
		count += profile->blind && profile->blind->base.descriptor == blind->descriptor &&
			 strcmp(profile->home, desk->node) == 0 &&
			 strcmp(profile->token, token) != 0 &&
			 blind_is_equal(&profile->blind->base, blind);
	}
	VIEW_EACH(held, &desk->view, KIND_INVESTOR_PROFILE)
	{
		const investor_profile_msg *profile = (const void *)held->message;
		count += profile->blind && profile->blind->base.descriptor == blind->descriptor &&
			 strcmp(profile->home, desk->node) == 0 &&
			 strcmp(profile->token, token) != 0 &&
			 blind_is_equal(&profile->blind->base, blind);
	}
	return count;
}

/* What others see is told of a single entry; of a list it would be a remark for each row. */
static void describe(struct task *task, enum intake_kind kind, const ProtobufCMessage *record,
		     change_result_msg *result)
{
	bool is_single = ((const struct intake *)task->notes)->is_single;
	struct pad *pad = &task->pad;
	const void *message = record;
	char token[SECRET_TOKEN_SIZE] = "";

	if (kind == INTAKE_VENTURE) {
		const venture_msg *venture = message;
		result->name = venture->name;
		desk_token(task->desk, SIDE_VENTURE, venture->id, token);
		if (is_single)
			result->text =
				pad_print(pad, "others see: %s",
					  blind_venture_text(pad, blind_venture(pad, venture)));
	} else if (kind == INTAKE_INVESTOR) {
		const investor_msg *investor = message;
		result->name = investor->name;
		desk_token(task->desk, SIDE_INVESTOR, investor->id, token);
		if (is_single)
			result->text =
				pad_print(pad, "others see: %s",
					  blind_investor_text(pad, blind_investor(pad, investor)));
	}
	result->token = pad_copy(pad, token);
}

static void take(struct task *task, struct intake *intake, const ProtobufCMessage *entry,
		 struct item *item)
{
	change_result_msg *result = item->result = PAD_NEW(&task->pad, change_result);
	struct wanted *wanted = find_wanted(task, intake, id_of(&task->pad, intake->kind, entry));
	const ProtobufCMessage *before = wanted->record ? wanted->record
					 : wanted->held ? wanted->held->message
							: NULL;
	ProtobufCMessage *record;
	struct lyc_error error = {0};

	if (read_entry(task, intake->kind, entry, before, &record, &error) != LYC_OK) {
		result->status = (Lyceum__V1__Status)error.status;
		result->text = pad_copy(&task->pad, error.text);
		result->field = pad_copy(&task->pad, error.field);
		return;
	}
	result->change = !before                          ? CHANGE_ADDED
			 : blind_is_equal(before, record) ? CHANGE_UNCHANGED
							  : CHANGE_UPDATED;
	result->id = pad_copy(&task->pad, wanted->id);
	/* Before the next item is laid over it. */
	wanted->record = pad_copy_message(&task->pad, record);
	item->wanted = wanted;
	describe(task, intake->kind, wanted->record, result);
}

void intake_prepare(struct task *task, enum intake_kind kind, ProtobufCMessage *const *entries,
		    size_t count, bool is_dry)
{
	struct intake *intake = pad_new(&task->pad, 1, sizeof(*intake));

	intake->kind = kind;
	intake->is_single = task->answer == intake_answer_one;
	intake->count = count;
	intake->items = pad_new(&task->pad, count, sizeof(intake->items[0]));
	task->notes = intake;
	task->answers_for_each = true;
	for (size_t i = 0; i < count; i++)
		take(task, intake, entries[i], &intake->items[i]);
	for (size_t i = 0; i < intake->wanted_count && !is_dry; i++) {
		struct wanted *wanted = intake->wanted[i];
		const struct held *held = wanted->held;
		if (!wanted->record ||
		    (held && held->message && blind_is_equal(held->message, wanted->record)))
			continue;
		wanted->wish = task_append_over(task, wanted->record, held);
		wanted->wish->names_caller = true;
	}
}

static void settle(struct item *item)
{
	change_result_msg *result = item->result;
	const struct wish *wish = item->wanted ? item->wanted->wish : NULL;

	if (!wish || wish->status == LYC_OK || result->change == CHANGE_UNCHANGED)
		return;
	bool has_changed = wish->status == LYC_FAILED_PRECONDITION;
	result->status =
		has_changed ? LYCEUM__V1__STATUS__ABORTED : (Lyceum__V1__Status)wish->status;
	result->text = has_changed ? "the record was changed meanwhile: try again" : wish->text;
	result->change = LYCEUM__INVESTMENT__V1__CHANGE__CHANGE_UNSPECIFIED;
}

void intake_answer_all(struct task *task)
{
	Lyceum__Investment__V1__ImportReply reply = LYCEUM__INVESTMENT__V1__IMPORT_REPLY__INIT;
	Lyceum__Investment__V1__ImportReply_Closure closure =
		(Lyceum__Investment__V1__ImportReply_Closure)task->closure;
	struct intake *intake = task->notes;

	reply.results = pad_new(&task->pad, intake->count, sizeof(reply.results[0]));
	for (size_t i = 0; i < intake->count; i++) {
		settle(&intake->items[i]);
		change_result_msg *result = intake->items[i].result;
		reply.results[reply.n_results++] = result;
		reply.refused += result->status != LYCEUM__V1__STATUS__OK;
		reply.added += result->change == CHANGE_ADDED;
		reply.updated += result->change == CHANGE_UPDATED;
		reply.unchanged += result->change == CHANGE_UNCHANGED;
	}
	closure(&reply, task->call);
}

void intake_answer_one(struct task *task)
{
	Lyceum__Investment__V1__ChangeReply reply = LYCEUM__INVESTMENT__V1__CHANGE_REPLY__INIT;
	Lyceum__Investment__V1__ChangeReply_Closure closure =
		(Lyceum__Investment__V1__ChangeReply_Closure)task->closure;
	struct intake *intake = task->notes;

	settle(&intake->items[0]);
	reply.result = intake->items[0].result;
	if (reply.result->status != LYCEUM__V1__STATUS__OK)
		lyc_call_fail_field(task->call, (enum lyc_status)reply.result->status,
				    reply.result->field, "%s", reply.result->text);
	else
		closure(&reply, task->call);
}

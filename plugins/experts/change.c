/* What a change holds, and how it is answered. */
#include "change.h"

#include "grow.h"

typedef Lyceum__Experts__V1__ChangeResult result_msg;

struct change *change_new(struct lyc_call *call, enum change_kind kind,
			  const ProtobufCMessage *request)
{
	struct change *change = grow_new(1, sizeof(*change));

	change->call = call;
	change->kind = kind;
	change->request = request;
	return change;
}

static void result_clear(result_msg *result)
{
	char *const strings[] = {result->text, result->field,   result->home,
				 result->id,   result->seen_by, result->name};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (strings[i] != protobuf_c_empty_string)
			free(strings[i]);
	}
}

void change_free(struct change *change)
{
	if (!change)
		return;
	for (size_t i = 0; i < change->result_count; i++)
		result_clear(&change->results[i]);
	for (size_t i = 0; i < change->person_count; i++) {
		free(change->persons[i].id);
		lyceum__experts__v1__expert__free_unpacked(change->persons[i].held, NULL);
		lyceum__experts__v1__expert__free_unpacked(change->persons[i].wanted, NULL);
	}
	free(change->results);
	free(change->result_person);
	free(change->persons);
	free(change);
}

void change_make_room(struct change *change, size_t count)
{
	change->results = grow_new(count, sizeof(change->results[0]));
	change->result_person = grow_new(count, sizeof(change->result_person[0]));
	change->persons = grow_new(count, sizeof(change->persons[0]));
	change->result_count = count;
	for (size_t i = 0; i < count; i++)
		lyceum__experts__v1__change_result__init(&change->results[i]);
}

void change_say(char **field, const char *text)
{
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = text[0] ? grow_copy(text, strlen(text)) : (char *)protobuf_c_empty_string;
}

void change_say_refusal(result_msg *result, const struct lyc_error *error)
{
	result->status = (Lyceum__V1__Status)error->status;
	result->change = LYCEUM__EXPERTS__V1__CHANGE__CHANGE_UNSPECIFIED;
	change_say(&result->text, error->text);
	change_say(&result->seen_by, "");
	change_say(&result->field, error->field);
}

/* ---- Answers ---- */

static void answer_add(struct change *change)
{
	Lyceum__Experts__V1__AddReply reply = LYCEUM__EXPERTS__V1__ADD_REPLY__INIT;
	result_msg *result = &change->results[0];

	if (result->status != LYCEUM__V1__STATUS__OK) {
		lyc_call_fail_field(change->call, (enum lyc_status)result->status, result->field,
				    "%s", result->text);
		return;
	}
	reply.result = result;
	change->reply.add(&reply, change->call);
}

static void answer_remove(struct change *change)
{
	Lyceum__Experts__V1__RemoveReply reply = LYCEUM__EXPERTS__V1__REMOVE_REPLY__INIT;
	const Lyceum__Experts__V1__RemoveRequest *request = (const void *)change->request;
	result_msg *result = &change->results[0];

	if (result->status != LYCEUM__V1__STATUS__OK) {
		lyc_call_fail_field(change->call, (enum lyc_status)result->status, result->field,
				    "%s", result->text);
		return;
	}
	reply.home = (char *)(uintptr_t)lyc_node_name(change->changes->context);
	reply.id = request->id;
	reply.name = result->name;
	change->reply.remove(&reply, change->call);
}

static void answer_import(struct change *change)
{
	Lyceum__Experts__V1__ImportReply reply = LYCEUM__EXPERTS__V1__IMPORT_REPLY__INIT;
	result_msg **pointers = grow_new(change->result_count, sizeof(*pointers));

	for (size_t i = 0; i < change->result_count; i++) {
		result_msg *result = &change->results[i];
		pointers[i] = result;
		reply.refused += result->status != LYCEUM__V1__STATUS__OK;
		reply.added += result->change == LYCEUM__EXPERTS__V1__CHANGE__ADDED;
		reply.updated += result->change == LYCEUM__EXPERTS__V1__CHANGE__UPDATED;
		reply.unchanged += result->change == LYCEUM__EXPERTS__V1__CHANGE__UNCHANGED;
	}
	reply.results = pointers;
	reply.n_results = change->result_count;
	change->reply.import(&reply, change->call);
	free(pointers);
}

void change_answer(struct change *change)
{
	if (change->wait_seq)
		lyc_call_set_position(change->call, change->wait_seq);
	switch (change->kind) {
	case CHANGE_ADD:
		answer_add(change);
		break;
	case CHANGE_IMPORT:
		answer_import(change);
		break;
	case CHANGE_REMOVE:
		answer_remove(change);
		break;
	}
}

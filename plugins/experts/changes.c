/*
 * A call's items are laid over each other first, so that several rows of one person make one
 * record. An expectation that fails where the view holds nobody means an older withdrawal: tried
 * once more with the sequence that the log named.
 */
#include "changes.h"

#include "entry.h"
#include "expert_key.h"
#include "grow.h"

typedef Lyceum__Experts__V1__Expert expert_msg;
typedef Lyceum__Experts__V1__ChangeResult result_msg;

enum change_kind { CHANGE_ADD, CHANGE_IMPORT, CHANGE_REMOVE };

/* One person whom the call is about. */
struct person {
	struct change *change;
	char *id;
	/* What there was, NULL for nobody; and what there shall be. */
	expert_msg *held;
	expert_msg *wanted;
	uint64_t expect_seq;
	bool was_tried_again;
};

struct change {
	struct change *next;
	struct changes *changes;
	struct lyc_call *call;
	enum change_kind kind;
	const ProtobufCMessage *request;
	union {
		Lyceum__Experts__V1__AddReply_Closure add;
		Lyceum__Experts__V1__ImportReply_Closure import;
		Lyceum__Experts__V1__RemoveReply_Closure remove;
	} reply;

	/* One result an item, and the person that it is about, SIZE_MAX for a refused item. */
	result_msg *results;
	size_t *result_person;
	size_t result_count;
	struct person *persons;
	size_t person_count;
	bool is_dry;

	/* Persons are appended in order; so many answers are still due. */
	size_t append_next;
	size_t append_due;
	uint64_t wait_seq;
};

void changes_init(struct changes *changes, struct lyc_plugin_context *context, struct view *view)
{
	*changes = (struct changes){.context = context, .view = view};
}

static void result_clear(result_msg *result)
{
	char *const strings[] = {result->text, result->field, result->home, result->id,
				 result->name};

	for (size_t i = 0; i < sizeof(strings) / sizeof(strings[0]); i++) {
		if (strings[i] != protobuf_c_empty_string)
			free(strings[i]);
	}
}

static void change_free(struct change *change)
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

void changes_fini(struct changes *changes)
{
	change_free(changes->active);
	while (changes->waiting_first) {
		struct change *next = changes->waiting_first->next;
		change_free(changes->waiting_first);
		changes->waiting_first = next;
	}
	*changes = (struct changes){0};
}

/* ---- What the items want ---- */

static void say(char **field, const char *text)
{
	if (*field != protobuf_c_empty_string)
		free(*field);
	*field = text[0] ? grow_copy(text, strlen(text)) : (char *)protobuf_c_empty_string;
}

static void say_refusal(result_msg *result, const struct lyc_error *error)
{
	result->status = (Lyceum__V1__Status)error->status;
	result->change = LYCEUM__EXPERTS__V1__CHANGE__CHANGE_UNSPECIFIED;
	say(&result->text, error->text);
	say(&result->field, error->field);
}

/* The person with this id in the call, taken from the view when met first. */
static size_t find_person(struct change *change, const char *id)
{
	struct view *view = change->changes->view;
	const char *home = lyc_node_name(change->changes->context);

	for (size_t i = 0; i < change->person_count; i++) {
		if (strcmp(change->persons[i].id, id) == 0)
			return i;
	}
	struct person *person = &change->persons[change->person_count];
	*person = (struct person){.change = change, .id = grow_copy(id, strlen(id))};
	uint32_t doc = people_find(&view->people, home, id, &person->expect_seq);
	if (doc != PEOPLE_NO_DOC)
		person->held = people_unpack(&view->people, doc);
	return change->person_count++;
}

static enum lyc_status lay_over(struct change *change, expert_msg *entry, result_msg *result,
				size_t *ret_person, struct lyc_error *error)
{
	size_t at = find_person(change, entry->id);
	struct person *person = &change->persons[at];
	const expert_msg *before = person->wanted ? person->wanted : person->held;
	expert_msg *after;

	if (person->held && !lyc_call_may_see(change->call, person->held->label)) {
		*error = (struct lyc_error){
			.status = LYC_PERMISSION_DENIED,
			.text = "this id belongs to a record that you may not see",
			.field = "id"};
		return error->status;
	}
	enum lyc_status status = entry_merge(before, entry, &after, error);
	if (status != LYC_OK)
		return status;
	result->change = !before                         ? LYCEUM__EXPERTS__V1__CHANGE__ADDED
			 : entry_is_equal(before, after) ? LYCEUM__EXPERTS__V1__CHANGE__UNCHANGED
							 : LYCEUM__EXPERTS__V1__CHANGE__UPDATED;
	lyceum__experts__v1__expert__free_unpacked(person->wanted, NULL);
	person->wanted = after;
	say(&result->home, after->home);
	say(&result->id, after->id);
	say(&result->name, after->name->display);
	*ret_person = at;
	return LYC_OK;
}

static void take_item(struct change *change, const expert_msg *item, size_t at)
{
	const char *home = lyc_node_name(change->changes->context);
	result_msg *result = &change->results[at];
	expert_msg *entry = entry_copy(item);
	char note[ENTRY_NOTE_SIZE];
	struct lyc_error error;

	change->result_person[at] = SIZE_MAX;
	if (entry_normalise(entry, home, note, &error) != LYC_OK ||
	    lay_over(change, entry, result, &change->result_person[at], &error) != LYC_OK)
		say_refusal(result, &error);
	else
		say(&result->text, note);
	lyceum__experts__v1__expert__free_unpacked(entry, NULL);
}

static void make_room(struct change *change, size_t count)
{
	change->results = grow_new(count, sizeof(change->results[0]));
	change->result_person = grow_new(count, sizeof(change->result_person[0]));
	change->persons = grow_new(count, sizeof(change->persons[0]));
	change->result_count = count;
	for (size_t i = 0; i < count; i++)
		lyceum__experts__v1__change_result__init(&change->results[i]);
}

static void take_import(struct change *change)
{
	const Lyceum__Experts__V1__ImportRequest *request = (const void *)change->request;

	change->is_dry = request->dry_run;
	make_room(change, request->n_items);
	for (size_t i = 0; i < request->n_items; i++)
		take_item(change, request->items[i], i);
}

static void take_add(struct change *change)
{
	const Lyceum__Experts__V1__AddRequest *request = (const void *)change->request;
	expert_msg expert = LYCEUM__EXPERTS__V1__EXPERT__INIT;
	Lyceum__Experts__V1__PersonName name = LYCEUM__EXPERTS__V1__PERSON_NAME__INIT;
	Lyceum__Experts__V1__Organisation organisation = LYCEUM__EXPERTS__V1__ORGANISATION__INIT;
	Lyceum__Experts__V1__Availability availability = LYCEUM__EXPERTS__V1__AVAILABILITY__INIT;
	Lyceum__Experts__V1__Contact contact = LYCEUM__EXPERTS__V1__CONTACT__INIT;
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	Lyceum__Experts__V1__Topic *topics = grow_new(request->n_topic, sizeof(*topics));

	name.display = request->name;
	organisation.organisation_name = request->organisation;
	organisation.department = request->department;
	availability.answers_within_days = request->answers_within_days;
	contact.email = request->email;
	label.visibility = request->visibility;
	label.audience = request->audience;
	label.n_audience = request->n_audience;
	expert.id = request->id;
	expert.kind = request->kind;
	expert.name = &name;
	expert.orcid = request->orcid;
	expert.region = request->region;
	expert.organisation =
		request->organisation[0] || request->department[0] ? &organisation : NULL;
	expert.availability = request->answers_within_days ? &availability : NULL;
	expert.contact = request->email[0] ? &contact : NULL;
	expert.label = request->visibility || request->n_audience ? &label : NULL;
	expert.language = request->language;
	expert.n_language = request->n_language;
	expert.evidence = request->evidence;
	expert.n_evidence = request->n_evidence;
	expert.topic = grow_new(request->n_topic, sizeof(expert.topic[0]));
	for (size_t i = 0; i < request->n_topic; i++) {
		lyceum__experts__v1__topic__init(&topics[i]);
		topics[i].topic = request->topic[i];
		expert.topic[expert.n_topic++] = &topics[i];
	}
	make_room(change, 1);
	take_item(change, &expert, 0);
	free(expert.topic);
	free(topics);
}

static void take_remove(struct change *change)
{
	const Lyceum__Experts__V1__RemoveRequest *request = (const void *)change->request;
	const char *home = lyc_node_name(change->changes->context);
	struct lyc_error error = {0};

	make_room(change, 1);
	change->result_person[0] = SIZE_MAX;
	if (request->home[0] && strcmp(request->home, home) != 0) {
		error.status = LYC_FAILED_PRECONDITION;
		snprintf(error.text, sizeof(error.text),
			 "this expert's home is %.64s: remove the record there", request->home);
		snprintf(error.field, sizeof(error.field), "home");
	} else {
		size_t at = find_person(change, request->id);
		struct person *person = &change->persons[at];
		if (person->held && lyc_call_may_see(change->call, person->held->label)) {
			change->result_person[0] = at;
			say(&change->results[0].name,
			    person->held->name ? person->held->name->display : "");
			return;
		}
		error.status = LYC_NOT_FOUND;
		snprintf(error.text, sizeof(error.text), "%.64s has no expert with this id", home);
		snprintf(error.field, sizeof(error.field), "id");
	}
	say_refusal(&change->results[0], &error);
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

static void answer(struct change *change)
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

/* ---- Appending ---- */

static void on_done(const struct lyc_ack *ack, void *arg);

/* Everything that this person's items were promised is refused. */
static void refuse_person(struct person *person, enum lyc_status status, const char *text)
{
	struct change *change = person->change;
	size_t at = (size_t)(person - change->persons);
	struct lyc_error error = {.status = status};

	snprintf(error.text, sizeof(error.text), "%s", text ? text : "");
	for (size_t i = 0; i < change->result_count; i++) {
		if (change->result_person[i] == at &&
		    change->results[i].change != LYCEUM__EXPERTS__V1__CHANGE__UNCHANGED)
			say_refusal(&change->results[i], &error);
	}
}

static enum lyc_status append(struct person *person)
{
	struct lyc_plugin_context *context = person->change->changes->context;
	const struct lyc_publish_options options = {
		.durable = true, .expect = true, .expect_seq = person->expect_seq};
	char subject[EXPERT_KEY_SIZE];

	if (person->change->kind != CHANGE_REMOVE)
		return lyc_append(context, &person->wanted->base, &options, on_done, person);
	if (!expert_key_write(person->held->home, person->held->id, subject, sizeof(subject)))
		return LYC_INVALID_ARGUMENT;
	return lyc_withdraw(context, subject, on_done, person);
}

static bool is_needed(const struct person *person)
{
	if (person->change->is_dry)
		return false;
	if (person->change->kind == CHANGE_REMOVE)
		return person->held && person->change->result_person[0] != SIZE_MAX;
	return person->wanted && !(person->held && entry_is_equal(person->held, person->wanted));
}

/* Append until the credit is used up; goes on when something has come back. */
static void append_some(struct change *change)
{
	for (; change->append_next < change->person_count; change->append_next++) {
		struct person *person = &change->persons[change->append_next];
		if (!is_needed(person))
			continue;
		change->append_due++;
		enum lyc_status status = append(person);
		if (status == LYC_OK)
			continue;
		change->append_due--;
		if (status == LYC_RESOURCE_EXHAUSTED && change->append_due > 0)
			return;
		refuse_person(person, status,
			      status == LYC_OUT_OF_RANGE
				      ? "the record would be larger than a message may be"
				      : "the log does not take the record now");
	}
}

static void judge(struct person *person, const struct lyc_ack *ack)
{
	struct change *change = person->change;

	if (ack->status == LYC_OK) {
		if (ack->seq > change->wait_seq)
			change->wait_seq = ack->seq;
		return;
	}
	if (ack->status != LYC_FAILED_PRECONDITION || change->kind == CHANGE_REMOVE) {
		refuse_person(person, ack->status, ack->text);
		return;
	}
	if (!person->held && !person->was_tried_again) {
		person->was_tried_again = true;
		person->expect_seq = ack->seq;
		change->append_due++;
		if (append(person) == LYC_OK)
			return;
		change->append_due--;
	}
	refuse_person(person, LYC_ABORTED, "the record was changed meanwhile: try again");
}

static void on_done(const struct lyc_ack *ack, void *arg)
{
	struct person *person = arg;
	struct change *change = person->change;

	change->append_due--;
	judge(person, ack);
	append_some(change);
	changes_advance(change->changes);
}

/* ---- One after the other ---- */

static void begin(struct changes *changes, struct change *change)
{
	changes->active = change;
	switch (change->kind) {
	case CHANGE_ADD:
		take_add(change);
		break;
	case CHANGE_IMPORT:
		take_import(change);
		break;
	case CHANGE_REMOVE:
		take_remove(change);
		break;
	}
	append_some(change);
}

static bool is_ready(const struct change *change)
{
	if (change->append_due > 0 || change->append_next < change->person_count)
		return false;
	/* The appends are known to be in the log; when the caller's time is over, what the view
	 * still lacks is not waited for. */
	return change->changes->view->seq >= change->wait_seq ||
	       lyc_call_time_left_ms(change->call) == 0;
}

void changes_advance(struct changes *changes)
{
	while (changes->active && is_ready(changes->active)) {
		struct change *done = changes->active;
		changes->active = NULL;
		answer(done);
		change_free(done);
		struct change *next = changes->waiting_first;
		if (!next)
			return;
		changes->waiting_first = next->next;
		if (!changes->waiting_first)
			changes->waiting_last = NULL;
		changes->waiting_count--;
		begin(changes, next);
	}
}

static void submit(struct changes *changes, struct change *change)
{
	change->changes = changes;
	if (!changes->active) {
		lyc_call_defer(change->call);
		begin(changes, change);
		changes_advance(changes);
		return;
	}
	if (changes->waiting_count == CHANGES_MAX_WAITING) {
		lyc_call_fail(change->call, LYC_RESOURCE_EXHAUSTED,
			      "too many changes wait for the log: try again later");
		change_free(change);
		return;
	}
	lyc_call_defer(change->call);
	if (changes->waiting_last)
		changes->waiting_last->next = change;
	else
		changes->waiting_first = change;
	changes->waiting_last = change;
	changes->waiting_count++;
}

static struct change *change_new(struct lyc_call *call, enum change_kind kind,
				 const ProtobufCMessage *request)
{
	struct change *change = grow_new(1, sizeof(*change));

	change->call = call;
	change->kind = kind;
	change->request = request;
	return change;
}

void changes_add(struct changes *changes, struct lyc_call *call,
		 const Lyceum__Experts__V1__AddRequest *request,
		 Lyceum__Experts__V1__AddReply_Closure closure)
{
	struct change *change = change_new(call, CHANGE_ADD, &request->base);
	change->reply.add = closure;
	submit(changes, change);
}

void changes_import(struct changes *changes, struct lyc_call *call,
		    const Lyceum__Experts__V1__ImportRequest *request,
		    Lyceum__Experts__V1__ImportReply_Closure closure)
{
	struct change *change = change_new(call, CHANGE_IMPORT, &request->base);
	change->reply.import = closure;
	submit(changes, change);
}

void changes_remove(struct changes *changes, struct lyc_call *call,
		    const Lyceum__Experts__V1__RemoveRequest *request,
		    Lyceum__Experts__V1__RemoveReply_Closure closure)
{
	struct change *change = change_new(call, CHANGE_REMOVE, &request->base);
	change->reply.remove = closure;
	submit(changes, change);
}

/*
 * What a change wants. A call's items are laid over each other first, so that several rows of one
 * person make one record.
 */
#include "change.h"

#include "audience.h"
#include "entry.h"
#include "grow.h"

typedef Lyceum__Experts__V1__Expert expert_msg;
typedef Lyceum__Experts__V1__ChangeResult result_msg;

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
	char seen_by[AUDIENCE_TEXT_SIZE];
	expert_msg *after;

	enum lyc_status status = entry_merge(before, entry, &after, error);
	if (status != LYC_OK)
		return status;
	result->change = !before                         ? LYCEUM__EXPERTS__V1__CHANGE__ADDED
			 : entry_is_equal(before, after) ? LYCEUM__EXPERTS__V1__CHANGE__UNCHANGED
							 : LYCEUM__EXPERTS__V1__CHANGE__UPDATED;
	lyceum__experts__v1__expert__free_unpacked(person->wanted, NULL);
	person->wanted = after;
	change_say(&result->home, after->home);
	change_say(&result->id, after->id);
	change_say(&result->name, after->name->display);
	audience_tell(after->label, seen_by);
	change_say(&result->seen_by, seen_by);
	*ret_person = at;
	return LYC_OK;
}

/* An import shows its remarks, an added expert has a column for who sees it. */
static void tell(const struct change *change, result_msg *result, const char *note)
{
	char text[ENTRY_NOTE_SIZE + AUDIENCE_TEXT_SIZE];
	bool is_shown = change->kind == CHANGE_ADD ||
			result->change == LYCEUM__EXPERTS__V1__CHANGE__UNCHANGED;

	snprintf(text, sizeof(text), "%s%s%s", note, is_shown || !note[0] ? "" : "; ",
		 is_shown ? "" : result->seen_by);
	change_say(&result->text, text);
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
		change_say_refusal(result, &error);
	else
		tell(change, result, note);
	lyceum__experts__v1__expert__free_unpacked(entry, NULL);
}

static void take_import(struct change *change)
{
	const Lyceum__Experts__V1__ImportRequest *request = (const void *)change->request;

	change->is_dry = request->dry_run;
	change_make_room(change, request->n_items);
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
	Lyceum__V1__Label contact_label = LYCEUM__V1__LABEL__INIT;
	Lyceum__Experts__V1__Topic *topics = grow_new(request->n_topic, sizeof(*topics));

	name.display = request->name;
	organisation.organisation_name = request->organisation;
	organisation.department = request->department;
	availability.answers_within_days = request->answers_within_days;
	contact.email = request->email;
	contact_label.visibility = request->contact_visibility;
	contact.label = request->contact_visibility ? &contact_label : NULL;
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
	expert.contact = request->email[0] || contact.label ? &contact : NULL;
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
	change_make_room(change, 1);
	take_item(change, &expert, 0);
	free(expert.topic);
	free(topics);
}

static void take_remove(struct change *change)
{
	const Lyceum__Experts__V1__RemoveRequest *request = (const void *)change->request;
	const char *home = lyc_node_name(change->changes->context);
	struct lyc_error error = {0};

	change_make_room(change, 1);
	change->result_person[0] = SIZE_MAX;
	if (request->home[0] && strcmp(request->home, home) != 0) {
		error.status = LYC_FAILED_PRECONDITION;
		snprintf(error.text, sizeof(error.text),
			 "this expert's home is %.64s: remove the record there", request->home);
		snprintf(error.field, sizeof(error.field), "home");
	} else {
		size_t at = find_person(change, request->id);
		struct person *person = &change->persons[at];
		if (person->held) {
			change->result_person[0] = at;
			change_say(&change->results[0].name,
				   person->held->name ? person->held->name->display : "");
			return;
		}
		error.status = LYC_NOT_FOUND;
		snprintf(error.text, sizeof(error.text), "%.64s has no expert with this id", home);
		snprintf(error.field, sizeof(error.field), "id");
	}
	change_say_refusal(&change->results[0], &error);
}

void change_take(struct change *change)
{
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
}

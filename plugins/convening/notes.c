/*
 * Methods of lyceum.convening.v1.Notes. A note that is not attributable loses its speaker here, at
 * the door, before there is a record: nothing that is kept ever had it.
 */
#include "errand.h"
#include "hold.h"
#include "methods.h"
#include "wording.h"

typedef Lyceum__Convening__V1__Notes_Service service_msg;

struct adding {
	char id[24];
	bool is_attributable;
	bool had_speaker;
};

static void reply_add(struct errand *errand)
{
	const struct adding *adding = errand->data;
	Lyceum__Convening__V1__AddNoteReply reply = LYCEUM__CONVENING__V1__ADD_NOTE_REPLY__INIT;

	reply.id = (char *)(uintptr_t)adding->id;
	reply.attributable = adding->is_attributable;
	if (!adding->is_attributable && adding->had_speaker)
		reply.remark = (char *)(uintptr_t) "Who said it is not kept.";
	((Lyceum__Convening__V1__AddNoteReply_Closure)errand->closure)(&reply, errand->call);
}

/* The same note twice is one: its id is made from what is kept of it, and of nothing else. */
static void make_id(const char *text, const char *speaker, char to[24])
{
	uint64_t hash = 14695981039346656037u;

	for (const char *at = text; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	for (const char *at = speaker; *at; at++)
		hash = (hash ^ (unsigned char)*at) * 1099511628211u;
	snprintf(to, 24, "n%016llx", (unsigned long long)hash);
}

struct search {
	const char *text;
	bool is_found;
};

static void look_for(const struct seats_standing *standing, void *arg)
{
	struct search *search = arg;

	if (strchr(standing->person, '@') && wording_names_id(search->text, standing->person))
		search->is_found = true;
}

static bool names_participant(const struct entry *entry, const char *text, const char *speaker)
{
	struct search search = {.text = text, .is_found = wording_names_person(text, speaker)};

	for (const struct invited *at = entry->invited; at && !search.is_found; at = at->hh.next)
		search.is_found = wording_names_person(text, at->msg->name) ||
				  wording_names(text, at->msg->email) ||
				  wording_names_id(text, at->msg->expert) ||
				  wording_names_id(text, at->msg->member);
	seats_each(entry->seats, look_for, &search);
	return search.is_found;
}

static void notes_add_note(service_msg *service,
			   const Lyceum__Convening__V1__AddNoteRequest *request,
			   Lyceum__Convening__V1__AddNoteReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	struct entry *entry = convening_own_event(state, call, request->event);
	note_msg note = LYCEUM__CONVENING__V1__NOTE__INIT;

	(void)service;
	if (!entry)
		return;
	bool is_attributable = !entry->event->chatham && !request->not_attributable;
	if (!is_attributable && names_participant(entry, request->text, request->speaker)) {
		lyc_call_fail_field(
			call, LYC_INVALID_ARGUMENT, "text",
			"the note names a participant, and under the Chatham House rule it "
			"may not: say it without the name");
		return;
	}
	struct adding *adding = hold_new(1, sizeof(*adding));
	adding->is_attributable = is_attributable;
	adding->had_speaker = request->speaker[0] != '\0';
	make_id(request->text, is_attributable ? request->speaker : "", adding->id);
	label_msg label = *entry->event->label;
	if (request->visibility != LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
		label.visibility = request->visibility;
	if (label.visibility != LYCEUM__V1__VISIBILITY__AUDIENCE)
		label.n_audience = 0;
	note.home = state->view.node;
	note.event = entry->id;
	note.id = adding->id;
	note.text = request->text;
	note.attributable = is_attributable;
	if (is_attributable)
		note.speaker = request->speaker;
	note.label = &label;
	struct errand *errand =
		errand_new(state, call, request, (void (*)(void))closure, reply_add);
	errand->data = adding;
	errand->release = free;
	errand->may_exist = true;
	/* Who wrote it down may be who said it: then the record is the node's, not the person's. */
	errand_append(errand, &note.base, 0, !is_attributable);
	errand_seal(errand);
}

static bool matches(const note_msg *note, const char *text)
{
	return !text[0] || strcasestr(note->text, text) || strcasestr(note->speaker, text);
}

static void add_notes(struct lyc_call *call, const struct entry *entry, const char *text,
		      size_t limit, Lyceum__Convening__V1__ListNotesReply *reply, size_t *capacity)
{
	for (const struct noted *at = entry->notes; at; at = at->next) {
		if (!lyc_call_may_see(call, at->msg->label) || !matches(at->msg, text))
			continue;
		reply->total++;
		if (reply->n_note >= limit)
			continue;
		reply->note =
			hold_grow(reply->note, capacity, reply->n_note + 1, sizeof(*reply->note));
		reply->note[reply->n_note++] = at->msg;
	}
}

static void notes_list_notes(service_msg *service,
			     const Lyceum__Convening__V1__ListNotesRequest *request,
			     Lyceum__Convening__V1__ListNotesReply_Closure closure,
			     void *closure_data)
{
	struct lyc_call *call = closure_data;
	struct convening *state = lyc_call_state(call);
	Lyceum__Convening__V1__ListNotesReply reply = LYCEUM__CONVENING__V1__LIST_NOTES_REPLY__INIT;
	size_t limit = request->limit ? request->limit : 100, capacity = 0;

	(void)service;
	if (request->event[0]) {
		const struct entry *entry = convening_event(state, call, request->event);
		if (!entry)
			return;
		add_notes(call, entry, request->text, limit, &reply, &capacity);
	}
	for (const struct entry *entry = state->view.entries; entry && !request->event[0];
	     entry = entry->hh.next)
		add_notes(call, entry, request->text, limit, &reply, &capacity);
	closure(&reply, call);
	free(reply.note);
}

service_msg convening_notes = LYCEUM__CONVENING__V1__NOTES__INIT(notes_);

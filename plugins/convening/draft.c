/* Requests borrow, records own: a draft is filled with borrowed texts and copied as a whole. */
#include "draft.h"

#include <ctype.h>

#include "hold.h"
#include "meeting.h"

event_msg *draft_copy(const event_msg *event)
{
	size_t len = lyceum__convening__v1__event__get_packed_size(event);
	uint8_t *bytes = hold_new(len + 1, 1);

	lyceum__convening__v1__event__pack(event, bytes);
	event_msg *copy = lyceum__convening__v1__event__unpack(NULL, len, bytes);
	free(bytes);
	return hold_check(copy);
}

bool draft_is_equal(const event_msg *one, const event_msg *two)
{
	size_t len = lyceum__convening__v1__event__get_packed_size(one);
	bool is_equal = false;

	if (len != lyceum__convening__v1__event__get_packed_size(two))
		return false;
	uint8_t *bytes = hold_new(2 * len + 1, 1);
	lyceum__convening__v1__event__pack(one, bytes);
	lyceum__convening__v1__event__pack(two, bytes + len);
	is_equal = memcmp(bytes, bytes + len, len) == 0;
	free(bytes);
	return is_equal;
}

void draft_id(const char *title, unsigned number, char to[DRAFT_ID_SIZE])
{
	size_t len = 0;

	for (const char *at = title; *at && len < 60; at++) {
		if (isalnum((unsigned char)*at))
			to[len++] = (char)tolower((unsigned char)*at);
		else if (len > 0 && to[len - 1] != '-' && (unsigned char)*at < 128)
			to[len++] = '-';
	}
	while (len > 0 && to[len - 1] == '-')
		len--;
	to[len] = '\0';
	if (len == 0)
		len = (size_t)snprintf(to, DRAFT_ID_SIZE, "event");
	if (number > 1)
		snprintf(to + len, DRAFT_ID_SIZE - len, "-%u", number);
}

/* "treasury=20", as the schema's pattern has it. */
static void read_quota(const char *text, quota_msg *to, char *group, size_t size)
{
	const char *equals = strrchr(text, '=');

	lyceum__convening__v1__quota__init(to);
	snprintf(group, size, "%.*s", (int)(equals - text), text);
	to->group = group;
	to->max = (uint32_t)strtoul(equals + 1, NULL, 10);
}

static enum lyc_status set_label(const Lyceum__Convening__V1__CreateRequest *request,
				 const char *home, label_msg *label, struct lyc_error *error)
{
	label->home = (char *)(uintptr_t)home;
	label->audience = request->audience;
	label->n_audience = request->n_audience;
	label->visibility = request->visibility;
	if (label->visibility == LYCEUM__V1__VISIBILITY__VISIBILITY_UNSPECIFIED)
		label->visibility = request->n_audience ? LYCEUM__V1__VISIBILITY__AUDIENCE
							: LYCEUM__V1__VISIBILITY__MEMBERS;
	bool wants = label->visibility == LYCEUM__V1__VISIBILITY__AUDIENCE;
	if (wants == (request->n_audience > 0))
		return LYC_OK;
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
	snprintf(error->field, sizeof(error->field), "audience");
	snprintf(error->text, sizeof(error->text),
		 wants ? "the visibility AUDIENCE needs at least one audience"
		       : "an audience goes with the visibility AUDIENCE only");
	return error->status;
}

/* Settled; takes the event. */
static event_msg *settle(event_msg *event, int64_t length_s, struct zones *zones,
			 struct lyc_error *error)
{
	if (meeting_settle(event, length_s, zones, error) == LYC_OK)
		return event;
	lyceum__convening__v1__event__free_unpacked(event, NULL);
	return NULL;
}

event_msg *draft_of(const Lyceum__Convening__V1__CreateRequest *request, const char *home,
		    const char *organiser_zone, struct zones *zones, struct lyc_error *error)
{
	label_msg label = LYCEUM__V1__LABEL__INIT;
	event_msg event = LYCEUM__CONVENING__V1__EVENT__INIT;

	if (set_label(request, home, &label, error) != LYC_OK)
		return NULL;
	quota_msg *quotas = hold_new(request->n_quota, sizeof(*quotas));
	quota_msg **pointers = hold_new(request->n_quota, sizeof(*pointers));
	char(*groups)[104] = hold_new(request->n_quota, sizeof(*groups));
	for (size_t i = 0; i < request->n_quota; i++) {
		read_quota(request->quota[i], &quotas[i], groups[i], sizeof(groups[i]));
		pointers[i] = &quotas[i];
	}
	event.home = (char *)(uintptr_t)home;
	event.id = request->id;
	event.status = LYCEUM__CONVENING__V1__EVENT__STATUS__CONFIRMED;
	event.title = request->title;
	event.description = request->description;
	event.place = request->place;
	event.url = request->url;
	event.start = request->start;
	event.end = request->end;
	event.zone = request->zone[0] ? request->zone : (char *)(uintptr_t)organiser_zone;
	event.rrule = request->rrule;
	event.exdate = request->exdate;
	event.n_exdate = request->n_exdate;
	event.cap = request->cap;
	event.quota = pointers;
	event.n_quota = request->n_quota;
	event.invited_only = request->invited_only;
	event.chatham = request->chatham;
	event.remind_minutes = request->remind;
	event.n_remind_minutes = request->n_remind;
	event.topic = request->topic;
	event.n_topic = request->n_topic;
	event.override_reason = request->override;
	event.label = &label;
	event_msg *draft = draft_copy(&event);
	free(quotas);
	free(pointers);
	free(groups);
	return settle(draft, (int64_t)request->minutes * 60, zones, error);
}

/* Empties the fields that a request names; refuses what is no such field, or is given as well. */
static enum lyc_status clear(event_msg *event, const Lyceum__Convening__V1__UpdateRequest *request,
			     struct lyc_error *error)
{
	struct {
		const char *name;
		char **field; /* NULL: a number */
		bool is_given;
	} const fields[] = {
		{"cap", NULL, request->cap > 0},
		{"place", &event->place, request->place[0] != '\0'},
		{"url", &event->url, request->url[0] != '\0'},
		{"description", &event->description, request->description[0] != '\0'},
		{"rrule", &event->rrule, request->rrule[0] != '\0'},
	};
	const size_t count = sizeof(fields) / sizeof(fields[0]);

	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT, .field = "clear"};
	for (size_t i = 0; i < request->n_clear; i++) {
		const char *name = request->clear[i];
		size_t at = 0;
		while (at < count && strcmp(fields[at].name, name) != 0)
			at++;
		if (at == count || fields[at].is_given) {
			snprintf(error->text, sizeof(error->text),
				 at == count ? "%.40s cannot be emptied: cap, place, url, "
					       "description and rrule can"
					     : "%.40s is given a value and emptied: do one of both",
				 name);
			return error->status;
		}
		if (fields[at].field)
			*fields[at].field = (char *)(uintptr_t) "";
		else
			event->cap = 0;
		/* What is left out of a series goes with it. */
		if (fields[at].field == &event->rrule)
			event->n_exdate = 0;
	}
	return LYC_OK;
}

event_msg *draft_change(const event_msg *held, const Lyceum__Convening__V1__UpdateRequest *request,
			struct zones *zones, struct lyc_error *error)
{
	event_msg event = *held;
	int64_t length_s = (held->end_ms - held->start_ms) / 1000;
	struct {
		char **field;
		char *wanted;
	} const texts[] = {
		{&event.title, request->title},
		{&event.start, request->start},
		{&event.end, request->end},
		{&event.zone, request->zone},
		{&event.place, request->place},
		{&event.url, request->url},
		{&event.rrule, request->rrule},
		{&event.description, request->description},
		{&event.override_reason, request->override},
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		if (texts[i].wanted[0])
			*texts[i].field = texts[i].wanted;
	}
	/* As long as before: a wall clock may show the same end twice. */
	if (!request->end[0])
		event.end = (char *)(uintptr_t) "";
	if (request->cap > 0)
		event.cap = request->cap;
	if (clear(&event, request, error) != LYC_OK)
		return NULL;
	return settle(draft_copy(&event), length_s, zones, error);
}

/* What reading and writing share: words, and the way from an event to its starts and to UTC. */
#include "ics.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "ics_memory.h"
#include "ics_names.h"

static const char *const method_names[] = {
	[ICS_PUBLISH] = "PUBLISH",
	[ICS_REQUEST] = "REQUEST",
	[ICS_REPLY] = "REPLY",
	[ICS_CANCEL] = "CANCEL",
};
static const char *const status_names[] = {
	[ICS_TENTATIVE] = "TENTATIVE",
	[ICS_CONFIRMED] = "CONFIRMED",
	[ICS_CANCELLED] = "CANCELLED",
};
static const char *const role_names[] = {
	[ICS_REQUIRED] = "REQ-PARTICIPANT",
	[ICS_CHAIR] = "CHAIR",
	[ICS_OPTIONAL] = "OPT-PARTICIPANT",
	[ICS_NOT_TAKING_PART] = "NON-PARTICIPANT",
};
static const char *const answer_names[] = {
	[ICS_NO_ANSWER] = "NEEDS-ACTION", [ICS_ACCEPTED] = "ACCEPTED",
	[ICS_DECLINED] = "DECLINED",      [ICS_MAYBE] = "TENTATIVE",
	[ICS_DELEGATED] = "DELEGATED",
};

#define COUNT_OF(names) (sizeof(names) / sizeof((names)[0]))

static const char *name_of(const char *const *names, size_t count, unsigned number)
{
	return number < count ? names[number] : NULL;
}

static unsigned number_of(const char *const *names, size_t count, const char *name, unsigned other)
{
	for (unsigned i = 0; i < count; i++) {
		if (names[i] && strcasecmp(names[i], name) == 0)
			return i;
	}
	return other;
}

const char *ics_method_name(enum ics_method method)
{
	return name_of(method_names, COUNT_OF(method_names), method);
}

enum ics_method ics_method_of(const char *name)
{
	return (enum ics_method)number_of(method_names, COUNT_OF(method_names), name,
					  ICS_OTHER_METHOD);
}

const char *ics_status_name(enum ics_status status)
{
	return name_of(status_names, COUNT_OF(status_names), status);
}

enum ics_status ics_status_of(const char *name)
{
	return (enum ics_status)number_of(status_names, COUNT_OF(status_names), name,
					  ICS_NO_STATUS);
}

const char *ics_role_name(enum ics_role role)
{
	return name_of(role_names, COUNT_OF(role_names), role);
}

enum ics_role ics_role_of(const char *name)
{
	return (enum ics_role)number_of(role_names, COUNT_OF(role_names), name, ICS_REQUIRED);
}

const char *ics_answer_name(enum ics_answer answer)
{
	return name_of(answer_names, COUNT_OF(answer_names), answer);
}

enum ics_answer ics_answer_of(const char *name)
{
	return (enum ics_answer)number_of(answer_names, COUNT_OF(answer_names), name,
					  ICS_NO_ANSWER);
}

enum lyc_status ics_recurrence(const struct ics_event *event, struct zones *zones,
			       struct recurrence *ret_set, struct lyc_error *error)
{
	struct recurrence set = {
		.start = event->start.at,
		.is_date = event->start.clock == ICS_DATE,
		.rules = event->rules,
		.rule_count = event->rule_count,
		.added = event->added,
		.added_count = event->added_count,
		.removed = event->removed,
		.removed_count = event->removed_count,
	};
	if (event->start.clock == ICS_NO_TIME) {
		*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT, .field = "start"};
		snprintf(error->text, sizeof(error->text), "the event has no start");
		return LYC_INVALID_ARGUMENT;
	}
	if (event->start.clock == ICS_ZONED) {
		enum lyc_status status = zones_find(zones, event->start.zone, &set.zone, error);
		if (status)
			return status;
	}
	*ret_set = set;
	return LYC_OK;
}

enum lyc_status ics_time_to_utc(const struct ics_time *time, const struct zone *home,
				struct zones *zones, int64_t *ret_utc, struct lyc_error *error)
{
	const struct zone *zone = home;
	if (time->clock == ICS_NO_TIME) {
		*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
		snprintf(error->text, sizeof(error->text), "there is no time");
		return LYC_INVALID_ARGUMENT;
	}
	if (time->clock == ICS_ZONED) {
		enum lyc_status status = zones_find(zones, time->zone, &zone, error);
		if (status)
			return status;
	}
	*ret_utc = time->clock == ICS_UTC || !zone ? time->at : zone_to_utc(zone, time->at, NULL);
	return LYC_OK;
}

void ics_fini(struct ics_calendar *calendar)
{
	if (calendar->memory) {
		ics_memory_fini(calendar->memory);
		free(calendar->memory);
	}
	*calendar = (struct ics_calendar){0};
}

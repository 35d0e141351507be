/*
 * What iCalendar, iTIP, libical or a mail could not carry is refused here, by field, before a line
 * is written; on the way the zones in use are found.
 */
#include "ics_check.h"

#include <stdio.h>
#include <string.h>

#include "wall.h"

#define MAX_UID 1000
#define LAST_TIME 32503679999 /* 2999-12-31T23:59:59; libical writes no later year */

static enum lyc_status refuse(struct ics_check *check, const char *field, const char *text)
{
	*check->error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT};
	snprintf(check->error->field, sizeof(check->error->field), "event[%zu].%s", check->event_at,
		 field);
	snprintf(check->error->text, sizeof(check->error->text), "%s: %s", check->error->field,
		 text);
	return LYC_INVALID_ARGUMENT;
}

static enum lyc_status refuse_method(struct lyc_error *error)
{
	*error = (struct lyc_error){.status = LYC_INVALID_ARGUMENT, .field = "method"};
	snprintf(error->text, sizeof(error->text),
		 "method: it is PUBLISH, REQUEST, REPLY, CANCEL or none");
	return LYC_INVALID_ARGUMENT;
}

static bool has_odd_bytes(const char *text, const char *odd)
{
	for (; *text; text++) {
		if ((unsigned char)*text <= ' ' || *text == 0x7f || strchr(odd, *text))
			return true;
	}
	return false;
}

/* Looks a zone up and remembers that it needs a VTIMEZONE. */
static enum lyc_status use_zone(struct ics_check *check, const char *name)
{
	const struct zone *zone;
	enum lyc_status status = zones_find(check->zones, name, &zone, check->error);
	if (status)
		return status;
	for (size_t i = 0; i < check->used_count; i++) {
		if (check->used[i] == zone)
			return LYC_OK;
	}
	if (check->used_count == ICS_MAX_ZONES)
		return refuse(check, "start", "the calendar has more than 200 time zones");
	check->used[check->used_count++] = zone;
	return LYC_OK;
}

static enum lyc_status check_time(struct ics_check *check, const struct ics_time *time,
				  const char *field)
{
	int64_t utc = 0;
	enum lyc_status status;
	if (time->clock == ICS_NO_TIME)
		return LYC_OK;
	if (time->at < WALL_MIN || time->at > LAST_TIME)
		return refuse(check, field, "the time is not in the years 1 to 2999");
	if (time->clock == ICS_ZONED) {
		if (!time->zone)
			return refuse(check, field, "the time has no zone");
		status = use_zone(check, time->zone);
		if (status)
			return status;
	}
	status = ics_time_to_utc(time, NULL, check->zones, &utc, check->error);
	if (!status && utc < check->from_utc)
		check->from_utc = utc;
	return status;
}

static enum lyc_status check_address(struct ics_check *check, const char *address,
				     const char *field)
{
	const char *at = strchr(address, '@');
	if (!at || at == address || !at[1] || strlen(address) > ICS_MAX_ADDRESS ||
	    has_odd_bytes(address, "\"<>,;:\\"))
		return refuse(check, field, "it wants an address like ann@example.org");
	return LYC_OK;
}

static enum lyc_status check_people(struct ics_check *check, const struct ics_event *event,
				    enum ics_method method)
{
	enum lyc_status status = LYC_OK;
	if (event->organizer.address)
		status = check_address(check, event->organizer.address, "organizer.address");
	else if (method == ICS_REQUEST || method == ICS_REPLY || method == ICS_CANCEL)
		return refuse(check, "organizer",
			      "an invitation, a reply and a cancellation need an organizer");
	if (method == ICS_REPLY && event->person_count != 1)
		return refuse(check, "people", "a reply has exactly one person, who answers");
	for (size_t i = 0; !status && i < event->person_count; i++) {
		if (!event->people[i].address)
			return refuse(check, "people", "a person has no address");
		status = check_address(check, event->people[i].address, "people.address");
	}
	return status;
}

/* The series' times, which have the start's clock. */
static enum lyc_status check_series(struct ics_check *check, const struct ics_event *event)
{
	struct ics_time time = event->start;
	enum lyc_status status = LYC_OK;
	if (event->rule_count > RECURRENCE_MAX_RULES)
		return refuse(check, "rules", "there are more than 8 rules");
	if (time.clock == ICS_NO_TIME &&
	    (event->rule_count || event->added_count || event->removed_count))
		return refuse(check, "start", "a series needs a start");
	for (size_t i = 0; i < event->rule_count; i++) {
		if (event->rules[i].has_until && event->rules[i].until > LAST_TIME)
			return refuse(check, "rules", "UNTIL is behind the year 2999");
	}
	for (size_t i = 0; !status && i < event->added_count; i++) {
		time.at = event->added[i];
		status = check_time(check, &time, "added");
	}
	for (size_t i = 0; !status && i < event->removed_count; i++) {
		time.at = event->removed[i];
		status = check_time(check, &time, "removed");
	}
	return status;
}

static enum lyc_status check_event(struct ics_check *check, const struct ics_event *event,
				   enum ics_method method)
{
	enum lyc_status status;
	const struct ics_time *start = &event->start;
	const struct ics_time *end = &event->end;
	if (!event->uid || !*event->uid || strlen(event->uid) > MAX_UID)
		return refuse(check, "uid", "it wants an id of at most 1000 bytes");
	if (start->clock == ICS_NO_TIME && method != ICS_REPLY && method != ICS_CANCEL)
		return refuse(check, "start", "the event has no start");
	if (end->clock != ICS_NO_TIME && (start->clock == ICS_DATE) != (end->clock == ICS_DATE))
		return refuse(check, "end", "start and end are both days or both times");
	if (end->clock == start->clock && end->clock != ICS_ZONED && end->at < start->at)
		return refuse(check, "end", "the end lies before the start");
	if (event->url && *event->url && has_odd_bytes(event->url, "\"<>\\"))
		return refuse(check, "url", "it wants an address like https://example.org/1");
	if (event->stamp < WALL_MIN || event->stamp > LAST_TIME)
		return refuse(check, "stamp", "the time is not in the years 1 to 2999");
	if (event->category && strchr(event->category, ','))
		return refuse(check, "category", "it is one category, without a comma");
	status = check_time(check, start, "start");
	if (!status)
		status = check_time(check, end, "end");
	if (!status)
		status = check_time(check, &event->recurrence_id, "recurrence_id");
	if (!status)
		status = check_series(check, event);
	return status ? status : check_people(check, event, method);
}

enum lyc_status ics_check(struct ics_check *check, const struct ics_calendar *calendar)
{
	enum lyc_status status = LYC_OK;
	if (calendar->method == ICS_OTHER_METHOD)
		return refuse_method(check->error);
	check->from_utc = WALL_MAX;
	for (size_t i = 0; !status && i < calendar->event_count; i++) {
		check->event_at = i;
		status = check_event(check, &calendar->events[i], calendar->method);
	}
	return status;
}

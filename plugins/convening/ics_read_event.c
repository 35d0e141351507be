/*
 * A VEVENT to a struct: properties are read as text and turned into numbers by our own functions,
 * so libical's zones and its recurrence are never entered. What is wrong becomes a note.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ics_names.h"
#include "ics_read.h"
#include "ics_zone.h"
#include "wall.h"

#define MAX_NOTES 50

/* One event being read; the arrays that grow. */
struct draft {
	struct ics_event event;
	struct recurrence_rule *rules;
	size_t rule_room;
	int64_t *added;
	size_t added_room;
	int64_t *removed;
	size_t removed_room;
	struct ics_person *people;
	size_t person_room;
	char *duration; /* "PT1H"; freed */
};

LYC_PRINTF(2, 3)
static void note(struct ics_reader *reader, const char *format, ...)
{
	char text[300];
	va_list args;
	if (reader->calendar.note_count >= MAX_NOTES ||
	    !ics_keep_more(reader->memory, (void **)&reader->notes, reader->calendar.note_count,
			   &reader->note_room, sizeof(*reader->notes)))
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	for (size_t i = 0; i < reader->calendar.note_count; i++) {
		if (strcmp(reader->notes[i], text) == 0)
			return;
	}
	reader->notes[reader->calendar.note_count] = ics_keep_text(reader->memory, text);
	if (reader->notes[reader->calendar.note_count])
		reader->calendar.note_count++;
}

static const char *uid_of(const struct draft *draft)
{
	return draft->event.uid ? draft->event.uid : "without UID";
}

char *ics_value(const icalproperty *property)
{
	icalvalue *value = icalproperty_get_value(property);
	const char *text = NULL;
	if (!value)
		return NULL;
	if (icalvalue_isa(value) == ICAL_TEXT_VALUE)
		text = icalvalue_get_text(value);
	else if (icalvalue_isa(value) == ICAL_X_VALUE)
		text = icalvalue_get_x(value);
	return text ? strdup(text) : icalvalue_as_ical_string_r(value);
}

static const char *keep_value(struct ics_reader *reader, const icalproperty *property)
{
	char *value = ics_value(property);
	const char *kept = value && *value ? ics_keep_text(reader->memory, value) : NULL;
	free(value);
	return kept && *kept ? kept : NULL;
}

static const char *tzid_of(icalproperty *property)
{
	icalparameter *parameter = icalproperty_get_first_parameter(property, ICAL_TZID_PARAMETER);
	return parameter ? icalparameter_get_tzid(parameter) : NULL;
}

/* A DATE or DATE-TIME (of a PERIOD its start) with its TZID. False with a note when it is none. */
static bool read_time(struct ics_reader *reader, const struct draft *draft, icalproperty *property,
		      struct ics_time *ret_time)
{
	const char *tzid = tzid_of(property);
	char *value = ics_value(property);
	struct ics_time time = {0};
	bool is_date;
	bool is_utc;
	bool is_read;
	if (value)
		value[strcspn(value, "/")] = '\0';
	is_read = value && wall_read(value, &time.at, &is_date, &is_utc);
	if (!is_read) {
		note(reader, "event %.60s: %s '%.40s' is no time", uid_of(draft),
		     icalproperty_get_property_name(property), value ? value : "");
		goto out;
	}
	time.clock = is_date ? ICS_DATE : is_utc ? ICS_UTC : ICS_FLOATING;
	if (time.clock == ICS_FLOATING && tzid) {
		time.zone = ics_zone_resolve(reader->zones, reader->root, tzid);
		if (time.zone)
			time.zone = ics_keep_text(reader->memory, time.zone);
		else
			note(reader,
			     "event %.60s: the time zone '%.60s' is not known here, its time is "
			     "read without one",
			     uid_of(draft), tzid);
		if (time.zone)
			time.clock = strcmp(time.zone, "UTC") == 0 ? ICS_UTC : ICS_ZONED;
	}
	*ret_time = time;
out:
	free(value);
	return is_read;
}

/* A start of the set, on the clock of the event's start. */
static bool to_start_clock(struct ics_reader *reader, const struct draft *draft,
			   const struct ics_time *time, int64_t *ret_at)
{
	const struct ics_time *start = &draft->event.start;
	struct lyc_error error;
	const struct zone *zone = NULL;
	int64_t utc;
	bool is_same = time->clock == start->clock &&
		       (time->clock != ICS_ZONED || strcmp(time->zone, start->zone) == 0);
	if (is_same || start->clock == ICS_FLOATING || time->clock == ICS_FLOATING) {
		*ret_at = time->at;
		return true;
	}
	if (start->clock == ICS_DATE) {
		*ret_at = wall_day_of(time->at) * WALL_DAY_S;
		return true;
	}
	if (time->clock == ICS_DATE) {
		/* A day of a series at a time: its instance on that day. */
		int64_t of_day = start->at - wall_day_of(start->at) * WALL_DAY_S;
		*ret_at = time->at + of_day;
		return true;
	}
	if (ics_time_to_utc(time, NULL, reader->zones, &utc, &error))
		return false;
	if (start->clock == ICS_ZONED && zones_find(reader->zones, start->zone, &zone, &error))
		return false;
	*ret_at = zone ? zone_to_wall(zone, utc) : utc;
	return true;
}

static void read_rule(struct ics_reader *reader, struct draft *draft, const icalproperty *property)
{
	struct recurrence_rule rule;
	struct lyc_error error = {0};
	char *value = ics_value(property);
	if (!value)
		return;
	if (recurrence_parse(value, &rule, &error))
		note(reader, "event %.60s: %.180s", uid_of(draft), error.text);
	else if (draft->event.rule_count >= RECURRENCE_MAX_RULES)
		note(reader, "event %.60s: it has more than %d rules", uid_of(draft),
		     RECURRENCE_MAX_RULES);
	else if (ics_keep_more(reader->memory, (void **)&draft->rules, draft->event.rule_count,
			       &draft->rule_room, sizeof(rule)))
		draft->rules[draft->event.rule_count++] = rule;
	free(value);
}

static void read_date(struct ics_reader *reader, struct draft *draft, icalproperty *property,
		      bool is_added)
{
	struct ics_time time;
	int64_t at;
	int64_t **list = is_added ? &draft->added : &draft->removed;
	size_t *count = is_added ? &draft->event.added_count : &draft->event.removed_count;
	size_t *room = is_added ? &draft->added_room : &draft->removed_room;
	if (!read_time(reader, draft, property, &time) ||
	    !to_start_clock(reader, draft, &time, &at))
		return;
	if (*count >= ICS_MAX_DATES) {
		if (*count == ICS_MAX_DATES)
			note(reader, "event %.60s: it has more than %d dates", uid_of(draft),
			     ICS_MAX_DATES);
		return;
	}
	if (ics_keep_more(reader->memory, (void **)list, *count, room, sizeof(**list)))
		(*list)[(*count)++] = at;
}

static const char *parameter_text(icalproperty *property, icalparameter_kind kind)
{
	icalparameter *parameter = icalproperty_get_first_parameter(property, kind);
	const char *text = parameter ? icalparameter_as_ical_string(parameter) : NULL;
	const char *value = text ? strchr(text, '=') : NULL;
	return value ? value + 1 : "";
}

static bool read_person(struct ics_reader *reader, struct draft *draft, icalproperty *property,
			struct ics_person *ret_person)
{
	struct ics_person person = {0};
	icalparameter *name = icalproperty_get_first_parameter(property, ICAL_CN_PARAMETER);
	char *value = ics_value(property);
	const char *address = value;
	if (address && strncasecmp(address, "mailto:", 7) == 0)
		address += 7;
	if (!address || !*address) {
		note(reader, "event %.60s: %s has no address", uid_of(draft),
		     icalproperty_get_property_name(property));
		free(value);
		return false;
	}
	person.address = ics_keep_text(reader->memory, address);
	person.name = name ? ics_keep_text(reader->memory, icalparameter_get_cn(name)) : NULL;
	if (person.name && !*person.name)
		person.name = NULL;
	person.role = ics_role_of(parameter_text(property, ICAL_ROLE_PARAMETER));
	person.answer = ics_answer_of(parameter_text(property, ICAL_PARTSTAT_PARAMETER));
	person.asks_answer = strcasecmp(parameter_text(property, ICAL_RSVP_PARAMETER), "TRUE") == 0;
	free(value);
	*ret_person = person;
	return person.address != NULL;
}

static void read_attendee(struct ics_reader *reader, struct draft *draft, icalproperty *property)
{
	struct ics_person person;
	if (draft->event.person_count >= ICS_MAX_PEOPLE) {
		note(reader, "event %.60s: it has more than %d people", uid_of(draft),
		     ICS_MAX_PEOPLE);
		return;
	}
	if (read_person(reader, draft, property, &person) &&
	    ics_keep_more(reader->memory, (void **)&draft->people, draft->event.person_count,
			  &draft->person_room, sizeof(person)))
		draft->people[draft->event.person_count++] = person;
}

/* "-P1DT2H": whole days and the seconds beside them. */
static bool read_duration(const char *text, int64_t *ret_days, int64_t *ret_s)
{
	struct icaldurationtype duration = icaldurationtype_from_string(text);
	int64_t sign = duration.is_neg == 1 ? -1 : 1;
	if (icaldurationtype_is_bad_duration(duration) || duration.days > 3660000 ||
	    duration.weeks > 522000)
		return false;
	*ret_days = sign * ((int64_t)duration.weeks * 7 + duration.days);
	*ret_s = sign * ((int64_t)duration.hours * 3600 + (int64_t)duration.minutes * 60 +
			 duration.seconds);
	return true;
}

/* DURATION behind the start: days on the wall clock, hours as they pass. */
static void add_duration(struct ics_reader *reader, struct draft *draft)
{
	struct ics_event *event = &draft->event;
	const struct zone *zone = NULL;
	struct lyc_error error;
	int64_t days;
	int64_t seconds;
	if (!read_duration(draft->duration, &days, &seconds) || days < 0 || seconds < 0) {
		note(reader, "event %.60s: DURATION '%.40s' is none", uid_of(draft),
		     draft->duration);
		return;
	}
	event->end = event->start;
	event->end.at += days * WALL_DAY_S;
	if (event->start.clock == ICS_DATE)
		seconds = seconds / WALL_DAY_S * WALL_DAY_S;
	if (event->end.at + seconds > WALL_MAX) {
		event->end = (struct ics_time){0};
		return;
	}
	if (seconds && event->start.clock == ICS_ZONED &&
	    !zones_find(reader->zones, event->start.zone, &zone, &error))
		event->end.at =
			zone_to_wall(zone, zone_to_utc(zone, event->end.at, NULL) + seconds);
	else
		event->end.at += seconds;
}

/* The first VALARM with a time before the start. */
static void read_alarm(struct draft *draft, icalcomponent *component)
{
	icalcomponent *alarm;
	for (alarm = icalcomponent_get_first_component(component, ICAL_VALARM_COMPONENT);
	     alarm && !draft->event.has_alarm;
	     alarm = icalcomponent_get_next_component(component, ICAL_VALARM_COMPONENT)) {
		icalproperty *property =
			icalcomponent_get_first_property(alarm, ICAL_TRIGGER_PROPERTY);
		char *value = property ? ics_value(property) : NULL;
		bool is_at_end =
			property &&
			strcasecmp(parameter_text(property, ICAL_RELATED_PARAMETER), "END") == 0;
		int64_t days;
		int64_t seconds;
		if (value && strchr(value, 'P') && !is_at_end &&
		    read_duration(value, &days, &seconds) && days > -366 && days <= 0 &&
		    seconds > -366 * WALL_DAY_S && seconds <= 0) {
			draft->event.has_alarm = true;
			draft->event.alarm_before_s = (int32_t)(-days * WALL_DAY_S - seconds);
		}
		free(value);
	}
}

static void read_text(struct ics_reader *reader, const icalproperty *property, const char **to)
{
	if (!*to)
		*to = keep_value(reader, property);
}

/* Properties that need no other. */
static void read_plain(struct ics_reader *reader, struct draft *draft, icalproperty *property)
{
	struct ics_event *event = &draft->event;
	char *value = ics_value(property);
	struct ics_time time;
	if (!value)
		return;
	switch (icalproperty_isa(property)) {
	case ICAL_UID_PROPERTY:
		read_text(reader, property, &event->uid);
		break;
	case ICAL_SUMMARY_PROPERTY:
		read_text(reader, property, &event->title);
		break;
	case ICAL_DESCRIPTION_PROPERTY:
		read_text(reader, property, &event->description);
		break;
	case ICAL_LOCATION_PROPERTY:
		read_text(reader, property, &event->place);
		break;
	case ICAL_URL_PROPERTY:
		read_text(reader, property, &event->url);
		break;
	case ICAL_COMMENT_PROPERTY:
		read_text(reader, property, &event->comment);
		break;
	case ICAL_CATEGORIES_PROPERTY:
		read_text(reader, property, &event->category);
		break;
	case ICAL_SEQUENCE_PROPERTY:
		event->sequence = (uint32_t)strtoul(*value == '-' ? "0" : value, NULL, 10);
		break;
	case ICAL_STATUS_PROPERTY:
		event->status = ics_status_of(value);
		break;
	case ICAL_CLASS_PROPERTY:
		event->is_private =
			strcasecmp(value, "PRIVATE") == 0 || strcasecmp(value, "CONFIDENTIAL") == 0;
		break;
	case ICAL_TRANSP_PROPERTY:
		event->is_free = strcasecmp(value, "TRANSPARENT") == 0;
		break;
	case ICAL_DTSTAMP_PROPERTY:
		if (read_time(reader, draft, property, &time))
			event->stamp = time.at;
		break;
	case ICAL_ORGANIZER_PROPERTY:
		if (!event->organizer.address)
			read_person(reader, draft, property, &event->organizer);
		break;
	case ICAL_ATTENDEE_PROPERTY:
		read_attendee(reader, draft, property);
		break;
	case ICAL_X_PROPERTY:
		if (icalproperty_get_x_name(property) &&
		    strcmp(icalproperty_get_x_name(property), ICS_RULE_NAME) == 0)
			read_rule(reader, draft, property);
		break;
	case ICAL_EXRULE_PROPERTY:
		note(reader, "event %.60s: its EXRULE, which RFC 5545 has no more, is left out",
		     uid_of(draft));
		break;
	case ICAL_DURATION_PROPERTY:
		free(draft->duration);
		draft->duration = value;
		return;
	case ICAL_XLICERROR_PROPERTY:
		/* An empty property is left out, as it should be. */
		if (strncmp(value, "No value for", 12) != 0)
			note(reader, "event %.60s: %.180s", uid_of(draft), value);
		break;
	default:
		break;
	}
	free(value);
}

/* Times, and what is told on the clock of the start. */
static void read_times(struct ics_reader *reader, struct draft *draft, icalcomponent *component)
{
	struct ics_event *event = &draft->event;
	static const icalproperty_kind kinds[] = {ICAL_DTSTART_PROPERTY, ICAL_DTEND_PROPERTY,
						  ICAL_RECURRENCEID_PROPERTY, ICAL_RDATE_PROPERTY,
						  ICAL_EXDATE_PROPERTY};
	struct ics_time *const to[] = {&event->start, &event->end, &event->recurrence_id};
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		icalproperty *property = icalcomponent_get_first_property(component, kinds[i]);
		if (i < 3 && property)
			read_time(reader, draft, property, to[i]);
		for (; i >= 3 && property;
		     property = icalcomponent_get_next_property(component, kinds[i]))
			read_date(reader, draft, property, i == 3);
	}
	if (event->end.clock == ICS_NO_TIME && event->start.clock != ICS_NO_TIME && draft->duration)
		add_duration(reader, draft);
}

static void keep_event(struct ics_reader *reader, struct draft *draft)
{
	enum ics_method method = reader->calendar.method;
	if (draft->event.start.clock == ICS_NO_TIME && method != ICS_REPLY &&
	    method != ICS_CANCEL) {
		note(reader, "event %.60s: it has no start and is left out", uid_of(draft));
		return;
	}
	/* Without a start there is no clock that a series would go by. */
	if (draft->event.start.clock == ICS_NO_TIME)
		draft->event.rule_count = draft->event.added_count = draft->event.removed_count = 0;
	draft->event.rules = draft->rules;
	draft->event.added = draft->added;
	draft->event.removed = draft->removed;
	draft->event.people = draft->people;
	if (ics_keep_more(reader->memory, (void **)&reader->events, reader->calendar.event_count,
			  &reader->event_room, sizeof(draft->event)))
		reader->events[reader->calendar.event_count++] = draft->event;
}

void ics_read_event(struct ics_reader *reader, icalcomponent *component)
{
	struct draft draft = {0};
	icalproperty *property;
	if (reader->calendar.event_count >= ICS_MAX_EVENTS) {
		reader->is_too_much = true;
		return;
	}
	/* The UID first: notes name it. */
	property = icalcomponent_get_first_property(component, ICAL_UID_PROPERTY);
	if (property)
		read_plain(reader, &draft, property);
	for (property = icalcomponent_get_first_property(component, ICAL_ANY_PROPERTY); property;
	     property = icalcomponent_get_next_property(component, ICAL_ANY_PROPERTY))
		read_plain(reader, &draft, property);
	read_times(reader, &draft, component);
	read_alarm(&draft, component);
	keep_event(reader, &draft);
	free(draft.duration);
}

/*
 * Structs to text: each event becomes libical's properties in one fixed order, which escapes and
 * folds them. Control bytes are left out of texts; what cannot be written was refused before.
 */
#include <libical/ical.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ics.h"
#include "ics_check.h"
#include "ics_fold.h"
#include "ics_memory.h"
#include "ics_names.h"
#include "ics_write.h"
#include "ics_zone.h"
#include "wall.h"

#define PRODUCT "-//Lyceum//Convening//EN"

/* One text being written. */
struct writer {
	struct ics_check check;
	struct ics_memory memory; /* of cleaned texts */
};

static void add(icalcomponent *component, icalproperty *property)
{
	if (property)
		icalcomponent_add_property(component, property);
}

/* "STATUS:CONFIRMED", of our own words only. */
static void add_word(icalcomponent *component, const char *name, const char *word)
{
	char text[64];
	snprintf(text, sizeof(text), "%s:%s", name, word);
	add(component, icalproperty_new_from_string(text));
}

static void add_parameter(icalproperty *property, const char *name, const char *word)
{
	char text[64];
	icalparameter *parameter;
	snprintf(text, sizeof(text), "%s=%s", name, word);
	parameter = icalparameter_new_from_string(text);
	if (parameter)
		icalproperty_add_parameter(property, parameter);
}

/* A text of any length; line ends are \n, as libical writes them. NULL and "": left out. */
static void add_text(struct writer *writer, icalcomponent *component,
		     icalproperty *(*make)(const char *), const char *text)
{
	const char *clean = text && *text ? ics_keep_text(&writer->memory, text) : NULL;
	if (clean)
		add(component, make(clean));
}

/* Field by field: libical's reader of texts knows fewer years than its writer. */
static struct icaltimetype ical_time(int64_t at, enum ics_clock clock)
{
	struct wall wall = wall_of(at);
	struct icaltimetype time = icaltime_null_time();
	time.year = wall.year;
	time.month = wall.month;
	time.day = wall.day;
	time.hour = wall.hour;
	time.minute = wall.minute;
	time.second = wall.second;
	time.is_date = clock == ICS_DATE;
	if (clock == ICS_UTC)
		time.zone = icaltimezone_get_utc_timezone();
	return time;
}

static void add_time(icalcomponent *component, icalproperty *property, const struct ics_time *time)
{
	icalparameter *zone = NULL;
	if (!property)
		return;
	if (time->clock == ICS_ZONED)
		zone = icalparameter_new_tzid(time->zone);
	if (zone)
		icalproperty_add_parameter(property, zone);
	icalcomponent_add_property(component, property);
}

static void add_times(icalcomponent *component, const struct ics_event *event)
{
	const struct ics_time *start = &event->start;
	const struct ics_time *end = &event->end;
	const struct ics_time *id = &event->recurrence_id;
	if (id->clock != ICS_NO_TIME)
		add_time(component, icalproperty_new_recurrenceid(ical_time(id->at, id->clock)),
			 id);
	if (start->clock != ICS_NO_TIME)
		add_time(component, icalproperty_new_dtstart(ical_time(start->at, start->clock)),
			 start);
	if (end->clock != ICS_NO_TIME)
		add_time(component, icalproperty_new_dtend(ical_time(end->at, end->clock)), end);
}

/* RFC 5545 wants an UNTIL as the start is, and in UTC where the start has a zone. */
static struct recurrence_rule rule_to_write(struct writer *writer,
					    const struct recurrence_rule *rule,
					    const struct ics_time *start)
{
	struct recurrence_rule written = *rule;
	struct ics_time until = *start;
	if (!rule->has_until || start->clock == ICS_NO_TIME)
		return written;
	if (start->clock == ICS_DATE && !rule->until_is_date) {
		written.until_is_date = true;
		written.until_is_utc = false;
	} else if (start->clock != ICS_DATE && !rule->until_is_utc) {
		until.at = rule->until;
		written.until_is_date = false;
		written.until_is_utc = start->clock != ICS_FLOATING &&
				       !ics_time_to_utc(&until, NULL, writer->check.zones,
							&written.until, writer->check.error);
	}
	return written;
}

/* As a property whose value libical leaves alone: its own would keep 16 bits of an INTERVAL. */
static void add_rule(icalcomponent *component, const char *text)
{
	icalproperty *property = icalproperty_new_x(text);
	if (!property)
		return;
	icalproperty_set_x_name(property, "RRULE");
	icalcomponent_add_property(component, property);
}

static void add_series(struct writer *writer, icalcomponent *component,
		       const struct ics_event *event)
{
	const struct ics_time *start = &event->start;
	char text[RECURRENCE_MAX_TEXT];
	for (size_t i = 0; i < event->rule_count; i++) {
		struct recurrence_rule rule = rule_to_write(writer, &event->rules[i], start);
		if (recurrence_write(&rule, text, sizeof(text)))
			add_rule(component, text);
	}
	for (size_t i = 0; i < event->added_count; i++) {
		struct icaldatetimeperiodtype at = {
			.time = ical_time(event->added[i], start->clock),
			.period = icalperiodtype_null_period(),
		};
		add_time(component, icalproperty_new_rdate(at), start);
	}
	for (size_t i = 0; i < event->removed_count; i++)
		add_time(component,
			 icalproperty_new_exdate(ical_time(event->removed[i], start->clock)),
			 start);
}

/* A name in one line, its ^ as RFC 6868 wants it: libical undoes that, and does quotes alone. */
static const char *clean_name(struct writer *writer, const char *name)
{
	const char *clean = name && *name ? ics_keep_text(&writer->memory, name) : NULL;
	char *to = clean ? ics_keep(&writer->memory, strlen(clean) * 2 + 1) : NULL;
	size_t len = 0;
	if (!to)
		return NULL;
	for (; *clean; clean++) {
		if (*clean == '^')
			to[len++] = '^';
		to[len++] = (char)(*clean == '\n' || *clean == '\t' ? ' ' : *clean);
	}
	return to;
}

/* ORGANIZER or ATTENDEE. */
static void add_person(struct writer *writer, icalcomponent *component,
		       const struct ics_person *person, bool is_organizer)
{
	char address[ICS_MAX_ADDRESS + 8];
	const char *name = clean_name(writer, person->name);
	icalproperty *property;
	snprintf(address, sizeof(address), "mailto:%s", person->address);
	property = is_organizer ? icalproperty_new_organizer(address)
				: icalproperty_new_attendee(address);
	if (!property)
		return;
	if (name) {
		icalparameter *parameter = icalparameter_new_cn(name);
		if (parameter)
			icalproperty_add_parameter(property, parameter);
	}
	if (!is_organizer) {
		add_parameter(property, "ROLE", ics_role_name(person->role));
		add_parameter(property, "PARTSTAT", ics_answer_name(person->answer));
		if (person->asks_answer)
			add_parameter(property, "RSVP", "TRUE");
	}
	icalcomponent_add_property(component, property);
}

static void add_alarm(struct writer *writer, icalcomponent *component,
		      const struct ics_event *event)
{
	icalcomponent *alarm = icalcomponent_new_valarm();
	struct icaltriggertype trigger = {
		.time = icaltime_null_time(),
		.duration = icaldurationtype_from_int(-event->alarm_before_s),
	};
	if (!alarm)
		return;
	add_word(alarm, "ACTION", "DISPLAY");
	add(alarm, icalproperty_new_trigger(trigger));
	add_text(writer, alarm, icalproperty_new_description,
		 event->title && *event->title ? event->title : "Reminder");
	icalcomponent_add_component(component, alarm);
}

static icalcomponent *event_component(struct writer *writer, const struct ics_event *event)
{
	icalcomponent *component = icalcomponent_new_vevent();
	if (!component)
		return NULL;
	add_text(writer, component, icalproperty_new_uid, event->uid);
	add(component, icalproperty_new_dtstamp(ical_time(event->stamp, ICS_UTC)));
	add(component, icalproperty_new_sequence((int)(event->sequence & INT32_MAX)));
	add_times(component, event);
	add_series(writer, component, event);
	add_text(writer, component, icalproperty_new_summary, event->title);
	add_text(writer, component, icalproperty_new_description, event->description);
	add_text(writer, component, icalproperty_new_location, event->place);
	add_text(writer, component, icalproperty_new_url, event->url);
	add_text(writer, component, icalproperty_new_comment, event->comment);
	add_text(writer, component, icalproperty_new_categories, event->category);
	if (event->status != ICS_NO_STATUS)
		add_word(component, "STATUS", ics_status_name(event->status));
	if (event->is_private)
		add_word(component, "CLASS", "PRIVATE");
	if (event->is_free)
		add_word(component, "TRANSP", "TRANSPARENT");
	if (event->organizer.address)
		add_person(writer, component, &event->organizer, true);
	for (size_t i = 0; i < event->person_count; i++)
		add_person(writer, component, &event->people[i], false);
	if (event->has_alarm)
		add_alarm(writer, component, event);
	return component;
}

/* Backwards: libical puts each new VTIMEZONE before the others. */
static int compare_zones(const void *one, const void *two)
{
	const struct zone *const *a = one;
	const struct zone *const *b = two;
	return strcmp(zone_name(*b), zone_name(*a));
}

/* An X- property, escaped as a text: libical leaves its value alone. */
static void add_calendar_name(struct writer *writer, icalcomponent *root, const char *name)
{
	const char *clean = ics_keep_text(&writer->memory, name);
	icalvalue *value = clean ? icalvalue_new_text(clean) : NULL;
	char *escaped = value ? icalvalue_as_ical_string_r(value) : NULL;
	icalproperty *property = escaped ? icalproperty_new_x(escaped) : NULL;
	if (property) {
		icalproperty_set_x_name(property, "X-WR-CALNAME");
		icalcomponent_add_property(root, property);
	}
	icalmemory_free_buffer(escaped);
	if (value)
		icalvalue_free(value);
}

static void add_head(struct writer *writer, icalcomponent *root,
		     const struct ics_calendar *calendar, const struct ics_head *head)
{
	const char *name = calendar->name;
	char text[64];
	add(root, icalproperty_new_version("2.0"));
	add(root, icalproperty_new_prodid(PRODUCT));
	add_word(root, "CALSCALE", "GREGORIAN");
	if (calendar->method != ICS_NO_METHOD)
		add_word(root, "METHOD", ics_method_name(calendar->method));
	if (name && *name) {
		/* RFC 7986's, and the one that programs knew before it. */
		add_text(writer, root, icalproperty_new_name, name);
		add_calendar_name(writer, root, name);
	}
	add_text(writer, root, icalproperty_new_description, head->description);
	if (head->refresh_s) {
		snprintf(text, sizeof(text), "REFRESH-INTERVAL;VALUE=DURATION:PT%uS",
			 head->refresh_s);
		add(root, icalproperty_new_from_string(text));
		snprintf(text, sizeof(text), "X-PUBLISHED-TTL:PT%uS", head->refresh_s);
		add(root, icalproperty_new_from_string(text));
	}
}

static enum lyc_status no_memory(struct writer *writer)
{
	*writer->check.error = (struct lyc_error){.status = LYC_RESOURCE_EXHAUSTED};
	snprintf(writer->check.error->text, sizeof(writer->check.error->text),
		 "there is no memory");
	return LYC_RESOURCE_EXHAUSTED;
}

static enum lyc_status write_root(struct writer *writer, const struct ics_calendar *calendar,
				  icalcomponent *root, char **ret_text, size_t *ret_len)
{
	icalcomponent *part;
	char *text;
	char *folded;
	qsort(writer->check.used, writer->check.used_count, sizeof(writer->check.used[0]),
	      compare_zones);
	for (size_t i = 0; i < writer->check.used_count; i++) {
		part = ics_zone_component(writer->check.used[i], writer->check.from_utc);
		if (!part)
			return no_memory(writer);
		icalcomponent_add_component(root, part);
	}
	for (size_t i = 0; i < calendar->event_count; i++) {
		part = event_component(writer, &calendar->events[i]);
		if (!part)
			return no_memory(writer);
		icalcomponent_add_component(root, part);
	}
	text = writer->memory.has_failed ? NULL : icalcomponent_as_ical_string_r(root);
	folded = text ? ics_fold(text, ret_len) : NULL;
	icalmemory_free_buffer(text);
	if (!folded)
		return no_memory(writer);
	*ret_text = folded;
	return LYC_OK;
}

enum lyc_status ics_write_with(const struct ics_calendar *calendar, const struct ics_head *head,
			       struct zones *zones, char **ret_text, size_t *ret_len,
			       struct lyc_error *error)
{
	struct writer writer = {.check = {.zones = zones, .error = error}};
	enum lyc_status status = ics_check(&writer.check, calendar);
	icalcomponent *root;

	if (status)
		return status;
	icalerror_set_errors_are_fatal(false);
	root = icalcomponent_new_vcalendar();
	if (!root)
		return no_memory(&writer);
	add_head(&writer, root, calendar, head);
	status = write_root(&writer, calendar, root, ret_text, ret_len);
	icalcomponent_free(root);
	ics_memory_fini(&writer.memory);
	icalmemory_free_ring();
	return status;
}

enum lyc_status ics_write(const struct ics_calendar *calendar, struct zones *zones, char **ret_text,
			  size_t *ret_len, struct lyc_error *error)
{
	static const struct ics_head plain = {0};
	return ics_write_with(calendar, &plain, zones, ret_text, ret_len, error);
}

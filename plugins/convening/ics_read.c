/*
 * Text to structs. libical gets one unfolded line at a time, so that the depth of BEGINs is seen
 * before it builds (and later frees, by recursion) what they open.
 */
#include "ics_read.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "ics_names.h"

#define MAX_DEPTH 8

/* A text that libical took for something else: its escapes undone. */
static const char *keep_escaped(struct ics_reader *reader, const char *text)
{
	icalvalue *value = icalvalue_new_from_string(ICAL_TEXT_VALUE, text);
	const char *plain = value ? icalvalue_get_text(value) : NULL;
	const char *kept = plain ? ics_keep_text(reader->memory, plain) : NULL;
	if (value)
		icalvalue_free(value);
	return kept && *kept ? kept : NULL;
}

static void read_calendar(struct ics_reader *reader, icalcomponent *calendar)
{
	icalcomponent *component;
	icalproperty *property;
	icalcompiter at;
	reader->root = calendar;
	for (property = icalcomponent_get_first_property(calendar, ICAL_ANY_PROPERTY); property;
	     property = icalcomponent_get_next_property(calendar, ICAL_ANY_PROPERTY)) {
		const char *name = icalproperty_get_property_name(property);
		char *value = ics_value(property);
		if (value && icalproperty_isa(property) == ICAL_METHOD_PROPERTY)
			reader->calendar.method = ics_method_of(value);
		else if (value && *value && !reader->calendar.name && name) {
			if (strcasecmp(name, "X-WR-CALNAME") == 0)
				reader->calendar.name = keep_escaped(reader, value);
			else if (strcasecmp(name, "NAME") == 0)
				reader->calendar.name = ics_keep_text(reader->memory, value);
		}
		free(value);
	}
	/* An iterator of its own: looking a zone up moves the component's. */
	for (at = icalcomponent_begin_component(calendar, ICAL_VEVENT_COMPONENT);
	     (component = icalcompiter_deref(&at)); icalcompiter_next(&at))
		ics_read_event(reader, component);
}

/* What libical asks for the next line from: the text, to its end. */
struct lines {
	const char *at;
	const char *end;
};

/* As fgets. */
static char *next_line(char *to, size_t size, void *data)
{
	struct lines *lines = data;
	size_t len = 0;
	if (lines->at == lines->end || size == 0)
		return NULL;
	while (lines->at < lines->end && len + 1 < size) {
		to[len++] = *lines->at++;
		if (to[len - 1] == '\n')
			break;
	}
	to[len] = '\0';
	return to;
}

/* "BEGIN:..." or "BEGIN;..." */
static bool is_named(const char *line, const char *word)
{
	size_t len = strlen(word);
	return strncasecmp(line, word, len) == 0 && (line[len] == ':' || line[len] == ';');
}

/* The component that the line ends, or NULL. */
static icalcomponent *add_line(icalparser *parser, char *line)
{
	icalcomponent *component;
	char *renamed;
	if (!is_named(line, "RRULE"))
		return icalparser_add_line(parser, line);
	renamed = malloc(strlen(line) + sizeof(ICS_RULE_NAME));
	if (!renamed)
		return NULL;
	strcpy(renamed, ICS_RULE_NAME);
	strcat(renamed, line + strlen("RRULE"));
	component = icalparser_add_line(parser, renamed);
	free(renamed);
	return component;
}

/* Hands lines to libical; each component that ends is read and freed. False when blocks lie too
 * deep in each other. */
static bool read_lines(struct ics_reader *reader, icalparser *parser, size_t *ret_calendars)
{
	int depth = 0;
	char *line;
	while ((line = icalparser_get_line(parser, next_line))) {
		icalcomponent *component;
		bool is_stray;
		if (is_named(line, "BEGIN"))
			depth++;
		is_stray = is_named(line, "END") && depth == 0;
		if (is_named(line, "END") && depth > 0)
			depth--;
		/* libical would complain of an END without a BEGIN on standard error. */
		component = depth <= MAX_DEPTH && !is_stray ? add_line(parser, line) : NULL;
		icalmemory_free_buffer(line);
		if (depth > MAX_DEPTH)
			return false;
		if (!component)
			continue;
		if (icalcomponent_isa(component) == ICAL_VCALENDAR_COMPONENT) {
			++*ret_calendars;
			read_calendar(reader, component);
		}
		icalcomponent_free(component);
	}
	return true;
}

static enum lyc_status refuse(struct lyc_error *error, enum lyc_status status, const char *text)
{
	*error = (struct lyc_error){.status = status};
	snprintf(error->text, sizeof(error->text), "%s", text);
	return status;
}

enum lyc_status ics_read(const char *text, size_t len, struct zones *zones,
			 struct ics_calendar *ret_calendar, struct lyc_error *error)
{
	struct ics_reader reader = {.zones = zones};
	struct lines lines = {.at = text, .end = text + len};
	enum lyc_status status = LYC_OK;
	icalparser *parser = NULL;
	size_t calendars = 0;

	if (len > ICS_MAX_BYTES)
		return refuse(error, LYC_RESOURCE_EXHAUSTED,
			      "the calendar is longer than 4 MiB: send it in parts");
	if (memchr(text, '\0', len))
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the calendar has a NUL byte: it is not text");
	icalerror_set_errors_are_fatal(false);
	reader.memory = calloc(1, sizeof(*reader.memory));
	parser = icalparser_new();
	if (!reader.memory || !parser) {
		status = refuse(error, LYC_RESOURCE_EXHAUSTED, "there is no memory");
		goto out;
	}
	icalparser_set_gen_data(parser, &lines);
	if (!read_lines(&reader, parser, &calendars))
		status = refuse(error, LYC_INVALID_ARGUMENT,
				"the calendar has blocks in blocks deeper than any calendar");
	else if (calendars == 0)
		status = refuse(error, LYC_INVALID_ARGUMENT,
				"there is no whole BEGIN:VCALENDAR ... END:VCALENDAR");
	else if (reader.is_too_much)
		status = refuse(error, LYC_RESOURCE_EXHAUSTED,
				"the calendar has more than 10000 events: send it in parts");
	else if (reader.memory->has_failed)
		status = refuse(error, LYC_RESOURCE_EXHAUSTED, "there is no memory");
	if (status)
		goto out;
	*ret_calendar = reader.calendar;
	ret_calendar->events = reader.events;
	ret_calendar->notes = reader.notes;
	ret_calendar->memory = reader.memory;
	reader.memory = NULL;
out:
	if (reader.memory)
		ics_memory_fini(reader.memory);
	free(reader.memory);
	if (parser)
		icalparser_free(parser);
	/* What libical lends out as text, it keeps in a ring of this thread. */
	icalmemory_free_ring();
	return status;
}

/*
 * A calendar being read, shared by what goes through its lines (ics_read.c) and what makes an event
 * of a component (ics_read_event.c).
 */
#ifndef CONVENING_ICS_READ_H
#define CONVENING_ICS_READ_H

#include <libical/ical.h>

#include "ics.h"
#include "ics_memory.h"

/* RRULE goes by this name while libical holds it, so that it keeps the text as it is: its own
 * reading of rules has 16 bits for an INTERVAL and changes what is larger. */
#define ICS_RULE_NAME "X-LYCEUM-RRULE"

struct ics_reader {
	struct zones *zones;
	struct ics_memory *memory;
	struct ics_calendar calendar;
	struct ics_event *events;
	size_t event_room;
	const char **notes;
	size_t note_room;
	icalcomponent *root; /* the VCALENDAR at hand */
	bool is_too_much;
};

/* A property's value as it stands in the text, escapes of a text undone; the caller frees. NULL:
 * none. */
char *ics_value(const icalproperty *property);
/* Adds the event, or a note that says why not. */
void ics_read_event(struct ics_reader *reader, icalcomponent *component);

#endif

/*
 * Calendars as text (RFC 5545) and iTIP messages (RFC 5546): plain structs in, text out, and back.
 * libical splits, unescapes, escapes and folds; zones are zone.h's and recurrence is
 * recurrence.h's, since libical's own iteration of rules does not always end.
 */
#ifndef CONVENING_ICS_H
#define CONVENING_ICS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "recurrence.h"
#include "zone.h"

#define ICS_MAX_BYTES (4 << 20) /* a longer text is refused */
#define ICS_MAX_EVENTS 10000    /* of one calendar */
#define ICS_MAX_PEOPLE 5000     /* of one event */
#define ICS_MAX_DATES 5000      /* RDATE and EXDATE of one event */

enum ics_method {
	ICS_NO_METHOD, /* a file, a feed */
	ICS_PUBLISH,
	ICS_REQUEST,
	ICS_REPLY,
	ICS_CANCEL,
	ICS_OTHER_METHOD, /* only when read: ADD, COUNTER, ... */
};

enum ics_status {
	ICS_NO_STATUS,
	ICS_TENTATIVE,
	ICS_CONFIRMED,
	ICS_CANCELLED,
};

enum ics_role {
	ICS_REQUIRED, /* also when nothing is said */
	ICS_CHAIR,
	ICS_OPTIONAL,
	ICS_NOT_TAKING_PART,
};

enum ics_answer {
	ICS_NO_ANSWER, /* NEEDS-ACTION, also when nothing is said */
	ICS_ACCEPTED,
	ICS_DECLINED,
	ICS_MAYBE, /* TENTATIVE */
	ICS_DELEGATED,
};

enum ics_clock {
	ICS_NO_TIME,
	ICS_DATE,     /* a whole day: `at` is its midnight */
	ICS_FLOATING, /* `at` is on everybody's own wall clock */
	ICS_UTC,
	ICS_ZONED, /* `at` is on the wall clock of `zone` */
};

struct ics_time {
	enum ics_clock clock;
	int64_t at;       /* seconds, see wall.h */
	const char *zone; /* IANA name; only with ICS_ZONED */
};

struct ics_person {
	const char *address; /* "ann@example.org" without mailto: */
	const char *name;    /* CN; NULL: none */
	enum ics_role role;
	enum ics_answer answer;
	bool asks_answer; /* RSVP=TRUE */
};

/* Texts that are not there are NULL when written, and after reading too. */
struct ics_event {
	const char *uid;
	uint32_t sequence;
	enum ics_status status;
	int64_t stamp; /* DTSTAMP, UTC; 0 when read from a text without one */

	struct ics_time start;
	struct ics_time end;           /* behind the last second; read from DTEND or DURATION */
	struct ics_time recurrence_id; /* set: this replaces that one instance of the series */

	const struct recurrence_rule *rules;
	size_t rule_count;
	const int64_t *added; /* RDATE and EXDATE on the clock of `start` */
	size_t added_count;
	const int64_t *removed;
	size_t removed_count;

	const char *title;
	const char *description;
	const char *place;
	const char *url;
	const char *comment;    /* what a REPLY says beside its answer */
	const char *category;   /* the first of CATEGORIES; no comma in it */
	bool is_private;        /* CLASS:PRIVATE or CONFIDENTIAL */
	bool is_free;           /* TRANSP:TRANSPARENT: does not block the day */
	bool has_alarm;         /* one VALARM that shows the title */
	int32_t alarm_before_s; /* so long before the start */

	struct ics_person organizer; /* address NULL: none */
	const struct ics_person *people;
	size_t person_count;
};

struct ics_calendar {
	enum ics_method method;
	const char *name; /* X-WR-CALNAME; NULL: none */
	const struct ics_event *events;
	size_t event_count;

	/* Only when read: what was left out or read with a guess, one sentence each. */
	const char *const *notes;
	size_t note_count;
	void *memory; /* all of what was read; NULL in one to be written */
};

/* The text with CRLF and folded lines, a VTIMEZONE for every zone in use, a final NUL that ret_len
 * does not count; equal structs and equal tzdata give equal bytes. The caller frees. Checks as RFC
 * 5546 wants: REQUEST, REPLY and CANCEL need an organizer, a REPLY exactly one attendee per event.
 * INVALID_ARGUMENT names the field; NOT_FOUND an unknown zone. */
LYC_MUST_USE enum lyc_status ics_write(const struct ics_calendar *calendar, struct zones *zones,
				       char **ret_text, size_t *ret_len, struct lyc_error *error);
/* Reads the first VCALENDAR's (or all of several's) events. Other components (VTODO, ...) are left
 * out silently, what an event says wrongly is left out with a note; an event without a start and
 * without a recurrence id is left out with a note unless the method is REPLY or CANCEL. `text` is
 * borrowed and may hold any bytes. RESOURCE_EXHAUSTED when it is too long; INVALID_ARGUMENT when
 * there is no VCALENDAR. Free with ics_fini. */
LYC_MUST_USE enum lyc_status ics_read(const char *text, size_t len, struct zones *zones,
				      struct ics_calendar *ret_calendar, struct lyc_error *error);
/* For what was read; accepts a zeroed one. */
void ics_fini(struct ics_calendar *calendar);

/* The starts of an event that was read or will be written, ready for recurrence_list. Borrows the
 * event and the zone. */
LYC_MUST_USE enum lyc_status ics_recurrence(const struct ics_event *event, struct zones *zones,
					    struct recurrence *ret_set, struct lyc_error *error);
/* UTC of a time; floating times and dates count as if in `home` (NULL: UTC). */
LYC_MUST_USE enum lyc_status ics_time_to_utc(const struct ics_time *time, const struct zone *home,
					     struct zones *zones, int64_t *ret_utc,
					     struct lyc_error *error);

#endif

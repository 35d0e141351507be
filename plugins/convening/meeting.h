/*
 * When an event takes place: its times checked and computed, its meetings listed. Pure; recurrence,
 * zones and wall clocks are the calendar's.
 */
#ifndef CONVENING_MEETING_H
#define CONVENING_MEETING_H

#include "ics.h"
#include "messages.h"
#include "zone.h"

#define MEETING_TIME_SIZE 24

struct meeting {
	int64_t start_ms; /* UTC */
	int64_t end_ms;
	int64_t start; /* on the wall clock of the event's zone, see wall.h */
	int64_t end;
};

/* Bring start and end of an event into their one form and compute start_ms and end_ms. Reads
 * "2026-12-03T10:00" and "2026-12-03 10:00:00". An empty end becomes so many
 * seconds after the start (0: an hour), also where the clocks change meanwhile. Replaces strings
 * that are malloc'ed. INVALID_ARGUMENT names the field: a time that its zone does not have and a
 * series that meets more often than daily are refused, too. */
LYC_MUST_USE enum lyc_status meeting_settle(event_msg *event, int64_t length_s, struct zones *zones,
					    struct lyc_error *error);
/* Its meetings that end after from_ms and begin before to_ms, in order, at most `max`. An event
 * whose zone is not known here has none. */
size_t meeting_list(const event_msg *event, struct zones *zones, int64_t from_ms, int64_t to_ms,
		    struct meeting *to, size_t max);
/* "2026-12-03T10:00:00". */
void meeting_write(int64_t wall, char to[MEETING_TIME_SIZE]);
/* Midnight UTC of "2026-12-03", in milliseconds. False when there is no such day. */
bool meeting_day(const char *text, int64_t *ret_ms);
/* "Thursday 3 December 2026, 10:00 to 11:00 (Europe/London)", and in Welsh. */
#define MEETING_WORDS_SIZE 160
void meeting_words(const event_msg *event, bool in_welsh, char to[MEETING_WORDS_SIZE]);

/* An event as the calendar's code wants it. Strings and lists belong to `to`, which borrows the
 * event. */
struct meeting_ics {
	struct ics_event event;
	struct recurrence_rule rule;
	int64_t *removed;
	char uid[200];
};
bool meeting_to_ics(const event_msg *event, int64_t stamp_s, struct meeting_ics *to);
void meeting_ics_fini(struct meeting_ics *ics);

#endif

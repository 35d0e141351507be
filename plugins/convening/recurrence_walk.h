/*
 * One rule walked period by period (year, month, week, ..., second): in each, the days that its
 * parts leave times the times of day, of which BYSETPOS picks some. Nothing is listed: the n-th
 * time of a period is arithmetic, so a year of seconds costs what a year of days costs.
 */
#ifndef CONVENING_RECURRENCE_WALK_H
#define CONVENING_RECURRENCE_WALK_H

#include "recurrence.h"

#define WALK_MAX_DAYS 372      /* of a year by weeks: 53 * 7, and one more */
#define WALK_MAX_POSITIONS 732 /* BYSETPOS from the front and from the end */

struct walk {
	const struct recurrence_rule *rule;
	const struct recurrence *set;
	struct recurrence_rule full; /* with what DTSTART adds */
	int64_t from;                /* starts before it are counted, not given */
	int64_t last;                /* nothing behind it is looked for */
	int64_t *steps;              /* left for all walks of a question */

	int64_t first_period; /* years, months, days, hours, ... since 1970 (years: since 0) */
	int64_t period;       /* how many intervals behind the first */

	int64_t days[WALK_MAX_DAYS];
	int32_t day_count;
	int64_t known_day; /* the day that was asked for last, and the answer */
	bool known_fits;

	uint8_t hours[24];
	uint8_t minutes[60];
	uint8_t seconds[60];
	int32_t hour_count;
	int32_t minute_count;
	int32_t second_count;

	int64_t positions[WALK_MAX_POSITIONS];
	uint16_t front[366]; /* BYSETPOS, ascending; */
	int32_t front_count;
	uint16_t back[366]; /* its negative ones without the sign, descending */
	int32_t back_count;

	int64_t at;    /* the next of this period: an index of positions, or of its times */
	int64_t count; /* of this period */
	uint64_t given;
	int64_t quiet_day; /* where the search for the next start began; INT64_MIN: not yet */
	bool is_in_period;
	bool is_over;
};

/* Starts at the first that is >= from; `last`: nothing behind it matters. Borrows all of it. */
void walk_init(struct walk *walk, const struct recurrence *set, const struct recurrence_rule *rule,
	       int64_t from, int64_t last, int64_t *steps);
/* The next start, ascending; false when there is none, or when *steps is used up (then < 0). */
bool walk_next(struct walk *walk, int64_t *ret_at);

#endif

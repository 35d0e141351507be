/*
 * Recurrence after RFC 5545: a rule (RRULE) read from text, written back, and expanded; and a set
 * of starts made of DTSTART, rules, RDATE and EXDATE. Times are seconds on a wall clock (see
 * wall.h); a zone matters only for an UNTIL in UTC. Pure code, no memory but for a list.
 */
#ifndef CONVENING_RECURRENCE_H
#define CONVENING_RECURRENCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "zone.h"

#define RECURRENCE_MAX_TEXT 8192 /* a longer rule is refused */
#define RECURRENCE_MAX_RULES 8   /* of one set */

enum recurrence_freq {
	RECURRENCE_SECONDLY,
	RECURRENCE_MINUTELY,
	RECURRENCE_HOURLY,
	RECURRENCE_DAILY,
	RECURRENCE_WEEKLY,
	RECURRENCE_MONTHLY,
	RECURRENCE_YEARLY,
};

/* Small numbers, each from the front (bit n) or from the end (bit n of `back` is -n). */
struct recurrence_days {
	uint64_t front[6];
	uint64_t back[6];
	bool is_set;
};

/* A rule without memory of its own: lists are sets of bits, so order and repetition are gone. */
struct recurrence_rule {
	enum recurrence_freq freq;
	uint32_t interval;  /* 1 and more */
	uint32_t count;     /* 0: no COUNT */
	uint8_t week_start; /* 0 is Monday */
	bool has_until;
	bool until_is_utc;
	bool until_is_date;
	int64_t until; /* the last second that still counts; of a date, its last one */

	uint64_t seconds; /* BYSECOND, bit 0-59; 60 is read as 59 */
	uint64_t minutes;
	uint32_t hours;
	uint32_t months;  /* bit 1-12 */
	uint8_t weekdays; /* BYDAY without a number, bit 0 is Monday */
	uint64_t nth[7];  /* BYDAY with a number, bit 1-53 */
	uint64_t nth_last[7];
	bool has_by_day;
	struct recurrence_days month_days; /* 1-31 */
	struct recurrence_days year_days;  /* 1-366 */
	struct recurrence_days weeks;      /* 1-53 */
	struct recurrence_days positions;  /* BYSETPOS, 1-366 */
};

/* Reads "FREQ=WEEKLY;BYDAY=MO,WE;COUNT=10" (with or without "RRULE:" in front, any case).
 * INVALID_ARGUMENT with a sentence that names the part; UNIMPLEMENTED for RSCALE (RFC 7529). Takes
 * combinations that the RFC forbids but its libraries know: see recurrence_check. */
LYC_MUST_USE enum lyc_status recurrence_parse(const char *text, struct recurrence_rule *ret_rule,
					      struct lyc_error *error);
/* What the RFC forbids although it can be expanded: BYWEEKNO outside YEARLY, a numbered weekday in
 * WEEKLY, BYSETPOS alone, ... INVALID_ARGUMENT names it. For rules that a person enters here; one
 * that comes from elsewhere is taken. */
LYC_MUST_USE enum lyc_status recurrence_check(const struct recurrence_rule *rule, bool is_date,
					      struct lyc_error *error);
/* The rule in its one form ("FREQ=...;INTERVAL=..." with sorted lists), without "RRULE:". False
 * when `size` is too small (RECURRENCE_MAX_TEXT is enough). */
bool recurrence_write(const struct recurrence_rule *rule, char *to, size_t size);
bool recurrence_is_equal(const struct recurrence_rule *one, const struct recurrence_rule *two);

/*
 * All the starts of something. Borrows everything. Without a rule: `start` and the added ones. A
 * `start` that a rule does not yield is no member (the RFC leaves this open): ask
 * recurrence_has_start before it is kept.
 */
struct recurrence {
	int64_t start;           /* DTSTART, wall clock; of a date its midnight */
	bool is_date;            /* BYHOUR, BYMINUTE, BYSECOND are then ignored, as the RFC says */
	const struct zone *zone; /* only to compare with an UNTIL in UTC; NULL: UTC or floating */
	const struct recurrence_rule *rules;
	size_t rule_count;    /* RECURRENCE_MAX_RULES at most; more are not looked at */
	const int64_t *added; /* RDATE, in any order */
	size_t added_count;
	const int64_t *removed; /* EXDATE, in any order */
	size_t removed_count;
};

/* Every start s with from <= s < to, ascending, each once, at most `max`; *ret_has_more says that
 * the set goes on below `to`. The caller frees *ret_starts (NULL when there is none). Ends after a
 * bound: nothing is looked for behind year 9999, and LYC_RESOURCE_EXHAUSTED says that millions of
 * steps found nothing (only rules by the second, minute or hour, or a COUNT of millions, get
 * there). LYC_OUT_OF_RANGE: `start` is not between the years 1 and 9999. */
LYC_MUST_USE enum lyc_status recurrence_list(const struct recurrence *set, int64_t from, int64_t to,
					     size_t max, int64_t **ret_starts, size_t *ret_count,
					     bool *ret_has_more);
/* The first start >= from. NOT_FOUND when there is none; otherwise as recurrence_list. */
LYC_MUST_USE enum lyc_status recurrence_next(const struct recurrence *set, int64_t from,
					     int64_t *ret_start);
/* Whether `start` is one that the rules yield (or there is no rule). */
bool recurrence_has_start(const struct recurrence *set);

#endif

/*
 * Whether a day fits a rule: its month, its place in the month and the year, its week, its weekday.
 * RFC 5545 3.3.10's table tells parts that expand from parts that limit; where a period's days are
 * looked at one by one, both are this question.
 */
#ifndef CONVENING_RECURRENCE_DAY_H
#define CONVENING_RECURRENCE_DAY_H

#include "recurrence.h"

/* Bit n of a list. */
static inline bool recurrence_has_bit(const uint64_t *bits, int32_t n)
{
	return bits[n / 64] >> (n % 64) & 1;
}

/* The day on which the first week of a year starts: the first with four days in the year. */
int64_t recurrence_first_week(int32_t year, int32_t week_start);
/* The year to which a day's week belongs, and that year's first week. */
int32_t recurrence_week_year(int64_t day, int32_t week_start, int64_t *ret_first);
/* `rule` says the days (see recurrence_walk.c). ret_next: the day from which on it is worth asking
 * again. */
bool recurrence_fits_day(const struct recurrence_rule *rule, int64_t day, int64_t *ret_next);

#endif

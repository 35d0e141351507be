/* See the header. */
#include "recurrence_day.h"

#include "wall.h"

/* Whether the n-th of `total` is listed, from the front or from the end. */
static bool days_have(const struct recurrence_days *days, int32_t n, int32_t total)
{
	return recurrence_has_bit(days->front, n) || recurrence_has_bit(days->back, total - n + 1);
}

int64_t recurrence_first_week(int32_t year, int32_t week_start)
{
	int64_t new_year = wall_days(year, 1, 1);
	int32_t into = (wall_weekday(new_year) - week_start + 7) % 7;
	return into <= 3 ? new_year - into : new_year + 7 - into;
}

int32_t recurrence_week_year(int64_t day, int32_t week_start, int64_t *ret_first)
{
	int32_t year;
	int32_t month;
	int32_t of_month;
	wall_date(day, &year, &month, &of_month);
	if (month == 12 && recurrence_first_week(year + 1, week_start) <= day)
		year++;
	else if (month == 1 && recurrence_first_week(year, week_start) > day)
		year--;
	*ret_first = recurrence_first_week(year, week_start);
	return year;
}

static bool fits_weeks(const struct recurrence_rule *rule, int64_t day)
{
	int64_t first;
	int32_t year = recurrence_week_year(day, rule->week_start, &first);
	int64_t behind = recurrence_first_week(year + 1, rule->week_start);
	return days_have(&rule->weeks, (int32_t)((day - first) / 7) + 1,
			 (int32_t)((behind - first) / 7));
}

/* Numbered weekdays count in the month (MONTHLY, or YEARLY with BYMONTH), in the year, or, where
 * the RFC forbids the number, not at all. */
static bool fits_weekdays(const struct recurrence_rule *rule, int64_t day, int32_t of_month,
			  int32_t month_days, int32_t of_year, int32_t year_days)
{
	int32_t weekday = wall_weekday(day);
	bool in_month = rule->freq == RECURRENCE_MONTHLY || rule->months;
	int32_t n = in_month ? of_month : of_year;
	int32_t total = in_month ? month_days : year_days;
	if (rule->weekdays >> weekday & 1)
		return true;
	if (rule->freq < RECURRENCE_MONTHLY || rule->weeks.is_set)
		return rule->nth[weekday] || rule->nth_last[weekday];
	return (rule->nth[weekday] >> ((n - 1) / 7 + 1) & 1) ||
	       (rule->nth_last[weekday] >> ((total - n) / 7 + 1) & 1);
}

bool recurrence_fits_day(const struct recurrence_rule *rule, int64_t day, int64_t *ret_next)
{
	int32_t year;
	int32_t month;
	int32_t of_month;
	int32_t of_year;
	int32_t month_days;
	int32_t year_days;
	wall_date(day, &year, &month, &of_month);
	month_days = wall_month_days(year, month);
	*ret_next = day + 1;
	if (rule->months && !(rule->months >> month & 1)) {
		*ret_next = day + month_days - of_month + 1;
		return false;
	}
	if (rule->month_days.is_set && !days_have(&rule->month_days, of_month, month_days))
		return false;
	year_days = wall_is_leap(year) ? 366 : 365;
	of_year = (int32_t)(day - wall_days(year, 1, 1)) + 1;
	if (rule->year_days.is_set && !days_have(&rule->year_days, of_year, year_days))
		return false;
	if (rule->weeks.is_set && !fits_weeks(rule, day))
		return false;
	return !rule->has_by_day ||
	       fits_weekdays(rule, day, of_month, month_days, of_year, year_days);
}

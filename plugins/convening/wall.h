/*
 * Time on a wall clock, somewhere: one number, the seconds since 1970-01-01T00:00:00 as that clock
 * shows them, leap seconds and zones left out. It sorts, and of UTC it is Unix time. Here it is
 * taken apart and written as RFC 5545 and people write it. Years 1 to 9999.
 */
#ifndef CONVENING_WALL_H
#define CONVENING_WALL_H

#include <stdbool.h>
#include <stdint.h>

#define WALL_DAY_S 86400
#define WALL_MIN (-62135596800) /* 0001-01-01T00:00:00 */
#define WALL_MAX 253402300799   /* 9999-12-31T23:59:59 */
#define WALL_SIZE 24

struct wall {
	int32_t year;
	int32_t month; /* 1-12 */
	int32_t day;   /* 1-31 */
	int32_t hour;
	int32_t minute;
	int32_t second;
};

/* Days since 1970-01-01 of a day of the Gregorian calendar, and back. */
int64_t wall_days(int32_t year, int32_t month, int32_t day);
void wall_date(int64_t days, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day);
/* 0 is Monday. */
int32_t wall_weekday(int64_t days);
bool wall_is_leap(int32_t year);
int32_t wall_month_days(int32_t year, int32_t month);
/* days * 86400 + seconds split with a floor, for times before 1970 too. */
int64_t wall_day_of(int64_t at);

int64_t wall_seconds(const struct wall *wall);
struct wall wall_of(int64_t at);

/* "20261122", "20261122T090000" or "20261122T090000Z", also with dashes and colons
 * ("2026-11-22T09:00", "2026-11-22 09:00:00Z"). False when it is no such time; a second 60 is read
 * as 59. */
bool wall_read(const char *text, int64_t *ret_at, bool *ret_is_date, bool *ret_is_utc);
/* RFC 5545's form: "20261122T090000", or "20261122" of a date. */
void wall_write(int64_t at, bool is_date, char to[WALL_SIZE]);

#endif

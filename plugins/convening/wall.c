/* Days and seconds of the Gregorian calendar, by arithmetic alone: no mktime, no TZ. */
#include "wall.h"

#include <stddef.h>
#include <stdio.h>

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

/* Counts years from March, so that a leap day is the last day of its year. */
int64_t wall_days(int32_t year, int32_t month, int32_t day)
{
	int64_t y = (int64_t)year - (month <= 2 ? 1 : 0);
	int64_t era = floor_div(y, 400);
	int64_t of_era = y - era * 400;
	int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

void wall_date(int64_t days, int32_t *ret_year, int32_t *ret_month, int32_t *ret_day)
{
	int64_t shifted = days + 719468;
	int64_t era = floor_div(shifted, 146097);
	int64_t day = shifted - era * 146097;
	int64_t year = (day - day / 1460 + day / 36524 - day / 146096) / 365;
	int64_t of_year = day - (365 * year + year / 4 - year / 100);
	int64_t month = (5 * of_year + 2) / 153;
	*ret_day = (int32_t)(of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int32_t)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int32_t)(year + era * 400 + (*ret_month <= 2 ? 1 : 0));
}

int32_t wall_weekday(int64_t days)
{
	/* 1970-01-01 was a Thursday. */
	int64_t weekday = (days + 3) % 7;
	return (int32_t)(weekday < 0 ? weekday + 7 : weekday);
}

bool wall_is_leap(int32_t year)
{
	return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
}

int32_t wall_month_days(int32_t year, int32_t month)
{
	static const int8_t lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	return month == 2 && wall_is_leap(year) ? 29 : lengths[month - 1];
}

int64_t wall_day_of(int64_t at)
{
	return floor_div(at, WALL_DAY_S);
}

int64_t wall_seconds(const struct wall *wall)
{
	return wall_days(wall->year, wall->month, wall->day) * WALL_DAY_S +
	       (int64_t)wall->hour * 3600 + (int64_t)wall->minute * 60 + wall->second;
}

struct wall wall_of(int64_t at)
{
	struct wall wall;
	int64_t day = wall_day_of(at);
	int32_t second = (int32_t)(at - day * WALL_DAY_S);
	wall_date(day, &wall.year, &wall.month, &wall.day);
	wall.hour = second / 3600;
	wall.minute = second / 60 % 60;
	wall.second = second % 60;
	return wall;
}

/* Exactly `digits` digits. */
static bool read_number(const char **at, int digits, int32_t *ret_number)
{
	int32_t number = 0;
	for (int i = 0; i < digits; i++, (*at)++) {
		if (**at < '0' || **at > '9')
			return false;
		number = number * 10 + (**at - '0');
	}
	*ret_number = number;
	return true;
}

static void skip(const char **at, char mark)
{
	if (**at == mark)
		(*at)++;
}

static bool read_clock(const char **at, struct wall *wall)
{
	if (!read_number(at, 2, &wall->hour))
		return false;
	skip(at, ':');
	if (!read_number(at, 2, &wall->minute))
		return false;
	skip(at, ':');
	/* Seconds may be left out, as people do. */
	if (**at >= '0' && **at <= '9' && !read_number(at, 2, &wall->second))
		return false;
	if (wall->second == 60)
		wall->second = 59;
	return wall->hour < 24 && wall->minute < 60 && wall->second < 60;
}

bool wall_read(const char *text, int64_t *ret_at, bool *ret_is_date, bool *ret_is_utc)
{
	struct wall wall = {0};
	const char *at = text;
	bool is_date = true;
	bool is_utc = false;
	if (!read_number(&at, 4, &wall.year))
		return false;
	skip(&at, '-');
	if (!read_number(&at, 2, &wall.month))
		return false;
	skip(&at, '-');
	if (!read_number(&at, 2, &wall.day))
		return false;
	if (*at == 'T' || *at == 't' || *at == ' ') {
		at++;
		is_date = false;
		if (!read_clock(&at, &wall))
			return false;
		is_utc = *at == 'Z' || *at == 'z';
		if (is_utc)
			at++;
	}
	if (*at != '\0' || wall.year < 1 || wall.month < 1 || wall.month > 12 || wall.day < 1 ||
	    wall.day > wall_month_days(wall.year, wall.month))
		return false;
	*ret_at = wall_seconds(&wall);
	*ret_is_date = is_date;
	*ret_is_utc = is_utc;
	return true;
}

void wall_write(int64_t at, bool is_date, char to[WALL_SIZE])
{
	struct wall wall;
	unsigned year;
	if (at < WALL_MIN)
		at = WALL_MIN;
	if (at > WALL_MAX)
		at = WALL_MAX;
	wall = wall_of(at);
	year = (unsigned)wall.year % 10000U;
	if (is_date)
		snprintf(to, WALL_SIZE, "%04u%02u%02u", year, (unsigned)wall.month % 100U,
			 (unsigned)wall.day % 100U);
	else
		snprintf(to, WALL_SIZE, "%04u%02u%02uT%02u%02u%02u", year,
			 (unsigned)wall.month % 100U, (unsigned)wall.day % 100U,
			 (unsigned)wall.hour % 100U, (unsigned)wall.minute % 100U,
			 (unsigned)wall.second % 100U);
}

/*
 * Dates as lists have them, for google.protobuf.Timestamp. The day comes before the month where
 * slashes or points are used; a month first cannot be told from it and is refused where it shows.
 */
#include "import/cell_value.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

struct date {
	int year;
	int month;
	int day;
	int hour;
	int minute;
	int second;
	int nanos;
	/* East of Greenwich. */
	int offset_minutes;
};

static enum lyc_status refuse(const char *text, const char *why, struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT, "\"%.60s\" %s; write it as 2020-12-31", text,
			 why);
}

/* Exactly `count` digits. */
static bool digits(const char **at, int count, int *ret_value)
{
	int value = 0;
	for (int i = 0; i < count; i++) {
		if (!isdigit((unsigned char)(*at)[i]))
			return false;
		value = value * 10 + ((*at)[i] - '0');
	}
	if (isdigit((unsigned char)(*at)[count]))
		return false;
	*at += count;
	*ret_value = value;
	return true;
}

static bool sign(const char **at, char wanted)
{
	if (**at != wanted)
		return false;
	(*at)++;
	return true;
}

static int days_in_month(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool is_leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
	return days[month - 1] + (month == 2 && is_leap);
}

/* Days since 1970-01-01. Source: days_from_civil, Howard Hinnant, "chrono-Compatible Low-Level Date
 * Algorithms". */
static int64_t day_number(int year, int month, int day)
{
	int64_t y = year - (month <= 2);
	int64_t era = (y >= 0 ? y : y - 399) / 400;
	int64_t year_of_era = y - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

/* "T12:30:00.5+01:00" or " 12:30"; nothing is midnight UTC. */
static bool read_time(const char *at, struct date *date)
{
	if (*at == '\0')
		return true;
	if (*at != 'T' && *at != 't' && *at != ' ')
		return false;
	at++;
	if (!digits(&at, 2, &date->hour) || !sign(&at, ':') || !digits(&at, 2, &date->minute))
		return false;
	if (sign(&at, ':') && !digits(&at, 2, &date->second))
		return false;
	if (*at == '.') {
		int scale = 100000000;
		for (at++; isdigit((unsigned char)*at); at++, scale /= 10)
			date->nanos += (*at - '0') * scale;
	}
	if (*at == 'Z' || *at == 'z')
		at++;
	if (*at == '+' || *at == '-') {
		int direction = *at++ == '-' ? -1 : 1;
		int hours = 0;
		int minutes = 0;
		if (!digits(&at, 2, &hours) || !sign(&at, ':') || !digits(&at, 2, &minutes))
			return false;
		if (hours > 23 || minutes > 59)
			return false;
		date->offset_minutes = direction * (hours * 60 + minutes);
	}
	return *at == '\0' && date->hour < 24 && date->minute < 60 && date->second < 60;
}

/* Year first: "2020", "2020-12", "2020-12-31", "2020/12/31" and a time. */
static bool read_year_first(const char *at, struct date *date)
{
	if (!digits(&at, 4, &date->year))
		return false;
	if (*at == '\0')
		return true;
	char mark = *at;
	if ((mark != '-' && mark != '/') || !sign(&at, mark) || !digits(&at, 2, &date->month))
		return false;
	if (*at == '\0')
		return true;
	return sign(&at, mark) && digits(&at, 2, &date->day) && read_time(at, date);
}

/* "31/12/2020", "1.2.2020". */
static bool read_day_first(const char *at, struct date *date)
{
	if (!digits(&at, 2, &date->day) && !digits(&at, 1, &date->day))
		return false;
	char mark = *at;
	if ((mark != '/' && mark != '.' && mark != '-') || !sign(&at, mark))
		return false;
	if (!digits(&at, 2, &date->month) && !digits(&at, 1, &date->month))
		return false;
	return sign(&at, mark) && digits(&at, 4, &date->year) && read_time(at, date);
}

enum lyc_status date_text_read(struct span cell, int64_t *ret_seconds, int32_t *ret_nanos,
			       struct lyc_error *error)
{
	char text[64];
	if (cell.len >= sizeof(text) || memchr(cell.data, '\0', cell.len))
		return refuse("the text", "is too long for a date", error);
	memcpy(text, cell.data, cell.len);
	text[cell.len] = '\0';
	struct date date = {.month = 1, .day = 1};
	struct date first = date;
	if (read_year_first(text, &first)) {
		date = first;
	} else if (!read_day_first(text, &date)) {
		size_t digit_count = strspn(text, "0123456789");
		return refuse(text,
			      digit_count == 5 && text[5] == '\0'
				      ? "is a spreadsheet's day number, not a date"
				      : "is not a date",
			      error);
	}
	if (date.year < 1)
		return refuse(text, "is not a date", error);
	if (date.month > 12 && date.day >= 1 && date.day <= 12)
		return refuse(text, "has the month before the day", error);
	if (date.month < 1 || date.month > 12 || date.day < 1 ||
	    date.day > days_in_month(date.year, date.month))
		return refuse(text, "is not a day of the calendar", error);
	*ret_seconds = day_number(date.year, date.month, date.day) * 86400 + date.hour * 3600 +
		       date.minute * 60 + date.second - date.offset_minutes * 60;
	*ret_nanos = date.nanos;
	return LYC_OK;
}

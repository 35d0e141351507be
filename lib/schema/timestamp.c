/*
 * RFC 3339 and "1.5s". Days are counted in the proleptic Gregorian calendar with years that begin
 * in March, so that the leap day is the last of its year.
 */
#include "schema/timestamp.h"

static int64_t days_of_date(int64_t year, int month, int day)
{
	year -= month <= 2;
	int64_t era = (year >= 0 ? year : year - 399) / 400;
	int64_t year_of_era = year - era * 400;
	int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
	int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
	return era * 146097 + day_of_era - 719468;
}

static void date_of_days(int64_t days, int *ret_year, int *ret_month, int *ret_day)
{
	days += 719468;
	int64_t era = (days >= 0 ? days : days - 146096) / 146097;
	int64_t day_of_era = days - era * 146097;
	int64_t year_of_era =
		(day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	int64_t day_of_year =
		day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	int64_t month = (5 * day_of_year + 2) / 153;
	*ret_day = (int)(day_of_year - (153 * month + 2) / 5 + 1);
	*ret_month = (int)(month < 10 ? month + 3 : month - 9);
	*ret_year = (int)(year_of_era + era * 400 + (*ret_month <= 2));
}

static void write_fraction(struct buf *to, int32_t nanos)
{
	if (nanos == 0)
		return;
	if (nanos % 1000000 == 0)
		buf_add_format(to, ".%03d", nanos / 1000000);
	else if (nanos % 1000 == 0)
		buf_add_format(to, ".%06d", nanos / 1000);
	else
		buf_add_format(to, ".%09d", nanos);
}

bool timestamp_write(struct buf *to, int64_t seconds, int32_t nanos)
{
	if (seconds < TIMESTAMP_MIN_SECONDS || seconds > TIMESTAMP_MAX_SECONDS || nanos < 0 ||
	    nanos > 999999999)
		return false;
	int64_t days = (seconds - TIMESTAMP_MIN_SECONDS) / 86400 + TIMESTAMP_MIN_SECONDS / 86400;
	int rest = (int)(seconds - days * 86400);
	int year;
	int month;
	int day;
	date_of_days(days, &year, &month, &day);
	buf_add_format(to, "%04d-%02d-%02dT%02d:%02d:%02d", year, month, day, rest / 3600,
		       rest / 60 % 60, rest % 60);
	write_fraction(to, nanos);
	buf_add_text(to, "Z");
	return true;
}

bool duration_write(struct buf *to, int64_t seconds, int32_t nanos)
{
	if (seconds < -DURATION_MAX_SECONDS || seconds > DURATION_MAX_SECONDS ||
	    nanos < -999999999 || nanos > 999999999 || (seconds < 0 && nanos > 0) ||
	    (seconds > 0 && nanos < 0))
		return false;
	bool is_negative = seconds < 0 || nanos < 0;
	buf_add_format(to, "%s%lld", is_negative ? "-" : "",
		       (long long)(is_negative ? -seconds : seconds));
	write_fraction(to, is_negative ? -nanos : nanos);
	buf_add_text(to, "s");
	return true;
}

/* A place in the text; every reader below fails at the end of it. */
struct cursor {
	const uint8_t *at;
	const uint8_t *end;
};

static bool take(struct cursor *cursor, uint8_t c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static bool is_digit_next(const struct cursor *cursor)
{
	return cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9';
}

static bool take_digits(struct cursor *cursor, int count, int min, int max, int *ret_value)
{
	int value = 0;
	for (int i = 0; i < count; i++) {
		if (!is_digit_next(cursor))
			return false;
		value = value * 10 + (*cursor->at++ - '0');
	}
	if (value < min || value > max)
		return false;
	*ret_value = value;
	return true;
}

/* ".5": one to nine digits; nothing at all is 0. */
static bool take_fraction(struct cursor *cursor, int32_t *ret_nanos)
{
	*ret_nanos = 0;
	if (!take(cursor, '.'))
		return true;
	int32_t unit = 100000000;
	if (!is_digit_next(cursor))
		return false;
	for (; is_digit_next(cursor); unit /= 10) {
		if (unit == 0)
			return false;
		*ret_nanos += (*cursor->at++ - '0') * unit;
	}
	return true;
}

/* "Z" or "+01:00", as seconds to take away. */
static bool take_offset(struct cursor *cursor, int *ret_seconds)
{
	*ret_seconds = 0;
	if (take(cursor, 'Z'))
		return true;
	bool is_west = take(cursor, '-');
	int hours;
	int minutes;
	if (!is_west && !take(cursor, '+'))
		return false;
	if (!take_digits(cursor, 2, 0, 23, &hours) || !take(cursor, ':') ||
	    !take_digits(cursor, 2, 0, 59, &minutes))
		return false;
	*ret_seconds = (hours * 60 + minutes) * 60 * (is_west ? -1 : 1);
	return true;
}

static int days_in_month(int year, int month)
{
	if (month == 2)
		return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
	return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

bool timestamp_read(struct span text, int64_t *ret_seconds, int32_t *ret_nanos)
{
	struct cursor cursor = {.at = text.data, .end = text.data + text.len};
	int year, month, day, hour, minute, second, offset;
	int32_t nanos;
	if (!take_digits(&cursor, 4, 1, 9999, &year) || !take(&cursor, '-') ||
	    !take_digits(&cursor, 2, 1, 12, &month) || !take(&cursor, '-') ||
	    !take_digits(&cursor, 2, 1, days_in_month(year, month), &day) || !take(&cursor, 'T') ||
	    !take_digits(&cursor, 2, 0, 23, &hour) || !take(&cursor, ':') ||
	    !take_digits(&cursor, 2, 0, 59, &minute) || !take(&cursor, ':') ||
	    !take_digits(&cursor, 2, 0, 59, &second) || !take_fraction(&cursor, &nanos) ||
	    !take_offset(&cursor, &offset) || cursor.at != cursor.end)
		return false;
	int64_t seconds = days_of_date(year, month, day) * 86400 + hour * 3600 + minute * 60 +
			  second - offset;
	if (seconds < TIMESTAMP_MIN_SECONDS || seconds > TIMESTAMP_MAX_SECONDS)
		return false;
	*ret_seconds = seconds;
	*ret_nanos = nanos;
	return true;
}

bool duration_read(struct span text, int64_t *ret_seconds, int32_t *ret_nanos)
{
	struct cursor cursor = {.at = text.data, .end = text.data + text.len};
	bool is_negative = take(&cursor, '-');
	int64_t seconds = 0;
	int32_t nanos;
	if (!is_digit_next(&cursor))
		return false;
	for (; is_digit_next(&cursor); cursor.at++) {
		seconds = seconds * 10 + (*cursor.at - '0');
		if (seconds > DURATION_MAX_SECONDS)
			return false;
	}
	if (!take_fraction(&cursor, &nanos) || !take(&cursor, 's') || cursor.at != cursor.end)
		return false;
	if (seconds == DURATION_MAX_SECONDS && nanos > 0)
		return false;
	*ret_seconds = is_negative ? -seconds : seconds;
	*ret_nanos = is_negative ? -nanos : nanos;
	return true;
}

/* See the header. Changes of three years around a moment are looked at, since a rule's hour may lie
 * days away from its day. */
#include "zone_rule.h"

#include <string.h>

#include "wall.h"

static bool read_number(const char **at, int32_t max, int32_t *ret_number)
{
	int32_t number = 0;
	if (**at < '0' || **at > '9')
		return false;
	for (; **at >= '0' && **at <= '9'; (*at)++) {
		number = number * 10 + (**at - '0');
		if (number > max)
			return false;
	}
	*ret_number = number;
	return true;
}

/* "GMT" or "<+0330>" */
static bool read_name(const char **at, char name[ZONE_RULE_NAME_SIZE])
{
	bool is_quoted = **at == '<';
	size_t len = 0;
	if (is_quoted)
		(*at)++;
	for (; **at; (*at)++) {
		char c = **at;
		bool is_letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
		if (is_quoted ? c == '>' : !is_letter)
			break;
		if (len + 1 >= ZONE_RULE_NAME_SIZE)
			return false;
		name[len++] = c;
	}
	name[len] = '\0';
	if (is_quoted && *(*at)++ != '>')
		return false;
	return len >= 3;
}

/* [+-]hh[:mm[:ss]] */
static bool read_hours(const char **at, int32_t *ret_s)
{
	bool is_negative = **at == '-';
	int32_t hours;
	int32_t minutes = 0;
	int32_t seconds = 0;
	if (**at == '-' || **at == '+')
		(*at)++;
	if (!read_number(at, 167, &hours))
		return false;
	if (**at == ':') {
		(*at)++;
		if (!read_number(at, 59, &minutes))
			return false;
	}
	if (**at == ':') {
		(*at)++;
		if (!read_number(at, 59, &seconds))
			return false;
	}
	*ret_s = (hours * 3600 + minutes * 60 + seconds) * (is_negative ? -1 : 1);
	return true;
}

static bool read_day(const char **at, struct zone_day *day)
{
	*day = (struct zone_day){.kind = ZONE_DAY_OF_YEAR, .second = 7200};
	if (**at == 'M') {
		(*at)++;
		day->kind = ZONE_DAY_OF_MONTH_WEEK;
		if (!read_number(at, 12, &day->month) || *(*at)++ != '.' ||
		    !read_number(at, 5, &day->week) || *(*at)++ != '.' ||
		    !read_number(at, 6, &day->weekday) || day->month < 1 || day->week < 1)
			return false;
	} else if (**at == 'J') {
		(*at)++;
		day->kind = ZONE_DAY_NO_LEAP;
		if (!read_number(at, 365, &day->day) || day->day < 1)
			return false;
	} else if (!read_number(at, 365, &day->day)) {
		return false;
	}
	if (**at != '/')
		return true;
	(*at)++;
	return read_hours(at, &day->second);
}

bool zone_rule_parse(const char *text, struct zone_rule *ret_rule)
{
	struct zone_rule rule = {0};
	const char *at = text;
	/* POSIX counts west of UTC. */
	if (!read_name(&at, rule.name) || !read_hours(&at, &rule.offset_s) ||
	    rule.offset_s < -WALL_DAY_S || rule.offset_s > WALL_DAY_S)
		return false;
	rule.offset_s = -rule.offset_s;
	if (*at) {
		rule.has_summer = true;
		rule.summer_offset_s = rule.offset_s + 3600;
		if (!read_name(&at, rule.summer_name))
			return false;
		if (*at != ',') {
			if (!read_hours(&at, &rule.summer_offset_s) ||
			    rule.summer_offset_s < -WALL_DAY_S || rule.summer_offset_s > WALL_DAY_S)
				return false;
			rule.summer_offset_s = -rule.summer_offset_s;
		}
		if (*at++ != ',' || !read_day(&at, &rule.summer_start) || *at++ != ',' ||
		    !read_day(&at, &rule.summer_end) || *at)
			return false;
	}
	*ret_rule = rule;
	return true;
}

int64_t zone_day_wall(const struct zone_day *day, int32_t year)
{
	int64_t days;
	if (day->kind == ZONE_DAY_OF_MONTH_WEEK) {
		int64_t first = wall_days(year, day->month, 1);
		/* wall_weekday begins with Monday. */
		int32_t into = (day->weekday - (wall_weekday(first) + 1) % 7 + 7) % 7;
		days = first + into + (int64_t)(day->week - 1) * 7;
		if (days >= first + wall_month_days(year, day->month))
			days -= 7;
	} else if (day->kind == ZONE_DAY_NO_LEAP) {
		days = wall_days(year, 1, 1) + day->day - 1;
		if (wall_is_leap(year) && day->day >= 60)
			days++;
	} else {
		days = wall_days(year, 1, 1) + day->day;
	}
	return days * WALL_DAY_S + day->second;
}

static int64_t summer_start(const struct zone_rule *rule, int32_t year)
{
	return zone_day_wall(&rule->summer_start, year) - rule->offset_s;
}

static int64_t summer_end(const struct zone_rule *rule, int32_t year)
{
	return zone_day_wall(&rule->summer_end, year) - rule->summer_offset_s;
}

static int32_t year_of(int64_t utc)
{
	if (utc < WALL_MIN)
		utc = WALL_MIN;
	if (utc > WALL_MAX)
		utc = WALL_MAX;
	return wall_of(utc).year;
}

bool zone_rule_is_summer(const struct zone_rule *rule, int64_t utc)
{
	int32_t year = year_of(utc);
	int64_t start = INT64_MIN;
	int64_t end = INT64_MIN;
	if (!rule->has_summer)
		return false;
	/* The latest start and the latest end until now: a summer over new year is one as well. */
	for (int32_t i = year - 1; i <= year + 1; i++) {
		int64_t at = summer_start(rule, i);
		if (at <= utc)
			start = at;
		at = summer_end(rule, i);
		if (at <= utc)
			end = at;
	}
	/* An end at the very moment of a start ("all year summer") is none. */
	return start >= end && start != INT64_MIN;
}

bool zone_rule_next_change(const struct zone_rule *rule, int64_t utc, int64_t *ret_utc)
{
	int32_t year = year_of(utc);
	int64_t next = INT64_MAX;
	if (!rule->has_summer || year >= 9999)
		return false;
	for (int32_t i = year - 1; i <= year + 1; i++) {
		int64_t start = summer_start(rule, i);
		int64_t end = summer_end(rule, i);
		if (start > utc && start < next)
			next = start;
		if (end > utc && end < next)
			next = end;
	}
	if (next == INT64_MAX)
		return false;
	*ret_utc = next;
	return true;
}

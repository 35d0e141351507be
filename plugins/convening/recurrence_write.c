/* A recurrence rule checked against what RFC 5545 forbids, written in one form, and compared. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "recurrence.h"
#include "recurrence_names.h"
#include "wall.h"

LYC_PRINTF(2, 3)
static enum lyc_status refuse(struct lyc_error *error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	error->status = LYC_INVALID_ARGUMENT;
	error->field[0] = '\0';
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return LYC_INVALID_ARGUMENT;
}

static bool has_numbered_day(const struct recurrence_rule *rule)
{
	for (int i = 0; i < 7; i++) {
		if (rule->nth[i] || rule->nth_last[i])
			return true;
	}
	return false;
}

static bool has_by_part(const struct recurrence_rule *rule)
{
	return rule->seconds || rule->minutes || rule->hours || rule->months || rule->has_by_day ||
	       rule->month_days.is_set || rule->year_days.is_set || rule->weeks.is_set;
}

enum lyc_status recurrence_check(const struct recurrence_rule *rule, bool is_date,
				 struct lyc_error *error)
{
	const char *freq = recurrence_freqs[rule->freq];
	if (rule->weeks.is_set && rule->freq != RECURRENCE_YEARLY)
		return refuse(error, "the rule's BYWEEKNO goes only with FREQ=YEARLY, not with %s",
			      freq);
	if (rule->year_days.is_set && rule->freq >= RECURRENCE_DAILY &&
	    rule->freq <= RECURRENCE_MONTHLY)
		return refuse(error, "the rule's BYYEARDAY does not go with FREQ=%s", freq);
	if (rule->month_days.is_set && rule->freq == RECURRENCE_WEEKLY)
		return refuse(error, "the rule's BYMONTHDAY does not go with FREQ=WEEKLY");
	if (has_numbered_day(rule) && rule->freq < RECURRENCE_MONTHLY)
		return refuse(error,
			      "a weekday with a number (1MO) goes only with FREQ=MONTHLY and "
			      "YEARLY, not with %s",
			      freq);
	if (has_numbered_day(rule) && rule->weeks.is_set)
		return refuse(error, "a weekday with a number (1MO) does not go with BYWEEKNO");
	if (rule->positions.is_set && !has_by_part(rule))
		return refuse(error, "the rule's BYSETPOS needs another part that starts with BY");
	if (is_date &&
	    (rule->freq < RECURRENCE_DAILY || rule->hours || rule->minutes || rule->seconds))
		return refuse(error,
			      "the rule goes by the hour, minute or second, but the start is a "
			      "whole day");
	if (rule->has_until && rule->until_is_date != is_date)
		return refuse(error, "the rule's UNTIL must be a %s as the start is",
			      is_date ? "day" : "time");
	return LYC_OK;
}

/* What is written so far; len stops growing at size. */
struct writer {
	char *to;
	size_t size;
	size_t len;
	bool is_full;
};

LYC_PRINTF(2, 3)
static void put(struct writer *writer, const char *format, ...)
{
	va_list args;
	int len;
	size_t room = writer->size - writer->len;
	va_start(args, format);
	len = vsnprintf(writer->to + writer->len, room, format, args);
	va_end(args);
	if (len < 0 || (size_t)len >= room)
		writer->is_full = true;
	else
		writer->len += (size_t)len;
}

static void put_bits(struct writer *writer, const char *name, uint64_t bits)
{
	const char *between = "";
	if (!bits)
		return;
	put(writer, ";%s=", name);
	for (int i = 0; i < 64; i++) {
		if (bits >> i & 1) {
			put(writer, "%s%d", between, i);
			between = ",";
		}
	}
}

static void put_days(struct writer *writer, const char *name, const struct recurrence_days *days)
{
	const char *between = "";
	if (!days->is_set)
		return;
	put(writer, ";%s=", name);
	for (int i = -366; i <= 366; i++) {
		const uint64_t *bits = i < 0 ? days->back : days->front;
		int n = i < 0 ? -i : i;
		if (bits[n / 64] >> (n % 64) & 1) {
			put(writer, "%s%d", between, i);
			between = ",";
		}
	}
}

static void put_weekdays(struct writer *writer, const struct recurrence_rule *rule)
{
	const char *between = "";
	if (!rule->has_by_day)
		return;
	put(writer, ";BYDAY=");
	for (int i = 0; i < 7; i++) {
		if (rule->weekdays >> i & 1) {
			put(writer, "%s%s", between, recurrence_weekdays[i]);
			between = ",";
		}
	}
	for (int n = -53; n <= 53; n++) {
		for (int i = 0; n != 0 && i < 7; i++) {
			if ((n < 0 ? rule->nth_last[i] >> -n : rule->nth[i] >> n) & 1) {
				put(writer, "%s%d%s", between, n, recurrence_weekdays[i]);
				between = ",";
			}
		}
	}
}

bool recurrence_write(const struct recurrence_rule *rule, char *to, size_t size)
{
	struct writer writer = {.to = to, .size = size};
	char until[WALL_SIZE];
	put(&writer, "FREQ=%s", recurrence_freqs[rule->freq]);
	if (rule->has_until) {
		wall_write(rule->until, rule->until_is_date, until);
		put(&writer, ";UNTIL=%s%s", until, rule->until_is_utc ? "Z" : "");
	}
	if (rule->count)
		put(&writer, ";COUNT=%u", rule->count);
	if (rule->interval != 1)
		put(&writer, ";INTERVAL=%u", rule->interval);
	put_bits(&writer, "BYSECOND", rule->seconds);
	put_bits(&writer, "BYMINUTE", rule->minutes);
	put_bits(&writer, "BYHOUR", rule->hours);
	put_weekdays(&writer, rule);
	put_days(&writer, "BYMONTHDAY", &rule->month_days);
	put_days(&writer, "BYYEARDAY", &rule->year_days);
	put_days(&writer, "BYWEEKNO", &rule->weeks);
	put_bits(&writer, "BYMONTH", rule->months);
	put_days(&writer, "BYSETPOS", &rule->positions);
	if (rule->week_start != 0)
		put(&writer, ";WKST=%s", recurrence_weekdays[rule->week_start]);
	return !writer.is_full;
}

static bool days_are_equal(const struct recurrence_days *one, const struct recurrence_days *two)
{
	return memcmp(one->front, two->front, sizeof(one->front)) == 0 &&
	       memcmp(one->back, two->back, sizeof(one->back)) == 0;
}

static bool ends_are_equal(const struct recurrence_rule *one, const struct recurrence_rule *two)
{
	return one->count == two->count && one->has_until == two->has_until &&
	       (!one->has_until ||
		(one->until == two->until && one->until_is_utc == two->until_is_utc &&
		 one->until_is_date == two->until_is_date));
}

bool recurrence_is_equal(const struct recurrence_rule *one, const struct recurrence_rule *two)
{
	return one->freq == two->freq && one->interval == two->interval &&
	       one->week_start == two->week_start && ends_are_equal(one, two) &&
	       one->seconds == two->seconds && one->minutes == two->minutes &&
	       one->hours == two->hours && one->months == two->months &&
	       one->weekdays == two->weekdays &&
	       memcmp(one->nth, two->nth, sizeof(one->nth)) == 0 &&
	       memcmp(one->nth_last, two->nth_last, sizeof(one->nth_last)) == 0 &&
	       days_are_equal(&one->month_days, &two->month_days) &&
	       days_are_equal(&one->year_days, &two->year_days) &&
	       days_are_equal(&one->weeks, &two->weeks) &&
	       days_are_equal(&one->positions, &two->positions);
}

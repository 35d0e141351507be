/*
 * A recurrence rule as text: read part by part from a table, checked against what RFC 5545 forbids,
 * and written in one form.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "recurrence.h"
#include "wall.h"

static const char *const freq_names[] = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY",
					 "WEEKLY",   "MONTHLY",  "YEARLY"};
static const char *const weekday_names[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

enum part {
	PART_FREQ,
	PART_UNTIL,
	PART_COUNT,
	PART_INTERVAL,
	PART_BYSECOND,
	PART_BYMINUTE,
	PART_BYHOUR,
	PART_BYDAY,
	PART_BYMONTHDAY,
	PART_BYYEARDAY,
	PART_BYWEEKNO,
	PART_BYMONTH,
	PART_BYSETPOS,
	PART_WKST,
	PART_RSCALE,
	PART_SKIP,
	PART_END,
};

/* min and max of a list's numbers; where has_back, -max to -min too. */
static const struct part_kind {
	const char *name;
	int32_t min;
	int32_t max;
	bool has_back;
} part_kinds[] = {
	[PART_FREQ] = {.name = "FREQ"},
	[PART_UNTIL] = {.name = "UNTIL"},
	[PART_COUNT] = {.name = "COUNT", .min = 1, .max = INT32_MAX},
	[PART_INTERVAL] = {.name = "INTERVAL", .min = 1, .max = INT32_MAX},
	[PART_BYSECOND] = {.name = "BYSECOND", .min = 0, .max = 60},
	[PART_BYMINUTE] = {.name = "BYMINUTE", .min = 0, .max = 59},
	[PART_BYHOUR] = {.name = "BYHOUR", .min = 0, .max = 23},
	[PART_BYDAY] = {.name = "BYDAY", .min = 1, .max = 53, .has_back = true},
	[PART_BYMONTHDAY] = {.name = "BYMONTHDAY", .min = 1, .max = 31, .has_back = true},
	[PART_BYYEARDAY] = {.name = "BYYEARDAY", .min = 1, .max = 366, .has_back = true},
	[PART_BYWEEKNO] = {.name = "BYWEEKNO", .min = 1, .max = 53, .has_back = true},
	[PART_BYMONTH] = {.name = "BYMONTH", .min = 1, .max = 12},
	[PART_BYSETPOS] = {.name = "BYSETPOS", .min = 1, .max = 366, .has_back = true},
	[PART_WKST] = {.name = "WKST"},
	[PART_RSCALE] = {.name = "RSCALE"},
	[PART_SKIP] = {.name = "SKIP"},
};

LYC_PRINTF(3, 4)
static enum lyc_status refuse(struct lyc_error *error, enum lyc_status status, const char *format,
			      ...)
{
	va_list args;
	va_start(args, format);
	error->status = status;
	error->field[0] = '\0';
	vsnprintf(error->text, sizeof(error->text), format, args);
	va_end(args);
	return status;
}

/* The next word before `mark`, trimmed of blanks, in capitals; false when it is longer than `to`.
 */
static bool take_word(const char **at, char mark, char *to, size_t size)
{
	size_t len = 0;
	const char *from = *at;
	const char *end = strchr(from, mark);
	if (!end)
		end = from + strlen(from);
	*at = *end ? end + 1 : end;
	while (from < end && (*from == ' ' || *from == '\t'))
		from++;
	while (end > from && (end[-1] == ' ' || end[-1] == '\t'))
		end--;
	for (; from < end; from++) {
		if (len + 1 >= size)
			return false;
		to[len++] = (char)(*from >= 'a' && *from <= 'z' ? *from - 'a' + 'A' : *from);
	}
	to[len] = '\0';
	return true;
}

/* A whole number with an optional sign; the rest, if any, goes to ret_rest. */
static bool read_int(const char *text, int32_t *ret_number, const char **ret_rest)
{
	int64_t number = 0;
	bool is_negative = *text == '-';
	const char *at = text + (*text == '-' || *text == '+' ? 1 : 0);
	if (*at < '0' || *at > '9')
		return false;
	for (; *at >= '0' && *at <= '9'; at++) {
		number = number * 10 + (*at - '0');
		if (number > INT32_MAX)
			return false;
	}
	*ret_number = (int32_t)(is_negative ? -number : number);
	*ret_rest = at;
	return true;
}

static bool is_in_range(const struct part_kind *kind, int32_t number)
{
	return (number >= kind->min && number <= kind->max) ||
	       (kind->has_back && -number >= kind->min && -number <= kind->max);
}

static void days_add(struct recurrence_days *days, int32_t number)
{
	uint64_t *bits = number > 0 ? days->front : days->back;
	uint32_t n = (uint32_t)(number > 0 ? number : -number);
	bits[n / 64] |= UINT64_C(1) << (n % 64);
	days->is_set = true;
}

static void list_add(struct recurrence_rule *rule, enum part part, int32_t number)
{
	switch (part) {
	case PART_BYSECOND:
		rule->seconds |= UINT64_C(1) << (number == 60 ? 59 : number);
		break;
	case PART_BYMINUTE:
		rule->minutes |= UINT64_C(1) << number;
		break;
	case PART_BYHOUR:
		rule->hours |= UINT32_C(1) << number;
		break;
	case PART_BYMONTH:
		rule->months |= UINT32_C(1) << number;
		break;
	case PART_BYMONTHDAY:
		days_add(&rule->month_days, number);
		break;
	case PART_BYYEARDAY:
		days_add(&rule->year_days, number);
		break;
	case PART_BYWEEKNO:
		days_add(&rule->weeks, number);
		break;
	default:
		days_add(&rule->positions, number);
		break;
	}
}

static enum lyc_status read_list(struct recurrence_rule *rule, enum part part, const char *value,
				 struct lyc_error *error)
{
	const struct part_kind *kind = &part_kinds[part];
	const char *rest = NULL;
	char word[16];
	do {
		int32_t number = 0;
		if (!take_word(&value, ',', word, sizeof(word)) ||
		    !read_int(word, &number, &rest) || *rest != '\0' || !is_in_range(kind, number))
			return refuse(error, LYC_INVALID_ARGUMENT,
				      "the rule's %s wants numbers from %d to %d%s, not '%.15s'",
				      kind->name, kind->min, kind->max,
				      kind->has_back ? " (or from the end, -1 is the last)" : "",
				      word);
		list_add(rule, part, number);
	} while (*value);
	return LYC_OK;
}

static int weekday_find(const char *name)
{
	for (int i = 0; i < 7; i++) {
		if (strcmp(name, weekday_names[i]) == 0)
			return i;
	}
	return -1;
}

static enum lyc_status read_weekdays(struct recurrence_rule *rule, const char *value,
				     struct lyc_error *error)
{
	char word[16];
	do {
		int32_t number = 0;
		bool is_read = take_word(&value, ',', word, sizeof(word));
		const char *name = word;
		bool has_number = is_read && read_int(word, &number, &name);
		int weekday = is_read ? weekday_find(name) : -1;
		if (weekday < 0 || (has_number && !is_in_range(&part_kinds[PART_BYDAY], number)))
			return refuse(error, LYC_INVALID_ARGUMENT,
				      "the rule's BYDAY wants weekdays like MO, 1MO (the first) or "
				      "-1FR (the last), not '%.15s'",
				      word);
		if (!has_number)
			rule->weekdays |= (uint8_t)(1U << weekday);
		else if (number > 0)
			rule->nth[weekday] |= UINT64_C(1) << number;
		else
			rule->nth_last[weekday] |= UINT64_C(1) << -number;
		rule->has_by_day = true;
	} while (*value);
	return LYC_OK;
}

static enum lyc_status read_until(struct recurrence_rule *rule, const char *value,
				  struct lyc_error *error)
{
	if (!wall_read(value, &rule->until, &rule->until_is_date, &rule->until_is_utc))
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's UNTIL wants a time like 20261231T235959Z or a day like "
			      "20261231, not '%.20s'",
			      value);
	if (rule->until_is_date)
		rule->until += WALL_DAY_S - 1;
	rule->has_until = true;
	return LYC_OK;
}

static enum lyc_status read_freq(struct recurrence_rule *rule, const char *value,
				 struct lyc_error *error)
{
	for (int i = 0; i <= RECURRENCE_YEARLY; i++) {
		if (strcmp(value, freq_names[i]) == 0) {
			rule->freq = (enum recurrence_freq)i;
			return LYC_OK;
		}
	}
	return refuse(error, LYC_INVALID_ARGUMENT,
		      "the rule's FREQ is SECONDLY, MINUTELY, HOURLY, DAILY, WEEKLY, MONTHLY or "
		      "YEARLY, not '%.20s'",
		      value);
}

static enum lyc_status read_number(const char *value, enum part part, uint32_t *ret_number,
				   struct lyc_error *error)
{
	const char *rest = NULL;
	int32_t number = 0;
	if (!read_int(value, &number, &rest) || *rest != '\0' || number < 1)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's %s wants a whole number from 1 to %d, not '%.20s'",
			      part_kinds[part].name, INT32_MAX, value);
	*ret_number = (uint32_t)number;
	return LYC_OK;
}

static enum lyc_status read_part(struct recurrence_rule *rule, enum part part, const char *value,
				 struct lyc_error *error)
{
	int weekday;
	switch (part) {
	case PART_FREQ:
		return read_freq(rule, value, error);
	case PART_UNTIL:
		return read_until(rule, value, error);
	case PART_COUNT:
		return read_number(value, part, &rule->count, error);
	case PART_INTERVAL:
		return read_number(value, part, &rule->interval, error);
	case PART_BYDAY:
		return read_weekdays(rule, value, error);
	case PART_WKST:
		weekday = weekday_find(value);
		if (weekday < 0)
			return refuse(error, LYC_INVALID_ARGUMENT,
				      "the rule's WKST wants a weekday like MO, not '%.20s'",
				      value);
		rule->week_start = (uint8_t)weekday;
		return LYC_OK;
	case PART_RSCALE:
	case PART_SKIP:
		return refuse(error, LYC_UNIMPLEMENTED,
			      "the rule's %s (other calendars than the Gregorian, RFC 7529) is not "
			      "supported",
			      part_kinds[part].name);
	default:
		return read_list(rule, part, value, error);
	}
}

static enum part part_find(const char *name)
{
	int part = 0;
	while (part < PART_END && strcmp(name, part_kinds[part].name) != 0)
		part++;
	return (enum part)part;
}

enum lyc_status recurrence_parse(const char *text, struct recurrence_rule *ret_rule,
				 struct lyc_error *error)
{
	struct recurrence_rule rule = {.interval = 1};
	uint32_t seen = 0;
	/* The longest value is a full BYYEARDAY. */
	char value[RECURRENCE_MAX_TEXT];
	char name[16];
	const char *at = text;

	if (strnlen(text, RECURRENCE_MAX_TEXT) == RECURRENCE_MAX_TEXT)
		return refuse(error, LYC_INVALID_ARGUMENT, "the rule is longer than %d bytes",
			      RECURRENCE_MAX_TEXT - 1);
	if (strncasecmp(at, "RRULE:", 6) == 0)
		at += 6;
	while (*at) {
		const char *before = at;
		const char *pair = value;
		enum part part;
		enum lyc_status status;
		take_word(&at, ';', value, sizeof(value));
		if (!strchr(value, '='))
			return refuse(error, LYC_INVALID_ARGUMENT,
				      "the rule is made of parts like FREQ=WEEKLY with ; between "
				      "them, '%.20s' is none",
				      before);
		part = take_word(&pair, '=', name, sizeof(name)) ? part_find(name) : PART_END;
		if (part == PART_END)
			return refuse(error, LYC_INVALID_ARGUMENT,
				      "the rule has no part '%.15s': see RFC 5545, 3.3.10", value);
		if (seen & 1U << part)
			return refuse(error, LYC_INVALID_ARGUMENT, "the rule has %s twice",
				      part_kinds[part].name);
		seen |= 1U << part;
		status = read_part(&rule, part, pair, error);
		if (status)
			return status;
	}
	if (!(seen & 1U << PART_FREQ))
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule has no FREQ, like FREQ=WEEKLY");
	if (rule.count && rule.has_until)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule ends by COUNT or by UNTIL, not by both");
	*ret_rule = rule;
	return LYC_OK;
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
	const char *freq = freq_names[rule->freq];
	if (rule->weeks.is_set && rule->freq != RECURRENCE_YEARLY)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's BYWEEKNO goes only with FREQ=YEARLY, not with %s", freq);
	if (rule->year_days.is_set && rule->freq >= RECURRENCE_DAILY &&
	    rule->freq <= RECURRENCE_MONTHLY)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's BYYEARDAY does not go with FREQ=%s", freq);
	if (rule->month_days.is_set && rule->freq == RECURRENCE_WEEKLY)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's BYMONTHDAY does not go with FREQ=WEEKLY");
	if (has_numbered_day(rule) && rule->freq < RECURRENCE_MONTHLY)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "a weekday with a number (1MO) goes only with FREQ=MONTHLY and "
			      "YEARLY, not with %s",
			      freq);
	if (has_numbered_day(rule) && rule->weeks.is_set)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "a weekday with a number (1MO) does not go with BYWEEKNO");
	if (rule->positions.is_set && !has_by_part(rule))
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's BYSETPOS needs another part that starts with BY");
	if (is_date &&
	    (rule->freq < RECURRENCE_DAILY || rule->hours || rule->minutes || rule->seconds))
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule goes by the hour, minute or second, but the start is a "
			      "whole day");
	if (rule->has_until && rule->until_is_date != is_date)
		return refuse(error, LYC_INVALID_ARGUMENT,
			      "the rule's UNTIL must be a %s as the start is",
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

static void put_bits(struct writer *writer, enum part part, uint64_t bits)
{
	const char *between = "";
	if (!bits)
		return;
	put(writer, ";%s=", part_kinds[part].name);
	for (int i = 0; i < 64; i++) {
		if (bits >> i & 1) {
			put(writer, "%s%d", between, i);
			between = ",";
		}
	}
}

static void put_days(struct writer *writer, enum part part, const struct recurrence_days *days)
{
	const char *between = "";
	if (!days->is_set)
		return;
	put(writer, ";%s=", part_kinds[part].name);
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
			put(writer, "%s%s", between, weekday_names[i]);
			between = ",";
		}
	}
	for (int n = -53; n <= 53; n++) {
		for (int i = 0; n != 0 && i < 7; i++) {
			if ((n < 0 ? rule->nth_last[i] >> -n : rule->nth[i] >> n) & 1) {
				put(writer, "%s%d%s", between, n, weekday_names[i]);
				between = ",";
			}
		}
	}
}

bool recurrence_write(const struct recurrence_rule *rule, char *to, size_t size)
{
	struct writer writer = {.to = to, .size = size};
	char until[WALL_SIZE];
	put(&writer, "FREQ=%s", freq_names[rule->freq]);
	if (rule->has_until) {
		wall_write(rule->until, rule->until_is_date, until);
		put(&writer, ";UNTIL=%s%s", until, rule->until_is_utc ? "Z" : "");
	}
	if (rule->count)
		put(&writer, ";COUNT=%u", rule->count);
	if (rule->interval != 1)
		put(&writer, ";INTERVAL=%u", rule->interval);
	put_bits(&writer, PART_BYSECOND, rule->seconds);
	put_bits(&writer, PART_BYMINUTE, rule->minutes);
	put_bits(&writer, PART_BYHOUR, rule->hours);
	put_weekdays(&writer, rule);
	put_days(&writer, PART_BYMONTHDAY, &rule->month_days);
	put_days(&writer, PART_BYYEARDAY, &rule->year_days);
	put_days(&writer, PART_BYWEEKNO, &rule->weeks);
	put_bits(&writer, PART_BYMONTH, rule->months);
	put_days(&writer, PART_BYSETPOS, &rule->positions);
	if (rule->week_start != 0)
		put(&writer, ";WKST=%s", weekday_names[rule->week_start]);
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

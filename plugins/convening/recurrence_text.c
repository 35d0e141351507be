/* A recurrence rule from text: part by part, each by the table's row for it. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "recurrence.h"
#include "recurrence_names.h"
#include "wall.h"

const char *const recurrence_freqs[7] = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY",
					 "WEEKLY",   "MONTHLY",  "YEARLY"};
const char *const recurrence_weekdays[7] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};

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
		if (strcmp(name, recurrence_weekdays[i]) == 0)
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
		if (strcmp(value, recurrence_freqs[i]) == 0) {
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

/*
 * Thousands of random rules against a second reading of RFC 5545 that shares nothing with the
 * first: it goes through every day of some years (or every second of some hours), keeps a calendar
 * by counting, throws away what a part forbids, and picks BYSETPOS from what is left of each
 * period.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "recurrence.h"
#include "wall.h"

#define MAX_FOUND 4000000
#define DAY 86400

/* xorshift: the same rules on every machine. */
static uint64_t random_state;

static uint32_t pick(uint32_t below)
{
	random_state ^= random_state << 13;
	random_state ^= random_state >> 7;
	random_state ^= random_state << 17;
	return (uint32_t)((random_state >> 11) % below);
}

static int32_t between(int32_t low, int32_t high)
{
	return low + (int32_t)pick((uint32_t)(high - low + 1));
}

/* A part's list as numbers, in no order. */
struct list {
	int32_t numbers[8];
	int32_t count;
};

/* A rule as the oracle sees it; its text goes to recurrence_parse. */
struct plan {
	enum recurrence_freq freq;
	int32_t interval;
	int32_t week_start;
	struct list seconds;
	struct list minutes;
	struct list hours;
	struct list months;
	struct list month_days;
	struct list year_days;
	struct list weeks;
	struct list positions;
	struct list weekdays; /* 0-6 */
	struct list ordinals; /* of the weekday in the same place; 0: none */
	int32_t count;        /* 0: none */
	int64_t until;        /* 0: none */
};

/* A day as counting finds it. */
struct day {
	int64_t number;
	int32_t year;
	int32_t month;
	int32_t of_month;
	int32_t of_year;
	int32_t weekday;
	int32_t month_len;
	int32_t year_len;
};

static bool leap(int32_t year)
{
	return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static void measure(struct day *day)
{
	static const int32_t lens[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	day->year_len = leap(day->year) ? 366 : 365;
	day->month_len = lens[day->month - 1] + (day->month == 2 && leap(day->year) ? 1 : 0);
}

static void go_on(struct day *day)
{
	day->number++;
	day->weekday = (day->weekday + 1) % 7;
	day->of_month++;
	day->of_year++;
	if (day->of_month > day->month_len) {
		day->of_month = 1;
		day->month++;
	}
	if (day->month > 12) {
		day->month = 1;
		day->of_year = 1;
		day->year++;
	}
	measure(day);
}

/* 1 January 2001 was a Monday. */
static struct day first_of(int32_t year)
{
	struct day day = {.number = 11323, .year = 2001, .month = 1, .of_month = 1, .of_year = 1};
	measure(&day);
	while (day.year < year)
		go_on(&day);
	return day;
}

static bool holds(const struct list *list, int32_t number)
{
	for (int32_t i = 0; i < list->count; i++) {
		if (list->numbers[i] == number)
			return true;
	}
	return list->count == 0;
}

static bool holds_either(const struct list *list, int32_t number, int32_t total)
{
	return holds(list, number) || holds(list, number - total - 1);
}

/* All days of the window with the number of their week and how many weeks its year has. */
struct week {
	int32_t year;
	int32_t number;
	int32_t total;
};

static struct day days[366 * 12];
static struct week weeks_of[366 * 12];
static int32_t day_count;

/* A week belongs to the year that has most of its days. */
static void number_weeks(int32_t week_start)
{
	int32_t year = 0;
	int32_t number = 0;
	int32_t first = 0;
	for (int32_t i = 0; i < day_count; i++) {
		if (days[i].weekday == week_start && i + 6 < day_count) {
			/* The fourth day decides. */
			if (days[i + 3].year != year) {
				for (int32_t j = first; j < i; j++)
					weeks_of[j].total = number;
				first = i;
				year = days[i + 3].year;
				number = 0;
			}
			number++;
		}
		weeks_of[i] = (struct week){.year = year, .number = number, .total = 53};
	}
}

static bool fits_weekday(const struct plan *plan, const struct day *day)
{
	bool in_month = plan->freq == RECURRENCE_MONTHLY || plan->months.count > 0;
	int32_t of = in_month ? day->of_month : day->of_year;
	int32_t len = in_month ? day->month_len : day->year_len;
	int32_t before = 0;
	int32_t behind = 0;
	if (plan->weekdays.count == 0)
		return true;
	/* Counts the same weekdays one by one. */
	for (int32_t i = of; i >= 1; i -= 7)
		before++;
	for (int32_t i = of; i <= len; i += 7)
		behind++;
	for (int32_t i = 0; i < plan->weekdays.count; i++) {
		int32_t ordinal = plan->ordinals.numbers[i];
		if (plan->weekdays.numbers[i] == day->weekday &&
		    (ordinal == 0 || ordinal == before || ordinal == -behind))
			return true;
	}
	return false;
}

static bool fits(const struct plan *plan, int32_t i)
{
	const struct day *day = &days[i];
	return holds(&plan->months, day->month) &&
	       holds_either(&plan->month_days, day->of_month, day->month_len) &&
	       holds_either(&plan->year_days, day->of_year, day->year_len) &&
	       holds_either(&plan->weeks, weeks_of[i].number, weeks_of[i].total) &&
	       fits_weekday(plan, day);
}

static void set_one(struct list *list, int32_t number)
{
	list->numbers[0] = number;
	list->count = 1;
}

/* What DTSTART says where the rule does not. */
static void complete(struct plan *plan, const struct day *start, int32_t second)
{
	bool has_days = plan->weekdays.count || plan->month_days.count || plan->year_days.count;
	if (!has_days && plan->freq == RECURRENCE_YEARLY && plan->weeks.count == 0) {
		if (plan->months.count == 0)
			set_one(&plan->months, start->month);
		set_one(&plan->month_days, start->of_month);
	} else if (!has_days && plan->freq == RECURRENCE_MONTHLY) {
		set_one(&plan->month_days, start->of_month);
	} else if (!has_days && (plan->weeks.count || plan->freq == RECURRENCE_WEEKLY)) {
		set_one(&plan->weekdays, start->weekday);
		set_one(&plan->ordinals, 0);
	}
	if (plan->hours.count == 0 && plan->freq >= RECURRENCE_DAILY)
		set_one(&plan->hours, second / 3600);
	if (plan->minutes.count == 0 && plan->freq >= RECURRENCE_HOURLY)
		set_one(&plan->minutes, second / 60 % 60);
	if (plan->seconds.count == 0 && plan->freq >= RECURRENCE_MINUTELY)
		set_one(&plan->seconds, second % 60);
}

/* The period of a second: any number that grows by one from each to the next. */
static int64_t period_of(const struct plan *plan, int32_t i, int32_t second)
{
	switch (plan->freq) {
	case RECURRENCE_YEARLY:
		return plan->weeks.count ? weeks_of[i].year : days[i].year;
	case RECURRENCE_MONTHLY:
		return (int64_t)days[i].year * 12 + days[i].month;
	case RECURRENCE_WEEKLY:
		/* The day on which the week began, by weeks. */
		return (days[i].number - (days[i].weekday - plan->week_start + 7) % 7 + 700000) / 7;
	case RECURRENCE_DAILY:
		return days[i].number;
	case RECURRENCE_HOURLY:
		return days[i].number * 24 + second / 3600;
	case RECURRENCE_MINUTELY:
		return days[i].number * 1440 + second / 60;
	default:
		return days[i].number * DAY + second;
	}
}

static int64_t *found;
static size_t found_count;

/* Keeps of [from, to) of `found`, one period, what BYSETPOS picks. */
static size_t pick_positions(const struct plan *plan, size_t from, size_t to, size_t kept)
{
	int32_t total = (int32_t)(to - from);
	for (size_t i = from; i < to; i++) {
		if (holds_either(&plan->positions, (int32_t)(i - from) + 1, total))
			found[kept++] = found[i];
	}
	return kept;
}

/* All seconds of the days [first, last] that belong to a period which is counted. */
static void search(const struct plan *plan, int64_t start, int32_t first, int32_t last,
		   int32_t from_s, int32_t to_s)
{
	int32_t start_at = (int32_t)(start / DAY - days[0].number);
	int64_t base = period_of(plan, start_at, (int32_t)(start % DAY));
	int64_t at_period = INT64_MIN;
	size_t of_period = 0;
	size_t kept = 0;
	found_count = 0;
	for (int32_t i = first; i <= last; i++) {
		if (!fits(plan, i))
			continue;
		for (int32_t s = from_s; s < to_s; s++) {
			int64_t period;
			if (!holds(&plan->hours, s / 3600)) {
				s += 3599 - s % 3600;
				continue;
			}
			if (!holds(&plan->minutes, s / 60 % 60)) {
				s += 59 - s % 60;
				continue;
			}
			if (!holds(&plan->seconds, s % 60))
				continue;
			period = period_of(plan, i, s);
			if ((period - base) % plan->interval != 0)
				continue;
			if (period != at_period) {
				kept = pick_positions(plan, of_period, found_count, kept);
				found_count = of_period = kept;
				at_period = period;
			}
			assert_true(found_count < MAX_FOUND);
			found[found_count++] = days[i].number * DAY + s;
		}
	}
	found_count = pick_positions(plan, of_period, found_count, kept);
}

/* From DTSTART on, until the end. */
static void limit(const struct plan *plan, int64_t start)
{
	size_t kept = 0;
	for (size_t i = 0; i < found_count; i++) {
		if (found[i] < start || (plan->until && found[i] > plan->until) ||
		    (plan->count && kept >= (size_t)plan->count))
			continue;
		found[kept++] = found[i];
	}
	found_count = kept;
}

static void put_list(char *text, const char *name, const struct list *list)
{
	size_t len = strlen(text);
	for (int32_t i = 0; i < list->count; i++)
		len += (size_t)sprintf(text + len, "%s%d", i ? "," : name, list->numbers[i]);
}

static void put_plan(const struct plan *plan, char *text)
{
	static const char *const freqs[] = {"SECONDLY", "MINUTELY", "HOURLY", "DAILY",
					    "WEEKLY",   "MONTHLY",  "YEARLY"};
	static const char *const names[] = {"MO", "TU", "WE", "TH", "FR", "SA", "SU"};
	char until[WALL_SIZE];
	sprintf(text, "FREQ=%s;INTERVAL=%d;WKST=%s", freqs[plan->freq], plan->interval,
		names[plan->week_start]);
	put_list(text, ";BYSECOND=", &plan->seconds);
	put_list(text, ";BYMINUTE=", &plan->minutes);
	put_list(text, ";BYHOUR=", &plan->hours);
	put_list(text, ";BYMONTH=", &plan->months);
	put_list(text, ";BYMONTHDAY=", &plan->month_days);
	put_list(text, ";BYYEARDAY=", &plan->year_days);
	put_list(text, ";BYWEEKNO=", &plan->weeks);
	put_list(text, ";BYSETPOS=", &plan->positions);
	for (int32_t i = 0; i < plan->weekdays.count; i++) {
		sprintf(text + strlen(text), "%s", i ? "," : ";BYDAY=");
		if (plan->ordinals.numbers[i])
			sprintf(text + strlen(text), "%d", plan->ordinals.numbers[i]);
		strcat(text, names[plan->weekdays.numbers[i]]);
	}
	if (plan->count)
		sprintf(text + strlen(text), ";COUNT=%d", plan->count);
	if (plan->until) {
		wall_write(plan->until, false, until);
		sprintf(text + strlen(text), ";UNTIL=%s", until);
	}
}

/* Up to `max` numbers, with luck `likely` among them. */
static void fill(struct list *list, int32_t max, int32_t low, int32_t high, bool has_back,
		 int32_t likely)
{
	list->count = between(1, max);
	for (int32_t i = 0; i < list->count; i++) {
		list->numbers[i] = pick(4) == 0 ? likely : between(low, high);
		if (has_back && pick(3) == 0)
			list->numbers[i] = -between(low, high);
	}
}

static void fill_days(struct plan *plan, const struct day *start)
{
	bool is_subdaily = plan->freq < RECURRENCE_DAILY;
	bool may_number = plan->freq >= RECURRENCE_MONTHLY;
	/* Sub-daily windows are short: parts that would leave nothing of them are rarer. */
	uint32_t rare = is_subdaily ? 12 : 4;
	if (pick(rare) == 0)
		fill(&plan->months, 4, 1, 12, false, start->month);
	if (pick(rare) == 0 && plan->freq != RECURRENCE_WEEKLY)
		fill(&plan->month_days, 6, 1, 31, true, start->of_month);
	if (pick(rare * 2) == 0 && (is_subdaily || plan->freq == RECURRENCE_YEARLY))
		fill(&plan->year_days, 6, 1, 366, true, start->of_year);
	if (pick(4) == 0 && plan->freq == RECURRENCE_YEARLY) {
		fill(&plan->weeks, 5, 1, 53, true, 53);
		may_number = false;
	}
	if (pick(is_subdaily ? 4 : 2) == 0) {
		fill(&plan->weekdays, 4, 0, 6, false, start->weekday);
		plan->ordinals.count = plan->weekdays.count;
		for (int32_t i = 0; may_number && i < plan->ordinals.count; i++) {
			bool in_month = plan->freq == RECURRENCE_MONTHLY || plan->months.count;
			int32_t ordinal = between(1, in_month ? 5 : 53);
			plan->ordinals.numbers[i] = pick(3) == 0 ? 0 : pick(2) ? ordinal : -ordinal;
		}
	}
}

static void fill_times(struct plan *plan, int32_t second)
{
	uint32_t rare = plan->freq < RECURRENCE_DAILY ? 3 : 5;
	if (pick(rare) == 0)
		fill(&plan->hours, 4, 0, 23, false, second / 3600);
	if (pick(rare) == 0)
		fill(&plan->minutes, 4, 0, 59, false, second / 60 % 60);
	if (pick(rare) == 0)
		fill(&plan->seconds, 4, 0, 59, false, second % 60);
	if (pick(3) == 0)
		fill(&plan->positions, 3, 1, plan->freq == RECURRENCE_WEEKLY ? 5 : 9, true, 1);
	if (pick(40) == 0)
		fill(&plan->positions, 3, 1, 366, true, 1);
}

static void compare(const struct plan *plan, const char *text, int64_t start, int64_t from,
		    int64_t to)
{
	struct recurrence_rule rule;
	struct lyc_error error;
	struct recurrence set = {.start = start, .rules = &rule, .rule_count = 1};
	int64_t *starts = NULL;
	size_t count = 0;
	size_t wanted = 0;
	bool has_more = false;
	char at[WALL_SIZE];
	char want[WALL_SIZE];
	enum lyc_status status;
	(void)plan;
	if (recurrence_parse(text, &rule, &error))
		fail_msg("%s: %s", text, error.text);
	status = recurrence_list(&set, from, to, MAX_FOUND, &starts, &count, &has_more);
	wall_write(start, false, at);
	if (status)
		fail_msg("%s from %s: status %d", text, at, status);
	for (size_t i = 0; i < found_count; i++) {
		if (found[i] < from || found[i] >= to)
			continue;
		if (wanted >= count || starts[wanted] != found[i]) {
			wall_write(found[i], false, want);
			fail_msg("%s from %s: the oracle's %s is start %zu of %zu, here it is %lld",
				 text, at, want, wanted, count,
				 wanted < count ? (long long)starts[wanted] : 0);
		}
		wanted++;
	}
	if (wanted != count) {
		wall_write(starts[wanted], false, want);
		fail_msg("%s from %s: %zu starts, the oracle has %zu, not %s", text, at, count,
			 wanted, want);
	}
	free(starts);
}

/* Returns how many starts the rule had in its window. */
static size_t try_rule(uint32_t number)
{
	static const int32_t spans[] = {1, 3, 40}; /* days, of a rule by the second, minute, hour */
	struct plan plan = {0};
	struct plan full;
	char text[2000];
	/* Years 3 to 8 of twelve. */
	int32_t at = 366 * 3 + between(0, 366 * 3);
	int32_t second = between(0, DAY - 1);
	int32_t first = 366;
	int32_t last = day_count - 366;
	int32_t from_s = 0;
	int32_t to_s = DAY;
	int64_t start;
	int64_t from;
	int64_t to;
	plan.freq = (enum recurrence_freq)(number % 7);
	plan.interval = pick(2) ? 1 : between(1, plan.freq == RECURRENCE_YEARLY ? 3 : 9);
	if (plan.freq == RECURRENCE_SECONDLY && pick(4) == 0)
		plan.interval = between(1, 5000);
	plan.week_start = (int32_t)pick(7);
	if (pick(3) == 0)
		second -= second % 3600;
	fill_days(&plan, &days[at]);
	fill_times(&plan, second);
	start = days[at].number * DAY + second;
	if (plan.freq < RECURRENCE_DAILY) {
		first = at;
		last = at + spans[plan.freq] - 1;
		/* Whole hours, so that every period is whole. */
		from_s = plan.freq == RECURRENCE_SECONDLY ? second - second % 3600 : 0;
		to_s = plan.freq == RECURRENCE_SECONDLY && from_s + 7200 < DAY ? from_s + 7200
									       : DAY;
	}
	to = plan.freq < RECURRENCE_DAILY ? days[last].number * DAY + to_s
					  : days[last - 380].number * DAY;
	if (pick(4) == 0)
		plan.count = between(1, 50);
	else if (pick(4) == 0)
		plan.until = start + (int64_t)pick((uint32_t)(to - start));
	from = pick(2) ? start : start + (int64_t)pick((uint32_t)(to - start));
	number_weeks(plan.week_start);
	full = plan;
	complete(&full, &days[at], second);
	search(&full, start, first, last, from_s, to_s);
	limit(&full, start);
	put_plan(&plan, text);
	compare(&plan, text, start, from, to);
	return found_count;
}

static void test_recurrence_is_what_counting_finds(void **state)
{
	uint32_t rules = 2000;
	uint32_t with_starts = 0;
	struct day day = first_of(2015);
	const char *wish = getenv("LYCEUM_ORACLE_RULES");
	(void)state;
	if (wish)
		rules = (uint32_t)strtoul(wish, NULL, 10);
	for (day_count = 0; day_count < 366 * 12; day_count++) {
		days[day_count] = day;
		go_on(&day);
	}
	found = calloc(MAX_FOUND, sizeof(*found));
	assert_non_null(found);
	for (uint32_t i = 0; i < rules; i++) {
		random_state = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
		with_starts += try_rule(i) > 0;
	}
	free(found);
	printf("%u rules, %u of them with starts\n", rules, with_starts);
	assert_true(with_starts > rules / 3);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recurrence_is_what_counting_finds)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

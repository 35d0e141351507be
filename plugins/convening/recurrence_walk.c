/* See the header. Which days fit is recurrence_day.h's; here are the periods and their times. */
#include "recurrence_walk.h"

#include "recurrence_day.h"
#include "wall.h"

#define CYCLE_DAYS 146097 /* of 400 years */

static int64_t floor_div(int64_t a, int64_t b)
{
	return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t ceil_div(int64_t a, int64_t b)
{
	return -floor_div(-a, b);
}

/* What a rule leaves open comes from DTSTART. Any part that picks days is enough to pick them;
 * weeks alone, in a yearly rule, still want a weekday. */
static void fill_days(struct recurrence_rule *full, int64_t start_day)
{
	int32_t year;
	int32_t month;
	int32_t day;
	wall_date(start_day, &year, &month, &day);
	if (full->has_by_day || full->month_days.is_set || full->year_days.is_set)
		return;
	if (full->freq == RECURRENCE_WEEKLY
		    ? !full->weeks.is_set
		    : full->freq == RECURRENCE_YEARLY && full->weeks.is_set) {
		full->weekdays = (uint8_t)(1U << wall_weekday(start_day));
		full->has_by_day = true;
	}
	if (full->freq < RECURRENCE_MONTHLY || full->weeks.is_set)
		return;
	full->month_days.front[0] = UINT64_C(1) << day;
	full->month_days.is_set = true;
	if (full->freq == RECURRENCE_YEARLY && !full->months)
		full->months = UINT32_C(1) << month;
}

static void fill_times(struct recurrence_rule *full, int32_t start_second, bool is_date)
{
	if (is_date) {
		full->hours = 1;
		full->minutes = 1;
		full->seconds = 1;
		return;
	}
	if (!full->hours)
		full->hours = full->freq >= RECURRENCE_DAILY ? UINT32_C(1) << start_second / 3600
							     : UINT32_C(0xffffff);
	if (!full->minutes)
		full->minutes = full->freq >= RECURRENCE_HOURLY
					? UINT64_C(1) << start_second / 60 % 60
					: (UINT64_C(1) << 60) - 1;
	if (!full->seconds)
		full->seconds = full->freq >= RECURRENCE_MINUTELY ? UINT64_C(1) << start_second % 60
								  : (UINT64_C(1) << 60) - 1;
}

static int32_t list_bits(uint64_t bits, int32_t size, uint8_t *to)
{
	int32_t count = 0;
	for (int32_t i = 0; i < size; i++) {
		if (bits >> i & 1)
			to[count++] = (uint8_t)i;
	}
	return count;
}

static int64_t slot_s(enum recurrence_freq freq)
{
	return freq == RECURRENCE_HOURLY ? 3600 : freq == RECURRENCE_MINUTELY ? 60 : 1;
}

/* The period in which a moment lies, counted as first_period is. */
static int64_t period_of(const struct recurrence_rule *rule, int64_t at)
{
	int64_t day = wall_day_of(at);
	int64_t first;
	int32_t year;
	int32_t month;
	int32_t of_month;
	wall_date(day, &year, &month, &of_month);
	switch (rule->freq) {
	case RECURRENCE_YEARLY:
		return rule->weeks.is_set ? recurrence_week_year(day, rule->week_start, &first)
					  : year;
	case RECURRENCE_MONTHLY:
		return (int64_t)year * 12 + month - 1;
	case RECURRENCE_WEEKLY:
		/* Day 4 was a Monday. */
		return floor_div(day - 4 - rule->week_start, 7);
	case RECURRENCE_DAILY:
		return day;
	default:
		return floor_div(at, slot_s(rule->freq));
	}
}

/* The days of a period, as first day and the one behind the last. */
static void period_days(const struct recurrence_rule *rule, int64_t period, int64_t *ret_first,
			int64_t *ret_behind)
{
	int32_t year = (int32_t)period;
	if (rule->freq == RECURRENCE_YEARLY && rule->weeks.is_set) {
		*ret_first = recurrence_first_week(year, rule->week_start);
		*ret_behind = recurrence_first_week(year + 1, rule->week_start);
	} else if (rule->freq == RECURRENCE_YEARLY) {
		*ret_first = wall_days(year, 1, 1);
		*ret_behind = wall_days(year + 1, 1, 1);
	} else if (rule->freq == RECURRENCE_MONTHLY) {
		int32_t month = (int32_t)(period % 12) + 1;
		year = (int32_t)(period / 12);
		*ret_first = wall_days(year, month, 1);
		*ret_behind = *ret_first + wall_month_days(year, month);
	} else if (rule->freq == RECURRENCE_WEEKLY) {
		*ret_first = period * 7 + 4 + rule->week_start;
		*ret_behind = *ret_first + 7;
	} else {
		*ret_first = rule->freq == RECURRENCE_DAILY
				     ? period
				     : floor_div(period * slot_s(rule->freq), WALL_DAY_S);
		*ret_behind = *ret_first + 1;
	}
}

/* The positions' numbers, so that a period costs no more than them. */
static void list_positions(struct walk *walk)
{
	const struct recurrence_days *positions = &walk->rule->positions;
	for (int32_t i = 1; i <= 366; i++) {
		if (recurrence_has_bit(positions->front, i))
			walk->front[walk->front_count++] = (uint16_t)i;
		if (recurrence_has_bit(positions->back, 367 - i))
			walk->back[walk->back_count++] = (uint16_t)(367 - i);
	}
}

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

/* By the hour, minute or second an INTERVAL may pass by all the times that are wanted for ever, as
 * every other second from an even one on does by the odd ones. */
static bool meets_times(const struct walk *walk)
{
	const struct recurrence_rule *full = &walk->full;
	int64_t unit = slot_s(full->freq);
	int64_t slots = WALL_DAY_S / unit;
	int64_t step = common_divisor(full->interval, slots);
	/* The slots of a day that are ever met: each step-th. */
	for (int64_t i = (walk->first_period % step + step) % step; i < slots; i += step) {
		int64_t at = i * unit;
		if (full->hours >> at / 3600 & 1 &&
		    (unit > 60 || full->minutes >> at / 60 % 60 & 1) &&
		    (unit > 1 || full->seconds >> at % 60 & 1))
			return true;
	}
	return false;
}

void walk_init(struct walk *walk, const struct recurrence *set, const struct recurrence_rule *rule,
	       int64_t from, int64_t last, int64_t *steps)
{
	int64_t day = wall_day_of(set->start);
	*walk = (struct walk){.rule = rule,
			      .set = set,
			      .full = *rule,
			      .from = from,
			      .last = last,
			      .steps = steps,
			      .known_day = INT64_MIN,
			      .quiet_day = INT64_MIN};
	fill_days(&walk->full, day);
	fill_times(&walk->full, (int32_t)(set->start - day * WALL_DAY_S), set->is_date);
	walk->hour_count = list_bits(walk->full.hours, 24, walk->hours);
	walk->minute_count = list_bits(walk->full.minutes, 60, walk->minutes);
	walk->second_count = list_bits(walk->full.seconds, 60, walk->seconds);
	list_positions(walk);
	walk->first_period = period_of(&walk->full, set->start);
	walk->is_over = rule->freq < RECURRENCE_DAILY && !meets_times(walk);
	/* An end in UTC is at most a day and some away from the same figures on the wall. */
	if (rule->has_until && rule->until < walk->last - 2 * WALL_DAY_S)
		walk->last = rule->until + 2 * WALL_DAY_S;
	if (walk->last > WALL_MAX)
		walk->last = WALL_MAX;
	if (walk->from < set->start)
		walk->from = set->start;
	/* Without COUNT nobody asks what was before `from`. */
	if (!rule->count && walk->from <= WALL_MAX) {
		int64_t near = period_of(&walk->full, walk->from) - 1 - walk->first_period;
		if (near > 0)
			walk->period = near / rule->interval;
	}
}

/* The n-th time of the period. */
static int64_t time_at(const struct walk *walk, int64_t n)
{
	int64_t second = n % walk->second_count;
	int64_t minute = n / walk->second_count % walk->minute_count;
	int64_t of_day = (int64_t)walk->second_count * walk->minute_count * walk->hour_count;
	int64_t hour = n % of_day / walk->second_count / walk->minute_count;
	return walk->days[n / of_day] * WALL_DAY_S + walk->hours[hour] * 3600 +
	       walk->minutes[minute] * 60 + walk->seconds[second];
}

static int64_t value_at(const struct walk *walk, int64_t n)
{
	return time_at(walk, walk->rule->positions.is_set ? walk->positions[n] : n);
}

/* BYSETPOS as indices of the period's `total` times: ascending from the front, ascending from the
 * end, merged. */
static void pick_positions(struct walk *walk, int64_t total)
{
	int32_t front = 0;
	int32_t back = 0;
	walk->count = 0;
	while (back < walk->back_count && walk->back[back] > total)
		back++;
	for (;;) {
		bool has_front = front < walk->front_count && walk->front[front] <= total;
		bool has_back = back < walk->back_count;
		int64_t one = has_front ? walk->front[front] - 1 : INT64_MAX;
		int64_t two = has_back ? total - walk->back[back] : INT64_MAX;
		if (!has_front && !has_back)
			return;
		walk->positions[walk->count++] = one < two ? one : two;
		front += one <= two;
		back += two <= one;
	}
}

static bool fits_known_day(struct walk *walk, int64_t day, int64_t *ret_next)
{
	*ret_next = day + 1;
	if (walk->known_day != day) {
		walk->known_fits = recurrence_fits_day(&walk->full, day, ret_next);
		walk->known_day = walk->known_fits ? day : INT64_MIN;
	}
	return walk->known_fits;
}

/* Goes to the first period that starts at `slot` or behind it, which is behind this one. */
static void jump_to(struct walk *walk, int64_t slot)
{
	int64_t period = ceil_div(slot - walk->first_period, walk->rule->interval);
	walk->period = period > walk->period ? period : walk->period + 1;
}

/* The first bit from `from` on; `size` when there is none. */
static int64_t next_bit(uint64_t bits, int64_t from, int64_t size)
{
	while (from < size && !(bits >> from & 1))
		from++;
	return from;
}

/* Whether the period's hour, minute and second are wanted; otherwise *ret_next is the second of the
 * day (its end, too) at which one may be again. */
static bool fits_time(const struct recurrence_rule *full, int64_t second, int64_t *ret_next)
{
	int64_t hour = second / 3600;
	int64_t minute = second / 60;
	if (!(full->hours >> hour & 1)) {
		*ret_next = next_bit(full->hours, hour, 24) * 3600;
		return false;
	}
	if (full->freq <= RECURRENCE_MINUTELY && !(full->minutes >> minute % 60 & 1)) {
		*ret_next = hour * 3600 + next_bit(full->minutes, minute % 60, 60) * 60;
		return false;
	}
	if (full->freq == RECURRENCE_SECONDLY && !(full->seconds >> second % 60 & 1)) {
		*ret_next = minute * 60 + next_bit(full->seconds, second % 60, 60);
		return false;
	}
	return true;
}

/* A period of an hour, a minute or a second: either it fits as a whole, or the walk jumps to where
 * the day or the time may fit again. */
static bool enter_slot(struct walk *walk, int64_t period)
{
	const struct recurrence_rule *full = &walk->full;
	int64_t unit = slot_s(full->freq);
	int64_t day = wall_day_of(period * unit);
	int64_t second = period * unit - day * WALL_DAY_S;
	int64_t next;
	if (!fits_known_day(walk, day, &next)) {
		jump_to(walk, next * (WALL_DAY_S / unit));
		return false;
	}
	if (!fits_time(full, second, &next)) {
		jump_to(walk, (day * WALL_DAY_S + next) / unit);
		return false;
	}
	walk->hour_count = 1;
	walk->hours[0] = (uint8_t)(second / 3600);
	if (full->freq <= RECURRENCE_MINUTELY) {
		walk->minute_count = 1;
		walk->minutes[0] = (uint8_t)(second / 60 % 60);
	}
	if (full->freq == RECURRENCE_SECONDLY) {
		walk->second_count = 1;
		walk->seconds[0] = (uint8_t)(second % 60);
	}
	walk->days[0] = day;
	walk->day_count = 1;
	return true;
}

/* The days of a period of a day or more. */
static bool enter_days(struct walk *walk, int64_t first, int64_t behind)
{
	int64_t next;
	walk->day_count = 0;
	*walk->steps -= (behind - first) / 8;
	for (int64_t day = first; day < behind; day = next) {
		if (recurrence_fits_day(&walk->full, day, &next))
			walk->days[walk->day_count++] = day;
	}
	if (walk->day_count > 0)
		return true;
	/* By the day the whole month may be skipped. */
	if (walk->full.freq == RECURRENCE_DAILY)
		jump_to(walk, next);
	else
		walk->period++;
	return false;
}

/* The first index in [at, count) whose value is >= from; values ascend. */
static int64_t find_from(const struct walk *walk)
{
	int64_t low = walk->at;
	int64_t high = walk->count;
	while (low < high) {
		int64_t middle = low + (high - low) / 2;
		if (value_at(walk, middle) < walk->from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Makes the next period that has times the current one; false when there is none any more. */
static bool enter_period(struct walk *walk)
{
	for (;;) {
		int64_t first;
		int64_t behind;
		int64_t period;
		if (--*walk->steps < 0)
			return false;
		/* Far enough for year 9999 in seconds, and small enough to multiply. */
		if (walk->period > (INT64_C(1) << 40) / walk->rule->interval)
			return false;
		period = walk->first_period + walk->period * walk->rule->interval;
		if (walk->full.freq == RECURRENCE_YEARLY
			    ? period > 9999
			    : walk->full.freq == RECURRENCE_MONTHLY && period >= 120000)
			return false;
		period_days(&walk->full, period, &first, &behind);
		if (first * WALL_DAY_S > walk->last)
			return false;
		if (walk->quiet_day == INT64_MIN)
			walk->quiet_day = first;
		/* The calendar repeats after 400 years, and with it every INTERVAL-th of its
		 * periods after as many times 400: what has not come by then never comes. */
		if (first - walk->quiet_day > CYCLE_DAYS * walk->rule->interval + 400)
			return false;
		if (walk->full.freq < RECURRENCE_DAILY ? !enter_slot(walk, period)
						       : !enter_days(walk, first, behind))
			continue;
		walk->count = (int64_t)walk->day_count * walk->hour_count * walk->minute_count *
			      walk->second_count;
		if (walk->rule->positions.is_set)
			pick_positions(walk, walk->count);
		walk->period++;
		walk->at = 0;
		walk->is_in_period = true;
		return true;
	}
}

static bool is_behind_until(const struct walk *walk, int64_t at)
{
	const struct recurrence_rule *rule = walk->rule;
	if (!rule->has_until)
		return false;
	if (rule->until_is_utc && walk->set->zone)
		at = zone_to_utc(walk->set->zone, at, NULL);
	return at > rule->until;
}

/* Those before DTSTART are none; those before `from` are, and COUNT counts them. */
static void skip_to_from(struct walk *walk)
{
	int64_t from = walk->from;
	int64_t first;
	walk->from = walk->set->start;
	first = find_from(walk);
	walk->from = from;
	walk->at = find_from(walk);
	walk->given += (uint64_t)(walk->at - first);
	if (first < walk->count)
		walk->quiet_day = INT64_MIN;
}

bool walk_next(struct walk *walk, int64_t *ret_at)
{
	int64_t at;
	while (!walk->is_over) {
		if (!walk->is_in_period) {
			if (!enter_period(walk))
				break;
			skip_to_from(walk);
		}
		if (walk->rule->count && walk->given >= walk->rule->count)
			break;
		if (walk->at >= walk->count) {
			walk->is_in_period = false;
			continue;
		}
		at = value_at(walk, walk->at++);
		if (at > walk->last || is_behind_until(walk, at))
			break;
		--*walk->steps;
		walk->given++;
		*ret_at = at;
		return true;
	}
	walk->is_over = true;
	return false;
}

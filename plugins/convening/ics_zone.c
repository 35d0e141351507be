/*
 * See the header. A VTIMEZONE's changes stand one by one until the zone's rule takes over; the rule
 * becomes two RRULEs where RFC 5545 can say it, and otherwise some years of changes.
 */
#include "ics_zone.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "recurrence.h"
#include "wall.h"
#include "zone_rule.h"

/* Where tables and rules are compared to, and where changes that no RRULE can say end. */
#define HORIZON_YEAR 2050

/* Windows' names (CLDR's windowsZones, territory 001) for where Lyceum's regions and their guests
 * are. */
static const struct windows_zone {
	const char *name;
	const char *zone;
} windows_zones[] = {
	{"GMT Standard Time", "Europe/London"},
	{"Greenwich Standard Time", "Atlantic/Reykjavik"},
	{"W. Europe Standard Time", "Europe/Berlin"},
	{"Central Europe Standard Time", "Europe/Budapest"},
	{"Central European Standard Time", "Europe/Warsaw"},
	{"Romance Standard Time", "Europe/Paris"},
	{"E. Europe Standard Time", "Europe/Chisinau"},
	{"FLE Standard Time", "Europe/Kiev"},
	{"GTB Standard Time", "Europe/Bucharest"},
	{"Turkey Standard Time", "Europe/Istanbul"},
	{"Israel Standard Time", "Asia/Jerusalem"},
	{"Arabian Standard Time", "Asia/Dubai"},
	{"India Standard Time", "Asia/Kolkata"},
	{"Singapore Standard Time", "Asia/Singapore"},
	{"China Standard Time", "Asia/Shanghai"},
	{"Tokyo Standard Time", "Asia/Tokyo"},
	{"Korea Standard Time", "Asia/Seoul"},
	{"AUS Eastern Standard Time", "Australia/Sydney"},
	{"New Zealand Standard Time", "Pacific/Auckland"},
	{"Eastern Standard Time", "America/New_York"},
	{"Central Standard Time", "America/Chicago"},
	{"Mountain Standard Time", "America/Denver"},
	{"Pacific Standard Time", "America/Los_Angeles"},
	{"UTC", "UTC"},
};

static const char *find_zone(struct zones *zones, const char *name)
{
	const struct zone *zone;
	struct lyc_error error;
	return name && zones_find(zones, name, &zone, &error) == LYC_OK ? zone_name(zone) : NULL;
}

/* X-LIC-LOCATION of the VTIMEZONE that has this TZID. */
static const char *location_of(icalcomponent *calendar, const char *tzid)
{
	icalcomponent *zone;
	icalproperty *property;
	for (zone = icalcomponent_get_first_component(calendar, ICAL_VTIMEZONE_COMPONENT); zone;
	     zone = icalcomponent_get_next_component(calendar, ICAL_VTIMEZONE_COMPONENT)) {
		const char *name;
		property = icalcomponent_get_first_property(zone, ICAL_TZID_PROPERTY);
		name = property ? icalproperty_get_tzid(property) : NULL;
		if (!name || strcmp(name, tzid) != 0)
			continue;
		for (property = icalcomponent_get_first_property(zone, ICAL_X_PROPERTY); property;
		     property = icalcomponent_get_next_property(zone, ICAL_X_PROPERTY)) {
			const char *x = icalproperty_get_x_name(property);
			if (x && strcasecmp(x, "X-LIC-LOCATION") == 0)
				return icalproperty_get_x(property);
		}
		return NULL;
	}
	return NULL;
}

const char *ics_zone_resolve(struct zones *zones, icalcomponent *calendar, const char *tzid)
{
	const char *found = find_zone(zones, tzid);
	/* Only an end with a slash in it: "Singapore" of "Asia/Singapore" is another name. */
	for (const char *at = strchr(tzid, '/'); !found && at && strchr(at + 1, '/');
	     at = strchr(at + 1, '/'))
		found = find_zone(zones, at + 1);
	if (!found)
		found = find_zone(zones, location_of(calendar, tzid));
	for (size_t i = 0; !found && i < sizeof(windows_zones) / sizeof(windows_zones[0]); i++) {
		if (strcasecmp(windows_zones[i].name, tzid) == 0)
			found = find_zone(zones, windows_zones[i].zone);
	}
	return found;
}

static void add_property(icalcomponent *component, icalproperty *property)
{
	if (property)
		icalcomponent_add_property(component, property);
}

static struct icaltimetype wall_time(int64_t at)
{
	char text[WALL_SIZE];
	wall_write(at, false, text);
	return icaltime_from_string(text);
}

/* STANDARD or DAYLIGHT: from a change (or, without one before it, from a moment) on. */
static icalcomponent *observance(const struct zone *zone, int64_t before_utc, int64_t utc)
{
	bool is_summer;
	const char *name;
	int32_t from_s = zone_offset_s(zone, before_utc, NULL, NULL);
	int32_t to_s = zone_offset_s(zone, utc, &is_summer, &name);
	icalcomponent *component =
		is_summer ? icalcomponent_new_xdaylight() : icalcomponent_new_xstandard();
	if (!component)
		return NULL;
	/* Always an hour to the minute in this century, which is what the text can say. */
	add_property(component, icalproperty_new_tzname(name));
	add_property(component, icalproperty_new_tzoffsetfrom(from_s));
	add_property(component, icalproperty_new_tzoffsetto(to_s));
	add_property(component, icalproperty_new_dtstart(wall_time(utc + from_s)));
	return component;
}

/* The last of March at one as "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU". False when no RRULE says it: a
 * change so many hours from its day that it leaves the month. */
static bool day_rule(const struct zone_day *day, char *to, size_t size)
{
	static const char *const names[] = {"SU", "MO", "TU", "WE", "TH", "FR", "SA"};
	int32_t shift = day->second / WALL_DAY_S - (day->second % WALL_DAY_S < 0 ? 1 : 0);
	const char *weekday = names[((day->weekday + shift) % 7 + 7) % 7];
	int32_t first = day->week == 5 ? -7 + shift : (day->week - 1) * 7 + 1 + shift;
	if (day->kind != ZONE_DAY_OF_MONTH_WEEK) {
		struct wall wall = wall_of(zone_day_wall(day, 2023));
		if (shift != 0 || day->kind != ZONE_DAY_NO_LEAP)
			return false;
		snprintf(to, size, "FREQ=YEARLY;BYMONTH=%d;BYMONTHDAY=%d", wall.month, wall.day);
		return true;
	}
	if (shift == 0) {
		snprintf(to, size, "FREQ=YEARLY;BYMONTH=%d;BYDAY=%d%s", day->month,
			 day->week == 5 ? -1 : day->week, weekday);
		return true;
	}
	if (day->week == 5 ? first + 6 > -1 || first < -28
			   : first < 1 || first + 6 > wall_month_days(2023, day->month))
		return false;
	snprintf(to, size, "FREQ=YEARLY;BYMONTH=%d;BYDAY=%s;BYMONTHDAY=%d,%d,%d,%d,%d,%d,%d",
		 day->month, weekday, first, first + 1, first + 2, first + 3, first + 4, first + 5,
		 first + 6);
	return true;
}

/* The last moment until the horizon at which the listed changes are not the rule's. */
static int64_t last_unruly(const struct zone *zone, const struct zone_rule *rule, int64_t from,
			   int64_t horizon)
{
	int64_t unruly = from;
	int64_t at = from;
	while (at < horizon) {
		int64_t listed = INT64_MAX;
		int64_t ruled = INT64_MAX;
		if (!zone_next_change(zone, at, &listed))
			listed = INT64_MAX;
		if (!zone_rule_next_change(rule, at, &ruled))
			ruled = INT64_MAX;
		at = listed < ruled ? listed : ruled;
		if (at == INT64_MAX)
			break;
		if (listed != ruled ||
		    zone_offset_s(zone, at, NULL, NULL) != (zone_rule_is_summer(rule, at)
								    ? rule->summer_offset_s
								    : rule->offset_s))
			unruly = at;
	}
	return unruly < horizon ? unruly : horizon;
}

/* Changes in (from, to], one by one; returns the last of them, or `from`. */
static int64_t add_changes(icalcomponent *component, const struct zone *zone, int64_t from,
			   int64_t to)
{
	int64_t last = from;
	int64_t next;
	while (zone_next_change(zone, last, &next) && next <= to) {
		icalcomponent *part = observance(zone, next - 1, next);
		if (part)
			icalcomponent_add_component(component, part);
		last = next;
	}
	return last;
}

/* The two changes of every year after `from`, which the rule makes. */
static void add_rules(icalcomponent *component, const struct zone *zone,
		      const struct zone_rule *rule, int64_t from)
{
	for (int i = 0; i < 2; i++) {
		int64_t next = from;
		icalcomponent *part;
		char text[128];
		if (!zone_next_change(zone, from, &next))
			return;
		part = observance(zone, next - 1, next);
		if (part && day_rule(zone_rule_is_summer(rule, next) ? &rule->summer_start
								     : &rule->summer_end,
				     text, sizeof(text)))
			add_property(part,
				     icalproperty_new_rrule(icalrecurrencetype_from_string(text)));
		if (part)
			icalcomponent_add_component(component, part);
		from = next;
	}
}

icalcomponent *ics_zone_component(const struct zone *zone, int64_t from_utc)
{
	struct wall wall = wall_of(from_utc);
	const struct zone_rule *rule = zone_last_rule(zone);
	icalcomponent *component = icalcomponent_new_vtimezone();
	icalcomponent *first;
	int64_t horizon = wall_days(HORIZON_YEAR, 1, 1) * WALL_DAY_S;
	int64_t from = wall_days(wall.year > 1 ? wall.year - 1 : 1, 1, 1) * WALL_DAY_S;
	char text[128];
	if (!component)
		return NULL;
	if (horizon < from_utc)
		horizon = from_utc;
	/* From a midnight on the wall. */
	from -= zone_offset_s(zone, from, NULL, NULL);
	add_property(component, icalproperty_new_tzid(zone_name(zone)));
	first = observance(zone, from, from);
	if (first)
		icalcomponent_add_component(component, first);
	if (rule && rule->has_summer && day_rule(&rule->summer_start, text, sizeof(text)) &&
	    day_rule(&rule->summer_end, text, sizeof(text)))
		add_rules(
			component, zone, rule,
			add_changes(component, zone, from, last_unruly(zone, rule, from, horizon)));
	else
		add_changes(component, zone, from, horizon);
	return component;
}

/*
 * The rule at the end of a TZif file ("GMT0BST,M3.5.0/1,M10.5.0"), POSIX TZ with RFC 8536's
 * extension (hours from -167 to 167): when summer time holds in any year.
 */
#ifndef CONVENING_ZONE_RULE_H
#define CONVENING_ZONE_RULE_H

#include <stdbool.h>
#include <stdint.h>

#define ZONE_RULE_NAME_SIZE 16

enum zone_day_kind {
	ZONE_DAY_OF_MONTH_WEEK, /* Mm.w.d */
	ZONE_DAY_NO_LEAP,       /* Jn: 1-365, 29 February is never counted */
	ZONE_DAY_OF_YEAR,       /* n: 0-365 */
};

/* A day of the year and the seconds of the wall clock from its midnight. */
struct zone_day {
	enum zone_day_kind kind;
	int32_t month;
	int32_t week;    /* 1-5, 5 is the last */
	int32_t weekday; /* 0 is Sunday, as POSIX has it */
	int32_t day;
	int32_t second;
};

struct zone_rule {
	char name[ZONE_RULE_NAME_SIZE];
	int32_t offset_s; /* east of UTC */
	bool has_summer;
	char summer_name[ZONE_RULE_NAME_SIZE];
	int32_t summer_offset_s;
	struct zone_day summer_start; /* on the clock of winter */
	struct zone_day summer_end;   /* on the clock of summer */
};

bool zone_rule_parse(const char *text, struct zone_rule *ret_rule);
bool zone_rule_is_summer(const struct zone_rule *rule, int64_t utc);
/* The first change after `utc`; false when there is none up to year 9999. */
bool zone_rule_next_change(const struct zone_rule *rule, int64_t utc, int64_t *ret_utc);
/* The wall-clock second at which a day of the rule begins its change in a year, on the clock that
 * holds before. */
int64_t zone_day_wall(const struct zone_day *day, int32_t year);

#endif

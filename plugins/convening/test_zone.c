/* London, New York, Tokyo and stranger clocks: what a wall shows, what is jumped over, what comes
 * twice; and that broken files are refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "wall.h"
#include "zone.h"
#include "zone_rule.h"

static struct zones *zones;

static int64_t at(const char *text)
{
	int64_t time = 0;
	bool is_date;
	bool is_utc;
	if (!wall_read(text, &time, &is_date, &is_utc))
		fail_msg("'%s' is no time", text);
	return time;
}

static const struct zone *zone_of(const char *name)
{
	const struct zone *zone = NULL;
	struct lyc_error error;
	if (zones_find(zones, name, &zone, &error))
		fail_msg("%s", error.text);
	return zone;
}

static const struct moment {
	const char *zone;
	const char *wall;
	const char *utc;
	enum zone_fit fit;
} moments[] = {
	{"Europe/London", "2026-01-15 09:00", "2026-01-15 09:00", ZONE_ONCE},
	{"Europe/London", "2026-07-15 09:00", "2026-07-15 08:00", ZONE_ONCE},
	/* 29 March 2026, 01:00 GMT -> 02:00 BST */
	{"Europe/London", "2026-03-29 00:59:59", "2026-03-29 00:59:59", ZONE_ONCE},
	{"Europe/London", "2026-03-29 01:00", "2026-03-29 01:00", ZONE_NEVER},
	{"Europe/London", "2026-03-29 01:59:59", "2026-03-29 01:59:59", ZONE_NEVER},
	{"Europe/London", "2026-03-29 02:00", "2026-03-29 01:00", ZONE_ONCE},
	/* 25 October 2026, 02:00 BST -> 01:00 GMT */
	{"Europe/London", "2026-10-25 00:59:59", "2026-10-24 23:59:59", ZONE_ONCE},
	{"Europe/London", "2026-10-25 01:00", "2026-10-25 00:00", ZONE_TWICE},
	{"Europe/London", "2026-10-25 01:59:59", "2026-10-25 00:59:59", ZONE_TWICE},
	{"Europe/London", "2026-10-25 02:00", "2026-10-25 02:00", ZONE_ONCE},
	/* Behind what the files list: by the rule. */
	{"Europe/London", "2099-07-01 12:00", "2099-07-01 11:00", ZONE_ONCE},
	{"Europe/London", "2099-03-29 01:30", "2099-03-29 01:30", ZONE_NEVER},
	/* All-year summer time, 1968 to 1971. */
	{"Europe/London", "1970-01-01 01:00", "1970-01-01 00:00", ZONE_ONCE},
	/* The two examples of RFC 5545 3.3.5. */
	{"America/New_York", "2007-11-04 01:30", "2007-11-04 05:30", ZONE_TWICE},
	{"America/New_York", "2007-03-11 02:30", "2007-03-11 07:30", ZONE_NEVER},
	{"America/New_York", "1997-07-14 13:30", "1997-07-14 17:30", ZONE_ONCE},
	{"Asia/Tokyo", "2026-03-29 01:30", "2026-03-28 16:30", ZONE_ONCE},
	{"Asia/Tokyo", "2026-07-15 09:00", "2026-07-15 00:00", ZONE_ONCE},
	/* Half an hour of summer time; a day that was left out as a whole; winter as the other
	   time. */
	{"Australia/Lord_Howe", "2026-10-04 02:15", "2026-10-03 15:45", ZONE_NEVER},
	{"Pacific/Apia", "2011-12-30 12:00", "2011-12-30 22:00", ZONE_NEVER},
	{"Europe/Dublin", "2050-07-01 12:00", "2050-07-01 11:00", ZONE_ONCE},
	{"Europe/Dublin", "2050-01-01 12:00", "2050-01-01 12:00", ZONE_ONCE},
	{"UTC", "2026-07-15 09:00", "2026-07-15 09:00", ZONE_ONCE},
};

static void test_zone_turns_wall_into_utc(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(moments) / sizeof(moments[0]); i++) {
		const struct moment *moment = &moments[i];
		enum zone_fit fit = ZONE_ONCE;
		int64_t utc = zone_to_utc(zone_of(moment->zone), at(moment->wall), &fit);
		if (utc != at(moment->utc) || fit != moment->fit)
			fail_msg("%s %s: %+lld s off, fit %d", moment->zone, moment->wall,
				 (long long)(utc - at(moment->utc)), fit);
		if (fit != ZONE_NEVER)
			assert_int_equal(zone_to_wall(zone_of(moment->zone), utc),
					 at(moment->wall));
	}
}

/* What libc says about the same files, an hour and a bit at a time. */
static void test_zone_agrees_with_libc(void **state)
{
	static const char *const names[] = {
		"Europe/London",    "America/New_York", "Asia/Tokyo",       "Europe/Dublin",
		"Australia/Sydney", "Asia/Kathmandu",   "America/Caracas",  "Africa/Casablanca",
		"America/Nuuk",     "Asia/Gaza",        "America/Sao_Paulo"};
	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const struct zone *zone = zone_of(names[i]);
		setenv("TZ", names[i], 1);
		tzset();
		for (int64_t utc = at("19000101"); utc < at("20950101"); utc += 86400 * 5 + 3607) {
			struct tm tm;
			time_t time = (time_t)utc;
			bool is_summer;
			const char *name;
			int32_t offset_s = zone_offset_s(zone, utc, &is_summer, &name);
			assert_non_null(localtime_r(&time, &tm));
			if (offset_s != tm.tm_gmtoff || strcmp(name, tm.tm_zone) != 0 ||
			    is_summer != (tm.tm_isdst > 0))
				fail_msg("%s at %lld: %d %s, libc says %ld %s", names[i],
					 (long long)utc, offset_s, name, tm.tm_gmtoff, tm.tm_zone);
		}
	}
}

static void test_zone_comes_back_from_every_hour(void **state)
{
	const struct zone *zone = zone_of("America/New_York");
	(void)state;
	for (int64_t utc = at("20260101"); utc < at("20280101"); utc += 1800) {
		enum zone_fit fit;
		int64_t back = zone_to_utc(zone, zone_to_wall(zone, utc), &fit);
		assert_int_not_equal(fit, ZONE_NEVER);
		assert_int_equal(back, fit == ZONE_TWICE && back != utc ? utc - 3600 : utc);
	}
}

static void test_zone_lists_its_changes(void **state)
{
	const struct zone *zone = zone_of("Europe/London");
	int64_t utc = at("20260101");
	(void)state;
	assert_true(zone_next_change(zone, utc, &utc));
	assert_int_equal(utc, at("2026-03-29 01:00"));
	assert_true(zone_next_change(zone, utc, &utc));
	assert_int_equal(utc, at("2026-10-25 01:00"));
	utc = at("20700101");
	assert_true(zone_next_change(zone, utc, &utc));
	assert_int_equal(utc, at("2070-03-30 01:00"));
	assert_false(zone_next_change(zone_of("Asia/Tokyo"), utc, &utc));
}

static void test_zone_refuses_names_that_are_none(void **state)
{
	static const char long_name[] = "Europe/Llanfairpwllgwyngyllgogerychwyrndrobwll"
					"llantysiliogogogoch";
	static const char *const wrong[] = {"",        "/etc/passwd",    "../../etc/passwd",
					    "Europe/", "Europe//London", "Europe/Lon don",
					    "a.tab",   long_name};
	const struct zone *zone = NULL;
	struct lyc_error error;
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(zones_find(zones, wrong[i], &zone, &error), LYC_INVALID_ARGUMENT);
	assert_int_equal(zones_find(zones, "Europe/Atlantis", &zone, &error), LYC_NOT_FOUND);
	assert_non_null(strstr(error.text, "Europe/Atlantis"));
	assert_int_equal(zones_find(zones, "Europe", &zone, &error), LYC_NOT_FOUND);
	assert_null(zone);
}

/* Each beginning of a good file, and the file with each byte wrong, is refused or read: never
 * more. */
static void test_zone_survives_broken_files(void **state)
{
	char folder[] = "/tmp/test_zone_XXXXXX";
	char path[256];
	uint8_t data[4096];
	FILE *file = fopen("/usr/share/zoneinfo/Europe/London", "rb");
	size_t len;
	int refused = 0;
	(void)state;
	if (!file)
		skip();
	len = fread(data, 1, sizeof(data), file);
	fclose(file);
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/Broken", folder);
	for (size_t i = 0; i < len * 2; i += 31) {
		struct zones *some = zones_new(folder);
		const struct zone *zone = NULL;
		struct lyc_error error;
		uint8_t kept = data[i / 2];
		file = fopen(path, "wb");
		assert_non_null(file);
		if (i % 2)
			data[i / 2] ^= 0x55;
		fwrite(data, 1, i % 2 ? len : i / 2, file);
		fclose(file);
		data[i / 2] = kept;
		if (zones_find(some, "Broken", &zone, &error))
			refused++;
		else
			zone_to_utc(zone, at("20260601"), NULL);
		zones_free(some);
	}
	unlink(path);
	rmdir(folder);
	assert_true(refused > 60);
}

static void test_zone_rule_reads_posix(void **state)
{
	static const char *const wrong[] = {"",
					    "GMT",
					    "G0",
					    "GMT0BST",
					    "GMT0BST,M3.5.0/1",
					    "GMT0BST,M13.5.0,M10.5.0",
					    "GMT0BST,M3.6.0,M10.5.0",
					    "<+01-1",
					    "GMT0BST,M3.5.0/200,M10.5.0",
					    "GMT0x",
					    "GMT0BST,M3.5.0,M10.5.0x",
					    "GMT0BST,J0,J3"};
	struct zone_rule rule;
	(void)state;
	assert_true(zone_rule_parse("<-0330>3:30<-0230>,J60/0,365/167:59:59", &rule));
	assert_int_equal(rule.offset_s, -12600);
	assert_int_equal(rule.summer_offset_s, -9000);
	assert_int_equal(zone_day_wall(&rule.summer_start, 2024), at("20240301"));
	assert_int_equal(zone_day_wall(&rule.summer_start, 2023), at("20230301"));
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (zone_rule_parse(wrong[i], &rule))
			fail_msg("'%s' is taken", wrong[i]);
	}
}

static void test_wall_counts_days_as_the_calendar_does(void **state)
{
	int64_t days = wall_days(1, 1, 1);
	int32_t year = 1;
	int32_t month = 1;
	int32_t day = 1;
	(void)state;
	for (; year < 2500; days++) {
		int32_t y;
		int32_t m;
		int32_t d;
		wall_date(days, &y, &m, &d);
		assert_true(y == year && m == month && d == day);
		assert_int_equal(wall_days(year, month, day), days);
		if (++day > wall_month_days(year, month)) {
			day = 1;
			month = month % 12 + 1;
			year += month == 1;
		}
	}
	assert_int_equal(wall_weekday(wall_days(2026, 11, 22)), 6);
	assert_int_equal(wall_weekday(wall_days(1, 1, 1)), 0);
	assert_int_equal(at("00010101"), WALL_MIN);
	assert_int_equal(at("99991231T235959"), WALL_MAX);
}

static void test_wall_reads_only_times(void **state)
{
	static const char *const wrong[] = {"",
					    "2026",
					    "20261301",
					    "20260229",
					    "20260101T",
					    "20260101T2400",
					    "20260101T0960",
					    "20260101T090061",
					    "20260101Z",
					    "00000101",
					    "20260101T09000",
					    "2026010",
					    "20260101T090000ZZ",
					    "+20260101"};
	int64_t time;
	bool is_date;
	bool is_utc;
	char text[WALL_SIZE];
	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		if (wall_read(wrong[i], &time, &is_date, &is_utc))
			fail_msg("'%s' is taken", wrong[i]);
	}
	assert_true(wall_read("2026-11-22T09:05:07Z", &time, &is_date, &is_utc));
	assert_true(is_utc && !is_date);
	wall_write(time, false, text);
	assert_string_equal(text, "20261122T090507");
	assert_true(wall_read("18990131", &time, &is_date, &is_utc));
	assert_true(!is_utc && is_date);
	wall_write(time, true, text);
	assert_string_equal(text, "18990131");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_zone_turns_wall_into_utc),
		cmocka_unit_test(test_zone_agrees_with_libc),
		cmocka_unit_test(test_zone_comes_back_from_every_hour),
		cmocka_unit_test(test_zone_lists_its_changes),
		cmocka_unit_test(test_zone_refuses_names_that_are_none),
		cmocka_unit_test(test_zone_survives_broken_files),
		cmocka_unit_test(test_zone_rule_reads_posix),
		cmocka_unit_test(test_wall_counts_days_as_the_calendar_does),
		cmocka_unit_test(test_wall_reads_only_times),
	};
	int code;
	zones = zones_new(NULL);
	code = zones ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
	zones_free(zones);
	return code;
}

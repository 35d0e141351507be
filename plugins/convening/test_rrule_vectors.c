/*
 * 261 rules with their dates, from the tests of libical and dateutil. They are not part of the
 * project; LYCEUM_DATA or ../shared/data holds them. Where a vector differs, it is named here with
 * the reason.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ics.h"
#include "recurrence.h"
#include "wall.h"

/* Those that expect something else than RFC 5545 says, or contradict others. */
static const struct differing {
	const char *name;
	const char *rrule;
	const char *reason;
} differing[] = {
	{"yearly, by Feb 29th day of month", "FREQ=YEARLY;BYMONTHDAY=29;COUNT=3",
	 "BYMONTHDAY expands a year in RFC 5545's table, so it is every month's 29th; libical "
	 "takes "
	 "the month of DTSTART. dateutil's testYearlyByMonthDay and testYearlyBySetPos say as we "
	 "do"},
	{"testYearlyByWeekNo", "FREQ=YEARLY;COUNT=3;BYWEEKNO=20",
	 "the weekday that the rule leaves open is DTSTART's (RFC 5545: information that is not in "
	 "the rule comes from DTSTART); dateutil gives all seven days. Eight vectors of libical "
	 "say "
	 "as we do"},
	{"github issue1223", "FREQ=YEARLY;BYWEEKNO=53;INTERVAL=5;BYDAY=TH;COUNT=1",
	 "DTSTART 2027-01-03 lies in the last week of 2026, so every fifth year is 2031, 2036, "
	 "...; "
	 "libical counts from 2027 here, but from the week's year in three other vectors (\"the "
	 "first date belongs to 2009\")"},
};

static char path[1000];

static bool find_vectors(void)
{
	const char *folder = getenv("LYCEUM_DATA");
	snprintf(path, sizeof(path), "%s/rrule_vectors/dev/vectors.jsonl",
		 folder ? folder : SOURCE_ROOT "/../shared/data");
	return access(path, R_OK) == 0;
}

static const char *text_of(const json_t *vector, const char *name)
{
	const char *text = json_string_value(json_object_get(vector, name));
	assert_non_null(text);
	return text;
}

static int64_t time_of(const char *text, bool *ret_is_date)
{
	int64_t at = 0;
	bool is_utc;
	assert_true(wall_read(text, &at, ret_is_date, &is_utc));
	return at;
}

/* Lists the starts from `from` as the vector's dates from `first` on are; says the first
 * difference. */
static bool is_as_expected(const struct recurrence *set, int64_t from, const json_t *expected,
			   size_t first)
{
	size_t wanted = json_array_size(expected) - first;
	bool is_endless = !set->rules[0].count && !set->rules[0].has_until;
	int64_t *starts = NULL;
	size_t count = 0;
	bool has_more = false;
	bool is_same;
	char text[WALL_SIZE] = "";
	assert_int_equal(recurrence_list(set, from, WALL_MAX, wanted, &starts, &count, &has_more),
			 LYC_OK);
	is_same = count == wanted && (is_endless || !has_more);
	for (size_t i = 0; i < count; i++) {
		const char *want = json_string_value(json_array_get(expected, first + i));
		bool is_date;
		if (starts[i] == time_of(want, &is_date))
			continue;
		wall_write(starts[i], set->is_date, text);
		fprintf(stderr, "  [%zu] is %s, expected %s\n", i, text, want);
		is_same = false;
		break;
	}
	if (!is_same)
		fprintf(stderr, "  %zu of %zu starts%s\n", count, wanted,
			has_more ? " and more" : "");
	free(starts);
	return is_same;
}

/* As the vector has it, from its start and, where it names one, from within. */
static bool try_vector(const json_t *vector)
{
	const json_t *expected = json_object_get(vector, "expect");
	const json_t *within = json_object_get(vector, "start_at");
	struct recurrence_rule rule;
	struct recurrence set = {.rules = &rule, .rule_count = 1};
	struct lyc_error error;
	size_t first = 0;
	bool is_date;
	int64_t from;
	if (recurrence_parse(text_of(vector, "rrule"), &rule, &error)) {
		fprintf(stderr, "  %s\n", error.text);
		return false;
	}
	set.start = time_of(text_of(vector, "dtstart"), &set.is_date);
	if (!is_as_expected(&set, set.start, expected, 0))
		return false;
	if (!within)
		return true;
	from = time_of(json_string_value(within), &is_date);
	while (first < json_array_size(expected) &&
	       time_of(json_string_value(json_array_get(expected, first)), &is_date) < from)
		first++;
	return is_as_expected(&set, from, expected, first);
}

static const struct differing *find_differing(const json_t *vector)
{
	for (size_t i = 0; i < sizeof(differing) / sizeof(differing[0]); i++) {
		if (strcmp(differing[i].rrule, text_of(vector, "rrule")) == 0 &&
		    strcmp(differing[i].name, text_of(vector, "name")) == 0)
			return &differing[i];
	}
	return NULL;
}

static void test_recurrence_gives_the_vectors_dates(void **state)
{
	char line[16384];
	int same = 0;
	int other_calendars = 0;
	int named = 0;
	int failed = 0;
	FILE *file = fopen(path, "r");
	(void)state;
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		json_t *vector = json_loads(line, 0, NULL);
		const struct differing *why;
		bool is_same;
		assert_non_null(vector);
		if (strstr(text_of(vector, "rrule"), "RSCALE")) {
			other_calendars++;
			json_decref(vector);
			continue;
		}
		is_same = try_vector(vector);
		why = find_differing(vector);
		same += is_same;
		if (why && !is_same) {
			named++;
			printf("%s, %s: %s\n", why->name, why->rrule, why->reason);
		}
		if (is_same == (why != NULL)) {
			failed++;
			fprintf(stderr, "%s: %s from %s %s\n", text_of(vector, "name"),
				text_of(vector, "rrule"), text_of(vector, "dtstart"),
				why ? "is named as differing, and does not" : "differs");
		}
		json_decref(vector);
	}
	fclose(file);
	printf("%d the same, %d with RSCALE left out, %d differ for a named reason\n", same,
	       other_calendars, named);
	assert_int_equal(failed, 0);
	assert_true(same > 0);
}

/* libical writes and reads a rule on the way: what it does not understand, it changes. */
static void through_text(struct zones *zones, const json_t *vector)
{
	struct recurrence_rule rule;
	struct ics_event event = {.uid = "1", .rules = &rule, .rule_count = 1};
	struct ics_calendar calendar = {.events = &event, .event_count = 1};
	struct ics_calendar again = {0};
	struct lyc_error error = {0};
	char *text = NULL;
	size_t len = 0;
	bool is_date;
	if (recurrence_parse(text_of(vector, "rrule"), &rule, &error))
		return;
	event.start.at = time_of(text_of(vector, "dtstart"), &is_date);
	event.start.clock = is_date ? ICS_DATE : ICS_UTC;
	/* As RFC 5545 wants it beside such a start, and as it is written. */
	rule.until_is_utc = rule.has_until && !is_date;
	if (rule.has_until && is_date)
		rule.until_is_date = true;
	if (ics_write(&calendar, zones, &text, &len, &error) ||
	    ics_read(text, len, zones, &again, &error))
		fail_msg("%s: %s", text_of(vector, "rrule"), error.text);
	if (again.event_count != 1 || again.events[0].rule_count != 1 ||
	    !recurrence_is_equal(&rule, &again.events[0].rules[0]))
		fail_msg("%s comes back differently: %s", text_of(vector, "rrule"), text);
	free(text);
	ics_fini(&again);
}

static void test_ics_keeps_the_vectors_rules(void **state)
{
	struct zones *zones = zones_new(NULL);
	char line[16384];
	FILE *file = fopen(path, "r");
	(void)state;
	assert_non_null(zones);
	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		json_t *vector = json_loads(line, 0, NULL);
		assert_non_null(vector);
		through_text(zones, vector);
		json_decref(vector);
	}
	fclose(file);
	zones_free(zones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_recurrence_gives_the_vectors_dates),
		cmocka_unit_test(test_ics_keeps_the_vectors_rules),
	};
	if (!find_vectors()) {
		printf("skipped: %s is not there; set LYCEUM_DATA\n", path);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}

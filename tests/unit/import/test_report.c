/* What is told at the end: kinds of things, with the first lines of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "import/report.h"

static char text[4000];

static const char *print(const struct report *report)
{
	FILE *out = fmemopen(text, sizeof(text), "w");
	assert_non_null(out);
	report_print(report, out);
	fclose(out);
	return text;
}

static void test_report_keeps_the_lowest_lines_of_a_kind(void **state)
{
	(void)state;
	static const uint64_t lines[] = {70, 20, 90, 10, 60, 30, 80, 15};
	struct report report = {.row_count = 8, .item_count = 8, .refused_rows = 8};
	char reason[60];
	report_add_file(&report, "a.csv");
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		snprintf(reason, sizeof(reason), "year: \"no %zu\" is not a number", i);
		report_add_reason(&report, reason, lines[i]);
	}
	assert_int_equal(report.reasons.count, 1);
	assert_non_null(strstr(print(&report), "     8  year: \"\xE2\x80\xA6\" is not a number "
					       "(lines 10, 15, 20, 30, 60, \xE2\x80\xA6)\n"));
	report_fini(&report);
}

static void test_report_counts_changes_by_name(void **state)
{
	(void)state;
	static const struct schema_enum_value values[] = {
		{"CHANGE_UNSPECIFIED", 0}, {"CHANGE_ADDED", 1}, {"LEFT_ALONE", 2}, {"GONE", 3}};
	static const struct schema_enum change = {
		.full_name = "a.v1.Change", .values = values, .value_count = 4};
	struct report report = {.row_count = 1, .item_count = 3};
	report_add_file(&report, "a.csv");
	report_add_change(&report, &change, "LEFT_ALONE");
	report_add_change(&report, &change, "CHANGE_ADDED");
	report_add_change(&report, NULL, NULL);
	assert_string_equal(print(&report),
			    "1 row read, 3 items: 1 added, 1 left alone, 1 accepted.\n");
	report_fini(&report);
}

static void test_report_bounds_the_kinds(void **state)
{
	(void)state;
	struct report report = {.refused_rows = 300, .refused_items = 300};
	char reason[40];
	report_add_file(&report, "a.csv");
	for (int i = 0; i < 300; i++) {
		snprintf(reason, sizeof(reason), "reason %d", i);
		report_add_reason(&report, reason, 1);
	}
	assert_int_equal(report.reasons.count, REPORT_MAX_KINDS);
	assert_non_null(strstr(print(&report), "   280  others\n"));
	report_fini(&report);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_report_keeps_the_lowest_lines_of_a_kind),
		cmocka_unit_test(test_report_counts_changes_by_name),
		cmocka_unit_test(test_report_bounds_the_kinds),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

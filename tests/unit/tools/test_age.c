/* Spans of time in words, both ways. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "age.h"

static void expect_age(uint64_t ms, const char *text)
{
	struct buf buf = {0};
	age_write(&buf, ms);
	assert_string_equal(buf_text(&buf), text);
	buf_fini(&buf);
}

static void test_age_writes_the_two_largest_units(void **state)
{
	(void)state;
	expect_age(0, "0 ms");
	expect_age(999, "999 ms");
	expect_age(4999, "4 s");
	expect_age(59999, "59 s");
	expect_age(3 * 60000 + 59000, "3 min");
	expect_age(2 * 3600000, "2 h");
	expect_age(2 * 3600000 + 600000, "2 h 10 min");
	expect_age(24 * 3600000, "1 d");
	expect_age(51 * 3600000, "2 d 3 h");
}

static void test_age_below_a_second_is_now(void **state)
{
	struct buf buf = {0};
	(void)state;
	age_write_ago(&buf, 999);
	buf_add_byte(&buf, ',');
	age_write_ago(&buf, 1000);
	assert_string_equal(buf_text(&buf), "now,1 s ago");
	buf_fini(&buf);
}

static void test_age_reads_what_people_write(void **state)
{
	static const struct {
		const char *text;
		uint64_t ms;
	} cases[] = {{"5", 5000},      {"5s", 5000},     {"500ms", 500},
		     {"1.5s", 1500},   {"2m", 120000},   {"2min", 120000},
		     {"2 h", 7200000}, {"1d", 86400000}, {"0s", 0}};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ms = 1;
		assert_true(age_read(cases[i].text, &ms));
		assert_int_equal(ms, cases[i].ms);
	}
}

static void test_age_refuses_what_is_no_span(void **state)
{
	static const char *const cases[] = {"",    "s",   "-5s",    "5 apples",
					    "5s5", "nan", "1e300d", "inf"};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		uint64_t ms = 77;
		assert_false(age_read(cases[i], &ms));
		assert_int_equal(ms, 77);
	}
}

static void test_age_writes_moments_in_utc(void **state)
{
	struct buf buf = {0};
	(void)state;
	age_write_moment(&buf, 1772373909123);
	assert_string_equal(buf_text(&buf), "2026-03-01 14:05:09");
	buf_clear(&buf);
	age_write_moment(&buf, UINT64_MAX);
	assert_string_equal(buf_text(&buf), "18446744073709551615");
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_age_writes_the_two_largest_units),
		cmocka_unit_test(test_age_below_a_second_is_now),
		cmocka_unit_test(test_age_reads_what_people_write),
		cmocka_unit_test(test_age_refuses_what_is_no_span),
		cmocka_unit_test(test_age_writes_moments_in_utc),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

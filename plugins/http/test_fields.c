/* Paths, forms, and how often somebody may ask. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "fields.h"
#include "rate.h"

static bool matches(struct fields *fields, const char *route, const char *path)
{
	fields_fini(fields);
	return fields_match_path(fields, route, path);
}

static void test_fields_match_a_route(void **state)
{
	(void)state;
	struct fields fields = {.count = 0};
	assert_true(matches(&fields, "/calendar/{token}.ics", "/calendar/abc.ics"));
	assert_string_equal(fields_find(&fields, "token"), "abc");
	assert_true(matches(&fields, "/calendar/{token}.ics", "/calendar/a.b.ics"));
	assert_string_equal(fields_find(&fields, "token"), "a.b");
	assert_true(matches(&fields, "/{node}/r/{id}", "/wales/r/7"));
	assert_string_equal(fields_find(&fields, "node"), "wales");
	assert_string_equal(fields_find(&fields, "id"), "7");
	assert_true(matches(&fields, "/r/{id}?answer", "/r/7"));
	static const char *const no[] = {"/calendar/.ics",
					 "/calendar/abc",
					 "/calendar/a/b.ics",
					 "/calendar/abc.icsx",
					 "/calendar",
					 "/x/abc.ics",
					 "",
					 "/calendar/abc.ic"};
	for (size_t i = 0; i < sizeof(no) / sizeof(no[0]); i++) {
		if (matches(&fields, "/calendar/{token}.ics", no[i]))
			fail_msg("%s", no[i]);
	}
	assert_false(matches(&fields, "/{token", "/a"));
	fields_fini(&fields);
}

static void test_fields_read_a_form(void **state)
{
	(void)state;
	struct fields fields = {.count = 0};
	static const char form[] = "a=1&b=x+y%21&&c&d=%C3%A9&a=2&e=";
	assert_true(fields_read_form(&fields, form, strlen(form)));
	assert_int_equal(fields.count, 6);
	assert_string_equal(fields_find(&fields, "a"), "1");
	assert_string_equal(fields_find(&fields, "b"), "x y!");
	assert_string_equal(fields_find(&fields, "c"), "");
	assert_string_equal(fields_find(&fields, "d"), "\xc3\xa9");
	assert_string_equal(fields_find(&fields, "e"), "");
	assert_null(fields_find(&fields, "f"));
	fields_fini(&fields);
	static const char *const bad[] = {"=1", "a=%", "a=%4", "a=%zz", "a=%00", "%=1", "a%00b=1"};
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		if (fields_read_form(&fields, bad[i], strlen(bad[i])))
			fail_msg("%s", bad[i]);
		fields_fini(&fields);
	}
	char many[4 * (FIELDS_MAX + 1) + 1] = "";
	for (int i = 0; i < FIELDS_MAX + 1; i++)
		strcat(many, "a=1&");
	assert_false(fields_read_form(&fields, many, strlen(many)));
	assert_int_equal(fields.count, FIELDS_MAX);
	fields_fini(&fields);
}

static void test_rate_refills_and_forgets(void **state)
{
	(void)state;
	struct rate rate = {.per_second = 10};
	for (int i = 0; i < 20; i++)
		assert_true(rate_take(&rate, "a", 1000));
	assert_false(rate_take(&rate, "a", 1000));
	assert_true(rate_take(&rate, "b", 1000));
	assert_false(rate_take(&rate, "a", 1099));
	assert_true(rate_take(&rate, "a", 1100));
	assert_false(rate_take(&rate, "a", 1100));
	/* However long it was quiet, no more than twice the rate at once. */
	for (int i = 0; i < 20; i++)
		assert_true(rate_take(&rate, "a", 1000000));
	assert_false(rate_take(&rate, "a", 1000000));
	/* A clock that goes back gives nothing away. */
	assert_false(rate_take(&rate, "a", 5));
	rate_fini(&rate);
}

static void test_rate_is_bounded(void **state)
{
	(void)state;
	struct rate rate = {.per_second = 1};
	char name[200];
	assert_true(rate_take(&rate, "first", 0));
	assert_true(rate_take(&rate, "first", 0));
	assert_false(rate_take(&rate, "first", 0));
	for (int i = 0; i < RATE_MAX - 1; i++) {
		snprintf(name, sizeof(name), "name-%d", i);
		assert_true(rate_take(&rate, name, 0));
	}
	/* Who asks stays; who was quiet longest goes. */
	assert_false(rate_take(&rate, "first", 0));
	assert_true(rate_take(&rate, "one more", 0));
	assert_int_equal(HASH_CNT(by_name, rate.buckets), RATE_MAX);
	assert_false(rate_take(&rate, "first", 0));
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_true(rate_take(&rate, name, 0));
	assert_true(rate_take(&rate, name, 0));
	assert_false(rate_take(&rate, name, 0));
	rate_fini(&rate);
	assert_null(rate.buckets);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_fields_match_a_route),
		cmocka_unit_test(test_fields_read_a_form),
		cmocka_unit_test(test_rate_refills_and_forgets),
		cmocka_unit_test(test_rate_is_bounded),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

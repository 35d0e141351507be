/* Nearest names. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "suggest.h"

static void expect(const char *word, const char *const *names, const char *text)
{
	struct suggest suggest;
	struct buf buf = {0};
	suggest_start(&suggest, word);
	for (; *names; names++)
		suggest_offer(&suggest, *names);
	suggest_write(&suggest, "--", &buf);
	assert_string_equal(buf.len ? buf_text(&buf) : "", text);
	buf_fini(&buf);
}

static void test_suggest_distance_counts_a_swap_once(void **state)
{
	(void)state;
	assert_int_equal(suggest_distance("status", "status"), 0);
	assert_int_equal(suggest_distance("status", "STATUS"), 0);
	assert_int_equal(suggest_distance("sttaus", "status"), 1);
	assert_int_equal(suggest_distance("staus", "status"), 1);
	assert_int_equal(suggest_distance("", "abc"), 3);
	assert_int_equal(suggest_distance("kitten", "sitting"), 3);
}

static void test_suggest_names_the_nearest_first(void **state)
{
	static const char *const names[] = {"limit", "region", "regions", "kind", NULL};
	(void)state;
	expect("regoin", names, ": did you mean --region?");
	expect("limt", names, ": did you mean --limit?");
	expect("reg", names, ": did you mean --region or --regions?");
}

static void test_suggest_is_silent_when_nothing_is_near(void **state)
{
	static const char *const names[] = {"limit", "region", NULL};
	(void)state;
	expect("zebra", names, "");
	expect("x", names, "");
}

static void test_suggest_knows_the_end_of_a_dotted_name(void **state)
{
	static const char *const names[] = {"lyceum.echo.v1.Echo/Say", "lyceum.echo.v1.Echo/Count",
					    NULL};
	(void)state;
	expect("Ecko/Say", names, ": did you mean --lyceum.echo.v1.Echo/Say?");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_suggest_distance_counts_a_swap_once),
		cmocka_unit_test(test_suggest_names_the_nearest_first),
		cmocka_unit_test(test_suggest_is_silent_when_nothing_is_near),
		cmocka_unit_test(test_suggest_knows_the_end_of_a_dotted_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Help from the schema. */
#include "library.h"

#include "usage.h"

static void contains(const struct buf *text, const char *part)
{
	if (!strstr((const char *)text->data, part))
		fail_msg("\"%s\" is not in:\n%s", part, (const char *)text->data);
}

static void test_usage_shows_arguments_flags_types_and_comments(void **state)
{
	struct buf text = {0};
	(void)state;
	usage_write("library", library_method("Find"), &text);
	assert_non_null(buf_text(&text));
	contains(&text,
		 "Finds books by words. More can be said here.\n\nUsage: lyceum library find "
		 "TEXT... [flags]\n");
	contains(&text, "  TEXT                        What to look for. Required.\n");
	contains(&text, "  --region TEXT               Where it was printed. May be given several "
			"times.\n");
	contains(&text, "  --kind CHOICE               One of: novel, case-book, poems.\n");
	contains(&text, "  --only-free\n");
	contains(&text, "  --limit NUMBER              From 1 to 100.\n");
	contains(&text, "  --sort TEXT\n");
	contains(&text, "  --since TIME\n");
	buf_fini(&text);
}

static void test_usage_marks_what_may_be_left_out(void **state)
{
	struct buf text = {0};
	(void)state;
	usage_write_line(library_method("Lend"), &text);
	assert_string_equal(buf_text(&text), "lend NUMBER [DAYS]");
	buf_clear(&text);
	usage_write_line(library_method("Show"), &text);
	assert_string_equal(buf_text(&text), "show [NUMBER] [PART...]");
	buf_fini(&text);
}

static void test_usage_wraps_long_texts_under_themselves(void **state)
{
	struct buf text = {0};
	(void)state;
	usage_write_entry("--flag", "one two", 10, &text);
	usage_write_entry("--a-very-long-flag", "three", 10, &text);
	usage_write_entry("x", "", 10, &text);
	assert_string_equal(buf_text(&text), "  --flag      one two\n"
					     "  --a-very-long-flag\n"
					     "              three\n"
					     "  x\n");
	buf_fini(&text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_usage_shows_arguments_flags_types_and_comments),
		cmocka_unit_test(test_usage_marks_what_may_be_left_out),
		cmocka_unit_test(test_usage_wraps_long_texts_under_themselves),
	};
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}

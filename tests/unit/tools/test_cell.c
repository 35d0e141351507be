/* Widths, cuts and clean text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cell.h"

static size_t width(const char *text)
{
	return cell_width(text, strlen(text));
}

static void test_cell_width_counts_columns_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(width("abc"), 3);
	assert_int_equal(width("Zoë"), 3);
	assert_int_equal(width("e\xcc\x81"), 1);
	assert_int_equal(width("日本"), 4);
	assert_int_equal(width("\xff"), 1);
}

static void expect_cut(const char *text, size_t to, const char *cut)
{
	struct buf buf = {0};
	cell_cut(&buf, text, strlen(text), to);
	assert_string_equal(buf.len ? buf_text(&buf) : "", cut);
	buf_fini(&buf);
}

static void test_cell_cut_never_exceeds_the_width(void **state)
{
	(void)state;
	expect_cut("abcdef", 6, "abcdef");
	expect_cut("abcdef", 4, "abc…");
	expect_cut("日本語", 5, "日本…");
	expect_cut("日本語", 4, "日…");
	expect_cut("abc", 1, "…");
	expect_cut("abc", 0, "");
}

static void test_cell_clean_disarms_what_steers_a_terminal(void **state)
{
	static const char evil[] = "a\033[2Jb\r\n\tc\xc2\x9b"
				   "d\xe2\x80\xae"
				   "e";
	struct buf buf = {0};
	(void)state;
	cell_clean(&buf, evil, sizeof(evil) - 1);
	assert_string_equal(buf_text(&buf), "a?[2Jb c?d?e");
	buf_fini(&buf);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cell_width_counts_columns_not_bytes),
		cmocka_unit_test(test_cell_cut_never_exceeds_the_width),
		cmocka_unit_test(test_cell_clean_disarms_what_steers_a_terminal),
	};
	cell_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

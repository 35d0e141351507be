/* Buffers grow, keep what they have after a failure, and end as texts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"

static void test_buf_keeps_what_was_added_while_it_grows(void **state)
{
	(void)state;
	struct buf buf = {0};
	for (unsigned i = 0; i < 5000; i++) {
		buf_add_byte(&buf, (uint8_t)i);
		assert_true(buf.cap >= buf.len);
	}
	assert_int_equal(buf.len, 5000);
	for (unsigned i = 0; i < 5000; i++)
		assert_int_equal(buf.data[i], (uint8_t)i);
	buf_fini(&buf);
	assert_null(buf.data);
	assert_int_equal(buf.len + buf.cap, 0);
	buf_fini(&buf);
}

static void test_buf_takes_nothing_of_no_length(void **state)
{
	(void)state;
	struct buf buf = {0};
	buf_add(&buf, NULL, 0);
	buf_add_text(&buf, "");
	assert_null(buf.data);
	assert_false(buf.has_failed);
}

static void test_buf_that_failed_changes_nothing_until_cleared(void **state)
{
	(void)state;
	struct buf buf = {0};
	buf_add_text(&buf, "kept");
	assert_false(buf_reserve(&buf, SIZE_MAX / 2 + 1));
	assert_true(buf.has_failed);
	buf_add_text(&buf, "lost");
	buf_add_format(&buf, "%d", 7);
	assert_null(buf_text(&buf));
	assert_int_equal(buf.len, 4);
	assert_memory_equal(buf.data, "kept", 4);
	size_t cap = buf.cap;
	buf_clear(&buf);
	assert_false(buf.has_failed);
	assert_int_equal(buf.cap, cap);
	buf_add_text(&buf, "new");
	assert_string_equal(buf_text(&buf), "new");
	buf_fini(&buf);
}

static void test_buf_formats_behind_what_it_has(void **state)
{
	(void)state;
	struct buf buf = {0};
	char wide[200];
	memset(wide, 'x', sizeof(wide) - 1);
	wide[sizeof(wide) - 1] = '\0';
	buf_add_text(&buf, "a");
	buf_add_format(&buf, "%s%d", wide, -12);
	assert_int_equal(buf.len, 1 + 199 + 3);
	assert_string_equal(buf_text(&buf) + 200, "-12");
	/* The final NUL is not part of the content. */
	assert_int_equal(buf.len, 203);
	buf_fini(&buf);
}

static void test_span_equals_by_bytes_and_length(void **state)
{
	(void)state;
	assert_true(span_equal(span_of(NULL, 0), span_of("x", 0)));
	assert_true(span_equal(span_of("ab", 2), span_of("abc", 2)));
	assert_false(span_equal(span_of("ab", 2), span_of("ab", 1)));
	assert_false(span_equal(span_of("ab", 2), span_of("ac", 2)));
	assert_true(span_is(span_of("wales", 5), "wales"));
	assert_false(span_is(span_of("wales", 5), "wale"));
	assert_false(span_is(span_of("wal", 3), "wales"));
	assert_true(span_is(span_of(NULL, 0), ""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_buf_keeps_what_was_added_while_it_grows),
		cmocka_unit_test(test_buf_takes_nothing_of_no_length),
		cmocka_unit_test(test_buf_that_failed_changes_nothing_until_cleared),
		cmocka_unit_test(test_buf_formats_behind_what_it_has),
		cmocka_unit_test(test_span_equals_by_bytes_and_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

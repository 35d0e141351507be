/* Only the source info of Google's files goes; every other byte stays. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/pb.h"
#include "schema/strip.h"

static void add_file(struct buf *set, const char *name, bool with_info)
{
	size_t file = pb_begin(set, 1);
	pb_write_text(set, 1, name);
	pb_write_text(set, 2, "a.package");
	if (with_info)
		pb_write_text(set, 9, "where every comment stands");
	pb_write_text(set, 12, "proto3");
	pb_end(set, file);
}

static void test_strip_leaves_out_google_comments_only(void **state)
{
	(void)state;
	struct buf set = {0};
	struct buf wanted = {0};
	struct buf stripped = {0};
	add_file(&set, "google/protobuf/descriptor.proto", true);
	add_file(&set, "google/protobuffer.proto", true);
	add_file(&set, "lyceum/echo/v1/echo.proto", true);
	add_file(&wanted, "google/protobuf/descriptor.proto", false);
	add_file(&wanted, "google/protobuffer.proto", true);
	add_file(&wanted, "lyceum/echo/v1/echo.proto", true);
	assert_int_equal(strip_google_comments(span_of(set.data, set.len), &stripped, NULL),
			 LYC_OK);
	assert_true(
		span_equal(span_of(stripped.data, stripped.len), span_of(wanted.data, wanted.len)));
	buf_fini(&set);
	buf_fini(&wanted);
	buf_fini(&stripped);
}

static void test_strip_refuses_what_is_no_set(void **state)
{
	(void)state;
	struct buf stripped = {0};
	struct lyc_error error;
	assert_int_equal(strip_google_comments(span_of("\x0a\x7f", 2), &stripped, &error),
			 LYC_INVALID_ARGUMENT);
	assert_int_equal(strip_google_comments(span_of("\x10\x01", 2), &stripped, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "the file is no FileDescriptorSet");
	buf_fini(&stripped);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_strip_leaves_out_google_comments_only),
		cmocka_unit_test(test_strip_refuses_what_is_no_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

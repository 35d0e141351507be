/* The types of all schemas: the newest wins, the same set counts once, and a subject finds the
 * longest name. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "route/types.h"
#include "schema/core.h"

#include "schema_file.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_types_of_the_newest_schema_win(void **state)
{
	(void)state;
	struct types types;
	types_init(&types);
	struct schema *first = schema_file_compile(NOTICE_SET, NULL);
	/* The same content, another set: an unknown field at its end makes it a version of its own.
	 */
	struct schema *second = schema_file_compile(NOTICE_SET, "\xf8\x3e\x01");
	assert_true(schema_id(first) != schema_id(second));
	assert_null(types_message(&types, text("lyceum.notice.v1.Notice")));
	assert_int_equal(types_add(&types, first, false, NULL), LYC_OK);
	assert_int_equal(types_add(&types, first, false, NULL), LYC_OK);
	assert_int_equal(types.schema_count, 1);
	assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema, first);
	assert_int_equal(types_add(&types, second, false, NULL), LYC_OK);
	assert_int_equal(types.schema_count, 2);
	assert_ptr_equal(types_message(&types, text("lyceum.notice.v1.Notice"))->schema, second);
	assert_ptr_equal(types_schema(&types, schema_id(first)), first);
	assert_ptr_equal(types_schema(&types, schema_id(second)), second);
	assert_null(types_schema(&types, 1));
	assert_ptr_equal(types_defining(&types, "lyceum.notice.v1.Notice"), second);
	assert_ptr_equal(types_defining(&types, "lyceum.notice.v1.Board/Post"), second);
	assert_null(types_defining(&types, "lyceum.notice.v1.Nothing"));
	schema_unref(first);
	schema_unref(second);
	struct method_entry *method = types_method(&types, text("lyceum.notice.v1.Board/Post"));
	assert_true(method->method->appends);
	assert_string_equal(method->service->full_name, "lyceum.notice.v1.Board");
	assert_null(types_method(&types, text("lyceum.notice.v1.Board/Pos")));
	types_fini(&types);
}

static void test_types_subject_finds_the_longest_name(void **state)
{
	(void)state;
	struct types types;
	types_init(&types);
	struct schema *schema = schema_file_compile(NOTICE_SET, NULL);
	assert_int_equal(types_add(&types, schema, false, NULL), LYC_OK);
	size_t len = 0;
	const struct schema_message *notice =
		types_message(&types, text("lyceum.notice.v1.Notice"));
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice"), &len), notice);
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice"));
	len = 0;
	assert_ptr_equal(types_of_subject(&types, text("lyceum.notice.v1.Notice.wales.7"), &len),
			 notice);
	assert_int_equal(len, strlen("lyceum.notice.v1.Notice"));
	/* A message within it is the longer name. */
	assert_string_equal(
		types_of_subject(&types, text("lyceum.notice.v1.Notice.Part.x"), &len)->full_name,
		"lyceum.notice.v1.Notice.Part");
	assert_null(types_of_subject(&types, text("lyceum.notice.v1.Noticed.wales"), &len));
	assert_null(types_of_subject(&types, text("lyceum.notice.v1"), &len));
	assert_null(types_of_subject(&types, text(""), &len));
	schema_unref(schema);
	types_fini(&types);
}

/* A part may become labelled, and is then known as such; a label is never taken away. */
static void test_types_take_a_part_that_has_become_labelled(void **state)
{
	(void)state;
	struct types types;
	struct lyc_error error;
	struct schema *before = schema_file_before(NOTICE_SET, "Notice", "Part", "label");
	struct schema *after = schema_file_compile(NOTICE_SET, NULL);
	size_t len;
	types_init(&types);
	assert_int_equal(types_add(&types, before, true, &error), LYC_OK);
	assert_int_equal(types_add(&types, after, true, &error), LYC_OK);
	struct span subject = text("lyceum.notice.v1.Notice.wales.7");
	assert_true(types_of_subject(&types, subject, &len)->has_label_below);
	assert_false(types_of_record(&types, subject, schema_id(before), &len)->has_label_below);
	types_fini(&types);

	types_init(&types);
	assert_int_equal(types_add(&types, after, true, &error), LYC_OK);
	assert_int_equal(types_add(&types, before, true, &error), LYC_FAILED_PRECONDITION);
	assert_non_null(strstr(error.text, "lyceum.notice.v1.Notice.Part"));
	types_fini(&types);
	schema_unref(before);
	schema_unref(after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_types_of_the_newest_schema_win),
		cmocka_unit_test(test_types_take_a_part_that_has_become_labelled),
		cmocka_unit_test(test_types_subject_finds_the_longest_name),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Paths in camel case and back; what would not come back is refused. */
#include "text_case.h"

#include "schema/field_mask.h"

static void test_field_mask_goes_both_ways(void **state)
{
	(void)state;
	const char *pairs[][2] = {
		{"", ""}, {"name", "name"}, {"orcid_id", "orcidId"}, {"a_b.c_d", "aB.cD"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out = {0};
		assert_true(field_mask_write_path(&out, span_of(pairs[i][0], strlen(pairs[i][0]))));
		assert_string_equal(buf_text(&out), pairs[i][1]);
		buf_clear(&out);
		assert_true(field_mask_read_path(&out, span_of(pairs[i][1], strlen(pairs[i][1]))));
		assert_string_equal(buf_text(&out), pairs[i][0]);
		buf_fini(&out);
	}
}

static void test_field_mask_refuses_what_would_not_come_back(void **state)
{
	(void)state;
	const char *paths[] = {"aB", "a__b", "a_", "a_1", "a_.b", "a,b"};
	struct buf out = {0};
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_false(field_mask_write_path(&out, span_of(paths[i], strlen(paths[i]))));
	assert_false(field_mask_read_path(&out, span_of("a_b", 3)));
	buf_fini(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_field_mask_goes_both_ways),
		cmocka_unit_test(test_field_mask_refuses_what_would_not_come_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

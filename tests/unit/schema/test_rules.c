/* Rules that do not fit their field are refused when the schema is made. */
#include "sample.h"

#include "schema/rules.h"

static void refuses(struct schema_rules rules, enum schema_type type, bool is_repeated,
		    const char *text)
{
	struct schema_field field = {.type = type, .is_repeated = is_repeated};
	const char *fault = rules_fault(&rules, &field);
	assert_non_null(fault);
	assert_string_equal(fault, text);
}

static void takes(struct schema_rules rules, enum schema_type type, bool is_repeated)
{
	struct schema_field field = {.type = type, .is_repeated = is_repeated};
	assert_null(rules_fault(&rules, &field));
}

static void test_rules_of_length_are_for_text_and_bytes(void **state)
{
	(void)state;
	takes((struct schema_rules){.min_len = 1, .max_len = 1}, SCHEMA_STRING, false);
	takes((struct schema_rules){.max_len = 1}, SCHEMA_BYTES, true);
	refuses((struct schema_rules){.max_len = 1}, SCHEMA_INT32, false,
		"min_len and max_len are for strings and bytes");
	refuses((struct schema_rules){.min_len = 2, .max_len = 1}, SCHEMA_STRING, false,
		"min_len is above max_len");
}

static void test_rules_of_items_are_for_repeated_fields(void **state)
{
	(void)state;
	takes((struct schema_rules){.min_items = 2}, SCHEMA_MESSAGE, true);
	refuses((struct schema_rules){.min_items = 2}, SCHEMA_MESSAGE, false,
		"min_items and max_items are for repeated fields");
	refuses((struct schema_rules){.min_items = 2, .max_items = 1}, SCHEMA_MESSAGE, true,
		"min_items is above max_items");
}

static void test_rules_of_range_are_for_their_numbers(void **state)
{
	(void)state;
	struct schema_rules ints = {.has_int_range = true, .int_min = -1, .int_max = 1};
	static const enum schema_type integers[] = {
		SCHEMA_INT32,    SCHEMA_INT64,    SCHEMA_UINT32,  SCHEMA_UINT64,
		SCHEMA_SINT32,   SCHEMA_SINT64,   SCHEMA_FIXED32, SCHEMA_FIXED64,
		SCHEMA_SFIXED32, SCHEMA_SFIXED64, SCHEMA_ENUM};
	for (size_t i = 0; i < sizeof(integers) / sizeof(integers[0]); i++)
		takes(ints, integers[i], false);
	refuses(ints, SCHEMA_BOOL, false, "int_range is for integers and enums");
	refuses(ints, SCHEMA_DOUBLE, false, "int_range is for integers and enums");
	ints.int_min = 2;
	refuses(ints, SCHEMA_INT32, false, "int_range has its min above its max");

	struct schema_rules floats = {.has_float_range = true, .float_min = 0, .float_max = 1};
	takes(floats, SCHEMA_FLOAT, false);
	takes(floats, SCHEMA_DOUBLE, true);
	refuses(floats, SCHEMA_INT64, false, "float_range is for float and double");
	floats.float_min = 2;
	refuses(floats, SCHEMA_FLOAT, false, "float_range has its min above its max");
	memset(&floats.float_min, 0xff, sizeof(floats.float_min)); /* NaN */
	refuses(floats, SCHEMA_FLOAT, false, "float_range has its min above its max");
}

static void test_rules_of_pattern_are_for_text(void **state)
{
	(void)state;
	takes((struct schema_rules){.pattern_text = "a"}, SCHEMA_STRING, true);
	refuses((struct schema_rules){.pattern_text = "a"}, SCHEMA_BYTES, false,
		"a pattern is for strings");
	takes((struct schema_rules){.is_required = true}, SCHEMA_MESSAGE, true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_of_length_are_for_text_and_bytes),
		cmocka_unit_test(test_rules_of_items_are_for_repeated_fields),
		cmocka_unit_test(test_rules_of_range_are_for_their_numbers),
		cmocka_unit_test(test_rules_of_pattern_are_for_text),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

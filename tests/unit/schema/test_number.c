/* Whole numbers are read exactly, or not at all. */
#include "text_case.h"

#include "schema/number.h"

static enum number_result read(const char *text, struct number *number)
{
	return number_read(span_of(text, strlen(text)), number);
}

static void test_number_reads_every_form_of_a_whole_number(void **state)
{
	(void)state;
	const struct {
		const char *text;
		bool is_negative;
		uint64_t magnitude;
	} cases[] = {{"0", false, 0},
		     {"-0", false, 0},
		     {"18446744073709551615", false, UINT64_MAX},
		     {"-9223372036854775808", true, (uint64_t)1 << 63},
		     {"9007199254740993.0", false, 9007199254740993},
		     {"1e3", false, 1000},
		     {"1.25E+2", false, 125},
		     {"500e-2", false, 5},
		     {"0e999999", false, 0},
		     {"0.000", false, 0}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct number number;
		assert_int_equal(read(cases[i].text, &number), NUMBER_OK);
		assert_int_equal(number.is_negative, cases[i].is_negative);
		assert_true(number.magnitude == cases[i].magnitude);
	}
}

static void test_number_refuses_the_rest(void **state)
{
	(void)state;
	const char *none[] = {"",   "-",  "+5", "007", " 5",  "5 ",    "0x10", "1_000",
			      "1.", ".5", "1e", "1e+", "--1", "1e5.5", "NaN"};
	struct number number;
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		assert_int_equal(read(none[i], &number), NUMBER_NONE);
	assert_int_equal(read("1.5", &number), NUMBER_FRACTION);
	assert_int_equal(read("15e-1", &number), NUMBER_FRACTION);
	assert_int_equal(read("1e-99999999999", &number), NUMBER_FRACTION);
	assert_int_equal(read("18446744073709551616", &number), NUMBER_TOO_LARGE);
	assert_int_equal(read("1e99999999999", &number), NUMBER_TOO_LARGE);
}

static void test_number_takes_doubles_that_are_whole(void **state)
{
	(void)state;
	struct number number;
	assert_int_equal(number_of_double(-5.0, &number), NUMBER_OK);
	assert_true(number.is_negative && number.magnitude == 5);
	assert_int_equal(number_of_double(0.5, &number), NUMBER_FRACTION);
	assert_int_equal(number_of_double(1e20, &number), NUMBER_TOO_LARGE);
	assert_int_equal(number_of_double(__builtin_nan(""), &number), NUMBER_NONE);
}

static void test_number_knows_the_borders_of_each_type(void **state)
{
	(void)state;
	const struct {
		enum schema_type type;
		const char *last;
		const char *beyond;
	} cases[] = {{SCHEMA_INT32, "2147483647", "2147483648"},
		     {SCHEMA_SINT32, "-2147483648", "-2147483649"},
		     {SCHEMA_UINT32, "4294967295", "4294967296"},
		     {SCHEMA_FIXED32, "0", "-1"},
		     {SCHEMA_INT64, "9223372036854775807", "9223372036854775808"},
		     {SCHEMA_SFIXED64, "-9223372036854775808", "-9223372036854775809"},
		     {SCHEMA_UINT64, "0", "-1"},
		     {SCHEMA_ENUM, "-2147483648", "2147483648"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct number number;
		uint64_t bits;
		assert_int_equal(read(cases[i].last, &number), NUMBER_OK);
		assert_true(number_fits(number, cases[i].type, &bits));
		assert_int_equal(read(cases[i].beyond, &number), NUMBER_OK);
		assert_false(number_fits(number, cases[i].type, &bits));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number_reads_every_form_of_a_whole_number),
		cmocka_unit_test(test_number_refuses_the_rest),
		cmocka_unit_test(test_number_takes_doubles_that_are_whole),
		cmocka_unit_test(test_number_knows_the_borders_of_each_type),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* What a cell means for a field, and what is refused rather than guessed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "import/cell_value.h"
#include "roster.h"

static struct schema *schema;

static const char *number(const char *text)
{
	static char plain[80];
	struct lyc_error error = {0};
	if (number_text_read(span_of(text, strlen(text)), plain, sizeof(plain), &error))
		snprintf(plain, sizeof(plain), "%s", "refused");
	return plain;
}

static void test_number_text_takes_what_is_clear(void **state)
{
	(void)state;
	assert_string_equal(number("0"), "0");
	assert_string_equal(number("-12"), "-12");
	assert_string_equal(number("+12"), "12");
	assert_string_equal(number("346397.0"), "346397.0");
	assert_string_equal(number("12,5"), "12.5");
	assert_string_equal(number("0,125"), "0.125");
	assert_string_equal(number("1234,567"), "1234.567");
	assert_string_equal(number("1,234,567"), "1234567");
	assert_string_equal(number("1.234.567"), "1234567");
	assert_string_equal(number("1,234.56"), "1234.56");
	assert_string_equal(number("1.234,56"), "1234.56");
	assert_string_equal(number("1 234 567"), "1234567");
	assert_string_equal(number("12\xC2\xA0"
				   "345,6"),
			    "12345.6");
	assert_string_equal(number("1'234"), "1234");
	assert_string_equal(number("1.5e6"), "1.5e6");
}

static void test_number_text_refuses_what_could_be_two(void **state)
{
	(void)state;
	static const char *const texts[] = {"1,234",       "-1,234",  "12,34,567", "1,23,4", "abc",
					    "12 kg",       "",        "-",         "1.2.3",  "1 23",
					    "\xC2\xA3 12", "1,,234",  "1e",        "e5",     "--1",
					    "1 234 5",     "1.234.5", "1,234.5.6"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(number(texts[i]), "refused");
}

static int64_t date(const char *text)
{
	int64_t seconds = -1;
	int32_t nanos = 0;
	struct lyc_error error = {0};
	if (date_text_read(span_of(text, strlen(text)), &seconds, &nanos, &error))
		return -12345;
	return seconds;
}

static void test_date_text_takes_usual_forms(void **state)
{
	(void)state;
	assert_int_equal(date("1970-01-01"), 0);
	assert_int_equal(date("2020-12-31"), 1609372800);
	assert_int_equal(date("31/12/2020"), 1609372800);
	assert_int_equal(date("31.12.2020"), 1609372800);
	assert_int_equal(date("2020/12/31"), 1609372800);
	assert_int_equal(date("1/2/2020"), date("2020-02-01"));
	assert_int_equal(date("2020"), date("2020-01-01"));
	assert_int_equal(date("2020-12"), date("2020-12-01"));
	assert_int_equal(date("2020-02-29T12:30:01Z"), 1582979401);
	assert_int_equal(date("2020-02-29 12:30"), 1582979400);
	assert_int_equal(date("2020-02-29T13:30:01.25+01:00"), 1582979401);
	assert_int_equal(date("1969-12-31T23:59:59Z"), -1);
	assert_int_equal(date("2054-08-01"), 2669155200);
}

static void test_date_text_refuses_the_rest(void **state)
{
	(void)state;
	static const char *const texts[] = {
		"12/31/2020", "2021-02-29", "31/04/2020",       "43831",
		"20",         "2020-13-01", "2020-00-10",       "soon",
		"31/12/20",   "0000-01-01", "2020-01-01T25:00", "1/2/3"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(date(texts[i]), -12345);
	struct lyc_error error = {0};
	int64_t seconds;
	int32_t nanos;
	assert_int_equal(date_text_read(span_of("12/31/2020", 10), &seconds, &nanos, &error),
			 LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "month before the day"));
}

/* The payload as hexadecimal; the refusal's sentence. */
static const char *read_cell(const char *field, const char *text)
{
	static char seen[300];
	struct cell_value value = {0};
	struct lyc_error error = {0};
	seen[0] = '\0';
	if (cell_value_read(roster_field(schema, field), span_of(text, strlen(text)), &value,
			    &error))
		snprintf(seen, sizeof(seen), "%s", error.text);
	for (size_t i = 0; i < value.payload.len && !error.status; i++)
		snprintf(seen + 2 * i, 3, "%02x", value.payload.data[i]);
	buf_fini(&value.payload);
	return seen;
}

static void test_cell_value_reads_scalars(void **state)
{
	(void)state;
	assert_string_equal(read_cell("year", "2020"), "e40f");
	assert_string_equal(read_cell("year", "2020.0"), "e40f");
	assert_string_equal(read_cell("year", "-1"), "ffffffffffffffffff01");
	assert_string_equal(read_cell("balance", "-3"), "05");
	assert_string_equal(read_cell("code", "258"), "02010000");
	assert_string_equal(read_cell("fee", "12,5"), "0000000000002940");
	assert_string_equal(read_cell("active", "Yes"), "01");
	assert_string_equal(read_cell("active", "FALSE"), "00");
	assert_string_equal(read_cell("joined", "1970-01-02"), "0880a305");
	assert_string_equal(read_cell("remark", "ab"), "0a026162");
	assert_string_equal(read_cell("full_name", "\xC3\xA9"), "c3a9");
}

static void test_cell_value_reads_enum_names(void **state)
{
	(void)state;
	assert_string_equal(read_cell("kind", "academic"), "01");
	assert_string_equal(read_cell("kind", "KIND_ACADEMIC"), "01");
	assert_string_equal(read_cell("kind", "ip lawyer"), "02");
	assert_string_equal(read_cell("kind", "IP-Lawyer"), "02");
	assert_string_equal(read_cell("kind", "baker"),
			    "\"baker\" is none of KIND_ACADEMIC, IP_LAWYER");
	assert_non_null(strstr(read_cell("kind", "1"), "is none of"));
}

static void test_cell_value_refuses_with_a_sentence(void **state)
{
	(void)state;
	assert_string_equal(read_cell("year", "2020.5"), "\"2020.5\" is not a whole number");
	assert_string_equal(read_cell("year", "99999999999"),
			    "\"99999999999\" is too large a number for this field");
	assert_string_equal(read_cell("points", "-1"), "\"-1\" is below zero");
	assert_string_equal(read_cell("fee", "1e999"),
			    "\"1e999\" is too large a number for this field");
	assert_string_equal(read_cell("active", "perhaps"), "\"perhaps\" is neither yes nor no");
	assert_string_equal(read_cell("full_name", "a\xC3("),
			    "the text has bytes that are not UTF-8");
}

static int load(void **state)
{
	(void)state;
	schema = roster_load();
	return 0;
}

static int unload(void **state)
{
	(void)state;
	schema_unref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_number_text_takes_what_is_clear),
		cmocka_unit_test(test_number_text_refuses_what_could_be_two),
		cmocka_unit_test(test_date_text_takes_usual_forms),
		cmocka_unit_test(test_date_text_refuses_the_rest),
		cmocka_unit_test(test_cell_value_reads_scalars),
		cmocka_unit_test(test_cell_value_reads_enum_names),
		cmocka_unit_test(test_cell_value_refuses_with_a_sentence),
	};
	return cmocka_run_group_tests(tests, load, unload);
}

/* JSON becomes wire bytes; what does not fit is refused with its path. */
#include "text_case.h"

#include "base/utf8.h"

#define SCALARS_REFUSED(text, sentence, field)                                                     \
	assert_refuses(json_read, "Scalars", text, sentence, field)

static void reads(const char *name, const char *text, const char *json)
{
	assert_reads_as(json_read, name, text, json);
}

static void refuses(const char *name, const char *text, const char *sentence, const char *field)
{
	assert_refuses(json_read, name, text, sentence, field);
}

static void test_json_read_takes_both_spellings(void **state)
{
	(void)state;
	reads("Scalars", "{\"an_int32\": 1}", "{\"anInt32\":1}");
	reads("Scalars", "{\"anInt32\": 1}", "{\"anInt32\":1}");
	reads("Scalars", "{\"renamed\": \"x\"}", "{\"otherName\":\"x\"}");
	reads("Scalars", "{\"otherName\": \"x\"}", "{\"otherName\":\"x\"}");
}

static void test_json_read_takes_numbers_in_every_form(void **state)
{
	(void)state;
	reads("Scalars", "{\"anInt32\": \"12\"}", "{\"anInt32\":12}");
	reads("Scalars", "{\"anInt32\": 1e3}", "{\"anInt32\":1000}");
	reads("Scalars", "{\"anInt32\": \"1.5e1\"}", "{\"anInt32\":15}");
	reads("Scalars", "{\"anInt32\": 5.0}", "{\"anInt32\":5}");
	reads("Scalars", "{\"anInt32\": -2147483648}", "{\"anInt32\":-2147483648}");
	reads("Scalars", "{\"aUint64\": \"18446744073709551615\"}",
	      "{\"aUint64\":\"18446744073709551615\"}");
	reads("Scalars", "{\"anSint64\": \"-9223372036854775808\"}",
	      "{\"anSint64\":\"-9223372036854775808\"}");
	reads("Scalars", "{\"aDouble\": \"0.1\"}", "{\"aDouble\":0.1}");
	reads("Scalars", "{\"aDouble\": \"-Infinity\"}", "{\"aDouble\":\"-Infinity\"}");
	reads("Scalars", "{\"aFloat\": \"NaN\"}", "{\"aFloat\":\"NaN\"}");
	reads("Scalars", "{\"aFloat\": 3.4028235e38}", "{\"aFloat\":3.4028235e+38}");
}

static void test_json_read_names_the_range(void **state)
{
	(void)state;
	SCALARS_REFUSED("{\"aUint32\": 4294967296}",
			"a_uint32 must be a whole number from 0 to 4294967295, not 4294967296",
			"a_uint32");
	SCALARS_REFUSED("{\"aUint32\": -1}",
			"a_uint32 must be a whole number from 0 to 4294967295, not -1", "a_uint32");
	SCALARS_REFUSED("{\"anInt32\": 1.5}",
			"an_int32 must be a whole number from -2147483648 to 2147483647, not 1.5",
			"an_int32");
	SCALARS_REFUSED(
		"{\"anInt32\": \" 5\"}",
		"an_int32 must be a whole number from -2147483648 to 2147483647, not \" 5\"",
		"an_int32");
	SCALARS_REFUSED("{\"anInt32\": \"007\"}",
			"an_int32 must be a whole number from -2147483648 to 2147483647, not "
			"\"007\"",
			"an_int32");
	SCALARS_REFUSED("{\"aUint64\": \"18446744073709551616\"}",
			"a_uint64 must be a whole number from 0 to 18446744073709551615, not "
			"\"18446744073709551616\"",
			"a_uint64");
	SCALARS_REFUSED("{\"aFloat\": 1e39}",
			"a_float must be a number that a float holds, not 1e+39", "a_float");
}

/* jansson holds 63 bits; a number of JSON may be larger, and stands beside texts that look alike.
 */
static void test_json_read_takes_numbers_beyond_63_bits(void **state)
{
	(void)state;
	reads("Scalars", "{\"aUint64\": 18446744073709551615}",
	      "{\"aUint64\":\"18446744073709551615\"}");
	reads("Scalars",
	      "{\"aString\" : \"18446744073709551615 \\\" \", "
	      "\"aDouble\":100000000000000000000000, "
	      "\"aUint64\":9223372036854775809}",
	      "{\"aDouble\":1e+23,\"aUint64\":\"9223372036854775809\",\"aString\":"
	      "\"18446744073709551615 \\\" \"}");
	reads("Known", "{\"values\":[\"1\",18446744073709551616,{\"a\":-18446744073709551616}]}",
	      "{\"values\":[\"1\",1.8446744073709552e+19,{\"a\":-1.8446744073709552e+19}]}");
	SCALARS_REFUSED("{\"aUint64\": 18446744073709551616}",
			"a_uint64 must be a whole number from 0 to 18446744073709551615, not "
			"18446744073709551616",
			"a_uint64");
	SCALARS_REFUSED("{\"aString\": 18446744073709551615}",
			"a_string must be text, not 18446744073709551615", "a_string");
	SCALARS_REFUSED("{\"aDouble\": 1e999}", "line 1, column 17: the number is too large", "");
}

static void test_json_read_refuses_null_for_what_an_any_holds(void **state)
{
	(void)state;
	refuses("Known",
		"{\"anything\":{\"@type\":\"x/google.protobuf.Int32Value\",\"value\":null}}",
		"anything.value is null, which is no google.protobuf.Int32Value", "anything.value");
	reads("Known", "{\"anInt32\":null}", "{}");
}

static void test_json_read_is_strict_about_truth_and_text(void **state)
{
	(void)state;
	SCALARS_REFUSED("{\"aBool\": \"true\"}", "a_bool must be true or false, not \"true\"",
			"a_bool");
	SCALARS_REFUSED("{\"aBool\": 1}", "a_bool must be true or false, not 1", "a_bool");
	SCALARS_REFUSED("{\"aString\": 1}", "a_string must be text, not 1", "a_string");
	SCALARS_REFUSED("[]", "the message must be an object, not a list", "");
	refuses("Lists", "{\"strings\": \"a\"}", "strings must be a list, not \"a\"", "strings");
	refuses("Lists", "{\"strings\": [\"a\", null]}", "strings[1] is null; leave it out",
		"strings[1]");
	refuses("Maps", "{\"texts\": []}", "texts must be an object, not a list", "texts");
}

static void test_json_read_takes_base64_in_all_dialects(void **state)
{
	(void)state;
	reads("Scalars", "{\"someBytes\": \"+/8=\"}", "{\"someBytes\":\"+/8=\"}");
	reads("Scalars", "{\"someBytes\": \"-_8\"}", "{\"someBytes\":\"+/8=\"}");
	reads("Scalars", "{\"someBytes\": \"-_8=\"}", "{\"someBytes\":\"+/8=\"}");
	SCALARS_REFUSED("{\"someBytes\": \"a\"}", "some_bytes must be base64 text, not \"a\"",
			"some_bytes");
	SCALARS_REFUSED("{\"someBytes\": \"a===\"}", "some_bytes must be base64 text, not \"a===\"",
			"some_bytes");
	SCALARS_REFUSED("{\"someBytes\": \"a b=\"}", "some_bytes must be base64 text, not \"a b=\"",
			"some_bytes");
}

static void test_json_read_takes_enums_by_name_and_number(void **state)
{
	(void)state;
	reads("Scalars", "{\"colour\": \"BLUE\"}", "{\"colour\":\"BLUE\"}");
	reads("Scalars", "{\"colour\": -7}", "{\"colour\":\"INFRA\"}");
	reads("Scalars", "{\"colour\": 44}", "{\"colour\":44}");
	SCALARS_REFUSED(
		"{\"colour\": \"BLEU\"}",
		"colour is no value of lyceum.texttest.v1.Colour: 'BLEU'; it is one of RED, "
		"BLUE, INFRA",
		"colour");
	SCALARS_REFUSED("{\"colour\": \"BLU\"}",
			"colour is no value of lyceum.texttest.v1.Colour: 'BLU'; did you mean "
			"'BLUE'?",
			"colour");
	refuses("Old", "{\"name\": \"a\", \"shade\": 9}",
		"shade is no value of lyceum.texttest.v1.Old.Shade: 9", "shade");
}

static void test_json_read_takes_null_for_absent(void **state)
{
	(void)state;
	reads("Scalars", "{\"anInt32\": null, \"aString\": null}", "{}");
	reads("Lists", "{\"strings\": null}", "{}");
	reads("Known", "{\"aValue\": null, \"when\": null}", "{\"aValue\":null}");
	reads("Kind", "{\"none\": null, \"text\": null}", "{\"none\":null}");
}

static void test_json_read_keeps_zero_where_it_says_something(void **state)
{
	(void)state;
	reads("Scalars", "{\"anInt32\": 0, \"aString\": \"\", \"aDouble\": 0}", "{}");
	reads("Scalars", "{\"maybeInt32\": 0, \"maybeString\": \"\"}",
	      "{\"maybeInt32\":0,\"maybeString\":\"\"}");
	reads("Kind", "{\"number\": 0}", "{\"number\":0}");
	reads("Lists", "{\"bools\": [false, true], \"loose\": [0]}",
	      "{\"bools\":[false,true],\"loose\":[0]}");
}

static void test_json_read_refuses_what_is_said_twice(void **state)
{
	(void)state;
	SCALARS_REFUSED("{\"an_int32\": 1, \"anInt32\": 1}",
			"an_int32 is there twice, as 'an_int32' and as 'anInt32'", "an_int32");
	SCALARS_REFUSED("{\"anInt32\": 1, \"anInt32\": 1}",
			"line 1, column 24: duplicate object key near '\"anInt32\"'", "");
	refuses("Kind", "{\"text\": \"a\", \"number\": 1}",
		"number and text exclude each other: one of 'choice' only", "number");
}

static void test_json_read_names_what_was_meant(void **state)
{
	(void)state;
	refuses("Person", "{\"orcd\": \"1\"}",
		"orcd is no field of lyceum.texttest.v1.Person; did you mean 'orcid'?", "orcd");
	refuses("Everything", "{\"kinds\": [{}, {\"inner\": {\"kount\": 1}}]}",
		"kinds[1].inner.kount is no field of lyceum.texttest.v1.Kind.Inner; did you mean "
		"'count'?",
		"kinds[1].inner.kount");
	refuses("Person", "{\"zzz\": 1}", "zzz is no field of lyceum.texttest.v1.Person", "zzz");
}

static void test_json_read_says_where_broken_json_breaks(void **state)
{
	(void)state;
	SCALARS_REFUSED("{\n  \"anInt32\": 1,\n}",
			"line 3, column 1: string or '}' expected near "
			"'}'",
			"");
	SCALARS_REFUSED("", "line 1, column 0: unexpected token near end of file", "");
	SCALARS_REFUSED("{} {}", "line 1, column 4: end of file expected near '{'", "");
}

static void test_json_read_takes_maps(void **state)
{
	(void)state;
	reads("Maps", "{\"texts\": {\"b\": \"1\", \"a\": \"\"}}",
	      "{\"texts\":{\"a\":\"\",\"b\":\"1\"}}");
	reads("Maps", "{\"byInt32\": {\"-5\": \"x\"}, \"byBool\": {\"false\": 0.5}}",
	      "{\"byInt32\":{\"-5\":\"x\"},\"byBool\":{\"false\":0.5}}");
	reads("Maps", "{\"inner\": {\"a\": {}}}", "{\"inner\":{\"a\":{}}}");
	refuses("Maps", "{\"byInt32\": {\"x\": \"x\"}}",
		"by_int32[\"x\"] has a key that is no whole number from -2147483648 to 2147483647",
		"by_int32[\"x\"]");
	refuses("Maps", "{\"byBool\": {\"1\": 0}}",
		"by_bool[\"1\"] has a key other than true, false", "by_bool[\"1\"]");
}

static void test_json_read_takes_the_known_types(void **state)
{
	(void)state;
	reads("Known", "{\"when\": \"2024-02-29T23:30:00.5-01:00\"}",
	      "{\"when\":\"2024-03-01T00:30:00.500Z\"}");
	reads("Known", "{\"howLong\": \"-1.5s\"}", "{\"howLong\":\"-1.500s\"}");
	reads("Known", "{\"mask\": \"name,orcidId.x\"}", "{\"mask\":\"name,orcidId.x\"}");
	reads("Known", "{\"anInt64\": 0, \"aString\": \"\"}",
	      "{\"anInt64\":\"0\",\"aString\":\"\"}");
	reads("Known", "{\"anObject\": {\"a\": [1, \"x\", null, {}]}}",
	      "{\"anObject\":{\"a\":[1,\"x\",null,{}]}}");
	reads("Known", "{\"anything\": {\"@type\": \"x/lyceum.texttest.v1.Kind\", \"number\": 3}}",
	      "{\"anything\":{\"@type\":\"x/lyceum.texttest.v1.Kind\",\"number\":3}}");
	reads("Known",
	      "{\"anything\": {\"@type\": \"x/google.protobuf.Duration\", \"value\": \"1s\"}}",
	      "{\"anything\":{\"@type\":\"x/google.protobuf.Duration\",\"value\":\"1s\"}}");
	refuses("Known", "{\"when\": \"2023-02-29T00:00:00Z\"}",
		"when must be a time like \"2026-05-01T09:30:00Z\", not \"2023-02-29T00:00:00Z\"",
		"when");
	refuses("Known", "{\"howLong\": \"5\"}",
		"how_long must be a duration like \"1.5s\", not "
		"\"5\"",
		"how_long");
	refuses("Known", "{\"anything\": {\"@type\": \"x/y.Z\"}}",
		"anything has a type that is not in this schema: 'x/y.Z'", "anything");
	refuses("Known", "{\"anything\": {\"name\": 1}}",
		"anything needs '@type', like \"type.googleapis.com/lyceum.v1.Label\"", "anything");
}

static void test_json_read_wants_what_proto2_requires(void **state)
{
	(void)state;
	reads("Old", "{\"name\": \"\"}", "{\"name\":\"\"}");
	refuses("Old", "{\"count\": 1}", "name is required", "name");
	refuses("Old", "{\"name\": null}", "name is required", "name");
}

static void test_json_read_never_cuts_a_character(void **state)
{
	(void)state;
	for (int shift = 0; shift < 3; shift++) {
		struct buf text = {0};
		struct buf wire = {0};
		struct lyc_error error = {0};
		buf_add_format(&text, "{\"%.*s", shift, "ab");
		for (int i = 0; i < 200; i++)
			buf_add_text(&text, "\xe2\x82\xac");
		buf_add_text(&text, "\": 1}");
		assert_int_equal(
			json_read(type_of("Person"), (char *)text.data, text.len, &wire, &error),
			LYC_INVALID_ARGUMENT);
		assert_true(utf8_check((uint8_t *)error.text, strlen(error.text), NULL));
		assert_true(utf8_check((uint8_t *)error.field, strlen(error.field), NULL));
		assert_true(strlen(error.text) > 200);
		buf_fini(&text);
		buf_fini(&wire);
	}
}

static char *nested(unsigned depth)
{
	struct buf text = {0};
	for (unsigned i = 0; i < depth; i++)
		buf_add_text(&text, "{\"below\":");
	buf_add_text(&text, "{}");
	for (unsigned i = 0; i < depth; i++)
		buf_add_text(&text, "}");
	return buf_text(&text);
}

static void test_json_read_stops_at_the_depth_limit(void **state)
{
	(void)state;
	struct buf wire = {0};
	struct lyc_error error = {0};
	char *deep = nested(SCHEMA_MAX_DEPTH - 1);
	assert_int_equal(json_read(type_of("Everything"), deep, strlen(deep), &wire, &error),
			 LYC_OK);
	assert_int_equal(
		schema_check(type_of("Everything"), span_of(wire.data, wire.len), false, &error),
		LYC_OK);
	free(deep);
	deep = nested(SCHEMA_MAX_DEPTH);
	assert_int_equal(json_read(type_of("Everything"), deep, strlen(deep), &wire, &error),
			 LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "below"));
	free(deep);
	buf_fini(&wire);
}

static void test_json_read_counts_elements(void **state)
{
	(void)state;
	struct buf text = {0};
	struct buf wire = {0};
	struct lyc_error error = {0};
	buf_add_text(&text, "{\"bools\":[true");
	for (int i = 1; i < SCHEMA_MAX_ELEMENTS; i++)
		buf_add_text(&text, ",true");
	buf_add_text(&text, "]}");
	assert_int_equal(json_read(type_of("Lists"), (char *)text.data, text.len, &wire, &error),
			 LYC_OK);
	assert_int_equal(
		schema_check(type_of("Lists"), span_of(wire.data, wire.len), false, &error),
		LYC_OK);
	text.len -= 2;
	buf_add_text(&text, ",true]}");
	assert_int_equal(json_read(type_of("Lists"), (char *)text.data, text.len, &wire, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "bools[65536] is one element too many: at most 65536");
	buf_fini(&text);
	buf_fini(&wire);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_read_takes_both_spellings),
		cmocka_unit_test(test_json_read_takes_numbers_in_every_form),
		cmocka_unit_test(test_json_read_names_the_range),
		cmocka_unit_test(test_json_read_takes_numbers_beyond_63_bits),
		cmocka_unit_test(test_json_read_refuses_null_for_what_an_any_holds),
		cmocka_unit_test(test_json_read_is_strict_about_truth_and_text),
		cmocka_unit_test(test_json_read_takes_base64_in_all_dialects),
		cmocka_unit_test(test_json_read_takes_enums_by_name_and_number),
		cmocka_unit_test(test_json_read_takes_null_for_absent),
		cmocka_unit_test(test_json_read_keeps_zero_where_it_says_something),
		cmocka_unit_test(test_json_read_refuses_what_is_said_twice),
		cmocka_unit_test(test_json_read_names_what_was_meant),
		cmocka_unit_test(test_json_read_says_where_broken_json_breaks),
		cmocka_unit_test(test_json_read_takes_maps),
		cmocka_unit_test(test_json_read_takes_the_known_types),
		cmocka_unit_test(test_json_read_wants_what_proto2_requires),
		cmocka_unit_test(test_json_read_never_cuts_a_character),
		cmocka_unit_test(test_json_read_stops_at_the_depth_limit),
		cmocka_unit_test(test_json_read_counts_elements),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}

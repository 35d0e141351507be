/* Wire bytes become canonical JSON; malformed ones are refused without harm. */
#include "text_case.h"

#include <math.h>

#include "base/rng.h"

static void writes(const char *name, const void *wire, size_t len,
		   const struct json_options *options, const char *json)
{
	struct buf out = {0};
	struct lyc_error error = {0};
	enum lyc_status status =
		json_write(type_of(name), span_of(wire, len), options, &out, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	assert_string_equal(buf_text(&out), json);
	buf_fini(&out);
}

#define WRITES(name, wire, json) writes(name, wire, sizeof(wire) - 1, NULL, json)

static void refuses(const char *name, const void *wire, size_t len, const char *sentence)
{
	struct buf out = {0};
	struct lyc_error error = {0};
	buf_add_text(&out, "x");
	enum lyc_status status = json_write(type_of(name), span_of(wire, len), NULL, &out, &error);
	assert_int_equal(status, LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, sentence);
	assert_int_equal(out.len, 1);
	buf_fini(&out);
}

#define REFUSES(name, wire, sentence) refuses(name, wire, sizeof(wire) - 1, sentence)

static void test_json_write_keeps_the_order_of_the_declaration(void **state)
{
	(void)state;
	/* eyes = 3 is declared last. */
	WRITES("Person", "\x18\x01\x0a\x01u", "{\"id\":\"u\",\"eyes\":\"RED\"}");
}

static void test_json_write_escapes_text(void **state)
{
	(void)state;
	WRITES("Scalars", "\x4a\x0b\"\\\n\t\x01\x7f\0\xe2\x82\xac\x08",
	       "{\"aString\":\"\\\"\\\\\\n\\t\\u0001\\u007f\\u0000\xe2\x82\xac\\b\"}");
}

static void test_json_write_reads_both_ways_to_repeat(void **state)
{
	(void)state;
	WRITES("Lists", "\x22\x02\x01\x02\x20\x03", "{\"uint32s\":[1,2,3]}");
	WRITES("Lists", "\x60\x05\x62\x01\x06", "{\"loose\":[5,6]}");
	WRITES("Lists", "\x22\x00", "{}");
}

static void test_json_write_sorts_maps_and_keeps_the_last(void **state)
{
	(void)state;
	WRITES("Maps",
	       "\x0a\x06\x0a\x01"
	       "b\x12\x01"
	       "1\x0a\x06\x0a\x01"
	       "a\x12\x01"
	       "2\x0a\x06\x0a\x01"
	       "b\x12\x01"
	       "3\x0a\x00",
	       "{\"texts\":{\"\":\"\",\"a\":\"2\",\"b\":\"3\"}}");
	/* A key may be left out, and may be behind its value. */
	WRITES("Maps", "\x12\x03\x12\x01x", "{\"byInt32\":{\"0\":\"x\"}}");
	WRITES("Maps", "\x12\x05\x12\x01x\x08\x07", "{\"byInt32\":{\"7\":\"x\"}}");
}

static void test_json_write_indents_when_pretty(void **state)
{
	(void)state;
	const struct json_options pretty = {.is_pretty = true, .use_proto_names = true};
	static const char wire[] = "\x0a\x02\x28\x01\x12\x04\x22\x02\x01\x02\x1a\x00";
	writes("Everything", wire, sizeof(wire) - 1, &pretty,
	       "{\n  \"scalars\": {\n    \"an_int32\": 1\n  },\n  \"lists\": {\n"
	       "    \"uint32s\": [\n      1,\n      2\n    ]\n  },\n  \"maps\": {}\n}");
}

static void test_json_write_shows_defaults_when_asked(void **state)
{
	(void)state;
	const struct json_options all = {.with_defaults = true};
	writes("Kind", "", 0, &all, "{\"size\":\"SMALL\"}");
	writes("Person", "", 0, &all,
	       "{\"id\":\"\",\"orcid\":\"\",\"age\":0,\"topic\":[],\"eyes\":\"COLOUR_"
	       "UNSPECIFIED\"}");
}

static void test_json_write_finds_the_shortest_digits(void **state)
{
	(void)state;
	const struct {
		double value;
		const char *json;
	} cases[] = {{0.1, "{\"aDouble\":0.1}"},
		     {1.0 / 3, "{\"aDouble\":0.3333333333333333}"},
		     {5e-324, "{\"aDouble\":4.94065645841247e-324}"},
		     {-0.0, "{\"aDouble\":-0.0}"},
		     {1e22, "{\"aDouble\":1e+22}"},
		     {(double)NAN, "{\"aDouble\":\"NaN\"}"},
		     {-(double)INFINITY, "{\"aDouble\":\"-Infinity\"}"}};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf wire = {0};
		uint64_t bits;
		memcpy(&bits, &cases[i].value, sizeof(bits));
		pb_write_fixed64(&wire, 1, bits);
		writes("Scalars", wire.data, wire.len, NULL, cases[i].json);
		buf_fini(&wire);
	}
}

static void test_json_write_refuses_malformed_bytes(void **state)
{
	(void)state;
	REFUSES("Scalars",
		"\x4a\x05"
		"a",
		"lyceum.texttest.v1.Scalars has malformed bytes");
	REFUSES("Scalars", "\x4a\x01\xff", "a_string is not UTF-8");
	REFUSES("Scalars", "\x48\x01", "a_string has the wrong wire type");
	REFUSES("Lists", "\x0a\x03\x01\x02\x03", "doubles is cut off");
	REFUSES("Lists", "\x22\x01\x80", "uint32s is cut off");
	REFUSES("Maps", "\x0a\x01\x80", "texts has a malformed entry");
	REFUSES("Known", "\x0a\x02\x10\xff", "google.protobuf.Timestamp has malformed bytes");
	REFUSES("Known", "\x0a\x06\x10\x80\x94\xeb\xdc\x03",
		"google.protobuf.Timestamp is out of "
		"range");
	REFUSES("Known",
		"\x1a\x05\x0a\x03"
		"a_B",
		"google.protobuf.FieldMask has a path that camel case cannot express");
	REFUSES("Known",
		"\x8a\x01\x05\x0a\x03"
		"x/Y",
		"the type 'x/Y' inside google.protobuf.Any is not in this schema");
}

static void test_json_write_stops_at_the_depth_limit(void **state)
{
	(void)state;
	struct buf wire = {0};
	for (int i = 0; i < SCHEMA_MAX_DEPTH; i++) {
		struct buf outer = {0};
		pb_write_message(&outer, 6, span_of(wire.data, wire.len));
		buf_fini(&wire);
		wire = outer;
	}
	refuses("Everything", wire.data, wire.len,
		"lyceum.texttest.v1.Everything is nested too deeply");
	buf_fini(&wire);
}

/* Random bytes, and a good body with bytes changed, never do more than fail. */
static void test_json_write_survives_any_bytes(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 7);
	static const char text[] =
		"{\"scalars\":{\"aString\":\"a\",\"aDouble\":1.5},\"lists\":{\"int64s\":[\"1\","
		"\"2\"]},"
		"\"maps\":{\"values\":{\"k\":{\"a\":[1,null]}},\"byBool\":{\"true\":2}},"
		"\"known\":{\"when\":\"2026-01-01T00:00:00Z\",\"mask\":\"aB,c\",\"anything\":"
		"{\"@type\":\"x/lyceum.texttest.v1.Kind\",\"text\":\"t\"}}}";
	struct buf good = {0};
	assert_int_equal(json_read(type_of("Everything"), text, sizeof(text) - 1, &good, NULL),
			 LYC_OK);
	for (int i = 0; i < 20000; i++) {
		uint8_t bytes[256];
		struct buf out = {0};
		size_t len = good.len < sizeof(bytes) ? good.len : sizeof(bytes);
		memcpy(bytes, good.data, len);
		for (int j = 0; j < 3; j++)
			bytes[rng_below(&rng, len)] = (uint8_t)rng_next(&rng);
		enum lyc_status status =
			json_write(type_of("Everything"), span_of(bytes, len), NULL, &out, NULL);
		assert_true(status == LYC_OK || status == LYC_INVALID_ARGUMENT);
		if (status)
			assert_int_equal(out.len, 0);
		buf_fini(&out);
	}
	buf_fini(&good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_json_write_keeps_the_order_of_the_declaration),
		cmocka_unit_test(test_json_write_escapes_text),
		cmocka_unit_test(test_json_write_reads_both_ways_to_repeat),
		cmocka_unit_test(test_json_write_sorts_maps_and_keeps_the_last),
		cmocka_unit_test(test_json_write_indents_when_pretty),
		cmocka_unit_test(test_json_write_shows_defaults_when_asked),
		cmocka_unit_test(test_json_write_finds_the_shortest_digits),
		cmocka_unit_test(test_json_write_refuses_malformed_bytes),
		cmocka_unit_test(test_json_write_stops_at_the_depth_limit),
		cmocka_unit_test(test_json_write_survives_any_bytes),
	};
	return cmocka_run_group_tests(tests, setup_schema, teardown_schema);
}

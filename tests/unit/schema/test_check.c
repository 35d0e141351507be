/* Bodies on the wire: good ones pass, and each kind of fault is found where it lies. */
#include "sample.h"

static struct schema *schema;
static const struct schema_message *expert;
static const struct schema_message *car;
static struct buf body;

/* A good expert to add to. */
static void begin(void)
{
	buf_clear(&body);
	pb_write_text(&body, 1, "wales");
	pb_write_text(&body, 3, "Ann");
	pb_write_message(&body, 6, span_of("\x01\x02", 2));
}

static void varint(uint32_t number, uint64_t value)
{
	pb_write_varint(&body, (uint64_t)number << 3);
	pb_write_varint(&body, value);
}

static struct span bytes_of(const char *text)
{
	return span_of(text, strlen(text));
}

static void passes(const struct schema_message *message)
{
	struct lyc_error error = {0};
	enum lyc_status status = schema_check(message, span_of(body.data, body.len), true, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	assert_int_equal(schema_check(message, span_of(body.data, body.len), false, NULL), LYC_OK);
}

static void fails_at(const struct schema_message *message, const char *field, const char *text)
{
	struct lyc_error error = {0};
	struct span bytes = span_of(body.data, body.len);
	assert_int_equal(schema_check(message, bytes, true, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, text);
	assert_string_equal(error.field, field);
	assert_int_equal(error.status, LYC_INVALID_ARGUMENT);
	assert_int_equal(schema_check(message, bytes, true, NULL), LYC_INVALID_ARGUMENT);
}

/* A fault of a rule: without rules the body is good. */
static void breaks_rule(const char *field, const char *text)
{
	fails_at(expert, field, text);
	assert_int_equal(schema_check(expert, span_of(body.data, body.len), false, NULL), LYC_OK);
}

/* A fault of the structure: it counts without rules, too. */
static void breaks_structure(const struct schema_message *message, const char *field,
			     const char *text)
{
	fails_at(message, field, text);
	assert_int_equal(schema_check(message, span_of(body.data, body.len), false, NULL),
			 LYC_INVALID_ARGUMENT);
}

static void test_check_passes_every_kind_of_field(void **state)
{
	(void)state;
	begin();
	pb_write_text(&body, 4, "0000-0002-1825-009X");
	pb_write_message(&body, 5,
			 bytes_of("\x0a\x07"
				  "10.1234"));
	varint(8, UINT64_MAX);
	pb_write_message(&body, 9, bytes_of("\x0a\x01k\x12\x03\x1a\x01n"));
	pb_write_fixed64(&body, 11, 0x3fe0000000000000u);
	varint(12, 2);
	pb_write_message(&body, 13, bytes_of("\x08\x01"));
	pb_write_text(&body, 14, "four");
	varint(15, pb_zigzag_encode(-10));
	pb_write_fixed32(&body, 16, 7);
	pb_write_fixed64(&body, 17, 7);
	varint(18, 1);
	pb_write_fixed32(&body, 19, 0xbf000000u);
	varint(20, 64);
	varint(5000, 1);
	pb_write_text(&body, 22, "\xc3\xa4\xe2\x82\xac\xf0\x9f\x99\x82");
	passes(expert);
}

static void test_check_passes_unknown_fields(void **state)
{
	(void)state;
	begin();
	varint(4000, 1);
	varint(4000, 1);
	pb_write_fixed32(&body, 6000, 1);
	pb_write_fixed64(&body, 536870911, 1);
	pb_write_text(&body, 100, "\xff");
	passes(expert);
}

static void test_check_refuses_malformed_bytes(void **state)
{
	(void)state;
	begin();
	buf_add(&body, "\x80", 1);
	breaks_structure(expert, "", "the body: holds a malformed tag");
	begin();
	buf_add(&body, "\x02\x01", 2);
	breaks_structure(expert, "", "the body: holds a field with the number 0");
	begin();
	buf_add(&body, "\x80\x80\x80\x80\x10\x01", 6);
	breaks_structure(expert, "", "the body: holds a field with the number 536870912");
	begin();
	buf_add(&body, "\xe6\x07", 2);
	breaks_structure(expert, "", "the body: holds a field (124) of no known wire type");
	begin();
	buf_add(&body, "\xe3\x07\xe4\x07", 4);
	breaks_structure(expert, "", "the body: holds a group (field 124), which is refused");
	begin();
	buf_add(&body, "\xe2\x07\x05x", 4);
	breaks_structure(expert, "",
			 "the body: holds an unknown field (124) that is cut off or malformed");
	begin();
	buf_add(&body, "\x22\x05x", 3);
	breaks_structure(expert, "orcid", "orcid: is cut off or malformed");
	begin();
	buf_add(&body, "\x89\x01\x01\x02", 4);
	breaks_structure(expert, "wide", "wide: is cut off or malformed");
	begin();
	buf_add(&body, "\x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02", 11);
	breaks_structure(expert, "phone", "phone: is cut off or malformed");
	begin();
	pb_write_message(&body, 6, bytes_of("\x01\x80"));
	breaks_structure(expert, "scores[3]", "scores[3]: is cut off or malformed");
}

static void test_check_refuses_wrong_wire_types(void **state)
{
	(void)state;
	begin();
	varint(4, 1);
	breaks_structure(expert, "orcid",
			 "orcid: is written as a varint, it has to be length-delimited");
	begin();
	pb_write_text(&body, 20, "x");
	breaks_structure(expert, "count",
			 "count: is written as length-delimited, it has to be a varint");
	begin();
	pb_write_fixed32(&body, 17, 1);
	breaks_structure(expert, "wide", "wide: is written as 4 bytes, it has to be 8 bytes");
	begin();
	buf_add(&body, "\x2b\x2c", 2);
	breaks_structure(expert, "evidence[0]", "evidence[0]: is a group, which is refused");
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	buf_add(&body, "\x2b\x2c", 2);
	breaks_structure(car, "engine", "engine: is a group, which is refused");
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	pb_write_text(&body, 5, "x");
	breaks_structure(car, "engine", "engine: is a group, which is refused");
}

/* The largest number with a wire type that there is not: no entry of a table looks like that. */
static void test_check_refuses_the_tag_of_all_ones(void **state)
{
	static const char *const bodies[] = {"\xff\xff\xff\xff\x0f", "\xff\xff\xff\xff\x0f\x01"};
	(void)state;
	const struct schema_message *empty = schema_find_message(schema, "google.protobuf.Empty");
	for (size_t i = 0; i < 2; i++) {
		buf_clear(&body);
		buf_add_text(&body, bodies[i]);
		breaks_structure(expert, "",
				 "the body: holds a field (536870911) of no known wire type");
		breaks_structure(car, "",
				 "the body: holds a field (536870911) of no known wire type");
		if (empty)
			breaks_structure(
				empty, "",
				"the body: holds a field (536870911) of no known wire type");
	}
	buf_clear(&body);
	buf_add(&body, "\0", 1);
	breaks_structure(expert, "", "the body: holds a field with the number 0");
}

/* protobuf-c reads tags and lengths of at most 5 bytes: what passes here has to be read there. */
static void test_check_refuses_tags_and_lengths_of_six_bytes(void **state)
{
	(void)state;
	begin();
	buf_add(&body, "\xa2\x86\x80\x80\x00\x01x", 7);
	passes(expert);
	begin();
	buf_add(&body, "\xa2\x86\x80\x80\x80\x00\x01x", 8);
	breaks_structure(expert, "", "the body: holds a malformed tag");
	begin();
	buf_add(&body, "\xa2\x06\x81\x80\x80\x80\x00x", 8);
	passes(expert);
	begin();
	buf_add(&body, "\xa2\x06\x81\x80\x80\x80\x80\x00x", 9);
	breaks_structure(expert, "",
			 "the body: holds an unknown field (100) that is cut off or malformed");
}

static void test_check_takes_packed_and_unpacked(void **state)
{
	(void)state;
	begin();
	varint(6, 3);
	passes(expert);
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	pb_write_message(&body, 3, bytes_of("\x01\x02"));
	varint(4, 1);
	passes(car);
}

static void test_check_refuses_a_singular_field_twice(void **state)
{
	(void)state;
	begin();
	pb_write_text(&body, 3, "Bob");
	breaks_structure(expert, "name", "name: occurs twice");
	begin();
	varint(5000, 1);
	varint(5000, 1);
	breaks_structure(expert, "far", "far: occurs twice");
	begin();
	pb_write_message(&body, 13, span_of(NULL, 0));
	pb_write_message(&body, 13, span_of(NULL, 0));
	breaks_structure(expert, "since", "since: occurs twice");
}

static void test_check_refuses_a_oneof_twice(void **state)
{
	(void)state;
	begin();
	pb_write_text(&body, 7, "a@b");
	varint(8, 1);
	breaks_structure(expert, "phone",
			 "phone: is set together with another field of the oneof reach");
	begin();
	varint(8, 1);
	varint(8, 1);
	breaks_structure(expert, "phone", "phone: occurs twice");
}

static void test_check_refuses_broken_utf8(void **state)
{
	(void)state;
	static const char *const broken[] = {"\xff",         "abcdefgh\x80", "\xc0\xaf",
					     "\xed\xa0\x80", "abcd\xe2\x82", "1234567\xf5"};
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		begin();
		pb_write_text(&body, 2, broken[i]);
		breaks_structure(expert, "id", "id: is not valid UTF-8");
	}
	begin();
	pb_write_text(&body, 14, "\xff\xff");
	passes(expert);
	begin();
	pb_write_message(&body, 9, bytes_of("\x0a\x01k"));
	pb_write_message(&body, 9, bytes_of("\x0a\x01\xff"));
	breaks_structure(expert, "labels[1].key", "labels[1].key: is not valid UTF-8");
}

static void nest(size_t depth)
{
	struct buf inner = {0};
	for (size_t i = 1; i < depth; i++) {
		struct buf outer = {0};
		pb_write_message(&outer, 21, span_of(inner.data, inner.len));
		buf_fini(&inner);
		inner = outer;
	}
	buf_add(&body, inner.data, inner.len);
	buf_fini(&inner);
}

static void test_check_refuses_depth_beyond_64(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	buf_clear(&body);
	nest(64);
	assert_int_equal(schema_check(expert, span_of(body.data, body.len), false, &error), LYC_OK);
	buf_clear(&body);
	nest(65);
	assert_int_equal(schema_check(expert, span_of(body.data, body.len), false, &error),
			 LYC_INVALID_ARGUMENT);
	assert_memory_equal(error.text, "below.below.below.", 18);
	assert_non_null(strstr(error.text, ": is nested deeper than 64"));
	buf_clear(&body);
	nest(10000);
	assert_int_equal(schema_check(expert, span_of(body.data, body.len), false, NULL),
			 LYC_INVALID_ARGUMENT);
}

static void test_check_refuses_more_elements_than_65536(void **state)
{
	(void)state;
	const char *text = "the body: the body holds more than 65536 elements";
	uint8_t *zeros = calloc(1, 65537);
	assert_non_null(zeros);
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	pb_write_message(&body, 4, span_of(zeros, 65536));
	passes(car);
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	pb_write_message(&body, 4, span_of(zeros, 65537));
	breaks_structure(car, "", text);
	free(zeros);
	buf_clear(&body);
	for (size_t i = 0; i < 65537; i++)
		pb_write_message(&body, 5, span_of(NULL, 0));
	assert_int_equal(schema_check(expert, span_of(body.data, body.len), false, NULL),
			 LYC_INVALID_ARGUMENT);
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	for (size_t i = 0; i < 65537; i++)
		varint(99, 1);
	breaks_structure(car, "", text);
}

static void test_check_knows_proto2(void **state)
{
	(void)state;
	buf_clear(&body);
	breaks_structure(car, "plate", "plate: is required");
	pb_write_message(&body, 1, span_of(NULL, 0));
	passes(car);
	varint(2, (uint64_t)(int64_t)-7);
	passes(car);
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	varint(2, 2);
	breaks_structure(car, "color", "color: 2 is not a value of lyceum.older.v1.Color");
	buf_clear(&body);
	pb_write_text(&body, 1, "p");
	varint(6, 1);
	pb_write_message(&body, 6, bytes_of("\x01\x01\x03"));
	breaks_structure(car, "colors[3]", "colors[3]: 3 is not a value of lyceum.older.v1.Color");
}

static void test_check_applies_required(void **state)
{
	(void)state;
	begin();
	body.len = 0;
	pb_write_text(&body, 3, "Ann");
	pb_write_message(&body, 6, bytes_of("\x01\x02"));
	breaks_rule("home", "home: is required");
	pb_write_message(&body, 1, span_of(NULL, 0));
	breaks_rule("home", "home: is required");
}

static void test_check_applies_lengths(void **state)
{
	(void)state;
	begin();
	pb_write_message(&body, 5, bytes_of(""));
	pb_write_message(&body, 5,
			 bytes_of("\x0a\x07"
				  "10.1234"));
	pb_write_message(&body, 5,
			 bytes_of("\x0a\x03"
				  "10."));
	breaks_rule("evidence[2].doi", "evidence[2].doi: has 3 characters, at least 7 are needed");
	begin();
	pb_write_text(&body, 14, "12345");
	breaks_rule("photo", "photo: has 5 bytes, at most 4 are allowed");
	begin();
	pb_write_text(&body, 22, "\xc3\xa4\xc3\xa4\xc3\xa4");
	passes(expert);
	pb_write_text(&body, 22, "\xc3\xa4\xc3\xa4\xc3\xa4\xc3\xa4");
	breaks_rule("word_list[1]", "word_list[1]: has 4 characters, at most 3 are allowed");
	buf_clear(&body);
	pb_write_text(&body, 1, "wales");
	pb_write_text(&body, 3, "A");
	pb_write_message(&body, 6, bytes_of("\x01\x02"));
	breaks_rule("name", "name: has 1 character, at least 2 are needed");
	begin();
	pb_write_message(&body, 9, bytes_of("\x0a\x01k\x12\x03\x0a\x01x"));
	breaks_rule("labels[0].value.doi",
		    "labels[0].value.doi: has 1 character, at least 7 are needed");
}

static void test_check_applies_item_bounds(void **state)
{
	(void)state;
	begin();
	for (int i = 0; i < 4; i++)
		pb_write_message(&body, 5, span_of(NULL, 0));
	breaks_rule("evidence", "evidence: has 4 elements, at most 3 are allowed");
	buf_clear(&body);
	pb_write_text(&body, 1, "wales");
	pb_write_text(&body, 3, "Ann");
	varint(6, 1);
	breaks_rule("scores", "scores: has 1 element, at least 2 are needed");
}

static void test_check_applies_ranges(void **state)
{
	(void)state;
	begin();
	pb_write_message(&body, 6, bytes_of("\x05\x06"));
	breaks_rule("scores[3]", "scores[3]: is 6, only -5 to 5 is allowed");
	begin();
	varint(6, (uint64_t)(int64_t)-6);
	breaks_rule("scores[2]", "scores[2]: is -6, only -5 to 5 is allowed");
	begin();
	varint(12, 3);
	breaks_rule("level", "level: is 3, only 0 to 2 is allowed");
	begin();
	varint(15, pb_zigzag_encode(-11));
	breaks_rule("shift", "shift: is -11, only -10 to 10 is allowed");
	begin();
	varint(20, 0);
	breaks_rule("count", "count: is 0, only 1 to 64 is allowed");
	begin();
	pb_write_fixed64(&body, 11, 0x3ff8000000000000u);
	breaks_rule("weight", "weight: is 1.5, only 0 to 1 is allowed");
	begin();
	pb_write_fixed64(&body, 11, 0x7ff8000000000000u);
	breaks_rule("weight", "weight: is nan, only 0 to 1 is allowed");
	begin();
	pb_write_fixed32(&body, 19, 0x3f400000u);
	breaks_rule("share", "share: is 0.75, only -0.5 to 0.5 is allowed");
}

static void test_check_applies_patterns(void **state)
{
	(void)state;
	begin();
	pb_write_text(&body, 4, "0000-0002-1825-00");
	breaks_rule("orcid", "orcid: does not match the pattern \\d{4}(-\\d{4}){2}-\\d{3}[\\dX]");
	begin();
	pb_write_message(&body, 4, span_of(NULL, 0));
	passes(expert);
}

/* Whatever one byte is changed to, the check ends, and the path is a path. */
static void test_check_survives_changed_bytes(void **state)
{
	(void)state;
	test_check_passes_every_kind_of_field(NULL);
	size_t refused = 0;
	for (size_t i = 0; i < body.len; i++) {
		for (unsigned change = 1; change < 256; change <<= 1) {
			struct lyc_error error = {0};
			body.data[i] ^= (uint8_t)change;
			if (schema_check(expert, span_of(body.data, body.len), true, &error) !=
			    LYC_OK) {
				assert_string_not_equal(error.text, "");
				refused++;
			}
			body.data[i] ^= (uint8_t)change;
		}
	}
	assert_true(refused > body.len);
}

static int setup(void **state)
{
	(void)state;
	schema = sample_schema();
	expert = schema_find_message(schema, "lyceum.sample.v1.Expert");
	car = schema_find_message(schema, "lyceum.older.v1.Car");
	return expert && car ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&body);
	schema_unref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_check_passes_every_kind_of_field),
		cmocka_unit_test(test_check_passes_unknown_fields),
		cmocka_unit_test(test_check_refuses_malformed_bytes),
		cmocka_unit_test(test_check_refuses_wrong_wire_types),
		cmocka_unit_test(test_check_refuses_the_tag_of_all_ones),
		cmocka_unit_test(test_check_refuses_tags_and_lengths_of_six_bytes),
		cmocka_unit_test(test_check_takes_packed_and_unpacked),
		cmocka_unit_test(test_check_refuses_a_singular_field_twice),
		cmocka_unit_test(test_check_refuses_a_oneof_twice),
		cmocka_unit_test(test_check_refuses_broken_utf8),
		cmocka_unit_test(test_check_refuses_depth_beyond_64),
		cmocka_unit_test(test_check_refuses_more_elements_than_65536),
		cmocka_unit_test(test_check_knows_proto2),
		cmocka_unit_test(test_check_applies_required),
		cmocka_unit_test(test_check_applies_lengths),
		cmocka_unit_test(test_check_applies_item_bounds),
		cmocka_unit_test(test_check_applies_ranges),
		cmocka_unit_test(test_check_applies_patterns),
		cmocka_unit_test(test_check_survives_changed_bytes),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

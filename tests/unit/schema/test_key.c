/* The key tokens of a body. */
#include <lyceum/client.h>

#include "sample.h"

static struct schema *schema;
static const struct schema_message *expert;
static struct buf body;
static struct buf key;

static void make(const char *home, const char *id)
{
	buf_clear(&body);
	pb_write_text(&body, 1, home);
	pb_write_text(&body, 2, id);
	pb_write_text(&body, 3, "Ann");
}

static void test_key_joins_the_tokens(void **state)
{
	(void)state;
	buf_clear(&key);
	buf_add_text(&key, "Expert.");
	make("wales", "0193");
	assert_int_equal(schema_key(expert, span_of(body.data, body.len), &key, NULL), LYC_OK);
	assert_string_equal(buf_text(&key), "Expert.wales.0193");
}

static void test_key_escapes_what_a_subject_cannot_hold(void **state)
{
	(void)state;
	buf_clear(&key);
	make("a.b*c>d%e f", "\x01\x7f\xc3\xa4");
	assert_int_equal(schema_key(expert, span_of(body.data, body.len), &key, NULL), LYC_OK);
	assert_string_equal(buf_text(&key), "a%2Eb%2Ac%3Ed%25e%20f.%01%7F\xc3\xa4");
}

static void test_key_tokens_are_read_back(void **state)
{
	(void)state;
	for (int c = 1; c < 128; c++) {
		char id[] = {'a', (char)c, '\0'};
		buf_clear(&key);
		make("wales", id);
		assert_int_equal(schema_key(expert, span_of(body.data, body.len), &key, NULL),
				 LYC_OK);
		char *token = strchr(buf_text(&key), '.') + 1;
		assert_true(lyc_subject_unescape(token));
		assert_string_equal(token, id);
	}
	char lower[] = "%2eb", empty[] = "", cut[] = "a%4", none[] = "a%", wrong[] = "%g0";
	assert_true(lyc_subject_unescape(lower));
	assert_string_equal(lower, ".b");
	assert_false(lyc_subject_unescape(empty));
	assert_false(lyc_subject_unescape(cut));
	assert_false(lyc_subject_unescape(none));
	assert_false(lyc_subject_unescape(wrong));
}

static void test_key_refuses_an_empty_field(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	buf_clear(&key);
	buf_add_text(&key, "kept");
	make("wales", "");
	assert_int_equal(schema_key(expert, span_of(body.data, body.len), &key, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "id");
	assert_string_equal(error.text, "id: is a key and has to be set");
	assert_string_equal(buf_text(&key), "kept");
}

static void test_key_refuses_malformed_bodies(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	buf_clear(&key);
	make("wales", "1");
	pb_write_text(&body, 1, "nhsa");
	assert_int_equal(schema_key(expert, span_of(body.data, body.len), &key, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "home");
	assert_int_equal(schema_key(expert, span_of("\x0a", 1), &key, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "the body: is malformed");
	assert_int_equal(key.len, 0);
}

static void test_key_writes_numbers_in_decimal(void **state)
{
	(void)state;
	const struct schema_message *numbers =
		schema_find_message(schema, "lyceum.sample.v1.Numbers");
	buf_clear(&body);
	buf_clear(&key);
	pb_write_varint(&body, 1 << 3);
	pb_write_varint(&body, (uint64_t)(int64_t)-5);
	pb_write_varint(&body, 2 << 3);
	pb_write_varint(&body, pb_zigzag_encode(-7));
	pb_write_fixed64(&body, 3, UINT64_MAX);
	pb_write_varint(&body, 4 << 3);
	pb_write_varint(&body, 1);
	assert_int_equal(schema_key(numbers, span_of(body.data, body.len), &key, NULL), LYC_OK);
	assert_string_equal(buf_text(&key), "-5.-7.18446744073709551615.true.0");
}

static void test_key_is_nothing_without_key_fields(void **state)
{
	(void)state;
	buf_clear(&key);
	const struct schema_message *hit = schema_find_message(schema, "lyceum.sample.v1.Hit");
	assert_int_equal(schema_key(hit, span_of("", 0), &key, NULL), LYC_OK);
	assert_int_equal(key.len, 0);
}

static void test_key_comes_with_the_label(void **state)
{
	(void)state;
	struct lyc_error error = {0};
	struct span label = {0};
	bool has_label = true;
	buf_clear(&key);
	make("wales", "7");
	assert_int_equal(schema_key_and_label(expert, span_of(body.data, body.len), &key, &label,
					      &has_label, &error),
			 LYC_OK);
	assert_false(has_label);
	pb_write_message(&body, 10, span_of("\x10\x02", 2));
	buf_clear(&key);
	assert_int_equal(schema_key_and_label(expert, span_of(body.data, body.len), &key, &label,
					      &has_label, &error),
			 LYC_OK);
	assert_string_equal(buf_text(&key), "wales.7");
	assert_true(has_label);
	assert_true(span_equal(label, span_of("\x10\x02", 2)));
	/* Twice: refused with the field, and nothing is said of it. Who wants the key only gets it.
	 */
	pb_write_message(&body, 10, span_of("\x10\x01", 2));
	buf_clear(&key);
	assert_int_equal(schema_key_and_label(expert, span_of(body.data, body.len), &key, &label,
					      &has_label, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.field, "label");
	assert_int_equal(key.len, 0);
	assert_true(span_equal(label, span_of("\x10\x02", 2)));
	assert_int_equal(schema_key(expert, span_of(body.data, body.len), &key, NULL), LYC_OK);
	/* A type without key fields has a label all the same. */
	const struct schema_message *hit = schema_find_message(schema, "lyceum.sample.v1.Hit");
	assert_int_equal(schema_key_and_label(hit, span_of("", 0), &key, &label, &has_label, NULL),
			 LYC_OK);
	assert_false(has_label);
}

static int setup(void **state)
{
	(void)state;
	schema = sample_schema();
	expert = schema_find_message(schema, "lyceum.sample.v1.Expert");
	return expert ? 0 : -1;
}

static int teardown(void **state)
{
	(void)state;
	buf_fini(&body);
	buf_fini(&key);
	schema_unref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_key_joins_the_tokens),
		cmocka_unit_test(test_key_escapes_what_a_subject_cannot_hold),
		cmocka_unit_test(test_key_tokens_are_read_back),
		cmocka_unit_test(test_key_comes_with_the_label),
		cmocka_unit_test(test_key_refuses_an_empty_field),
		cmocka_unit_test(test_key_refuses_malformed_bodies),
		cmocka_unit_test(test_key_writes_numbers_in_decimal),
		cmocka_unit_test(test_key_is_nothing_without_key_fields),
	};
	return cmocka_run_group_tests(tests, setup, teardown);
}

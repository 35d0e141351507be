/* Base64 both ways, in both alphabets. */
#include "text_case.h"

#include "base/rng.h"
#include "schema/base64.h"

static void test_base64_knows_the_examples_of_the_standard(void **state)
{
	(void)state;
	const char *pairs[][2] = {{"", ""},
				  {"f", "Zg=="},
				  {"fo", "Zm8="},
				  {"foo", "Zm9v"},
				  {"foob", "Zm9vYg=="},
				  {"fooba", "Zm9vYmE="},
				  {"foobar", "Zm9vYmFy"}};
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++) {
		struct buf out = {0};
		base64_write(&out, span_of(pairs[i][0], strlen(pairs[i][0])));
		assert_string_equal(buf_text(&out), pairs[i][1]);
		buf_clear(&out);
		assert_true(base64_read(&out, span_of(pairs[i][1], strlen(pairs[i][1]))));
		assert_string_equal(buf_text(&out), pairs[i][0]);
		buf_fini(&out);
	}
}

static void test_base64_reads_the_other_dialects(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 5);
	for (int i = 0; i < 500; i++) {
		uint8_t bytes[20];
		size_t len = rng_below(&rng, sizeof(bytes));
		struct buf text = {0};
		struct buf out = {0};
		for (size_t j = 0; j < len; j++)
			bytes[j] = (uint8_t)rng_next(&rng);
		base64_write(&text, span_of(bytes, len));
		for (size_t j = 0; j < text.len; j++) {
			if (text.data[j] == '+')
				text.data[j] = '-';
			if (text.data[j] == '/')
				text.data[j] = '_';
		}
		while (text.len > 0 && text.data[text.len - 1] == '=')
			text.len--;
		assert_true(base64_read(&out, span_of(text.data, text.len)));
		assert_true(span_equal(span_of(out.data, out.len), span_of(bytes, len)));
		buf_fini(&text);
		buf_fini(&out);
	}
}

static void test_base64_refuses_other_texts(void **state)
{
	(void)state;
	const char *texts[] = {
		"a", "abcde", "ab=", "a===", "====", "ab=c", "a b=", "ab\n=", "\xc3\xa4zy"};
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct buf out = {0};
		assert_false(base64_read(&out, span_of(texts[i], strlen(texts[i]))));
		buf_fini(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_base64_knows_the_examples_of_the_standard),
		cmocka_unit_test(test_base64_reads_the_other_dialects),
		cmocka_unit_test(test_base64_refuses_other_texts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

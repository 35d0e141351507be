/* Every encoding that a spreadsheet writes gives the same text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>

#include "import/text_input.h"

static const char wanted[] = "name\r\nAm\xC3\xA9lie O\xE2\x80\x99Neil\r\n";

static struct text_input decode(const void *bytes, size_t len)
{
	struct text_input input = {0};
	struct lyc_error error = {0};
	struct buf copy = {0};
	buf_add(&copy, bytes, len);
	assert_int_equal(text_input_decode(&copy, &input, &error), LYC_OK);
	assert_null(copy.data);
	return input;
}

static void assert_text(struct text_input *input, const char *encoding, const char *text)
{
	assert_string_equal(input->encoding, encoding);
	assert_int_equal(input->text.len, strlen(text));
	assert_memory_equal(input->text.data, text, strlen(text));
	text_input_fini(input);
}

static void test_text_input_takes_utf8_and_its_mark(void **state)
{
	(void)state;
	struct text_input plain = decode(wanted, strlen(wanted));
	assert_text(&plain, "UTF-8", wanted);
	struct buf marked = {0};
	buf_add_text(&marked, "\xEF\xBB\xBF");
	buf_add_text(&marked, wanted);
	struct text_input input = decode(marked.data, marked.len);
	assert_text(&input, "UTF-8", wanted);
	buf_fini(&marked);
}

static void test_text_input_converts_windows_1252(void **state)
{
	(void)state;
	static const char bytes[] = "name\r\nAm\xE9lie O\x92Neil\r\n";
	struct text_input input = decode(bytes, strlen(bytes));
	assert_text(&input, "Windows-1252", wanted);
}

static void test_text_input_converts_utf16(void **state)
{
	(void)state;
	static const char little[] = "\xFF\xFE"
				     "a\0\xE9\0\x19\x20\x3D\xD8\x00\xDE";
	static const char big[] = "\xFE\xFF"
				  "\0a\0\xE9\x20\x19\xD8\x3D\xDE\x00";
	static const char text[] = "a\xC3\xA9\xE2\x80\x99\xF0\x9F\x98\x80";
	struct text_input input = decode(little, sizeof(little) - 1);
	assert_text(&input, "UTF-16LE", text);
	input = decode(big, sizeof(big) - 1);
	assert_text(&input, "UTF-16BE", text);
	input = decode("n\0a\0m\0e\0", 8);
	assert_text(&input, "UTF-16LE", "name");
}

static void test_text_input_keeps_utf8_with_one_broken_byte(void **state)
{
	(void)state;
	struct buf text = {0};
	for (int i = 0; i < 20; i++)
		buf_add_text(&text, "\xC3\xA9");
	buf_add_text(&text, "\xC3(");
	struct text_input input = decode(text.data, text.len);
	assert_true(input.is_damaged);
	assert_string_equal(input.encoding, "UTF-8");
	assert_int_equal(input.text.len, text.len);
	text_input_fini(&input);
	buf_fini(&text);
}

/* Two members, as `cat a.gz b.gz` makes. */
static struct buf make_gzip(void)
{
	struct buf packed = {0};
	for (int part = 0; part < 2; part++) {
		uint8_t room[256];
		z_stream zip = {.next_in = (uint8_t *)(uintptr_t)(wanted + part * 8),
				.avail_in = part ? (unsigned)strlen(wanted) - 8 : 8,
				.next_out = room,
				.avail_out = sizeof(room)};
		assert_int_equal(deflateInit2(&zip, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY),
				 Z_OK);
		assert_int_equal(deflate(&zip, Z_FINISH), Z_STREAM_END);
		buf_add(&packed, room, sizeof(room) - zip.avail_out);
		deflateEnd(&zip);
	}
	return packed;
}

static void test_text_input_unpacks_gzip(void **state)
{
	(void)state;
	struct buf packed = make_gzip();
	struct text_input input = decode(packed.data, packed.len);
	assert_true(input.is_gzip);
	assert_text(&input, "UTF-8", wanted);

	struct lyc_error error = {0};
	packed.len -= 12;
	assert_int_equal(text_input_decode(&packed, &input, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "cut off"));
}

static void test_text_input_refuses_a_workbook(void **state)
{
	(void)state;
	struct text_input input = {0};
	struct lyc_error error = {0};
	struct buf bytes = {0};
	buf_add(&bytes, "PK\003\004rest", 8);
	assert_int_equal(text_input_decode(&bytes, &input, &error), LYC_INVALID_ARGUMENT);
	assert_non_null(strstr(error.text, "Excel"));
	assert_int_equal(text_input_open("/nowhere/list.csv", &input, &error), LYC_NOT_FOUND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_input_takes_utf8_and_its_mark),
		cmocka_unit_test(test_text_input_converts_windows_1252),
		cmocka_unit_test(test_text_input_converts_utf16),
		cmocka_unit_test(test_text_input_keeps_utf8_with_one_broken_byte),
		cmocka_unit_test(test_text_input_unpacks_gzip),
		cmocka_unit_test(test_text_input_refuses_a_workbook),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Errors carry a whole sentence; statuses have the names of google.rpc. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/error.h"
#include "base/utf8.h"

static void test_error_set_returns_the_status_and_fills_the_sentence(void **state)
{
	(void)state;
	struct lyc_error error;
	memset(&error, 0x55, sizeof(error));
	assert_int_equal(error_set(&error, LYC_NOT_FOUND, "no %s %d", "node", 7), LYC_NOT_FOUND);
	assert_int_equal(error.status, LYC_NOT_FOUND);
	assert_string_equal(error.text, "no node 7");
	assert_string_equal(error.field, "");
	assert_int_equal(error_set_field(&error, LYC_ABORTED, "expert.orcid", "bad"), LYC_ABORTED);
	assert_string_equal(error.field, "expert.orcid");
	assert_int_equal(error_set(NULL, LYC_INTERNAL, "nobody asks"), LYC_INTERNAL);
	assert_int_equal(error_set_field(NULL, LYC_INTERNAL, "f", "nobody asks"), LYC_INTERNAL);
}

static void test_error_too_long_ends_with_a_whole_character(void **state)
{
	(void)state;
	/* Characters of 1 to 4 bytes, moved along byte by byte past the end of text and field. */
	static const char *const characters[] = {"a", "\xc3\xa9", "\xe2\x82\xac",
						 "\xf0\x9f\x98\x80"};
	for (size_t kind = 0; kind < 4; kind++) {
		for (size_t shift = 0; shift < 4; shift++) {
			char text[600] = "";
			memset(text, 'x', shift);
			size_t step = strlen(characters[kind]);
			for (size_t at = shift; at + step < sizeof(text); at += step)
				memcpy(text + at, characters[kind], step + 1);
			struct lyc_error error;
			error_set_field(&error, LYC_INTERNAL, text, "%s", text);
			size_t len = strlen(error.text);
			size_t field_len = strlen(error.field);
			assert_true(utf8_check((uint8_t *)error.text, len, NULL));
			assert_true(utf8_check((uint8_t *)error.field, field_len, NULL));
			assert_true(len < sizeof(error.text) && len >= sizeof(error.text) - 4);
			assert_true(field_len < sizeof(error.field) &&
				    field_len >= sizeof(error.field) - 4);
			assert_memory_equal(error.text, text, len);
		}
	}
}

static void test_status_has_a_name_of_its_own(void **state)
{
	(void)state;
	for (int status = LYC_OK; status <= LYC_UNAUTHENTICATED; status++) {
		for (int other = LYC_OK; other < status; other++)
			assert_string_not_equal(lyc_status_name((enum lyc_status)status),
						lyc_status_name((enum lyc_status)other));
	}
	assert_string_equal(lyc_status_name(LYC_DEADLINE_EXCEEDED), "DEADLINE_EXCEEDED");
	assert_string_equal(lyc_status_name((enum lyc_status)17), "UNKNOWN");
	assert_string_equal(lyc_status_name((enum lyc_status) - 1), "UNKNOWN");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_error_set_returns_the_status_and_fills_the_sentence),
		cmocka_unit_test(test_error_too_long_ends_with_a_whole_character),
		cmocka_unit_test(test_status_has_a_name_of_its_own),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

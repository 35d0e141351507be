/* UTF-8 against a naive oracle: decode the bits, then ask whether the shortest form was used and
 * the code point exists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "base/rng.h"
#include "base/utf8.h"

/* The length of a well-formed character at the start, 0 when there is none. */
static size_t oracle(const uint8_t *bytes, size_t len, uint32_t *ret_code)
{
	size_t want;
	uint32_t code;
	if (len == 0)
		return 0;
	if (bytes[0] < 0x80) {
		want = 1;
		code = bytes[0];
	} else if (bytes[0] >= 0xc0 && bytes[0] < 0xe0) {
		want = 2;
		code = bytes[0] & 0x1f;
	} else if (bytes[0] >= 0xe0 && bytes[0] < 0xf0) {
		want = 3;
		code = bytes[0] & 0x0f;
	} else if (bytes[0] >= 0xf0 && bytes[0] < 0xf8) {
		want = 4;
		code = bytes[0] & 0x07;
	} else {
		return 0;
	}
	if (len < want)
		return 0;
	for (size_t i = 1; i < want; i++) {
		if (bytes[i] < 0x80 || bytes[i] > 0xbf)
			return 0;
		code = code << 6 | (bytes[i] & 0x3f);
	}
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	if (code < least[want] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code = code;
	return want;
}

static int oracle_check(const uint8_t *bytes, size_t len, size_t *ret_count)
{
	size_t count = 0;
	uint32_t code;
	for (size_t i = 0; i < len; count++) {
		size_t step = oracle(bytes + i, len - i, &code);
		if (step == 0)
			return 0;
		i += step;
	}
	*ret_count = count;
	return 1;
}

static void compare(const uint8_t *bytes, size_t len)
{
	size_t count = 0;
	size_t wanted = 0;
	int is_good = oracle_check(bytes, len, &wanted);
	if (utf8_check(bytes, len, &count) != is_good || (is_good && count != wanted))
		fail_msg("%02x %02x %02x %02x (%zu bytes)", bytes[0], len > 1 ? bytes[1] : 0,
			 len > 2 ? bytes[2] : 0, len > 3 ? bytes[3] : 0, len);
	const uint8_t *at = bytes;
	uint32_t code = 0;
	size_t step = oracle(bytes, len, &code);
	uint32_t got = utf8_next(&at, bytes + len);
	assert_int_equal(got, step ? code : 0xfffd);
	assert_int_equal(at - bytes, step ? step : 1);
}

static void test_utf8_check_agrees_on_all_one_and_two_bytes(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 0x10000; i++) {
		uint8_t bytes[2] = {(uint8_t)(i >> 8), (uint8_t)i};
		compare(bytes, 2);
		compare(bytes, 1);
	}
}

/* Every first byte with the bytes around every boundary behind it. */
static void test_utf8_check_agrees_on_the_edges_of_three_and_four_bytes(void **state)
{
	(void)state;
	static const uint8_t edges[] = {0x00, 0x01, 0x7f, 0x80, 0x81, 0x8f, 0x90, 0x91, 0x9f, 0xa0,
					0xa1, 0xbe, 0xbf, 0xc0, 0xc2, 0xe0, 0xed, 0xf0, 0xf4, 0xff};
	const size_t count = sizeof(edges);
	for (unsigned first = 0; first < 256; first++) {
		for (size_t i = 0; i < count * count * count; i++) {
			uint8_t bytes[4] = {(uint8_t)first, edges[i / count / count],
					    edges[i / count % count], edges[i % count]};
			compare(bytes, 4);
			compare(bytes, 3);
		}
	}
}

static void test_utf8_check_sees_a_fault_at_every_place_of_a_long_text(void **state)
{
	(void)state;
	for (size_t at = 0; at < 100; at++) {
		uint8_t bytes[100];
		size_t count;
		memset(bytes, 'a', sizeof(bytes));
		assert_true(utf8_check(bytes, sizeof(bytes), &count));
		assert_int_equal(count, 100);
		bytes[at] = 0xc3;
		assert_false(utf8_check(bytes, sizeof(bytes), &count));
		if (at + 1 == sizeof(bytes))
			continue;
		bytes[at + 1] = 0xa9;
		assert_true(utf8_check(bytes, sizeof(bytes), &count));
		assert_int_equal(count, 99);
	}
	assert_true(utf8_check(NULL, 0, NULL));
}

/* Whatever length the plain ones between the others have. */
static void test_utf8_check_agrees_on_mixed_texts(void **state)
{
	(void)state;
	struct rng rng;
	rng_init(&rng, 7);
	for (int round = 0; round < 20000; round++) {
		uint8_t bytes[160];
		size_t len = 0;
		while (len < 150) {
			for (uint64_t plain = rng_below(&rng, 40); plain > 0 && len < 150; plain--)
				bytes[len++] = 'a';
			if (rng_below(&rng, 20) == 0)
				bytes[len++] = (uint8_t)rng_next(&rng);
			else
				len += utf8_put(bytes + len, (uint32_t)rng_below(&rng, 0xd800));
		}
		compare(bytes, 1 + rng_below(&rng, len));
	}
}

static void test_utf8_put_and_next_round_trip_every_code_point(void **state)
{
	(void)state;
	for (uint32_t code = 0; code <= 0x10ffff; code++) {
		if (code >= 0xd800 && code <= 0xdfff)
			continue;
		uint8_t bytes[4];
		size_t len = utf8_put(bytes, code);
		const uint8_t *at = bytes;
		if (utf8_next(&at, bytes + len) != code || at != bytes + len)
			fail_msg("U+%04X", code);
	}
}

static void test_utf8_copy_ends_between_characters(void **state)
{
	(void)state;
	static const char text[] = "a\xc3\xa4\xe2\x82\xac\xff!";
	static const char *const copies[] = {
		"", "a", "a", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4", "a\xc3\xa4\xe2\x82\xac"};
	char to[16];
	for (size_t i = 0; i < sizeof(copies) / sizeof(copies[0]); i++) {
		utf8_copy(to, i + 1, (const uint8_t *)text, sizeof(text) - 1);
		assert_string_equal(to, copies[i]);
	}
	utf8_copy(to, sizeof(to), (const uint8_t *)text, sizeof(text) - 1);
	assert_string_equal(to, "a\xc3\xa4\xe2\x82\xac?!");
	utf8_copy(to, sizeof(to), NULL, 0);
	assert_string_equal(to, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_utf8_check_agrees_on_all_one_and_two_bytes),
		cmocka_unit_test(test_utf8_check_agrees_on_the_edges_of_three_and_four_bytes),
		cmocka_unit_test(test_utf8_check_sees_a_fault_at_every_place_of_a_long_text),
		cmocka_unit_test(test_utf8_check_agrees_on_mixed_texts),
		cmocka_unit_test(test_utf8_put_and_next_round_trip_every_code_point),
		cmocka_unit_test(test_utf8_copy_ends_between_characters),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

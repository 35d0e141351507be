/* Subjects and patterns, beside a naive oracle over every small case. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "wire/subject.h"

static struct span text(const char *chars)
{
	return span_of(chars, strlen(chars));
}

static void test_subject_is_valid_or_not(void **state)
{
	(void)state;
	static const char *const good[] = {"a", "lyceum.experts.v1.Expert.nhsa.0193", "a.-_@:/",
					   "é.漢"};
	static const char *const bad[] = {"",    ".", "a.",  ".a",  "a..b", "a b",  "a.*",
					  "a.>", "*", "a*b", "a\n", "\x7f", "\xff", "a.\xc3"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_true(subject_is_valid(text(good[i])));
		assert_true(subject_pattern_is_valid(text(good[i])));
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(subject_is_valid(text(bad[i])));
	assert_false(subject_is_valid((struct span){0}));
}

static void test_subject_pattern_is_valid_or_not(void **state)
{
	(void)state;
	static const char *const good[] = {"*", ">", "*.*", "a.*.b", "a.>", "*.>"};
	static const char *const bad[] = {"",   "a.**", "a*", ">.a", "a.>.b",  "a.>>",
					  "*.", ".>",   "*a", ">a",  "a.*b.c", "a.>b"};
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(subject_pattern_is_valid(text(good[i])));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(subject_pattern_is_valid(text(bad[i])));
}

static void test_subject_has_limits(void **state)
{
	(void)state;
	char chars[SUBJECT_MAX_LEN + 1];
	memset(chars, 'a', sizeof(chars));
	assert_true(subject_is_valid(span_of(chars, SUBJECT_MAX_LEN)));
	assert_false(subject_is_valid(span_of(chars, SUBJECT_MAX_LEN + 1)));
	for (size_t i = 1; i < 2 * SUBJECT_MAX_TOKENS; i += 2)
		chars[i] = '.';
	assert_true(subject_is_valid(span_of(chars, 2 * SUBJECT_MAX_TOKENS - 1)));
	assert_false(subject_is_valid(span_of(chars, 2 * SUBJECT_MAX_TOKENS + 1)));
}

/* Every sequence of 1 to 4 of these tokens; as characters: a, b, *, >. */
#define MAX_TOKENS 4
struct words {
	char tokens[MAX_TOKENS];
	size_t count;
	char chars[2 * MAX_TOKENS];
};

static size_t list_words(struct words *all, const char *alphabet)
{
	size_t letters = strlen(alphabet);
	size_t used = 0;
	for (size_t count = 1, total = letters; count <= MAX_TOKENS; count++, total *= letters) {
		for (size_t number = 0; number < total; number++) {
			struct words *words = &all[used];
			size_t rest = number;
			words->count = count;
			for (size_t i = 0; i < count; i++) {
				words->tokens[i] = alphabet[rest % letters];
				rest /= letters;
				words->chars[2 * i] = words->tokens[i];
				words->chars[2 * i + 1] = i + 1 < count ? '.' : '\0';
			}
			if (subject_pattern_is_valid(text(words->chars)))
				used++;
		}
	}
	return used;
}

/* By the definition, from the front, recursively. */
static bool naive_matches(const char *pattern, size_t pattern_count, const char *subject,
			  size_t count)
{
	if (pattern_count == 0 || count == 0)
		return pattern_count == count;
	if (pattern[0] == '>')
		return true;
	if (pattern[0] != '*' && pattern[0] != subject[0])
		return false;
	return naive_matches(pattern + 1, pattern_count - 1, subject + 1, count - 1);
}

static struct words patterns[400];
static struct words subjects[400];
/* Which subjects (bits) a pattern matches. */
static uint8_t matched[400][400];

static void test_subject_matches_as_the_oracle(void **state)
{
	(void)state;
	size_t pattern_count = list_words(patterns, "ab*>");
	size_t subject_count = list_words(subjects, "abc");
	assert_int_equal(subject_count, 3 + 9 + 27 + 81);
	for (size_t i = 0; i < pattern_count; i++) {
		for (size_t j = 0; j < subject_count; j++) {
			bool expected = naive_matches(patterns[i].tokens, patterns[i].count,
						      subjects[j].tokens, subjects[j].count);
			assert_int_equal(
				subject_matches(text(patterns[i].chars), text(subjects[j].chars)),
				expected);
		}
	}
}

/* With patterns of up to 3 tokens, subjects of up to 4 of a, b, c tell all differences: c stands
 * for every other token, and 4 tokens for every longer tail. */
static void test_subject_pattern_covers_as_the_oracle(void **state)
{
	(void)state;
	size_t pattern_count = list_words(patterns, "ab*>");
	size_t subject_count = list_words(subjects, "abc");
	for (size_t i = 0; i < pattern_count; i++) {
		for (size_t j = 0; j < subject_count; j++)
			matched[i][j] = naive_matches(patterns[i].tokens, patterns[i].count,
						      subjects[j].tokens, subjects[j].count);
	}
	size_t compared = 0;
	for (size_t outer = 0; outer < pattern_count; outer++) {
		for (size_t inner = 0; inner < pattern_count; inner++) {
			if (patterns[outer].count > 3 || patterns[inner].count > 3)
				continue;
			bool expected = true;
			for (size_t j = 0; j < subject_count; j++)
				expected &= !matched[inner][j] || matched[outer][j];
			assert_int_equal(subject_pattern_covers(text(patterns[outer].chars),
								text(patterns[inner].chars)),
					 expected);
			compared++;
		}
	}
	assert_true(compared > 2000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_subject_is_valid_or_not),
		cmocka_unit_test(test_subject_pattern_is_valid_or_not),
		cmocka_unit_test(test_subject_has_limits),
		cmocka_unit_test(test_subject_matches_as_the_oracle),
		cmocka_unit_test(test_subject_pattern_covers_as_the_oracle),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

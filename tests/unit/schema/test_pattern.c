/* Patterns match what they say, as a whole, on characters; bad and costly ones are refused. */
#include "sample.h"

#include "schema/pattern.h"

static struct arena arena;

static const struct pattern *make(const char *text)
{
	uint64_t work = PATTERN_WORK;
	const struct pattern *pattern = NULL;
	struct lyc_error error = {0};
	enum lyc_status status =
		pattern_new(span_of(text, strlen(text)), &arena, &work, &pattern, &error);
	assert_string_equal(error.text, "");
	assert_int_equal(status, LYC_OK);
	return pattern;
}

static bool matches(const struct pattern *pattern, const char *text)
{
	return pattern_matches(pattern, (const uint8_t *)text, strlen(text));
}

static void test_pattern_matches_the_whole(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *good[4];
		const char *bad[5];
	} cases[] = {
		{"abc", {"abc"}, {"", "ab", "abcd", "xabc"}},
		{"a|bc|", {"a", "bc", ""}, {"b", "abc", "ac"}},
		{"a?b*c+", {"c", "abbc", "bccc"}, {"a", "b", "aac", "ab"}},
		{"(ab){2,3}", {"abab", "ababab"}, {"ab", "abababab", "aba"}},
		{"a{3}", {"aaa"}, {"aa", "aaaa", ""}},
		{"a{2,}", {"aa", "aaaaaa"}, {"a", ""}},
		{"a{0}b", {"b"}, {"ab"}},
		{"(a|b(c|d)*)+x", {"ax", "bcdcax", "bx"}, {"x", "cx"}},
		{"[a-c-]", {"a", "c", "-"}, {"d", "", "ab"}},
		{"[^a-c]", {"d", "\n", "\xc3\xa4"}, {"a", "", "dd"}},
		{"[\\d_]+", {"12_3"}, {"a", ""}},
		{"\\D\\W\\S", {"a-b", "-\xc3\xa4-"}, {"1-b", "aab", "a- "}},
		{"\\w+\\s\\w+", {"a b", "A_1\tz"}, {"ab", "a  b"}},
		{"\\.\\\\\\{\\n", {".\\{\n"}, {"x\\{\n"}},
		{".",
		 {"a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x99\x82"},
		 {"", "\n", "ab", "\xc3", "\xff"}},
		{".{2}", {"\xc3\xa4\xf0\x9f\x99\x82"}, {"\xc3\xa4", "abc"}},
		{"[\xc3\xa0-\xc3\xa9]",
		 {"\xc3\xa0", "\xc3\xa4", "\xc3\xa9"},
		 {"\xc3\xaa", "\xc3\x9f", "a"}},
		{"\xe2\x82\xac+", {"\xe2\x82\xac\xe2\x82\xac"}, {"\xe2\x82", ""}},
		{"[a-z][a-z0-9-]{0,62}", {"wales", "a", "north-1"}, {"", "1a", "A"}},
		{"\\d{4}(-\\d{4}){2}-\\d{3}[\\dX]", {"0000-0002-1825-0097"}, {"0000-0002-1825"}},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const struct pattern *pattern = make(cases[i].pattern);
		for (size_t k = 0; k < 4 && cases[i].good[k]; k++) {
			if (!matches(pattern, cases[i].good[k]))
				fail_msg("%s does not match %s", cases[i].pattern,
					 cases[i].good[k]);
		}
		for (size_t k = 0; k < 5 && cases[i].bad[k]; k++) {
			if (matches(pattern, cases[i].bad[k]))
				fail_msg("%s matches %s", cases[i].pattern, cases[i].bad[k]);
		}
	}
}

/* A class over the whole range of characters agrees with plain comparison at its borders. */
static void test_pattern_classes_agree_with_code_points(void **state)
{
	(void)state;
	static const struct {
		uint32_t low;
		uint32_t high;
	} ranges[] = {{0x41, 0x5a},       {0x7f, 0x80},      {0x3ff, 0x801},     {0x7ff, 0xd7ff},
		      {0xe000, 0x10ffff}, {0x1234, 0x1235},  {0xffff, 0x10000},  {0x12345, 0x23456},
		      {0x20, 0x10ffff},   {0xfff0, 0x1000f}, {0x10000, 0x10ffff}};
	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++) {
		uint8_t text[16] = "[";
		size_t len = 1;
		len += utf8_put(text + len, ranges[i].low);
		text[len++] = '-';
		len += utf8_put(text + len, ranges[i].high);
		text[len] = ']';
		const struct pattern *pattern = make((const char *)text);
		for (uint32_t code = 1; code <= 0x10ffff; code++) {
			uint8_t one[4];
			if (code >= 0xd800 && code <= 0xdfff)
				continue;
			size_t one_len = utf8_put(one, code);
			bool is_in = code >= ranges[i].low && code <= ranges[i].high;
			if (pattern_matches(pattern, one, one_len) != is_in)
				fail_msg("%x in %x-%x", (unsigned)code, (unsigned)ranges[i].low,
					 (unsigned)ranges[i].high);
		}
	}
}

static void test_pattern_refuses_syntax_errors_with_their_position(void **state)
{
	(void)state;
	static const struct {
		const char *pattern;
		const char *text;
	} cases[] = {
		{"a(b", "at character 4: the group is not closed with )"},
		{"ab)", "at character 3: a ) closes no group"},
		{"\xc3\xa4*+", "at character 3: there is nothing to repeat; write \\+ for the "
			       "character"},
		{"[a", "at character 3: the class is not closed with ]"},
		{"[]", "at character 2: the class is empty; write \\] for the character"},
		{"[z-a]", "at character 5: the range of the class ends before it begins"},
		{"a\\", "at character 3: a backslash ends the pattern"},
		{"a\\q", "at character 3: this escape is not known"},
		{"a{2,1}", "at character 6: a repetition is written {m}, {m,} or {m,n}"},
		{"a{x}", "at character 3: a repetition is written {m}, {m,} or {m,n}"},
		{"a{1001}", "at character 6: at most 1000 repetitions can be asked for"},
		{"^a", "at character 1: a pattern always matches the whole; write \\^ for the "
		       "character"},
		{"a]", "at character 2: nothing is open here; write \\] for the character"},
		{"[^\\d\\D]", "at character 8: the class holds no character"},
		{"\xff", "the pattern is not UTF-8"},
	};
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		uint64_t work = PATTERN_WORK;
		const struct pattern *none = NULL;
		struct lyc_error error = {0};
		struct span text = span_of(cases[i].pattern, strlen(cases[i].pattern));
		assert_int_equal(pattern_new(text, &arena, &work, &none, &error),
				 LYC_INVALID_ARGUMENT);
		assert_string_equal(error.text, cases[i].text);
		assert_null(none);
	}
}

static void test_pattern_bounds_hostile_patterns(void **state)
{
	(void)state;
	static const char *const hostile[] = {
		"(.*a.{12}|.*b.{12})*",
		"((((((a{1000}){1000}){1000}){1000}){1000}){1000})",
		"(((((){1000}){1000}){1000}){1000})*",
		"(a?){1000}(a?){1000}a{1000}",
		"(x+x+)+y{1000}(.{1000}){1000}",
		"[a-z]{0,1000}[0-9]{0,1000}[a-z]{0,1000}[0-9]{0,1000}[a-z]{0,1000}",
	};
	for (size_t i = 0; i < sizeof(hostile) / sizeof(hostile[0]); i++) {
		uint64_t work = PATTERN_WORK;
		const struct pattern *pattern = NULL;
		struct lyc_error error = {0};
		struct span text = span_of(hostile[i], strlen(hostile[i]));
		assert_int_equal(pattern_new(text, &arena, &work, &pattern, &error),
				 LYC_INVALID_ARGUMENT);
		assert_null(pattern);
	}
	char deep[300];
	memset(deep, '(', 100);
	memset(deep + 100, ')', 100);
	uint64_t work = PATTERN_WORK;
	const struct pattern *pattern = NULL;
	struct lyc_error error = {0};
	assert_int_equal(pattern_new(span_of(deep, 200), &arena, &work, &pattern, &error),
			 LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, "at character 33: groups are nested deeper than 32");
}

static void test_pattern_shares_one_allowance_of_work(void **state)
{
	(void)state;
	uint64_t work = 20;
	const struct pattern *pattern = NULL;
	struct lyc_error error = {0};
	assert_int_equal(pattern_new(span_of("a{10}", 5), &arena, &work, &pattern, &error),
			 LYC_INVALID_ARGUMENT);
	assert_null(pattern);
	make(".{1,400}");
	make("(a?){100}");
}

static int teardown(void **state)
{
	(void)state;
	arena_fini(&arena);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pattern_matches_the_whole),
		cmocka_unit_test(test_pattern_classes_agree_with_code_points),
		cmocka_unit_test(test_pattern_refuses_syntax_errors_with_their_position),
		cmocka_unit_test(test_pattern_bounds_hostile_patterns),
		cmocka_unit_test(test_pattern_shares_one_allowance_of_work),
	};
	return cmocka_run_group_tests(tests, NULL, teardown);
}

/* Requests from words: what came out is compared as JSON. */
#include "library.h"

#include "flags.h"

#define MAX_WORDS 20

static enum lyc_status read_words(const char *type, const char *const *words, struct buf *json,
				  struct lyc_error *error)
{
	char *argv[MAX_WORDS];
	int argc = 0;
	struct buf body = {0};
	static const char *const others[] = {"json", "timeout", NULL};
	const struct schema_message *message = library_message(type);
	for (; words[argc]; argc++)
		argv[argc] = (char *)words[argc];
	enum lyc_status status = flags_read(message, argc, argv, others, &body, error);
	if (status == LYC_OK)
		assert_int_equal(
			json_write(message, span_of(body.data, body.len), NULL, json, error),
			LYC_OK);
	buf_fini(&body);
	return status;
}

#define WORDS(...) ((const char *const[]){__VA_ARGS__, NULL})

static void accepts(const char *type, const char *const *words, const char *expected)
{
	struct lyc_error error = {0};
	struct buf json = {0};
	if (read_words(type, words, &json, &error) != LYC_OK)
		fail_msg("%s", error.text);
	assert_string_equal(buf_text(&json), expected);
	buf_fini(&json);
}

static void refuses(const char *type, const char *const *words, const char *text)
{
	struct lyc_error error = {0};
	struct buf json = {0};
	assert_int_equal(read_words(type, words, &json, &error), LYC_INVALID_ARGUMENT);
	assert_string_equal(error.text, text);
	buf_fini(&json);
}

static void test_flags_take_scalars(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("--limit", "5", "--weight=-0.5", "--shelf", "-3"),
		"{\"limit\":5,\"weight\":-0.5,\"shelf\":\"-3\"}");
	accepts("FindRequest", WORDS("--max-bytes", "18446744073709551615"),
		"{\"maxBytes\":\"18446744073709551615\"}");
	accepts("FindRequest", WORDS("--max_bytes=7"), "{\"maxBytes\":\"7\"}");
	accepts("FindRequest", WORDS("--floor", "3"), "{\"floor\":3}");
}

static void test_flags_join_the_last_text_argument(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("gene", "--limit", "2", "therapy"),
		"{\"text\":\"gene therapy\",\"limit\":2}");
	accepts("FindRequest", WORDS("--", "--not", "a", "flag"), "{\"text\":\"--not a flag\"}");
	accepts("ShowRequest", WORDS("7", "index", "cover page"),
		"{\"number\":7,\"part\":[\"index\",\"cover page\"]}");
}

static void test_flags_repeat_lists(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("--region", "wales", "--region=fife"),
		"{\"region\":[\"wales\",\"fife\"]}");
	refuses("FindRequest", WORDS("--limit", "1", "--limit", "2"), "--limit is given twice");
}

static void test_flags_match_choices_as_people_write_them(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("--kind", "case-book"), "{\"kind\":\"BOOK_KIND_CASE_BOOK\"}");
	accepts("FindRequest", WORDS("--kind", "Case_Book"), "{\"kind\":\"BOOK_KIND_CASE_BOOK\"}");
	accepts("FindRequest", WORDS("--kind", "BOOK_KIND_NOVEL"),
		"{\"kind\":\"BOOK_KIND_NOVEL\"}");
	accepts("FindRequest", WORDS("--kind", "poems"), "{\"kind\":\"POEMS\"}");
	refuses("FindRequest", WORDS("--kind", "film"),
		"--kind takes one of novel, case-book, poems, not \"film\"");
}

static void test_flags_need_no_value_for_yes_and_no(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("--only-free", "x"), "{\"text\":\"x\",\"onlyFree\":true}");
	accepts("FindRequest", WORDS("--no-only-free"), "{}");
	accepts("FindRequest", WORDS("--only-free=no"), "{}");
	refuses("FindRequest", WORDS("--only-free=maybe"),
		"--only-free takes true or false, not \"maybe\"");
}

static void test_flags_reach_into_messages(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("--author.name", "Ada", "--author.born", "-100"),
		"{\"author\":{\"name\":\"Ada\",\"born\":-100}}");
	accepts("FindRequest", WORDS("--author", "{\"name\":\"Ada\"}"),
		"{\"author\":{\"name\":\"Ada\"}}");
	accepts("FindRequest", WORDS("--label.visibility", "members", "--label.audience", "fife"),
		"{\"label\":{\"visibility\":\"MEMBERS\",\"audience\":[\"fife\"]}}");
	accepts("FindRequest",
		WORDS("--also-by", "{\"name\":\"A\"}", "--also-by", "[{\"name\":\"B\"},{}]"),
		"{\"alsoBy\":[{\"name\":\"A\"},{\"name\":\"B\"},{}]}");
	refuses("FindRequest", WORDS("--also-by.name", "x"),
		"--also-by.name: also_by is a list, give each element as --also-by '{...}'");
}

static void test_flags_take_maps_times_and_bytes(void **state)
{
	(void)state;
	accepts("FindRequest", WORDS("--boost", "title=3", "--boost", "text=-1"),
		"{\"boost\":{\"text\":-1,\"title\":3}}");
	accepts("FindRequest", WORDS("--since", "2026-03-01"),
		"{\"since\":\"2026-03-01T00:00:00Z\"}");
	accepts("FindRequest", WORDS("--since", "2026-03-01 14:05"),
		"{\"since\":\"2026-03-01T14:05:00Z\"}");
	accepts("FindRequest", WORDS("--since", "2026-03-01T14:05:09.250+01:00"),
		"{\"since\":\"2026-03-01T13:05:09.250Z\"}");
	accepts("FindRequest", WORDS("--within", "2min"), "{\"within\":\"120s\"}");
	accepts("FindRequest", WORDS("--cover", "hello"), "{\"cover\":\"aGVsbG8=\"}");
	refuses("FindRequest", WORDS("--boost", "title"), "--boost takes KEY=VALUE, not \"title\"");
	refuses("FindRequest", WORDS("--since", "tomorrow"),
		"--since takes a date such as 2026-03-01 or a time such as 2026-03-01T14:00Z, not "
		"\"tomorrow\"");
}

static void test_flags_read_texts_from_files(void **state)
{
	char path[] = "/tmp/lyceum-flags-XXXXXX";
	char word[40];
	(void)state;
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a brief\n", 8), 8);
	close(fd);
	snprintf(word, sizeof(word), "@%s", path);
	accepts("FindRequest", WORDS("--sort", word), "{\"orderBy\":\"a brief\"}");
	unlink(path);
	accepts("FindRequest", WORDS("--sort", "@@ann"), "{\"orderBy\":\"@ann\"}");
}

static void test_flags_suggest_what_was_meant(void **state)
{
	(void)state;
	refuses("FindRequest", WORDS("--regoin", "x"),
		"there is no flag --regoin: did you mean --region?");
	refuses("FindRequest", WORDS("--timout=5s"),
		"there is no flag --timout: did you mean --timeout?");
	refuses("FindRequest", WORDS("--zebra"), "there is no flag --zebra: --help lists them");
}

static void test_flags_say_what_is_wrong_with_a_value(void **state)
{
	(void)state;
	refuses("FindRequest", WORDS("--limit", "abc"),
		"--limit takes a whole number, not \"abc\"");
	refuses("FindRequest", WORDS("--limit", "-1"),
		"--limit takes a whole number from 0, not \"-1\"");
	refuses("FindRequest", WORDS("--limit", "--kind"), "--limit needs a value");
	refuses("FindRequest", WORDS("--limit"), "--limit needs a value");
	refuses("FindRequest", WORDS("--weight", "heavy"),
		"--weight takes a number, not \"heavy\"");
	refuses("FindRequest", WORDS("x\xff"), "text: the text is not UTF-8");
	refuses("LendRequest", WORDS("1", "2", "3"),
		"\"3\" is one argument too many: --help shows what is taken");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_flags_take_scalars),
		cmocka_unit_test(test_flags_join_the_last_text_argument),
		cmocka_unit_test(test_flags_repeat_lists),
		cmocka_unit_test(test_flags_match_choices_as_people_write_them),
		cmocka_unit_test(test_flags_need_no_value_for_yes_and_no),
		cmocka_unit_test(test_flags_reach_into_messages),
		cmocka_unit_test(test_flags_take_maps_times_and_bytes),
		cmocka_unit_test(test_flags_read_texts_from_files),
		cmocka_unit_test(test_flags_suggest_what_was_meant),
		cmocka_unit_test(test_flags_say_what_is_wrong_with_a_value),
	};
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}

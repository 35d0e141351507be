/* Values of a body by path. */
#include "library.h"

#include "value.h"

static const char book_json[] =
	"{\"title\":\"On Cells\",\"author\":[{\"name\":\"Ada\",\"born\":-5},{\"name\":\"Ben\"}],"
	"\"kind\":\"BOOK_KIND_CASE_BOOK\",\"pages\":120,\"printed\":\"2026-03-01T14:05:09Z\","
	"\"chapter\":[1,2,300],\"price\":9.5,\"copies\":{\"fife\":2}}";

static void expect(const char *path, const char *text)
{
	const struct schema_message *message = library_message("Book");
	struct buf body = library_body(message, book_json);
	struct buf value = {0};
	value_write(message, span_of(body.data, body.len), path, &value);
	assert_string_equal(value.len ? buf_text(&value) : "", text);
	buf_fini(&value);
	buf_fini(&body);
}

static void test_value_writes_each_kind(void **state)
{
	(void)state;
	expect("title", "On Cells");
	expect("kind", "case-book");
	expect("pages", "120");
	expect("price", "9.5");
	expect("printed", "2026-03-01 14:05:09");
	expect("copies", "fife=2");
	expect("is_free", "no");
	expect("isFree", "no");
}

static void test_value_joins_what_repeats(void **state)
{
	(void)state;
	expect("author.name", "Ada; Ben");
	expect("author.born", "-5; 0");
	expect("chapter", "1; 2; 300");
}

static void test_value_is_empty_where_nothing_is(void **state)
{
	(void)state;
	expect("reason.text", "");
	expect("no_such_field", "");
	expect("title.below", "");
}

static void add_line(const char *path, const char *text, void *arg)
{
	buf_add_format(arg, "%s=%s|", path, text);
}

static void test_value_lines_show_all_that_is_set(void **state)
{
	const struct schema_message *message = library_message("Book");
	struct buf body = library_body(message, book_json);
	struct buf lines = {0};
	(void)state;
	value_lines(message, span_of(body.data, body.len), add_line, &lines);
	assert_string_equal(
		buf_text(&lines),
		"title=On Cells|author[0].name=Ada|author[0].born=-5|author[1].name=Ben|"
		"author[1].born=0|kind=case-book|pages=120|printed=2026-03-01 14:05:09|"
		"is_free=no|chapter=1; 2; 300|price=9.5|copies=fife=2|");
	buf_fini(&lines);
	buf_fini(&body);
}

static void test_value_fills_braces(void **state)
{
	const struct schema_message *message = library_message("Book");
	struct buf body = library_body(message, book_json);
	struct buf text = {0};
	(void)state;
	value_fill(message, span_of(body.data, body.len), "{title} ({pages} pages), {nothing} {",
		   &text);
	assert_string_equal(buf_text(&text), "On Cells (120 pages),  {");
	buf_fini(&text);
	buf_fini(&body);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_value_writes_each_kind),
		cmocka_unit_test(test_value_joins_what_repeats),
		cmocka_unit_test(test_value_is_empty_where_nothing_is),
		cmocka_unit_test(test_value_lines_show_all_that_is_set),
		cmocka_unit_test(test_value_fills_braces),
	};
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}

/* Replies as tables and lists. */
#include "library.h"

#include "cell.h"
#include "render.h"

static void expect(const char *method_name, const char *json, size_t width, const char *text)
{
	const struct schema_method *method = library_method(method_name);
	const struct session_output output = {.width = width};
	struct buf body = library_body(method->output, json);
	struct buf shown = {0};
	render_write(&output, method, span_of(body.data, body.len), &shown);
	assert_string_equal(shown.len ? buf_text(&shown) : "", text);
	buf_fini(&shown);
	buf_fini(&body);
}

static void test_render_makes_a_table_with_headline_and_reasons(void **state)
{
	(void)state;
	expect("Find",
	       "{\"total\":2,\"asked\":{\"text\":\"cells\"},\"book\":[{\"title\":\"On Cells\","
	       "\"author\":[{\"name\":\"Ada\"},{\"name\":\"Ben\"}],\"kind\":\"POEMS\",\"pages\":7,"
	       "\"reason\":[{\"points\":12,\"text\":\"title\"},{\"points\":3,\"text\":\"near\"}]},"
	       "{\"title\":\"Zoë\",\"pages\":120}]}",
	       0,
	       "2 books about cells\n"
	       "TITLE     AUTHOR    KIND   PAGES\n"
	       "On Cells  Ada; Ben  poems      7\n"
	       "    12  title\n"
	       "     3  near\n"
	       "Zoë                          120\n");
}

static void test_render_prints_a_line_for_each_note(void **state)
{
	const struct schema_method *method = library_method("Find");
	struct buf body =
		library_body(method->output, "{\"hint\":[\"try \\u001b[31mred\",\"or blue\"],"
					     "\"asked\":{\"author\":{\"name\":\"Ada\"}}}");
	struct buf shown = {0};
	(void)state;
	render_notes(method, span_of(body.data, body.len), &shown);
	assert_string_equal(buf_text(&shown), "try ?[31mred\nor blue\nAda\n");
	buf_fini(&shown);
	buf_fini(&body);
}

static void test_render_of_no_rows_is_the_headline(void **state)
{
	(void)state;
	expect("Find", "{\"asked\":{\"text\":\"x\"}}", 0, "0 books about x\n");
	expect("Find", "{\"asked\":{\"text\":\"a letter:\\r\\n\\n\\u001b[31m yours\"}}", 0,
	       "0 books about a letter:\n\n?[31m yours\n");
}

static void test_render_lists_one_thing_in_full(void **state)
{
	(void)state;
	expect("Show", "{\"title\":\"A title that is longer than the terminal\",\"pages\":3}", 20,
	       "TITLE  A title that is longer than the terminal\n"
	       "PAGES  3\n");
}

static void test_render_falls_back_to_paths(void **state)
{
	(void)state;
	expect("Lend", "{\"note\":\"back by May\\n\\u001b[31m\"}", 0, "note:  back by May ?[31m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_render_makes_a_table_with_headline_and_reasons),
		cmocka_unit_test(test_render_prints_a_line_for_each_note),
		cmocka_unit_test(test_render_of_no_rows_is_the_headline),
		cmocka_unit_test(test_render_lists_one_thing_in_full),
		cmocka_unit_test(test_render_falls_back_to_paths),
	};
	cell_start();
	return cmocka_run_group_tests(tests, library_setup, library_teardown);
}

/* Rows become one item, whose bytes are read back here as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "import/item.h"
#include "roster.h"

static struct schema *schema;
static struct leaf_list leaves;
static size_t note_count;

static void count_note(void *arg, size_t column, uint64_t line)
{
	(void)arg;
	(void)column;
	(void)line;
	note_count++;
}

/* The item that all rows of the text make. Valid until the next call. */
static const char *item_of(const char *text)
{
	static struct buf json;
	struct sheet sheet;
	struct sheet_row row = {0};
	struct mapping mapping;
	struct item item = {.on_note = count_note};
	struct buf bytes = {0};
	struct lyc_error error = {0};
	const struct schema_message *member = schema_find_message(schema, "roster.v1.Member");
	size_t column = 0;
	note_count = 0;
	sheet_init(&sheet, span_of(text, strlen(text)));
	assert_true(sheet_next(&sheet, &row));
	mapping_guess(&mapping, &leaves, &row);
	item_begin(&item, member);
	while (sheet_next(&sheet, &row)) {
		if (item_add_row(&item, &mapping, &row, &column, &error))
			fail_msg("column %zu: %s", column, error.text);
	}
	item_write(&item, &bytes);
	buf_fini(&json);
	if (json_write(member, span_of(bytes.data, bytes.len), NULL, &json, &error))
		fail_msg("%s", error.text);
	item_fini(&item);
	buf_fini(&bytes);
	mapping_fini(&mapping);
	sheet_row_fini(&row);
	return buf_text(&json);
}

static void test_item_takes_the_first_of_a_single_value(void **state)
{
	(void)state;
	assert_string_equal(item_of("id,name,year\n1,,\n1,Ada,2001\n1,Ada,2002\n"),
			    "{\"id\":\"1\",\"fullName\":\"Ada\",\"year\":2001}");
	assert_int_equal(note_count, 1);
}

static void test_item_takes_an_element_a_row_and_equal_ones_once(void **state)
{
	(void)state;
	assert_string_equal(
		item_of("id,doi,work.year,employer\n1,10.1/a,2001,Bath\n1,10.1/b,2002,Bath\n"
			"1,10.1/a,2001,Bath\n1,,,\n"),
		"{\"id\":\"1\",\"organisation\":{\"name\":\"Bath\"},\"work\":["
		"{\"year\":2001,\"doi\":\"10.1/a\"},{\"year\":2002,\"doi\":\"10.1/b\"}]}");
}

static void test_item_splits_lists(void **state)
{
	(void)state;
	assert_string_equal(item_of("id,keywords,room\n1,a; b|a,1;2\n1,\"b;c;;\",2\n"),
			    "{\"id\":\"1\",\"keywords\":[\"a\",\"b\",\"c\"],\"room\":[1,2]}");
	/* A submessage that only wraps its value. */
	assert_string_equal(item_of("id,topics\n1,a; b\n1,b;c\n"),
			    "{\"id\":\"1\",\"topic\":[{\"topic\":\"a\"},{\"topic\":\"b\"},"
			    "{\"topic\":\"c\"}]}");
	/* With a second column below it, it is one element. */
	assert_string_equal(item_of("id,topics,scheme\n1,a; b,MESH\n"),
			    "{\"id\":\"1\",\"topic\":[{\"topic\":\"a; b\",\"scheme\":\"MESH\"}]}");
	/* A title is no list. */
	assert_string_equal(item_of("id,paper title\n1,Salt; a history\n"),
			    "{\"id\":\"1\",\"work\":[{\"title\":\"Salt; a history\"}]}");
}

static void test_item_leaves_out_what_says_nothing(void **state)
{
	(void)state;
	assert_string_equal(item_of("id,active,year,employer,fee\n1,no,0,,0.0\n"),
			    "{\"id\":\"1\"}");
	assert_string_equal(item_of("id,active,joined,remark\n1,yes,2020,x\n"),
			    "{\"id\":\"1\",\"joined\":\"2020-01-01T00:00:00Z\",\"active\":true,"
			    "\"remark\":\"x\"}");
}

static int load(void **state)
{
	(void)state;
	schema = roster_load();
	leaf_list_init(&leaves, schema_find_message(schema, "roster.v1.Member"));
	return 0;
}

static int unload(void **state)
{
	(void)state;
	leaf_list_fini(&leaves);
	schema_unref(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_item_takes_the_first_of_a_single_value),
		cmocka_unit_test(test_item_takes_an_element_a_row_and_equal_ones_once),
		cmocka_unit_test(test_item_splits_lists),
		cmocka_unit_test(test_item_leaves_out_what_says_nothing),
	};
	return cmocka_run_group_tests(tests, load, unload);
}

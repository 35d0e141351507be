/* Aligned text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "cell.h"
#include "table.h"

static void add(struct table *table, const char *const *cells)
{
	table_add_row(table);
	for (size_t i = 0; i < table->column_count; i++)
		table_set(table, i, cells[i], strlen(cells[i]));
}

static void expect(const struct table *table, size_t width, const char *text)
{
	struct buf buf = {0};
	table_write(table, width, false, &buf);
	assert_string_equal(buf.len ? buf_text(&buf) : "", text);
	buf_fini(&buf);
}

static void fill(struct table *table)
{
	table_init(table, 3);
	table_add_headings(table, (const char *const[]){"NAME", "PAGES", "PLACE"});
	add(table, (const char *const[]){"Zoë", "7", "Caerdydd"});
	add(table, (const char *const[]){"日本", "120", ""});
}

static void test_table_aligns_by_width_and_numbers_to_the_right(void **state)
{
	struct table table;
	(void)state;
	fill(&table);
	expect(&table, 0,
	       "NAME  PAGES  PLACE\n"
	       "Zoë       7  Caerdydd\n"
	       "日本    120\n");
	table_fini(&table);
}

static void test_table_gives_way_to_a_narrow_terminal(void **state)
{
	struct table table;
	struct buf buf = {0};
	(void)state;
	table_init(&table, 2);
	add(&table, (const char *const[]){"short", "a text that is far too long to fit"});
	add(&table, (const char *const[]){"tiny", "small"});
	expect(&table, 20, "short  a text that …\ntiny   small\n");
	table_fini(&table);
	buf_fini(&buf);
}

static void test_table_leaves_out_columns_without_content(void **state)
{
	struct table table;
	(void)state;
	table_init(&table, 3);
	table_add_headings(&table, (const char *const[]){"A", "EMPTY", "B"});
	add(&table, (const char *const[]){"x", "", "y"});
	expect(&table, 0, "A  B\nx  y\n");
	table_fini(&table);
}

static void test_table_hangs_lines_below_their_row(void **state)
{
	struct table table;
	(void)state;
	table_init(&table, 1);
	add(&table, (const char *const[]){"one"});
	table_add_line(&table, "    because", 11);
	add(&table, (const char *const[]){"two"});
	expect(&table, 0, "one\n    because\ntwo\n");
	table_fini(&table);
}

static void test_table_holds_more_rows_than_it_began_with(void **state)
{
	struct table table;
	struct buf buf = {0};
	(void)state;
	table_init(&table, 1);
	for (int i = 0; i < 100; i++)
		add(&table, (const char *const[]){"row"});
	table_write(&table, 0, false, &buf);
	assert_int_equal(buf.len, 400);
	buf_fini(&buf);
	table_fini(&table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table_aligns_by_width_and_numbers_to_the_right),
		cmocka_unit_test(test_table_gives_way_to_a_narrow_terminal),
		cmocka_unit_test(test_table_leaves_out_columns_without_content),
		cmocka_unit_test(test_table_hangs_lines_below_their_row),
		cmocka_unit_test(test_table_holds_more_rows_than_it_began_with),
	};
	cell_start();
	return cmocka_run_group_tests(tests, NULL, NULL);
}

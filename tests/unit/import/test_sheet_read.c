/* Tables as programs write them, and as people break them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "import/sheet_read.h"

/* Each row as "line:cell/cell", or "line!fault"; rows are joined with a newline. */
static const char *read_all(const char *text, struct sheet *sheet)
{
	static char seen[4096];
	struct sheet_row row = {0};
	size_t len = 0;
	sheet_init(sheet, span_of(text, strlen(text)));
	seen[0] = '\0';
	struct sheet walk = *sheet;
	while (sheet_next(&walk, &row)) {
		len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%s%llu%s", len ? "\n" : "",
					(unsigned long long)row.line, row.fault ? "!" : ":");
		for (size_t i = 0; i < row.cell_count; i++)
			len += (size_t)snprintf(seen + len, sizeof(seen) - len, "%s%.*s",
						i ? "/" : "", (int)row.cells[i].len,
						(const char *)row.cells[i].data);
	}
	sheet_row_fini(&row);
	return seen;
}

static void test_sheet_reads_excels_csv(void **state)
{
	(void)state;
	struct sheet sheet;
	assert_string_equal(read_all("sep=;\r\nName;Note\r\nAda;\"says \"\"hi\"\"; waves\"\r\n"
				     "Bo;\"two\r\nlines\"\r\nCy;c\r\n",
				     &sheet),
			    "2:Name/Note\n3:Ada/says \"hi\"; waves\n4:Bo/two\r\nlines\n6:Cy/c");
	assert_int_equal(sheet.separator, ';');
}

static void test_sheet_guesses_the_separator(void **state)
{
	(void)state;
	struct sheet sheet;
	read_all("a;b\n1,5;2,5\n3,5;4,5\n", &sheet);
	assert_int_equal(sheet.separator, ';');
	read_all("a,b,c\n1;2,3,4\n", &sheet);
	assert_int_equal(sheet.separator, ',');
	read_all("a\tb\n1,2,3\t4\n", &sheet);
	assert_int_equal(sheet.separator, '\t');
	read_all("a|b|c\n1|2|3\n", &sheet);
	assert_int_equal(sheet.separator, '|');
	/* A heading with a comma, all else by semicolons. */
	read_all("Surname, first;Town\nOkafor, Ada;Bath\nLee, Bo, Dr;Ely\n", &sheet);
	assert_int_equal(sheet.separator, ';');
	assert_string_equal(read_all("name\nAda\n", &sheet), "1:name\n2:Ada");
	assert_string_equal(read_all("name\nOkafor, Ada\nLee, Bo\n", &sheet),
			    "1:name\n2:Okafor, Ada\n3:Lee, Bo");
	assert_string_equal(read_all("Surname, first\nAda Okafor\n", &sheet),
			    "1:Surname, first\n2:Ada Okafor");
}

static void test_sheet_reads_every_line_end(void **state)
{
	(void)state;
	struct sheet sheet;
	assert_string_equal(read_all("a,b\n1,2\n", &sheet), "1:a/b\n2:1/2");
	assert_string_equal(read_all("a,b\r1,2\r3,4", &sheet), "1:a/b\n2:1/2\n3:3/4");
	assert_string_equal(read_all("a,b\r\n\r\n ,\r\n3,4", &sheet), "1:a/b\n4:3/4");
}

static void test_sheet_takes_bare_marks_in_tsv_as_data(void **state)
{
	(void)state;
	struct sheet sheet;
	assert_string_equal(read_all("id\ttitle\n1\t\"Brexit\": a study\n2\tsaid \"x\"\n"
				     "3\t\"open\n4\tclosed\"\n5\t\"all\"\n",
				     &sheet),
			    "1:id/title\n2:1/\"Brexit\": a study\n3:2/said \"x\"\n4:3/\"open\n"
			    "5:4/closed\"\n6:5/\"all\"");
	assert_false(sheet.is_quoted);
	/* A mark opens in one row and closes in a later one, and no row is ragged: data. */
	assert_string_equal(read_all("id\ttitle\n1\t\"open\n2\tclosed\"\n", &sheet),
			    "1:id/title\n2:1/\"open\n3:2/closed\"");
	/* Plainly a program that quotes. */
	assert_string_equal(read_all("id\ttitle\n1\t\"two\nlines\"\n2\tx\n", &sheet),
			    "1:id/title\n2:1/two\nlines\n4:2/x");
	assert_string_equal(read_all("id\ttitle\n1\t\"a \"\"b\"\"\"\n", &sheet),
			    "1:id/title\n2:1/a \"b\"");
}

static void test_sheet_keeps_a_broken_quote_to_its_row(void **state)
{
	(void)state;
	struct sheet sheet;
	/* Never closed: that row alone. */
	assert_string_equal(read_all("a,b\n1,\"open\n2,x\n3,y\n", &sheet),
			    "1:a/b\n2!\n3:2/x\n4:3/y");
	/* Text after the closing mark, on one line: the marks are data. */
	assert_string_equal(read_all("a,b\n1,\"x\" and \"y\"\n2,z\n", &sheet),
			    "1:a/b\n2:1/\"x\" and \"y\"\n3:2/z");
	/* Closed rows later by another row's mark: that row alone. */
	assert_string_equal(read_all("a,b\n1,\"open\n2,x\n3,\"q\"\n", &sheet),
			    "1:a/b\n2!\n3:2/x\n4:3/q");
}

static void test_sheet_keeps_raw_text_and_line_of_a_row(void **state)
{
	(void)state;
	static const char text[] = "a,b\n1,\"x\ny\"\n2, z \n";
	struct sheet sheet;
	struct sheet_row row = {0};
	sheet_init(&sheet, span_of(text, strlen(text)));
	assert_true(sheet_next(&sheet, &row));
	assert_true(sheet_next(&sheet, &row));
	size_t offset = row.offset;
	assert_true(span_is(row.raw, "1,\"x\ny\""));
	assert_int_equal(row.starts[1], 2);
	assert_true(sheet_next(&sheet, &row));
	assert_int_equal(row.line, 4);
	assert_true(span_is(cell_trim(row.cells[1]), "z"));
	assert_false(sheet_next(&sheet, &row));
	assert_true(sheet_read_at(&sheet, offset, 2, &row));
	assert_int_equal(row.line, 2);
	assert_true(span_is(row.cells[1], "x\ny"));
	sheet_row_fini(&row);
}

static void test_sheet_counts_ragged_cells(void **state)
{
	(void)state;
	struct sheet sheet;
	assert_string_equal(read_all("a,b,c\n1,2\n1,2,3,4\n1,2,\n", &sheet),
			    "1:a/b/c\n2:1/2\n3:1/2/3/4\n4:1/2/");
}

static void test_cell_trim_takes_no_break_spaces_off(void **state)
{
	(void)state;
	static const char text[] = "\xC2\xA0 x\xC2\xA0y\t\xC2\xA0";
	assert_true(span_is(cell_trim(span_of(text, strlen(text))), "x\xC2\xA0y"));
	assert_int_equal(cell_trim(span_of(" \xC2\xA0", 3)).len, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sheet_reads_excels_csv),
		cmocka_unit_test(test_sheet_guesses_the_separator),
		cmocka_unit_test(test_sheet_reads_every_line_end),
		cmocka_unit_test(test_sheet_takes_bare_marks_in_tsv_as_data),
		cmocka_unit_test(test_sheet_keeps_a_broken_quote_to_its_row),
		cmocka_unit_test(test_sheet_keeps_raw_text_and_line_of_a_row),
		cmocka_unit_test(test_sheet_counts_ragged_cells),
		cmocka_unit_test(test_cell_trim_takes_no_break_spaces_off),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

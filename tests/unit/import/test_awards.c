/* A real list, where it is at hand: 9,101 research awards, tab-separated, with quotation marks that
 * quote nothing. It is not part of the project; LYCEUM_DATA or ../shared/data holds it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "import/row_group.h"
#include "import/sheet_read.h"
#include "import/text_input.h"

static bool find_awards(char *path, size_t size)
{
	const char *folder = getenv("LYCEUM_DATA");
	snprintf(path, size, "%s/gtr_uk/dev/awards.tsv.gz",
		 folder ? folder : SOURCE_ROOT "/../shared/data");
	return access(path, R_OK) == 0;
}

static size_t column_named(const struct sheet_row *header, const char *name)
{
	for (size_t i = 0; i < header->cell_count; i++) {
		if (span_is(header->cells[i], name))
			return i;
	}
	fail_msg("there is no column %s", name);
	return 0;
}

static void test_awards_are_read_whole(void **state)
{
	(void)state;
	char path[1000];
	if (!find_awards(path, sizeof(path))) {
		fprintf(stderr, "skipped: %s is not there; set LYCEUM_DATA\n", path);
		skip();
	}
	struct text_input input = {0};
	struct lyc_error error = {0};
	struct sheet sheet;
	struct sheet_row row = {0};
	struct row_groups people = {0};
	assert_int_equal(text_input_open(path, &input, &error), LYC_OK);
	sheet_init(&sheet, input.text);
	assert_int_equal(sheet.separator, '\t');
	assert_true(sheet_next(&sheet, &row));
	assert_int_equal(row.cell_count, 13);
	size_t title = column_named(&row, "title");
	size_t person = column_named(&row, "pi_id");
	size_t mark_count = 0;
	while (sheet_next(&sheet, &row)) {
		assert_null(row.fault);
		assert_int_equal(row.cell_count, 13);
		mark_count += memchr(row.cells[title].data, '"', row.cells[title].len) != NULL;
		row_groups_add(&people, cell_trim(row.cells[person]), row.offset, row.line);
	}
	assert_int_equal(people.row_count, 9101);
	assert_int_equal(people.rows[9100].line, 9102);
	assert_int_equal(mark_count, 72);
	assert_true(people.keyed_count > 1000 && people.group_count < 9101);
	row_groups_fini(&people);
	sheet_row_fini(&row);
	text_input_fini(&input);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_awards_are_read_whole)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Rows of one key are one group, in the order of their first rows, with thousands of others
 * between. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "import/row_group.h"

static void add(struct row_groups *groups, const char *key, uint64_t line)
{
	row_groups_add(groups, span_of(key, strlen(key)), (size_t)line * 10, line);
}

static void test_row_groups_join_rows_far_apart(void **state)
{
	(void)state;
	struct row_groups groups = {0};
	char key[20];
	for (uint64_t round = 0; round < 3; round++) {
		for (uint64_t i = 0; i < 5000; i++) {
			snprintf(key, sizeof(key), "k%llu", (unsigned long long)i);
			add(&groups, key, round * 5000 + i);
		}
	}
	assert_int_equal(groups.group_count, 5000);
	for (uint64_t i = 0; i < 5000; i++) {
		const struct row_ref *row = &groups.rows[groups.groups[i].first];
		assert_int_equal(row->line, i);
		row = &groups.rows[row->next - 1];
		assert_int_equal(row->line, 5000 + i);
		row = &groups.rows[row->next - 1];
		assert_int_equal(row->line, 10000 + i);
		assert_int_equal(row->offset, row->line * 10);
		assert_int_equal(row->next, 0);
	}
	row_groups_fini(&groups);
}

static void test_row_groups_keep_rows_without_a_key_apart(void **state)
{
	(void)state;
	struct row_groups groups = {0};
	add(&groups, "", 1);
	add(&groups, "a", 2);
	add(&groups, "", 3);
	add(&groups, "a", 4);
	add(&groups, "A", 5);
	assert_int_equal(groups.group_count, 4);
	assert_int_equal(groups.groups[1].first, 1);
	assert_int_equal(groups.groups[1].last, 3);
	row_groups_fini(&groups);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_row_groups_join_rows_far_apart),
		cmocka_unit_test(test_row_groups_keep_rows_without_a_key_apart),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

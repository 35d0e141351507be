/* Memory comes zeroed, copies end with a NUL, and what cannot be had is NULL where a peer chose the
 * size. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/mem.h"

static void test_mem_is_zeroed(void **state)
{
	(void)state;
	for (int round = 0; round < 3; round++) {
		uint8_t *bytes = round ? mem_get(4000) : mem_try(4000);
		for (size_t i = 0; i < 4000; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xff, 4000);
		free(bytes);
	}
}

static void test_mem_of_no_size_is_something(void **state)
{
	(void)state;
	void *nothing = mem_try(0);
	assert_non_null(nothing);
	free(nothing);
}

static void test_mem_try_answers_null_when_there_is_none(void **state)
{
	(void)state;
	volatile size_t size = SIZE_MAX / 2;
	assert_null(mem_try(size));
}

static void test_mem_dup_copies_and_ends(void **state)
{
	(void)state;
	char *part = mem_dup_try("wales/policy", 5);
	assert_string_equal(part, "wales");
	char *empty = mem_dup_try(NULL, 0);
	assert_string_equal(empty, "");
	char *whole = mem_dup("nhsa");
	assert_string_equal(whole, "nhsa");
	assert_null(mem_dup(NULL));
	free(part);
	free(empty);
	free(whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_mem_is_zeroed),
		cmocka_unit_test(test_mem_of_no_size_is_something),
		cmocka_unit_test(test_mem_try_answers_null_when_there_is_none),
		cmocka_unit_test(test_mem_dup_copies_and_ends),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

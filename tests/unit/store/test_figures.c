/* Numbers in files: the lowest byte first, as many bytes as are asked for. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include "store/figures.h"

static void test_figures_are_little_endian(void **state)
{
	(void)state;
	const uint8_t expected[] = {0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01};
	uint8_t bytes[8] = {0};
	figures_put(bytes, 0x0102030405060708, 8);
	assert_memory_equal(bytes, expected, 8);
	assert_true(figures_get(bytes, 8) == 0x0102030405060708);
	assert_int_equal(figures_get(bytes, 4), 0x05060708);
	assert_int_equal(figures_get(bytes + 5, 2), 0x0203);
}

/* What does not fit is cut: a file's field is as long as it is. */
static void test_figures_take_the_bytes_that_they_are_given(void **state)
{
	(void)state;
	uint8_t bytes[3] = {9, 9, 9};
	figures_put(bytes, 0x123456, 2);
	assert_int_equal(bytes[0], 0x56);
	assert_int_equal(bytes[1], 0x34);
	assert_int_equal(bytes[2], 9);
}

static void test_figures_come_back_one_behind_the_other(void **state)
{
	(void)state;
	struct buf bytes = {0};
	const uint64_t values[] = {0, 255, 65535, UINT32_MAX, UINT64_MAX};
	const int lens[] = {1, 1, 2, 4, 8};
	for (int i = 0; i < 5; i++)
		figures_add(&bytes, values[i], lens[i]);
	assert_int_equal(bytes.len, 16);
	struct figures figures = {.at = bytes.data};
	for (int i = 0; i < 5; i++)
		assert_true(figures_next(&figures, lens[i]) == values[i]);
	assert_ptr_equal(figures.at, bytes.data + 16);
	buf_fini(&bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_figures_are_little_endian),
		cmocka_unit_test(test_figures_take_the_bytes_that_they_are_given),
		cmocka_unit_test(test_figures_come_back_one_behind_the_other),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

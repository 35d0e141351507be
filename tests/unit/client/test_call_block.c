/* The memory of a served call: one block, used again; what does not fit is malloc'ed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "client/call_block.h"

static bool is_in(const struct call_block *block, const void *memory, size_t len)
{
	const uint8_t *at = memory;
	return at >= (const uint8_t *)(block + 1) && at + len <= block->end;
}

static void test_call_block_pieces_do_not_overlap(void **state)
{
	(void)state;
	struct call_blocks blocks = {0};
	struct call_block *block = call_block_take(&blocks, 300);
	uint8_t *pieces[40];
	for (size_t i = 0; i < 40; i++) {
		pieces[i] = call_block_get(block, i);
		assert_true(is_in(block, pieces[i], i));
		assert_int_equal((uintptr_t)pieces[i] % 16, 0);
		memset(pieces[i], (int)i, i);
	}
	for (size_t i = 0; i < 40; i++) {
		for (size_t j = 0; j < i; j++)
			assert_int_equal(pieces[i][j], i);
	}
	assert_false(block->has_spilled);
	call_block_give(&blocks, block);
	call_blocks_fini(&blocks);
}

/* A sanitizer finds here what is not freed, or freed twice. */
static void test_call_block_spills_what_does_not_fit(void **state)
{
	(void)state;
	struct call_blocks blocks = {0};
	struct call_block *block = call_block_take(&blocks, 10);
	void *small = call_block_get(block, 10);
	void *large = call_block_get(block, 3 * CALL_BLOCK_LEN);
	assert_true(block->has_spilled);
	assert_false(is_in(block, large, 1));
	memset(large, 1, 3 * CALL_BLOCK_LEN);
	call_block_free(block, small);
	call_block_free(block, large);
	assert_true(is_in(block, call_block_get(block, 10), 10));
	call_block_give(&blocks, block);
	call_blocks_fini(&blocks);
}

static void test_call_block_is_used_again_and_begins_empty(void **state)
{
	(void)state;
	if (CALL_BLOCKS_KEPT == 0)
		skip();
	struct call_blocks blocks = {0};
	struct call_block *block = call_block_take(&blocks, 300);
	void *first = call_block_get(block, 300);
	free(call_block_get(block, 2 * CALL_BLOCK_LEN));
	call_block_give(&blocks, block);
	assert_ptr_equal(call_block_take(&blocks, 300), block);
	assert_false(block->has_spilled);
	assert_ptr_equal(call_block_get(block, 300), first);
	/* One that is too small for what is wanted stays where it is; a larger one is not kept. */
	call_block_give(&blocks, block);
	struct call_block *larger = call_block_take(&blocks, 2 * CALL_BLOCK_LEN);
	assert_ptr_not_equal(larger, block);
	assert_true(is_in(larger, call_block_get(larger, 2 * CALL_BLOCK_LEN), 2 * CALL_BLOCK_LEN));
	assert_false(larger->has_spilled);
	call_block_give(&blocks, larger);
	assert_int_equal(blocks.kept_count, 1);
	call_blocks_fini(&blocks);
}

static void test_call_blocks_kept_are_bounded(void **state)
{
	(void)state;
	struct call_blocks blocks = {0};
	struct call_block *taken[CALL_BLOCKS_KEPT + 10];
	for (size_t i = 0; i < CALL_BLOCKS_KEPT + 10; i++)
		taken[i] = call_block_take(&blocks, 1);
	for (size_t i = 0; i < CALL_BLOCKS_KEPT + 10; i++)
		call_block_give(&blocks, taken[i]);
	assert_int_equal(blocks.kept_count, CALL_BLOCKS_KEPT);
	call_blocks_fini(&blocks);
	assert_int_equal(blocks.kept_count, 0);
}

static void test_call_block_takes_no_impossible_length(void **state)
{
	(void)state;
	struct call_blocks blocks = {0};
	assert_null(call_block_take(&blocks, SIZE_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_call_block_pieces_do_not_overlap),
		cmocka_unit_test(test_call_block_spills_what_does_not_fit),
		cmocka_unit_test(test_call_block_is_used_again_and_begins_empty),
		cmocka_unit_test(test_call_blocks_kept_are_bounded),
		cmocka_unit_test(test_call_block_takes_no_impossible_length),
	};
	return cmocka_run_group_tests_name("call_block", tests, NULL, NULL);
}

/* Memory goes back when the process has grown or many have left, and not all the time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/sanitizer.h"
#include "world/spare_memory.h"

static void test_spare_memory_is_due_after_growth_or_leave(void **state)
{
	(void)state;
	struct spare_memory spare = {.done_ms = 1000, .least_kib = 40000, .most_peers = 1000};
	assert_false(spare_memory_is_due(&spare, 5000, 41000, 1000));
	assert_true(spare_memory_is_due(&spare, 5000, 59000, 1000));
	assert_true(spare_memory_is_due(&spare, 5000, 41000, 100));
	/* Not soon after the last time, and not while it is done. */
	assert_false(spare_memory_is_due(&spare, 1500, 59000, 100));
	spare.is_busy = true;
	assert_false(spare_memory_is_due(&spare, 5000, 59000, 100));
}

/* Pieces of which every tenth stays, as those who left leave it. */
#define PIECES 4000
#define PIECE_LEN 16000

static void test_spare_memory_gives_back_what_lies_in_pieces(void **state)
{
	(void)state;
	static char *pieces[PIECES];
	uv_loop_t loop;
	struct spare_memory spare;
	if (WITH_ADDRESS_SANITIZER || WITH_THREAD_SANITIZER)
		skip(); /* it keeps what was freed */
	uv_loop_init(&loop);
	spare_memory_init(&spare, &loop);
	size_t before = spare_memory_resident_kib();
	assert_true(before > 0);
	for (int i = 0; i < PIECES; i++) {
		pieces[i] = malloc(PIECE_LEN);
		memset(pieces[i], i, PIECE_LEN);
	}
	for (int i = 0; i < PIECES; i++) {
		if (i % 10 != 9) {
			free(pieces[i]);
			pieces[i] = NULL;
		}
	}
	size_t full = spare_memory_resident_kib();
	assert_true(full > before + 40 * 1024);
	spare.done_ms = 0;
	spare.least_kib = before;
	uv_update_time(&loop);
	while (uv_now(&loop) < 2001) /* of a machine that has just started */
		uv_update_time(&loop);
	spare_memory_tick(&spare, 0);
	assert_true(spare.is_busy);
	uv_run(&loop, UV_RUN_DEFAULT);
	assert_false(spare.is_busy);
	assert_true(spare.least_kib < before + 20 * 1024);
	for (int i = 0; i < PIECES; i++)
		free(pieces[i]);
	assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_spare_memory_is_due_after_growth_or_leave),
		cmocka_unit_test(test_spare_memory_gives_back_what_lies_in_pieces),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The daemon with a caller and a callee that the tests of calls begin with. */
#include "call_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/mem.h"

int call_bench_setup(void **state)
{
	struct call_bench *bench = mem_new(struct call_bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	bench->ann = fake_client_add(bench->node, "ann");
	bench->board = fake_board_add(bench->node, "board");
	fake_settle(bench->world);
	*state = bench;
	return 0;
}

int call_bench_teardown(void **state)
{
	struct call_bench *bench = *state;
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

void call_bench_expect_quiet(struct call_bench *bench)
{
	assert_int_equal(bench->node->daemon.router.calls.count, 0);
	fake_expect_nothing(bench->ann);
	fake_expect_nothing(bench->board);
}

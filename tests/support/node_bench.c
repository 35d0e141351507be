/* The daemon that most tests of broker/node and broker/stream begin with. */
#include "node_bench.h"

#include <stdlib.h>

#include "base/mem.h"

int node_bench_setup(void **state)
{
	struct node_bench *bench = mem_new(struct node_bench);
	bench->world = fake_world_new(1);
	bench->node = fake_node_add(bench->world, "hub", NULL);
	fake_settle(bench->world);
	*state = bench;
	return 0;
}

int node_bench_teardown(void **state)
{
	struct node_bench *bench = *state;
	fake_world_free(bench->world);
	free(bench);
	return 0;
}

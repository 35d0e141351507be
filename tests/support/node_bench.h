/* One daemon and nobody at it yet. */
#ifndef LYC_TESTS_SUPPORT_NODE_BENCH_H
#define LYC_TESTS_SUPPORT_NODE_BENCH_H

#include "fake_world.h"

struct node_bench {
	struct fake_world *world;
	struct fake_node *node; /* "hub" */
};

int node_bench_setup(void **state);
int node_bench_teardown(void **state);

#endif

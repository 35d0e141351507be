/* One daemon, a person who calls, and the plugin that serves lyceum.notice.v1.Board. */
#ifndef LYC_TESTS_SUPPORT_CALL_BENCH_H
#define LYC_TESTS_SUPPORT_CALL_BENCH_H

#include "fake_world.h"

struct call_bench {
	struct fake_world *world;
	struct fake_node *node; /* "hub" */
	struct fake_client *ann;
	struct fake_client *board;
};

int call_bench_setup(void **state);
int call_bench_teardown(void **state);
/* Nobody is owed a word any more, and no call is left. */
void call_bench_expect_quiet(struct call_bench *bench);

#endif

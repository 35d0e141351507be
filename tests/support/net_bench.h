/* A hub with two nodes that are connected to it, and an operator at each. */
#ifndef LYC_TESTS_SUPPORT_NET_BENCH_H
#define LYC_TESTS_SUPPORT_NET_BENCH_H

#include "fake_world.h"

struct net {
	struct fake_world *world;
	struct fake_node *hub;
	struct fake_node *wales;
	struct fake_node *cork;
	struct fake_client *at_hub;
	struct fake_client *at_wales;
	struct fake_client *at_cork;
};

int net_setup(void **state);
int net_teardown(void **state);
/* The text of the last Notice of this home's id in a node's log; "" when there is none. Valid until
 * the next. */
const char *net_last_text(const struct fake_node *node, const char *home, const char *id);
/* The node comes back from a backup, and its operator with it. */
void net_restore(struct net *net, struct fake_node *node, const struct fake_backup *backup);

#endif

/* An honest client that goes on calling while others misbehave, in a thread of its own; it counts
 * what it loses and how long it waits. */
#ifndef LYC_SYSTEM_BYSTANDER_H
#define LYC_SYSTEM_BYSTANDER_H

#include "network.h"

struct bystander;

struct bystander_view {
	size_t call_count;
	size_t lost_count;
	uint64_t p50_us;
	uint64_t p99_us;
	char text[240]; /* why the last one was lost */
};

struct bystander *bystander_start(struct node *node, const struct keypair *keys);
/* What it has seen since this was asked last. */
struct bystander_view bystander_look(struct bystander *bystander);
/* Wait until it has made so many more calls, for at most 5 seconds. */
void bystander_wait(struct bystander *bystander, size_t call_count);
void bystander_stop(struct bystander *bystander);

#endif

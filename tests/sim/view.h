/*
 * A fold of delivered records: the last state of each key. Followers and plugins keep one; at the
 * end it has to be what the homes' logs say.
 */
#ifndef LYC_TESTS_SIM_VIEW_H
#define LYC_TESTS_SIM_VIEW_H

#include "simulation.h"
#include "wire/packet.h"

#define VIEW_IDS 5

struct view_entry {
	bool is_there;
	uint64_t origin_seq;
	struct buf body;
};

struct view {
	struct view_entry entries[SIM_NODES][VIEW_IDS];
	/* Everything up to here is in it. */
	uint64_t seq;
};

void view_clear(struct view *view);
/* The key of a notice's subject; false when it is none. */
bool view_key(struct span subject, size_t *ret_home, size_t *ret_id);
void view_fold(struct view *view, const struct packet_deliver *deliver);
/* Of which key two views hold something else. */
bool view_differs(const struct view *a, const struct view *b, size_t *ret_home, size_t *ret_id);

#endif

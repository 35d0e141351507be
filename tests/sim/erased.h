/*
 * What an erasure promises, held against the disks: where a daemon has said that bytes are gone,
 * they are, and when all is calm they are gone from every disk.
 */
#ifndef LYC_TESTS_SIM_ERASED_H
#define LYC_TESTS_SIM_ERASED_H

#include "sim_node.h"
#include "view.h"

/* An operator at each daemon who has notices erased, in some seeds. */
void erased_play(struct sim *sim);

/* A log says that this subject was erased, up to this sequence: of each notice of the node. */
struct erased_table {
	uint64_t to_seq[VIEW_IDS];
};
void erased_read(struct sim_node *node, struct erased_table *ret_table);
/* Is this one of what was erased? */
bool erased_has(const struct erased_table *table, const char *subject, uint64_t seq);

/* A daemon's own erasures are done, and all whom they reach have said so. */
bool erased_has_settled(const struct sim_node *node);
/* At the end: no disk has any of it. */
void erased_check(struct sim *sim);

#endif

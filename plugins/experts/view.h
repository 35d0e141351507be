/*
 * The view: what the log says of experts, folded into people and index. A pure fold: the same
 * records in the same order give the same view, whether they come at start or one by one.
 */
#ifndef EXPERTS_VIEW_H
#define EXPERTS_VIEW_H

#include <lyceum/status.h>

#include "index.h"
#include "people.h"

struct view {
	struct people people;
	struct index *index;
	/* A search's sums, a document each; all 0 between two searches. */
	uint32_t *sums;
	size_t sums_capacity;
	/* The last sequence that was applied. */
	uint64_t seq;
};

void view_init(struct view *view);
void view_fini(struct view *view);
/* Apply one record. INVALID_ARGUMENT when the bytes are no Expert or the key is incomplete: nothing
 * has changed then. */
LYC_MUST_USE enum lyc_status view_put(struct view *view, const void *body, size_t body_len,
				      uint64_t seq);
/* Apply a withdrawal. */
void view_remove(struct view *view, const char *home, const char *id, uint64_t seq);

#endif

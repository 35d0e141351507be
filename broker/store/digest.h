/*
 * All sealed segments in one file, `sealed`: the figures and marks of each, and their subjects
 * together with last sequence and count. With it a log of a hundred segments opens by reading one
 * list of subjects instead of a hundred. Only a shortcut of a shortcut: where it is missing,
 * damaged or speaks of a segment that was rewritten, the checkpoints are read.
 */
#ifndef LYC_STORE_DIGEST_H
#define LYC_STORE_DIGEST_H

#include "store/embedded.h"

/* Fill the figures of the first segments and add their subjects, as far as the file speaks of these
 * very segments; how many. All segments are open, none has been read. */
size_t digest_load(struct store *store);
/* Write it anew if it lacks at least `behind` sealed segments; without room it is deleted. Whoever
 * may write, between batches. */
void digest_renew(struct store *store, size_t behind);
/* Records were removed: the file may name their subjects. */
LYC_MUST_USE enum lyc_status digest_drop(struct store *store, struct lyc_error *error);

#endif

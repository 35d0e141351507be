/*
 * Subjects whose last record was removed and that have others: which is the last now, the files
 * have to say.
 */
#ifndef LYC_STORE_ORPHANS_H
#define LYC_STORE_ORPHANS_H

#include "store/embedded.h"

/* Find the last record that is left of each and note it in the store's index, unless a later one
 * has come since. Takes `orphans` to pieces; their last_seq is the one that went. The store is
 * broken where this fails: expectations could not be judged. Under `changing`. */
LYC_MUST_USE enum lyc_status orphans_settle(struct store *store, struct subject_index *orphans,
					    struct lyc_error *error);

#endif

/*
 * Segments that are damaged: the file is kept aside under a name that says so, and what is left of
 * it is copied, with a lost entry in the place of what cannot be read; later, with a whole copy of
 * that from elsewhere. The same copying brings a segment of an older format to this one.
 */
#ifndef LYC_STORE_QUARANTINE_H
#define LYC_STORE_QUARANTINE_H

#include "store/embedded.h"

/* Copy the segment at this place as far as it can be read and put the copy into its place, which
 * ends at must_seq, or (is_bounded false) at least there. Its subjects are added to `subjects`. At
 * opening, or under `writing`. DATA_LOSS when more is missing than the file can have held. */
LYC_MUST_USE enum lyc_status quarantine_mend(struct store *store, size_t at, uint64_t must_seq,
					     bool is_bounded, struct subject_index *subjects,
					     struct lyc_error *error);
/* The same of a segment of the open log, whatever is in it. Takes `writing`; under `changing`. */
LYC_MUST_USE enum lyc_status quarantine_mend_now(struct store *store, size_t at,
						 struct lyc_error *error);
/* Put records back that are lost in this segment; those that do not fit are answered so. The same
 * locks. */
LYC_MUST_USE enum lyc_status quarantine_heal(struct store *store, size_t at,
					     struct store_healed *healed, size_t count,
					     struct lyc_error *error);
/* Fill the segment's list of lost entries by reading it, where the header says that there are any.
 */
LYC_MUST_USE enum lyc_status quarantine_list(struct segment *segment, struct lyc_error *error);

#endif

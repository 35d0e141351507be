/*
 * Damaged files that are kept aside, as NUMBER.log.damaged-GENERATION: for the operator, for the
 * proof that a record from elsewhere is the one that was lost, and until something of what they
 * hold is erased.
 */
#ifndef LYC_STORE_ASIDE_H
#define LYC_STORE_ASIDE_H

#include "store/segment.h"

#define ASIDE_NAME_LEN 64

void aside_name(const struct segment *segment, char ret_name[ASIDE_NAME_LEN]);
/* Give the segment's file a second name, which stays when it loses its first. */
LYC_MUST_USE enum lyc_status aside_keep(const struct segment *segment, const char *name,
					struct lyc_error *error);
size_t aside_count(const struct segment_folder *folder);
/* Delete those of one segment, 0: all, because they may hold what is removed. What could not be
 * deleted is named; the rest is gone, also after a crash. */
LYC_MUST_USE enum lyc_status aside_forget(const struct segment_folder *folder, uint64_t first_seq,
					  struct lyc_error *error);

#endif

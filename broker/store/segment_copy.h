/*
 * A segment written anew beside the one that it is to replace, entry by entry, under the name
 * NUMBER.log.new: by whoever removes records, and by whoever mends a damaged file. Giving it the
 * old one's name and place is left to them.
 */
#ifndef LYC_STORE_SEGMENT_COPY_H
#define LYC_STORE_SEGMENT_COPY_H

#include "store/segment.h"
#include "store/subject_index.h"

struct segment_copy {
	struct segment *segment;       /* NULL: not begun */
	struct subject_index subjects; /* of what it holds, lost ones that are known among them */
	struct buf out;                /* what is not written yet, from out_offset on */
	uint64_t out_offset;
};

/* Make the file. It is of the next generation, and of the epoch and salt of the old one, so that
 * entries may be copied as they lie there. */
LYC_MUST_USE enum lyc_status segment_copy_begin(struct segment_copy *copy,
						const struct segment_folder *folder,
						const struct segment *old, uint64_t room_len,
						struct lyc_error *error);
/* Entries, each behind the others. */
LYC_MUST_USE enum lyc_status segment_copy_add_record(struct segment_copy *copy, uint64_t seq,
						     uint64_t batch_seq, struct span subject,
						     struct span record, struct lyc_error *error);
LYC_MUST_USE enum lyc_status segment_copy_add_hole(struct segment_copy *copy, uint64_t first_seq,
						   uint64_t last_seq, struct lyc_error *error);
LYC_MUST_USE enum lyc_status segment_copy_add_lost(struct segment_copy *copy, uint64_t first_seq,
						   uint64_t last_seq, struct span subject,
						   struct span details, struct lyc_error *error);
/* A record or a lost entry as it lies in the old file, of which the salt is the same. */
LYC_MUST_USE enum lyc_status segment_copy_add_entry(struct segment_copy *copy,
						    const struct segment_record *entry,
						    struct lyc_error *error);
/* Write the rest and the header, and sync. */
LYC_MUST_USE enum lyc_status segment_copy_end(struct segment_copy *copy, struct lyc_error *error);
/* Delete the file, which is not to be used. */
void segment_copy_discard(struct segment_copy *copy);
/* Closes it, unless somebody has taken the segment. */
void segment_copy_fini(struct segment_copy *copy);

#endif

/*
 * Reading what is left of a damaged segment. Sequences have no gaps, so it is known which ones a
 * damaged stretch held: those between the last valid record before it and the first behind it. All
 * of the file lies in memory.
 */
#ifndef LYC_STORE_SALVAGE_H
#define LYC_STORE_SALVAGE_H

#include "store/segment.h"

struct salvage {
	struct segment *segment;
	struct buf bytes; /* of the file */
	size_t used;      /* without the zeros at its end */
	uint64_t at;
	uint64_t next_seq;
	/* What has to be there: records up to here had been synced. */
	uint64_t must_seq;
	bool is_bounded; /* and nothing comes behind must_seq */
};

/* Records that cannot be read any more, and the bytes that they lay in. */
struct salvage_gap {
	uint64_t first_seq;
	uint64_t last_seq;
	uint64_t offset;
	uint64_t len;
};

enum salvage_step {
	SALVAGE_END = 0, /* of what had been synced, at `at` */
	SALVAGE_ENTRY,   /* a record, a hole or a lost entry */
	SALVAGE_GAP,
};

/* Load the file. Where the header is damaged, a salt is looked for: among what is left of it, and
 * `salt`, 0: none. */
LYC_MUST_USE enum lyc_status salvage_begin(struct salvage *salvage, struct segment *segment,
					   uint64_t must_seq, bool is_bounded, uint64_t salt,
					   struct lyc_error *error);
void salvage_end(struct salvage *salvage);
enum salvage_step salvage_next(struct salvage *salvage, struct segment_record *ret_record,
			       struct salvage_gap *ret_gap);

#endif

/*
 * What is known of the records of a damaged segment without being able to read them: the segment's
 * checkpoint names its subjects, and the damaged bytes themselves say more, of which nothing is
 * proven. From it a lost entry is made for each gap, and a record that comes back is told from
 * others.
 */
#ifndef LYC_STORE_EVIDENCE_H
#define LYC_STORE_EVIDENCE_H

#include "store/lost.h"
#include "store/salvage.h"
#include "store/subject_index.h"

struct evidence {
	/* What the segment's checkpoint says. */
	bool has_known;
	struct subject_index known;
	/* Of them, what was not found again: so many records. */
	struct subject_index missing;
	uint64_t missing_count;
};

/* Ask the checkpoint of a segment that ends at last_seq. ret_salt is 0 where it says none; where
 * the segment's header is damaged, the segment's generation is what the checkpoint says. */
void evidence_init(struct evidence *evidence, struct segment *segment, uint64_t last_seq,
		   uint64_t *ret_salt);
void evidence_fini(struct evidence *evidence);
/* A first look: which of the checkpoint's subjects are not there any more. False when there is no
 * memory. */
bool evidence_look(struct evidence *evidence, const struct salvage *salvage);
/* All that can be said of a gap; `file` has the damaged bytes. ret_lost borrows from it, from the
 * salvage and from the evidence. */
void evidence_describe(const struct evidence *evidence, const struct salvage *salvage,
		       const struct salvage_gap *gap, struct span file, struct lost *ret_lost);
/* What the checkpoint says and what was found: of each subject the later and the more. False when
 * there is no memory. */
bool evidence_merge(struct evidence *evidence, const struct subject_index *found);

#endif

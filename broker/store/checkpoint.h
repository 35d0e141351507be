/*
 * What is worth knowing of a sealed segment without reading it: its subjects with last sequence and
 * count, and its marks. A file NUMBER.ckpt beside it with a CRC of its own. Only a shortcut: where
 * it is missing, damaged or of another generation, the segment is scanned.
 */
#ifndef LYC_STORE_CHECKPOINT_H
#define LYC_STORE_CHECKPOINT_H

#include <stdbool.h>

#include "store/segment.h"
#include "store/segment_folder.h"
#include "store/subject_index.h"

LYC_MUST_USE enum lyc_status checkpoint_write(const struct segment_folder *folder,
					      const struct segment *segment,
					      const struct subject_index *subjects,
					      struct lyc_error *error);
/* Fill the segment's figures and add its subjects. False, with nothing changed, when there is no
 * checkpoint of this very file that ends at last_seq. */
bool checkpoint_load(const struct segment_folder *folder, struct segment *segment,
		     uint64_t last_seq, struct subject_index *subjects);

/* What a whole checkpoint of this segment says, whatever is left of the segment itself. False when
 * there is none that ends at last_seq. */
bool checkpoint_peek(const struct segment_folder *folder, uint64_t first_seq, uint64_t last_seq,
		     uint64_t *ret_salt, uint32_t *ret_generation, struct subject_index *subjects);

#endif

/*
 * What the stream remembers of subjects beyond their last sequence: those whose key lives
 * elsewhere, and those whose last record is labelled narrower than MEMBERS. Both are rebuilt from
 * the log at the start.
 */
#ifndef LYC_STREAM_SUBJECTS_H
#define LYC_STREAM_SUBJECTS_H

#include <uthash.h>

#include "base/buf.h"

/* Only subjects with something to remember have an entry. */
struct subject_note {
	char *subject;            /* in the same block of memory */
	char *home;               /* NULL: here */
	struct buf label;         /* of the last record; empty: MEMBERS or wider */
	uint32_t pending;         /* appends that are not answered yet */
	uint32_t pending_origin;  /* whose they are, in struct origins; 0: this daemon's own */
	struct buf pending_label; /* whom the last record and those reach together */
	UT_hash_handle by_subject;
};

struct subjects {
	struct subject_note *by_subject;
};

void subjects_fini(struct subjects *subjects);
const struct subject_note *subjects_find(const struct subjects *subjects, struct span subject);
/* Note home ("" : here) and label (empty: nothing special) of a subject's last record. */
void subjects_note(struct subjects *subjects, struct span subject, struct span home,
		   struct span label);

/* An append is on its way, with which the subject may have reached whom this label names. The entry
 * stays until subjects_settle says that it is answered. It is this daemon's own; whoever appends
 * the first copy says otherwise. */
struct subject_note *subjects_expect(struct subjects *subjects, struct span subject,
				     struct span label);
void subjects_settle(struct subjects *subjects, struct subject_note *note);

#endif

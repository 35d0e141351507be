/*
 * What the stream remembers of subjects beyond their last sequence: those whose key lives
 * elsewhere, and those whose last record is labelled narrower than MEMBERS. Both are rebuilt from
 * the log at the start.
 */
#ifndef LYC_STREAM_SUBJECTS_H
#define LYC_STREAM_SUBJECTS_H

#include <uthash.h>

#include "base/buf.h"

#define SUBJECTS_MAX_SPARE 256

/* Only subjects with something to remember have an entry. */
struct subject_note {
	char *subject;            /* in the same block of memory */
	char *home;               /* NULL: here */
	struct buf label;         /* of the last record; empty: MEMBERS or wider */
	uint32_t pending;         /* appends that are not answered yet */
	uint32_t pending_origin;  /* whose they are, in struct origins; 0: this daemon's own */
	struct buf pending_label; /* whom the last record and those reach together */
	size_t cap;               /* the room for the subject */
	UT_hash_handle by_subject;
};

struct subjects {
	struct subject_note *by_subject;
	/* Most are there while something is on its way only: what is left of those. */
	struct subject_note *spare[SUBJECTS_MAX_SPARE];
	size_t spare_count;
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
/* The same, where subjects_find has just said what is known of it. */
struct subject_note *subjects_expect_of(struct subjects *subjects, const struct subject_note *known,
					struct span subject, struct span label);
void subjects_settle(struct subjects *subjects, struct subject_note *note);
/* The same of one that is the subject's last record now: as subjects_note. */
void subjects_settle_as(struct subjects *subjects, struct subject_note *note, struct span home,
			struct span label);

#endif

/*
 * What the files of the embedded engine share: the open log. The writer thread and the one that
 * removes change it, each while it holds `writing`, and what readers see under the lock, never
 * across I/O; readers take what they need under the lock and then read files. Nobody outside
 * broker/store includes this.
 */
#ifndef LYC_STORE_EMBEDDED_H
#define LYC_STORE_EMBEDDED_H

#include <pthread.h>

#include "store/segment.h"
#include "store/segment_folder.h"
#include "store/store.h"
#include "store/subject_index.h"

struct store {
	struct segment_folder folder;

	/* Held for the whole of a removal, and of the mending of a segment: the only two who
	 * replace segments. Taken before the others. */
	pthread_mutex_t changing;
	/* Held for a whole batch, and by a removal for the moments in which it changes something.
	 * Taken before the lock. */
	pthread_mutex_t writing;

	/* Under the lock; the last segment is the active one. */
	pthread_mutex_t lock;
	struct segment **segments;
	size_t segment_count;
	size_t segment_cap;
	struct subject_index subjects;
	uint64_t last_seq; /* synced */

	/* Of whoever holds `writing`. */
	struct subject_index active_subjects; /* of the active segment, for its checkpoint */
	struct buf batch;
	size_t digest_count;   /* sealed segments that the file `sealed` speaks of; 0: there is none
				*/
	uint64_t damage_count; /* segments that were found damaged since the opening */
	bool may_use_reserve;  /* the batch is one of withdrawals */
	enum lyc_status append_status;
	bool is_broken; /* a sync failed: what the disk holds is unknown */
	uint64_t truncated_bytes;
};

/* Read the folder's segments into the store; cut a torn tail, finish what a crash interrupted. */
LYC_MUST_USE enum lyc_status recovery_run(struct store *store, struct lyc_error *error);

/* Put a segment behind the others, which takes it; false when there is no memory. Under the lock.
 */
bool store_add_segment(struct store *store, struct segment *segment);
/* The segment that holds `seq`, or the first behind it; segment_count when there is none. Under the
 * lock. */
size_t store_find_segment(const struct store *store, uint64_t seq);
/* These take the lock. How many there are; and one of them, which stays as it is until it is
 * released; NULL when there is none at this place. */
size_t store_count_segments(struct store *store);
struct segment *store_hold_segment(struct store *store, size_t at);
void store_release_segment(struct store *store, struct segment *segment);

/* This value, or what is known under this name, is damaged and gone. */
void store_mark_damaged(struct store *store, const char *key);
/* The list of former epochs from the segments' headers, where the list is damaged. */
LYC_MUST_USE enum lyc_status store_restore_epochs(struct store *store, struct lyc_error *error);

/* Seal the active segment and go on in a new one with room for `need` bytes of records. Under
 * `writing`. */
LYC_MUST_USE enum lyc_status store_roll(struct store *store, uint64_t need,
					struct lyc_error *error);

static inline struct segment *store_active(const struct store *store)
{
	return store->segments[store->segment_count - 1];
}

#endif

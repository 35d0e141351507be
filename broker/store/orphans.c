/* From the newest segment back, until each has been found. */
#include "store/orphans.h"

#include "base/error.h"
#include "store/quarantine.h"

#define CHUNK_LEN (1u << 20)

/* The last record of each orphan that the segment has. OUT_OF_RANGE when all of it was read. */
static enum lyc_status look_through(struct store *store, const struct segment *segment,
				    const struct subject_index *orphans,
				    struct subject_index *found, struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status;
	pthread_mutex_lock(&store->lock);
	uint64_t end = segment->len;
	pthread_mutex_unlock(&store->lock);
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, end, CHUNK_LEN);
	while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
		if (record.kind == SEGMENT_RECORD && subject_index_find(orphans, record.subject) &&
		    !subject_index_add(found, record.subject, record.seq, 1)) {
			status = error_set(error, LYC_RESOURCE_EXHAUSTED,
					   "No memory for the subjects of %s.", segment->name);
			break;
		}
	}
	segment_cursor_fini(&cursor);
	return status;
}

static void note(struct store *store, struct subject_index *orphans,
		 const struct subject_index *found)
{
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < found->cap; i++) {
		if (!found->entries[i].name)
			continue;
		struct span subject = subject_entry_name(&found->entries[i]);
		struct subject_entry *entry = subject_index_find(&store->subjects, subject);
		struct subject_entry *orphan = subject_index_find(orphans, subject);
		/* Unless another record has come since. */
		if (entry && entry->last_seq == orphan->last_seq)
			entry->last_seq = found->entries[i].last_seq;
		orphan->count = 1;
		subject_index_remove(orphans, subject);
	}
	pthread_mutex_unlock(&store->lock);
}

enum lyc_status orphans_settle(struct store *store, struct subject_index *orphans,
			       struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t at = store_count_segments(store); at-- > 0 && orphans->count > 0;) {
		struct subject_index found = {0};
		struct segment *segment = store_hold_segment(store, at);
		status = look_through(store, segment, orphans, &found, error);
		note(store, orphans, &found);
		store_release_segment(store, segment);
		subject_index_fini(&found);
		/* What is left of it is looked through again. */
		if (status == LYC_DATA_LOSS && quarantine_mend_now(store, at, error) == LYC_OK) {
			status = LYC_OK;
			at++;
			continue;
		}
		if (status != LYC_OUT_OF_RANGE)
			break;
		status = LYC_OK;
	}
	if (status != LYC_OK) {
		pthread_mutex_lock(&store->writing);
		store->is_broken = true;
		pthread_mutex_unlock(&store->writing);
	}
	return status;
}

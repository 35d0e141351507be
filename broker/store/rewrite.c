/*
 * Taking records out of the log. A segment that holds some is copied without them, synced, and
 * renamed over the old one; a hole stands for the sequences that went. A leading segment of which
 * nothing is left is deleted instead. Runs on a thread beside the writer's: a sealed segment is
 * copied while appends go on, and only the swap holds them up. Readers go on, too.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/aside.h"
#include "store/checkpoint.h"
#include "store/digest.h"
#include "store/embedded.h"
#include "store/orphans.h"
#include "store/segment_copy.h"

#define CHUNK_LEN (1u << 20)
/* An active segment that is longer is sealed first, so that appends do not wait for its copy. */
#define MAX_ACTIVE_COPY (4u << 20)

struct rewrite {
	struct store *store;
	const uint64_t *seqs; /* what is to go, in order */
	size_t seq_count;

	struct buf gone; /* of one segment: seq, length of the subject, subject */
	size_t gone_count;
	uint64_t removed_count;
	struct subject_index orphans; /* see store/orphans.h */
};

/* Sequences that went and stand in no hole of the copy yet. */
struct hole {
	uint64_t first_seq; /* 0: none is open */
	uint64_t last_seq;
};

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;
	return *left < *right ? -1 : *left > *right;
}

static bool is_doomed(const struct rewrite *rewrite, const struct segment_record *record)
{
	/* One that is lost may be erased, too: its subject may stand there. */
	bool is_one = record->kind == SEGMENT_RECORD ||
		      (record->kind == SEGMENT_LOST && record->seq == record->last_seq);
	return is_one && bsearch(&record->seq, rewrite->seqs, rewrite->seq_count, sizeof(uint64_t),
				 by_value) != NULL;
}

/* Which records of the segment are to go. */
static enum lyc_status find_doomed(struct rewrite *rewrite, const struct segment *segment,
				   struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status;
	buf_clear(&rewrite->gone);
	rewrite->gone_count = 0;
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, segment->len, CHUNK_LEN);
	while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
		if (!is_doomed(rewrite, &record))
			continue;
		uint16_t len = (uint16_t)record.subject.len;
		buf_add(&rewrite->gone, &record.seq, sizeof(record.seq));
		buf_add(&rewrite->gone, &len, sizeof(len));
		buf_add(&rewrite->gone, record.subject.data, len);
		rewrite->gone_count++;
	}
	segment_cursor_fini(&cursor);
	if (status == LYC_OUT_OF_RANGE)
		status = rewrite->gone.has_failed
				 ? error_set(error, LYC_RESOURCE_EXHAUSTED,
					     "No memory for the records to remove.")
				 : LYC_OK;
	return status;
}

/* The index without what went. Under the lock. */
static void forget_gone(struct rewrite *rewrite)
{
	struct subject_index *subjects = &rewrite->store->subjects;
	const uint8_t *at = rewrite->gone.data;
	for (size_t i = 0; i < rewrite->gone_count; i++) {
		uint64_t seq;
		uint16_t len;
		memcpy(&seq, at, sizeof(seq));
		memcpy(&len, at + 8, sizeof(len));
		struct span subject = span_of(at + 10, len);
		at += 10 + len;
		if (len == 0)
			continue; /* a lost one of which nothing was known */
		const struct subject_entry *entry = subject_index_find(subjects, subject);
		bool was_last = entry && entry->last_seq == seq;
		subject_index_remove(subjects, subject);
		if (!was_last || !subject_index_find(subjects, subject))
			continue;
		if (!subject_index_add(&rewrite->orphans, subject, seq, 1))
			rewrite->store->is_broken = true;
	}
	rewrite->removed_count += rewrite->gone_count;
}

static enum lyc_status end_hole(struct segment_copy *copy, struct hole *hole,
				struct lyc_error *error)
{
	if (hole->first_seq == 0)
		return LYC_OK;
	enum lyc_status status =
		segment_copy_add_hole(copy, hole->first_seq, hole->last_seq, error);
	hole->first_seq = 0;
	return status;
}

/* A synced copy without the doomed records, under the name NUMBER.log.new. */
static enum lyc_status make_copy(const struct rewrite *rewrite, const struct segment *old,
				 uint64_t room_len, struct segment_copy *copy,
				 struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record entry;
	struct hole hole = {0};
	enum lyc_status status =
		segment_copy_begin(copy, &rewrite->store->folder, old, room_len, error);
	if (status != LYC_OK)
		return status;
	segment_cursor_init(&cursor, old, SEGMENT_HEADER_LEN, old->len, CHUNK_LEN);
	while ((status = segment_cursor_next(&cursor, &entry, error)) == LYC_OK) {
		if (entry.kind == SEGMENT_HOLE || is_doomed(rewrite, &entry)) {
			if (hole.first_seq == 0)
				hole.first_seq = entry.seq;
			hole.last_seq = entry.last_seq;
			continue;
		}
		status = end_hole(copy, &hole, error);
		if (status == LYC_OK)
			status = segment_copy_add_entry(copy, &entry, error);
		if (status != LYC_OK)
			break;
	}
	segment_cursor_fini(&cursor);
	if (status == LYC_OUT_OF_RANGE)
		status = end_hole(copy, &hole, error);
	if (status == LYC_OK)
		status = segment_copy_end(copy, error);
	if (status != LYC_OK)
		segment_copy_discard(copy);
	return status;
}

/* The checkpoint names removed subjects, so the old one may not stay. */
static enum lyc_status renew_checkpoint(struct store *store, size_t at,
					const struct subject_index *subjects,
					struct lyc_error *error)
{
	char name[32];
	struct segment *segment = store_hold_segment(store, at);
	enum lyc_status status = checkpoint_write(&store->folder, segment, subjects, NULL);
	if (status != LYC_OK) {
		segment_name(segment->first_seq, ".ckpt", name);
		unlinkat(store->folder.fd, name, 0);
		status = segment_folder_sync_names(&store->folder, error);
	}
	store_release_segment(store, segment);
	return status;
}

static enum lyc_status refuse_broken(const struct store *store, struct lyc_error *error)
{
	return error_set(
		error, LYC_UNAVAILABLE,
		"The log %s changes nothing after a failed sync; restart to open it again.",
		store->folder.path);
}

static enum lyc_status copy_segment(const struct rewrite *rewrite, const struct segment *old,
				    uint64_t room_len, bool is_writing, struct segment_copy *copy,
				    struct lyc_error *error)
{
	struct store *store = rewrite->store;
	enum lyc_status status = make_copy(rewrite, old, room_len, copy, error);
	if (status != LYC_RESOURCE_EXHAUSTED)
		return status;
	if (!is_writing)
		pthread_mutex_lock(&store->writing);
	bool has_reserve = store->folder.has_reserve;
	if (has_reserve)
		segment_folder_use_reserve(&store->folder);
	if (!is_writing)
		pthread_mutex_unlock(&store->writing);
	if (!has_reserve)
		return status;
	return make_copy(rewrite, old, room_len, copy, error);
}

/* Give the copy its name and its place. Under `writing`. */
static enum lyc_status swap_segment(struct rewrite *rewrite, size_t at, bool is_active,
				    struct segment_copy *copy, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	struct segment *old = store->segments[at];
	if (store->is_broken)
		return refuse_broken(store, error);
	/* They may hold what is removed here, and go first: after a crash in between they are not
	 * looked for again. */
	enum lyc_status status = aside_forget(&store->folder, old->first_seq, error);
	if (status != LYC_OK)
		return status;
	status = segment_folder_rename(&store->folder, copy->segment->name, old->name, error);
	if (status != LYC_OK) {
		/* Which of the two the disk will show is unknown now. */
		store->is_broken = true;
		return status;
	}
	memcpy(copy->segment->name, old->name, sizeof(old->name));
	pthread_mutex_lock(&store->lock);
	store->segments[at] = copy->segment;
	forget_gone(rewrite);
	segment_unref(old);
	pthread_mutex_unlock(&store->lock);
	copy->segment = NULL;
	if (is_active) {
		subject_index_fini(&store->active_subjects);
		store->active_subjects = copy->subjects;
		copy->subjects = (struct subject_index){0};
	}
	return LYC_OK;
}

/* Without what is doomed of the segment, if anything is. */
static enum lyc_status rewrite_segment(struct rewrite *rewrite, size_t at, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	struct segment_copy copy = {0};
	pthread_mutex_lock(&store->writing);
	bool is_active = at + 1 == store->segment_count;
	/* Where there is no room for another segment, appends are refused anyway. */
	if (is_active && store_active(store)->len > MAX_ACTIVE_COPY && !store->is_broken)
		is_active = store_roll(store, 0, NULL) != LYC_OK;
	if (!is_active)
		pthread_mutex_unlock(&store->writing);
	struct segment *segment = store_hold_segment(store, at);
	enum lyc_status status = find_doomed(rewrite, segment, error);
	uint64_t room_len = is_active ? store->folder.segment_len : SEGMENT_HEADER_LEN;
	bool is_touched = status == LYC_OK && rewrite->gone_count > 0;
	if (is_touched)
		status = copy_segment(rewrite, segment, room_len, is_active, &copy, error);
	if (!is_active)
		pthread_mutex_lock(&store->writing);
	if (is_touched && status == LYC_OK)
		status = swap_segment(rewrite, at, is_active, &copy, error);
	pthread_mutex_unlock(&store->writing);
	store_release_segment(store, segment);
	if (is_touched && status == LYC_OK && !is_active)
		status = renew_checkpoint(store, at, &copy.subjects, error);
	segment_copy_fini(&copy);
	return status;
}

/* Delete the first segment. The state file says so first, so that a crash in between cannot leave
 * a log that seems to lack its beginning. */
static enum lyc_status drop_first(struct rewrite *rewrite, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	char name[32];
	pthread_mutex_lock(&store->writing);
	struct segment *first = store->segments[0];
	struct folder_state state = store->folder.state;
	state.first_seq = store->segments[1]->first_seq;
	enum lyc_status status = aside_forget(&store->folder, first->first_seq, error);
	if (status != LYC_OK)
		goto out;
	status = segment_folder_put_state(&store->folder, &state, error);
	if (status == LYC_RESOURCE_EXHAUSTED && store->folder.has_reserve) {
		segment_folder_use_reserve(&store->folder);
		status = segment_folder_put_state(&store->folder, &state, error);
	}
	if (status != LYC_OK)
		goto out;
	unlinkat(store->folder.fd, first->name, 0);
	segment_name(first->first_seq, ".ckpt", name);
	unlinkat(store->folder.fd, name, 0);
	pthread_mutex_lock(&store->lock);
	store->segment_count--;
	memmove(store->segments, store->segments + 1,
		store->segment_count * sizeof(*store->segments));
	forget_gone(rewrite);
	segment_unref(first);
	pthread_mutex_unlock(&store->lock);
	status = segment_folder_sync_names(&store->folder, error);
out:
	pthread_mutex_unlock(&store->writing);
	return status;
}

/* Is nothing of it left, so that it can be deleted as a whole? */
static bool is_all_doomed(struct rewrite *rewrite, size_t at, struct lyc_error *error,
			  enum lyc_status *ret_status)
{
	struct store *store = rewrite->store;
	if (at != 0 || store_count_segments(store) < 2)
		return false;
	struct segment *segment = store_hold_segment(store, 0);
	*ret_status = find_doomed(rewrite, segment, error);
	bool is_all = *ret_status == LYC_OK &&
		      rewrite->gone_count == segment->record_count + segment->lost_count;
	store_release_segment(store, segment);
	return is_all;
}

/* May the segment hold something to remove? */
static bool is_reached(const struct rewrite *rewrite, size_t at)
{
	struct store *store = rewrite->store;
	pthread_mutex_lock(&store->lock);
	bool is_reached = at < store->segment_count &&
			  store->segments[at]->first_seq <= rewrite->seqs[rewrite->seq_count - 1];
	pthread_mutex_unlock(&store->lock);
	return is_reached;
}

/* What has become leading and holds nothing may go, too. */
static enum lyc_status drop_empty(struct rewrite *rewrite, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	enum lyc_status status = LYC_OK;
	buf_clear(&rewrite->gone);
	rewrite->gone_count = 0;
	while (status == LYC_OK && store_count_segments(store) > 1) {
		struct segment *segment = store_hold_segment(store, 0);
		bool is_empty = segment->record_count == 0 && segment->lost_count == 0;
		store_release_segment(store, segment);
		if (!is_empty)
			break;
		status = drop_first(rewrite, error);
	}
	return status;
}

static bool is_broken(struct store *store)
{
	pthread_mutex_lock(&store->writing);
	bool is_broken = store->is_broken;
	pthread_mutex_unlock(&store->writing);
	return is_broken;
}

/* Go through the segments that can hold something to remove. */
static enum lyc_status run(struct rewrite *rewrite, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	enum lyc_status status = LYC_OK;
	if (is_broken(store))
		return refuse_broken(store, error);
	pthread_mutex_lock(&store->lock);
	size_t at = store_find_segment(store, rewrite->seqs[0]);
	pthread_mutex_unlock(&store->lock);
	while (status == LYC_OK && is_reached(rewrite, at)) {
		if (is_all_doomed(rewrite, at, error, &status))
			status = drop_first(rewrite, error);
		else if (status == LYC_OK)
			status = rewrite_segment(rewrite, at++, error);
	}
	if (status == LYC_OK)
		status = drop_empty(rewrite, error);
	enum lyc_status settled =
		orphans_settle(store, &rewrite->orphans, status == LYC_OK ? error : NULL);
	if (status == LYC_OK)
		status = settled;
	if (rewrite->removed_count > 0 && status == LYC_OK)
		status = store_remove_meta(store, STORE_SUMMARY_KEY, error);
	pthread_mutex_lock(&store->writing);
	/* It is written anew when the next segment is sealed, or at the end. */
	if (rewrite->removed_count > 0 && digest_drop(store, error) != LYC_OK && status == LYC_OK)
		status = LYC_UNAVAILABLE;
	/* The next append asks again. */
	if (segment_folder_keep_reserve(&store->folder, NULL) != LYC_OK)
		store->folder.has_reserve = false;
	pthread_mutex_unlock(&store->writing);
	buf_fini(&rewrite->gone);
	subject_index_fini(&rewrite->orphans);
	return status;
}

static enum lyc_status run_alone(struct rewrite *rewrite, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	pthread_mutex_lock(&store->changing);
	enum lyc_status status = run(rewrite, error);
	pthread_mutex_unlock(&store->changing);
	return status;
}

enum lyc_status store_remove(struct store *store, const uint64_t *seqs, size_t count,
			     struct lyc_error *error)
{
	if (count == 0)
		return LYC_OK;
	uint64_t *sorted = mem_try(count * sizeof(*sorted));
	if (!sorted)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "No memory to remove %zu records at once.", count);
	memcpy(sorted, seqs, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	bool was_damaged = false;
	enum lyc_status status;
	do {
		struct rewrite rewrite = {.store = store, .seqs = sorted, .seq_count = count};
		status = run_alone(&rewrite, error);
		/* Nothing damaged is copied; what is left of it is, once that is settled. */
	} while (status == LYC_DATA_LOSS &&
		 store_mend(store, sorted[0], sorted[count - 1], &was_damaged, NULL) == LYC_OK &&
		 was_damaged);
	free(sorted);
	return status;
}

enum lyc_status store_forget_damaged(struct store *store, struct lyc_error *error)
{
	pthread_mutex_lock(&store->changing);
	enum lyc_status status = aside_forget(&store->folder, 0, error);
	pthread_mutex_unlock(&store->changing);
	return status;
}

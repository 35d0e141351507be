/*
 * Taking records out of the log. A segment that holds some is copied without them, synced, and
 * renamed over the old one; a hole stands for the sequences that went. A leading segment of which
 * nothing is left is deleted instead. The writer's thread; readers go on meanwhile.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/checkpoint.h"
#include "store/embedded.h"
#include "wire/subject.h"

#define CHUNK_LEN (1u << 20)

struct rewrite {
	struct store *store;
	/* What is to go: these sequences, in order, or (NULL) all but the last of the subjects that
	 * match. */
	const uint64_t *seqs;
	size_t seq_count;
	struct span pattern;

	struct buf gone; /* of one segment: seq, length of the subject, subject */
	size_t gone_count;
	uint64_t removed_count;
	struct subject_index orphans; /* subjects whose last record went and that have others */
};

struct copy {
	struct segment *segment;
	struct subject_index subjects;
	struct buf out;
	uint64_t out_offset;
	uint64_t hole_first; /* 0: none is open */
	uint64_t hole_last;
};

static int by_value(const void *a, const void *b)
{
	const uint64_t *left = a;
	const uint64_t *right = b;
	return *left < *right ? -1 : *left > *right;
}

static bool is_doomed(const struct rewrite *rewrite, const struct segment_record *record)
{
	if (record->kind != SEGMENT_RECORD)
		return false;
	if (rewrite->seqs)
		return bsearch(&record->seq, rewrite->seqs, rewrite->seq_count, sizeof(uint64_t),
			       by_value) != NULL;
	if (!subject_matches(rewrite->pattern, record->subject))
		return false;
	const struct subject_entry *entry =
		subject_index_find(&rewrite->store->subjects, record->subject);
	return entry && entry->last_seq != record->seq;
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

static enum lyc_status flush(struct copy *copy, struct lyc_error *error)
{
	struct segment *segment = copy->segment;
	if (copy->out.has_failed)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to rewrite %s.",
				 segment->name);
	enum lyc_status status =
		segment_folder_write(segment->folder, segment->fd, segment->name, copy->out.data,
				     copy->out.len, copy->out_offset, error);
	copy->out_offset += copy->out.len;
	buf_clear(&copy->out);
	return status;
}

static enum lyc_status no_memory(const struct copy *copy, struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to rewrite %s.",
			 copy->segment->name);
}

static enum lyc_status end_hole(struct copy *copy, struct lyc_error *error)
{
	if (copy->hole_first == 0)
		return LYC_OK;
	size_t before = copy->out.len;
	if (!segment_reserve_marks(copy->segment, 1))
		return no_memory(copy, error);
	segment_encode_hole(copy->segment, &copy->out, copy->hole_first, copy->hole_last);
	segment_note(copy->segment, SEGMENT_HOLE, copy->hole_first, copy->hole_last,
		     copy->out_offset + before, copy->out.len - before);
	copy->hole_first = 0;
	return LYC_OK;
}

static enum lyc_status copy_record(struct copy *copy, const struct segment_record *record,
				   bool is_gone, struct lyc_error *error)
{
	if (is_gone || record->kind == SEGMENT_HOLE) {
		if (copy->hole_first == 0)
			copy->hole_first = record->seq;
		copy->hole_last = record->last_seq;
		return LYC_OK;
	}
	enum lyc_status status = end_hole(copy, error);
	if (status != LYC_OK)
		return status;
	if (!segment_reserve_marks(copy->segment, 1) ||
	    !subject_index_add(&copy->subjects, record->subject, record->seq, 1))
		return no_memory(copy, error);
	/* The copy has the old salt, so the bytes stay as they are. */
	segment_note(copy->segment, SEGMENT_RECORD, record->seq, record->seq,
		     copy->out_offset + copy->out.len, record->len);
	buf_add(&copy->out, record->subject.data - SEGMENT_RECORD_HEADER_LEN, (size_t)record->len);
	return copy->out.len >= CHUNK_LEN ? flush(copy, error) : LYC_OK;
}

/* A synced copy without the doomed records, under the name NUMBER.log.new. */
static enum lyc_status make_copy(const struct rewrite *rewrite, const struct segment *old,
				 uint64_t room_len, struct copy *copy, struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	const struct segment_folder *folder = &rewrite->store->folder;
	enum lyc_status status =
		segment_create(folder, old->first_seq, room_len, &copy->segment, error);
	if (status != LYC_OK)
		return status;
	struct segment *segment = copy->segment;
	segment->salt = old->salt;
	segment->generation = old->generation + 1;
	copy->out_offset = SEGMENT_HEADER_LEN;
	segment_cursor_init(&cursor, old, SEGMENT_HEADER_LEN, old->len, CHUNK_LEN);
	while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
		status = copy_record(copy, &record, is_doomed(rewrite, &record), error);
		if (status != LYC_OK)
			break;
	}
	segment_cursor_fini(&cursor);
	if (status == LYC_OUT_OF_RANGE)
		status = end_hole(copy, error);
	if (status == LYC_OK)
		status = flush(copy, error);
	segment->synced_len = segment->len;
	if (status == LYC_OK)
		status = segment_write_header(segment, error);
	if (status == LYC_OK)
		status = segment_folder_sync_file(folder, segment->fd, segment->name, error);
	if (status != LYC_OK)
		unlinkat(folder->fd, segment->name, 0);
	return status;
}

static void copy_fini(struct copy *copy)
{
	segment_unref(copy->segment);
	subject_index_fini(&copy->subjects);
	buf_fini(&copy->out);
	*copy = (struct copy){0};
}

/* The checkpoint names removed subjects, so the old one may not stay. */
static enum lyc_status renew_checkpoint(struct store *store, const struct segment *segment,
					const struct subject_index *subjects,
					struct lyc_error *error)
{
	char name[32];
	if (checkpoint_write(&store->folder, segment, subjects, NULL) == LYC_OK)
		return LYC_OK;
	segment_name(segment->first_seq, ".ckpt", name);
	unlinkat(store->folder.fd, name, 0);
	return segment_folder_sync_names(&store->folder, error);
}

static enum lyc_status replace_segment(struct rewrite *rewrite, size_t at, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	struct segment *old = store->segments[at];
	bool is_active = at + 1 == store->segment_count;
	uint64_t room_len = is_active ? store->folder.segment_len : SEGMENT_HEADER_LEN;
	struct copy copy = {0};
	enum lyc_status status = make_copy(rewrite, old, room_len, &copy, error);
	if (status == LYC_RESOURCE_EXHAUSTED && store->folder.has_reserve) {
		copy_fini(&copy);
		segment_folder_use_reserve(&store->folder);
		status = make_copy(rewrite, old, room_len, &copy, error);
	}
	if (status != LYC_OK)
		goto out;
	status = segment_folder_rename(&store->folder, copy.segment->name, old->name, error);
	if (status != LYC_OK) {
		/* Which of the two the disk will show is unknown now. */
		store->is_broken = true;
		goto out;
	}
	memcpy(copy.segment->name, old->name, sizeof(old->name));
	pthread_mutex_lock(&store->lock);
	store->segments[at] = copy.segment;
	forget_gone(rewrite);
	segment_unref(old);
	pthread_mutex_unlock(&store->lock);
	if (is_active) {
		subject_index_fini(&store->active_subjects);
		store->active_subjects = copy.subjects;
		copy.subjects = (struct subject_index){0};
	} else {
		status = renew_checkpoint(store, copy.segment, &copy.subjects, error);
	}
	copy.segment = NULL;
out:
	copy_fini(&copy);
	return status;
}

/* Delete the first segment. The state file says so first, so that a crash in between cannot leave
 * a log that seems to lack its beginning. */
static enum lyc_status drop_first(struct rewrite *rewrite, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	struct segment *first = store->segments[0];
	struct folder_state state = store->folder.state;
	char name[32];
	state.first_seq = store->segments[1]->first_seq;
	enum lyc_status status = segment_folder_put_state(&store->folder, &state, error);
	if (status == LYC_RESOURCE_EXHAUSTED && store->folder.has_reserve) {
		segment_folder_use_reserve(&store->folder);
		status = segment_folder_put_state(&store->folder, &state, error);
	}
	if (status != LYC_OK)
		return status;
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
	return segment_folder_sync_names(&store->folder, error);
}

/* Find the last record that is left of each orphan, from the newest segment back. */
static enum lyc_status settle_orphans(struct rewrite *rewrite, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	enum lyc_status status = LYC_OK;
	for (size_t at = store->segment_count; at-- > 0 && rewrite->orphans.count > 0;) {
		struct segment_cursor cursor;
		struct segment_record record;
		struct subject_index found = {0};
		const struct segment *segment = store->segments[at];
		segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, segment->len, CHUNK_LEN);
		while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
			if (record.kind == SEGMENT_RECORD &&
			    subject_index_find(&rewrite->orphans, record.subject) &&
			    !subject_index_add(&found, record.subject, record.seq, 1)) {
				status = error_set(error, LYC_RESOURCE_EXHAUSTED,
						   "No memory for the subjects of %s.",
						   segment->name);
				break;
			}
		}
		segment_cursor_fini(&cursor);
		pthread_mutex_lock(&store->lock);
		for (size_t i = 0; i < found.cap; i++) {
			if (!found.entries[i].name)
				continue;
			struct span subject = subject_entry_name(&found.entries[i]);
			struct subject_entry *entry = subject_index_find(&store->subjects, subject);
			if (entry)
				entry->last_seq = found.entries[i].last_seq;
			struct subject_entry *orphan =
				subject_index_find(&rewrite->orphans, subject);
			orphan->count = 1;
			subject_index_remove(&rewrite->orphans, subject);
		}
		pthread_mutex_unlock(&store->lock);
		subject_index_fini(&found);
		if (status != LYC_OUT_OF_RANGE)
			break;
		status = LYC_OK;
	}
	/* Expectations could not be judged with what is known now. */
	if (status != LYC_OK)
		store->is_broken = true;
	return status;
}

/* Go through the segments that can hold something to remove. */
static enum lyc_status run(struct rewrite *rewrite, bool with_active, struct lyc_error *error)
{
	struct store *store = rewrite->store;
	enum lyc_status status = LYC_OK;
	size_t at = 0;
	if (rewrite->seqs)
		at = store_find_segment(store, rewrite->seqs[0]);
	while (status == LYC_OK && at + !with_active < store->segment_count) {
		const struct segment *segment = store->segments[at];
		if (rewrite->seqs && segment->first_seq > rewrite->seqs[rewrite->seq_count - 1])
			break;
		status = find_doomed(rewrite, segment, error);
		bool is_last = at + 1 == store->segment_count;
		if (status == LYC_OK && rewrite->gone_count > 0) {
			if (at == 0 && !is_last && rewrite->gone_count == segment->record_count) {
				status = drop_first(rewrite, error);
				continue;
			}
			status = replace_segment(rewrite, at, error);
		}
		at++;
	}
	/* What has become leading and holds nothing may go, too. */
	buf_clear(&rewrite->gone);
	rewrite->gone_count = 0;
	while (status == LYC_OK && store->segment_count > 1 &&
	       store->segments[0]->record_count == 0)
		status = drop_first(rewrite, error);
	enum lyc_status settled = settle_orphans(rewrite, status == LYC_OK ? error : NULL);
	if (status == LYC_OK)
		status = settled;
	/* The next append asks again. */
	if (segment_folder_keep_reserve(&store->folder, NULL) != LYC_OK)
		store->folder.has_reserve = false;
	buf_fini(&rewrite->gone);
	subject_index_fini(&rewrite->orphans);
	return status;
}

static enum lyc_status refuse_broken(const struct store *store, struct lyc_error *error)
{
	return error_set(
		error, LYC_UNAVAILABLE,
		"The log %s changes nothing after a failed sync; restart to open it again.",
		store->folder.path);
}

enum lyc_status store_remove(struct store *store, const uint64_t *seqs, size_t count,
			     struct lyc_error *error)
{
	if (store->is_broken)
		return refuse_broken(store, error);
	if (count == 0)
		return LYC_OK;
	uint64_t *sorted = mem_try(count * sizeof(*sorted));
	if (!sorted)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "No memory to remove %zu records at once.", count);
	memcpy(sorted, seqs, count * sizeof(*sorted));
	qsort(sorted, count, sizeof(*sorted), by_value);
	struct rewrite rewrite = {.store = store, .seqs = sorted, .seq_count = count};
	enum lyc_status status = run(&rewrite, true, error);
	free(sorted);
	return status;
}

enum lyc_status store_compact(struct store *store, struct span pattern, uint64_t *ret_removed,
			      struct lyc_error *error)
{
	if (store->is_broken)
		return refuse_broken(store, error);
	struct rewrite rewrite = {.store = store, .pattern = pattern};
	enum lyc_status status = run(&rewrite, false, error);
	if (status == LYC_OK && ret_removed)
		*ret_removed = rewrite.removed_count;
	return status;
}

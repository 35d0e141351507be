/* Damaged segments: what is left of them, what is lost, and what comes back. */
#include "store/quarantine.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "store/aside.h"
#include "store/checkpoint.h"
#include "store/digest.h"
#include "store/evidence.h"
#include "store/fit.h"
#include "store/segment_copy.h"

#define SCAN_CHUNK (1u << 18)
/* As in a removal: an active segment that is longer is sealed first. */
#define MAX_ACTIVE_COPY (4u << 20)
#define HOLE_LEN (SEGMENT_RECORD_HEADER_LEN + 8)

struct mend {
	struct store *store;
	struct segment *old;
	struct salvage salvage;
	struct evidence evidence;
	struct segment_copy copy;
	bool is_active; /* then `writing` is held, or nobody else is there yet */
	uint64_t gap_count;
	const struct store_healed *healed;
	size_t healed_count;
	char aside[ASIDE_NAME_LEN];
};

static enum lyc_status no_memory(const struct mend *mend, struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to mend %s.", mend->old->name);
}

/* ---- the copy ---- */

static enum lyc_status put_lost(struct mend *mend, const struct lost *lost, struct lyc_error *error)
{
	struct buf details = {0};
	lost_write(&details, lost);
	enum lyc_status status =
		details.has_failed
			? no_memory(mend, error)
			: segment_copy_add_lost(&mend->copy, lost->first_seq, lost->last_seq,
						lost->subject, span_of(details.data, details.len),
						error);
	buf_fini(&details);
	return status;
}

/* Of a lost stretch what has come back, and the rest as it was. */
static enum lyc_status put_healed(struct mend *mend, const struct segment_record *entry,
				  struct lyc_error *error)
{
	const struct store_healed *healed = mend->healed;
	struct lost lost;
	enum lyc_status status = LYC_OK;
	lost_read(entry->seq, entry->last_seq, entry->subject, entry->record, &lost);
	for (size_t i = 0; i < mend->healed_count && status == LYC_OK; i++) {
		struct lost before = lost;
		if (healed[i].ret_status != LYC_OK || healed[i].seq < lost.first_seq ||
		    healed[i].seq > lost.last_seq)
			continue;
		before.last_seq = healed[i].seq - 1;
		if (before.first_seq <= before.last_seq)
			status = put_lost(mend, &before, error);
		if (status == LYC_OK)
			status = segment_copy_add_record(
				&mend->copy, healed[i].seq, healed[i].seq - healed[i].back,
				healed[i].subject, healed[i].record, error);
		lost.first_seq = healed[i].seq + 1;
	}
	if (status == LYC_OK && lost.first_seq <= lost.last_seq)
		status = put_lost(mend, &lost, error);
	return status;
}

static enum lyc_status put_entry(struct mend *mend, const struct segment_record *entry,
				 struct lyc_error *error)
{
	switch (entry->kind) {
	case SEGMENT_RECORD:
		return segment_copy_add_record(&mend->copy, entry->seq, entry->batch_seq,
					       entry->subject, entry->record, error);
	case SEGMENT_LOST:
		return put_healed(mend, entry, error);
	case SEGMENT_HOLE:
	default:
		return segment_copy_add_hole(&mend->copy, entry->seq, entry->last_seq, error);
	}
}

static enum lyc_status put_gap(struct mend *mend, const struct salvage_gap *gap,
			       struct lyc_error *error)
{
	struct lost lost;
	uint64_t count = gap->last_seq - gap->first_seq + 1;
	mend->gap_count++;
	/* A hole, as its length says, and nothing is lost with it. */
	if (count > 1 && gap->len == HOLE_LEN)
		return segment_copy_add_hole(&mend->copy, gap->first_seq, gap->last_seq, error);
	/* So many never lay in these bytes: a file is missing. */
	if (count > 1 && count > gap->len / SEGMENT_RECORD_HEADER_LEN + 1)
		return error_set(error, LYC_DATA_LOSS,
				 "The file %s/%s is damaged at offset %" PRIu64
				 ": sequences %" PRIu64 " to %" PRIu64
				 " are missing, so a segment behind it is, too.",
				 mend->old->folder->path, mend->old->name, gap->offset,
				 gap->first_seq, gap->last_seq);
	evidence_describe(&mend->evidence, &mend->salvage, gap,
			  span_of(mend->aside, strlen(mend->aside)), &lost);
	return put_lost(mend, &lost, error);
}

/* A synced copy under the name NUMBER.log.new. */
static enum lyc_status make_copy(struct mend *mend, uint64_t room_len, struct lyc_error *error)
{
	struct segment_record record;
	struct salvage_gap gap;
	enum salvage_step step;
	const struct segment *old = mend->old;
	enum lyc_status status =
		segment_copy_begin(&mend->copy, &mend->store->folder, old, room_len, error);
	if (status != LYC_OK)
		return status;
	/* So the bytes of records stay as they are, and their checksums. */
	mend->copy.segment->salt = (old->salt & UINT32_MAX) | old->salt << 32;
	while (status == LYC_OK &&
	       (step = salvage_next(&mend->salvage, &record, &gap)) != SALVAGE_END)
		status = step == SALVAGE_GAP ? put_gap(mend, &gap, error)
					     : put_entry(mend, &record, error);
	return status == LYC_OK ? segment_copy_end(&mend->copy, error) : status;
}

static enum lyc_status copy_segment(struct mend *mend, struct lyc_error *error)
{
	struct store *store = mend->store;
	uint64_t room_len = mend->is_active ? store->folder.segment_len : SEGMENT_HEADER_LEN;
	enum lyc_status status = make_copy(mend, room_len, error);
	if (status == LYC_RESOURCE_EXHAUSTED && mend->copy.segment) {
		/* Once more with the reserve, and without room for more than there is. */
		segment_copy_discard(&mend->copy);
		if (!mend->is_active)
			pthread_mutex_lock(&store->writing);
		segment_folder_use_reserve(&store->folder);
		if (!mend->is_active)
			pthread_mutex_unlock(&store->writing);
		mend->gap_count = 0;
		mend->salvage.at = SEGMENT_HEADER_LEN;
		mend->salvage.next_seq = mend->old->first_seq;
		status = make_copy(mend, SEGMENT_HEADER_LEN, error);
	}
	if (status != LYC_OK)
		segment_copy_discard(&mend->copy);
	return status;
}

/* ---- the swap ---- */

/* The damaged file has a second name before it loses its first. */
static enum lyc_status put_in_place(struct mend *mend, size_t at, struct lyc_error *error)
{
	struct store *store = mend->store;
	struct segment *old = mend->old;
	struct segment *segment = mend->copy.segment;
	enum lyc_status status = mend->gap_count > 0 ? aside_keep(old, mend->aside, error) : LYC_OK;
	if (status == LYC_OK)
		status = segment_folder_rename(&store->folder, segment->name, old->name, error);
	if (status != LYC_OK)
		return status;
	memcpy(segment->name, old->name, sizeof(old->name));
	segment->room_len = mend->is_active ? store->folder.segment_len : 0;
	pthread_mutex_lock(&store->lock);
	store->segments[at] = segment;
	segment_unref(old);
	pthread_mutex_unlock(&store->lock);
	mend->old = segment;
	mend->copy.segment = NULL;
	return LYC_OK;
}

/* Its subjects are those that the old one had: what is lost is counted among them. */
static void write_checkpoint(struct mend *mend, const struct segment *segment)
{
	char name[32];
	const struct segment_folder *folder = segment->folder;
	if (checkpoint_write(folder, segment, &mend->evidence.known, NULL) == LYC_OK)
		return;
	segment_name(segment->first_seq, ".ckpt", name);
	unlinkat(folder->fd, name, 0);
}

static enum lyc_status begin(struct mend *mend, struct store *store, size_t at, uint64_t must_seq,
			     bool is_bounded, struct lyc_error *error)
{
	uint64_t salt = 0;
	*mend = (struct mend){.store = store};
	pthread_mutex_lock(&store->lock);
	mend->old = store->segments[at];
	mend->is_active = at + 1 == store->segment_count;
	pthread_mutex_unlock(&store->lock);
	if (is_bounded)
		evidence_init(&mend->evidence, mend->old, must_seq, &salt);
	aside_name(mend->old, mend->aside);
	enum lyc_status status =
		salvage_begin(&mend->salvage, mend->old, must_seq, is_bounded, salt, error);
	if (status == LYC_OK && mend->evidence.has_known &&
	    !evidence_look(&mend->evidence, &mend->salvage))
		status = no_memory(mend, error);
	return status;
}

static void end(struct mend *mend)
{
	segment_copy_fini(&mend->copy);
	evidence_fini(&mend->evidence);
	salvage_end(&mend->salvage);
}

/* All of it, once the salvage has begun. */
static enum lyc_status run(struct mend *mend, size_t at, struct lyc_error *error)
{
	struct store *store = mend->store;
	enum lyc_status status = copy_segment(mend, error);
	if (status == LYC_OK && !evidence_merge(&mend->evidence, &mend->copy.subjects))
		status = no_memory(mend, error);
	if (!mend->is_active)
		pthread_mutex_lock(&store->writing);
	if (status == LYC_OK)
		status = put_in_place(mend, at, error);
	if (status == LYC_OK)
		store->damage_count += mend->gap_count > 0;
	if (!mend->is_active)
		pthread_mutex_unlock(&store->writing);
	if (status == LYC_OK && !mend->is_active)
		write_checkpoint(mend, mend->old);
	return status;
}

enum lyc_status quarantine_mend(struct store *store, size_t at, uint64_t must_seq, bool is_bounded,
				struct subject_index *subjects, struct lyc_error *error)
{
	struct mend mend;
	enum lyc_status status = begin(&mend, store, at, must_seq, is_bounded, error);
	if (status == LYC_OK)
		status = run(&mend, at, error);
	if (status == LYC_OK && !is_bounded && mend.salvage.used > mend.salvage.at)
		store->truncated_bytes = mend.salvage.used - mend.salvage.at;
	for (size_t i = 0; subjects && i < mend.evidence.known.cap && status == LYC_OK; i++) {
		const struct subject_entry *entry = &mend.evidence.known.entries[i];
		if (entry->name && !subject_index_add(subjects, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			status = no_memory(&mend, error);
	}
	end(&mend);
	return status;
}

/* ---- of the open log ---- */

static bool is_last(struct store *store, size_t at)
{
	pthread_mutex_lock(&store->lock);
	bool is_last = at + 1 == store->segment_count;
	pthread_mutex_unlock(&store->lock);
	return is_last;
}

/* A sealed segment is copied while appends go on. The active one is sealed first, unless it is
 * short or there is no room for another: then they wait. Does this hold `writing` now? */
static bool hold_writer(struct store *store, size_t at)
{
	if (!is_last(store, at))
		return false;
	pthread_mutex_lock(&store->writing);
	bool is_active = is_last(store, at);
	if (is_active && store_active(store)->len > MAX_ACTIVE_COPY && !store->is_broken)
		is_active = store_roll(store, 0, NULL) != LYC_OK;
	if (!is_active)
		pthread_mutex_unlock(&store->writing);
	return is_active;
}

/* The digest may speak of what was there before. */
static enum lyc_status let_go_writer(struct store *store, bool is_held, bool is_changed,
				     struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	if (!is_held)
		pthread_mutex_lock(&store->writing);
	if (is_changed)
		status = digest_drop(store, error);
	pthread_mutex_unlock(&store->writing);
	return status;
}

static uint64_t last_seq_of(struct store *store, size_t at)
{
	pthread_mutex_lock(&store->lock);
	uint64_t last_seq = store->segments[at]->last_seq;
	pthread_mutex_unlock(&store->lock);
	return last_seq;
}

enum lyc_status quarantine_mend_now(struct store *store, size_t at, struct lyc_error *error)
{
	bool is_held = hold_writer(store, at);
	enum lyc_status status =
		quarantine_mend(store, at, last_seq_of(store, at), true, NULL, error);
	enum lyc_status dropped = let_go_writer(store, is_held, status == LYC_OK, error);
	return status == LYC_OK ? dropped : status;
}

/* ---- healing ---- */

/* Its subject is known again, too. Under the lock. */
static bool count_in(struct subject_index *index, const struct store_healed *healed)
{
	struct subject_entry *entry = subject_index_find(index, healed->subject);
	if (!entry)
		return subject_index_add(index, healed->subject, healed->seq, 1);
	entry->count += !healed->was_counted;
	if (entry->last_seq < healed->seq)
		entry->last_seq = healed->seq;
	return true;
}

/* What came back is known again to the indexes. */
static enum lyc_status count_all(struct mend *mend, const struct store_healed *healed, size_t count,
				 struct lyc_error *error)
{
	struct store *store = mend->store;
	enum lyc_status status = LYC_OK;
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < count && status == LYC_OK; i++) {
		if (healed[i].ret_status == LYC_OK &&
		    (!count_in(&store->subjects, &healed[i]) ||
		     (mend->is_active && !count_in(&store->active_subjects, &healed[i]))))
			status = no_memory(mend, error);
	}
	pthread_mutex_unlock(&store->lock);
	return status;
}

enum lyc_status quarantine_heal(struct store *store, size_t at, struct store_healed *healed,
				size_t count, struct lyc_error *error)
{
	struct mend mend;
	size_t fitting = 0;
	bool is_held = hold_writer(store, at);
	enum lyc_status status = begin(&mend, store, at, last_seq_of(store, at), true, error);
	for (size_t i = 0; i < count && status == LYC_OK; i++) {
		fit_judge(mend.old, &healed[i]);
		fitting += healed[i].ret_status == LYC_OK;
	}
	mend.healed = healed;
	mend.healed_count = count;
	bool is_changed = status == LYC_OK && fitting > 0;
	if (is_changed)
		status = run(&mend, at, error);
	if (is_changed && status == LYC_OK)
		status = count_all(&mend, healed, count, error);
	end(&mend);
	enum lyc_status dropped = let_go_writer(store, is_held, is_changed, error);
	return status == LYC_OK ? dropped : status;
}

enum lyc_status quarantine_list(struct segment *segment, struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status;
	if (segment->header_lost_count == 0 || segment->lost_count > 0)
		return LYC_OK;
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, segment->len, SCAN_CHUNK);
	while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
		if (record.kind == SEGMENT_LOST &&
		    !segment_add_lost(segment, record.seq, record.last_seq, record.subject,
				      record.record)) {
			status = error_set(error, LYC_RESOURCE_EXHAUSTED,
					   "No memory for what is lost of %s.", segment->name);
			break;
		}
	}
	segment_cursor_fini(&cursor);
	return status == LYC_OUT_OF_RANGE ? LYC_OK : status;
}

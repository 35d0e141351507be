/* Damaged segments: what is left of them, what is lost, and what comes back. */
#include "store/quarantine.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/pb.h"
#include "store/checkpoint.h"
#include "store/digest.h"
#include "store/lost.h"
#include "store/salvage.h"

#define CHUNK_LEN (1u << 20)
#define SCAN_CHUNK (1u << 18)
#define ASIDE ".damaged-"
#define CRC_LEN 4
#define HOLE_LEN (SEGMENT_RECORD_HEADER_LEN + 8)
/* Records of one batch, at most; and so many damaged bytes are no flipped bits. */
#define MAX_BATCH 4096
#define MANY_BYTES 16

struct mend {
	struct store *store;
	struct segment *old;
	struct salvage salvage;

	/* What the old checkpoint says of the segment. */
	bool has_known;
	struct subject_index known;
	/* Of them, what was not found again: so many records. */
	struct subject_index missing;
	uint64_t missing_count;

	struct segment *copy;
	struct subject_index subjects; /* of the copy, lost ones that are known among them */
	struct buf out;
	uint64_t out_offset;
	uint64_t gap_count;
	const struct store_healed *healed;
	size_t healed_count;
	char aside[64];
};

static enum lyc_status no_memory(const struct mend *mend, struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory to mend %s.", mend->old->name);
}

/* ---- what is known of a gap ---- */

/* A first look: what of the checkpoint's subjects is not there any more. */
static enum lyc_status find_missing(struct mend *mend, struct lyc_error *error)
{
	struct salvage salvage = mend->salvage;
	struct segment_record record;
	struct salvage_gap gap;
	enum salvage_step step;
	for (size_t i = 0; i < mend->known.cap; i++) {
		const struct subject_entry *entry = &mend->known.entries[i];
		if (entry->name && !subject_index_add(&mend->missing, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			return no_memory(mend, error);
		mend->missing_count += entry->name ? entry->count : 0;
	}
	while ((step = salvage_next(&salvage, &record, &gap)) != SALVAGE_END) {
		bool is_subject = step == SALVAGE_ENTRY && record.kind != SEGMENT_HOLE &&
				  record.subject.len > 0;
		if (!is_subject || !subject_index_find(&mend->missing, record.subject))
			continue;
		subject_index_remove(&mend->missing, record.subject);
		mend->missing_count--;
	}
	return LYC_OK;
}

/* The subject of the one record that lay in these bytes: only one that is known by other means. */
static struct span subject_of(const struct mend *mend, struct span bytes)
{
	struct segment_record record;
	if (mend->has_known && mend->missing.count == 1 && mend->missing_count == 1) {
		for (size_t i = 0; i < mend->missing.cap; i++) {
			if (mend->missing.entries[i].name)
				return subject_entry_name(&mend->missing.entries[i]);
		}
	}
	if (!segment_peek(bytes, &record) || record.subject.len == 0)
		return span_of(NULL, 0);
	/* It stands in the record a second time: a flipped bit hits one of the two. */
	struct span again = lost_subject_of(record.record);
	bool is_known = mend->has_known ? subject_index_find(&mend->missing, record.subject) != NULL
					: span_equal(again, record.subject);
	return is_known ? record.subject : span_of(NULL, 0);
}

/* What the damaged bytes of a single record say of themselves. */
static void peek(struct span bytes, struct lost *lost)
{
	struct segment_record record;
	if (bytes.len < SEGMENT_RECORD_HEADER_LEN)
		return;
	lost->crc = (uint32_t)bytes.data[0] | (uint32_t)bytes.data[1] << 8 |
		    (uint32_t)bytes.data[2] << 16 | (uint32_t)bytes.data[3] << 24;
	if (!segment_peek(bytes, &record) || record.seq != lost->first_seq ||
	    record.len != bytes.len)
		return;
	lost->has_head = true;
	lost->back = (uint32_t)(record.seq - record.batch_seq);
	struct pb_reader reader = pb_reader_of(record.record);
	struct pb_field field;
	/* In this order at the front, as record_write has them. */
	while (pb_read_field(&reader, &field) && field.number <= 3) {
		if (field.number == 1 && field.wire == PB_LEN)
			lost->origin = field.bytes;
		else if (field.number == 2 && field.wire != PB_LEN)
			lost->epoch = field.value;
		else if (field.number == 3 && field.wire != PB_LEN)
			lost->origin_seq = field.value;
	}
}

static void describe(const struct mend *mend, const struct salvage_gap *gap, struct lost *ret_lost)
{
	struct timespec now;
	struct span bytes = span_of(mend->salvage.bytes.data + gap->offset, (size_t)gap->len);
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_lost = (struct lost){.first_seq = gap->first_seq,
				  .last_seq = gap->last_seq,
				  .file = span_of(mend->aside, strlen(mend->aside)),
				  .offset = gap->offset,
				  .len = gap->len,
				  .found_ms = (uint64_t)now.tv_sec * 1000 +
					      (uint64_t)now.tv_nsec / 1000000};
	if (gap->first_seq != gap->last_seq)
		return;
	ret_lost->subject = subject_of(mend, bytes);
	peek(bytes, ret_lost);
}

/* ---- the copy ---- */

static enum lyc_status flush(struct mend *mend, struct lyc_error *error)
{
	if (mend->out.has_failed)
		return no_memory(mend, error);
	enum lyc_status status =
		segment_folder_write(mend->copy->folder, mend->copy->fd, mend->copy->name,
				     mend->out.data, mend->out.len, mend->out_offset, error);
	mend->out_offset += mend->out.len;
	buf_clear(&mend->out);
	return status;
}

/* The entry that was just put behind `before`. */
static enum lyc_status note(struct mend *mend, enum segment_kind kind, uint64_t first_seq,
			    uint64_t last_seq, struct span subject, size_t before,
			    struct lyc_error *error)
{
	if (mend->out.has_failed || !segment_reserve_marks(mend->copy, 1) ||
	    (subject.len > 0 && !subject_index_add(&mend->subjects, subject, first_seq, 1)))
		return no_memory(mend, error);
	segment_note(mend->copy, kind, first_seq, last_seq, mend->out_offset + before,
		     mend->out.len - before);
	return mend->out.len >= CHUNK_LEN ? flush(mend, error) : LYC_OK;
}

static enum lyc_status put_record(struct mend *mend, uint64_t seq, uint64_t batch_seq,
				  struct span subject, struct span record, struct lyc_error *error)
{
	size_t before = mend->out.len;
	segment_encode(mend->copy, &mend->out, seq, batch_seq, subject, record);
	return note(mend, SEGMENT_RECORD, seq, seq, subject, before, error);
}

static enum lyc_status put_lost(struct mend *mend, const struct lost *lost, struct lyc_error *error)
{
	size_t before = mend->out.len;
	struct buf details = {0};
	lost_write(&details, lost);
	struct span bytes = span_of(details.data, details.len);
	segment_encode_lost(mend->copy, &mend->out, lost->first_seq, lost->last_seq, lost->subject,
			    bytes);
	enum lyc_status status = LYC_OK;
	if (details.has_failed ||
	    !segment_add_lost(mend->copy, lost->first_seq, lost->last_seq, lost->subject, bytes))
		status = no_memory(mend, error);
	if (status == LYC_OK)
		status = note(mend, SEGMENT_LOST, lost->first_seq, lost->last_seq, lost->subject,
			      before, error);
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
			status = put_record(mend, healed[i].seq, healed[i].seq - healed[i].back,
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
	size_t before = mend->out.len;
	switch (entry->kind) {
	case SEGMENT_RECORD:
		return put_record(mend, entry->seq, entry->batch_seq, entry->subject, entry->record,
				  error);
	case SEGMENT_LOST:
		return put_healed(mend, entry, error);
	case SEGMENT_HOLE:
	default:
		segment_encode_hole(mend->copy, &mend->out, entry->seq, entry->last_seq);
		return note(mend, SEGMENT_HOLE, entry->seq, entry->last_seq, span_of(NULL, 0),
			    before, error);
	}
}

static enum lyc_status put_gap(struct mend *mend, const struct salvage_gap *gap,
			       struct lyc_error *error)
{
	struct lost lost;
	uint64_t count = gap->last_seq - gap->first_seq + 1;
	mend->gap_count++;
	/* A hole, as its length says, and nothing is lost with it. */
	if (count > 1 && gap->len == HOLE_LEN) {
		size_t before = mend->out.len;
		segment_encode_hole(mend->copy, &mend->out, gap->first_seq, gap->last_seq);
		return note(mend, SEGMENT_HOLE, gap->first_seq, gap->last_seq, span_of(NULL, 0),
			    before, error);
	}
	/* So many never lay in these bytes: a file is missing. */
	if (count > 1 && count > gap->len / SEGMENT_RECORD_HEADER_LEN + 1)
		return error_set(error, LYC_DATA_LOSS,
				 "The file %s/%s is damaged at offset %" PRIu64
				 ": sequences %" PRIu64 " to %" PRIu64
				 " are missing, so a segment behind it is, too.",
				 mend->old->folder->path, mend->old->name, gap->offset,
				 gap->first_seq, gap->last_seq);
	describe(mend, gap, &lost);
	return put_lost(mend, &lost, error);
}

/* A synced copy under the name NUMBER.log.new. */
static enum lyc_status make_copy(struct mend *mend, uint64_t room_len, struct lyc_error *error)
{
	struct segment_record record;
	struct salvage_gap gap;
	enum salvage_step step;
	const struct segment_folder *folder = &mend->store->folder;
	enum lyc_status status =
		segment_create(folder, mend->old->first_seq, room_len, &mend->copy, error);
	if (status != LYC_OK)
		return status;
	mend->copy->generation = mend->old->generation + 1;
	mend->copy->epoch = mend->old->epoch;
	/* So the bytes of records stay as they are, and their checksums. */
	mend->copy->salt = (mend->old->salt & UINT32_MAX) | mend->old->salt << 32;
	mend->out_offset = SEGMENT_HEADER_LEN;
	while (status == LYC_OK &&
	       (step = salvage_next(&mend->salvage, &record, &gap)) != SALVAGE_END)
		status = step == SALVAGE_GAP ? put_gap(mend, &gap, error)
					     : put_entry(mend, &record, error);
	if (status == LYC_OK)
		status = flush(mend, error);
	mend->copy->synced_len = mend->copy->len;
	mend->copy->synced_seq = mend->copy->last_seq;
	mend->copy->header_lost_count = (uint32_t)mend->copy->lost_count;
	if (status == LYC_OK)
		status = segment_write_header(mend->copy, error);
	if (status == LYC_OK)
		status = segment_folder_sync_file(folder, mend->copy->fd, mend->copy->name, error);
	if (status != LYC_OK)
		unlinkat(folder->fd, mend->copy->name, 0);
	return status;
}

/* ---- the swap ---- */

/* The damaged file has a second name before it loses its first. */
static enum lyc_status keep_aside(struct mend *mend, struct lyc_error *error)
{
	struct segment_folder *folder = &mend->store->folder;
	if (mend->gap_count == 0)
		return LYC_OK;
	if (linkat(folder->fd, mend->old->name, folder->fd, mend->aside, 0) != 0 && errno != EEXIST)
		return segment_folder_failed(folder, error, "keep aside", mend->old->name);
	return segment_folder_sync_names(folder, error);
}

static enum lyc_status put_in_place(struct mend *mend, size_t at, struct lyc_error *error)
{
	struct store *store = mend->store;
	struct segment *old = mend->old;
	enum lyc_status status = keep_aside(mend, error);
	if (status == LYC_OK)
		status = segment_folder_rename(&store->folder, mend->copy->name, old->name, error);
	if (status != LYC_OK)
		return status;
	memcpy(mend->copy->name, old->name, sizeof(old->name));
	mend->copy->room_len = at + 1 == store->segment_count ? store->folder.segment_len : 0;
	pthread_mutex_lock(&store->lock);
	store->segments[at] = mend->copy;
	pthread_mutex_unlock(&store->lock);
	mend->copy->ref_count++; /* this one's and the store's */
	return LYC_OK;
}

/* Its subjects are those that the old one had: what is lost is counted among them. */
static void write_checkpoint(struct mend *mend)
{
	char name[32];
	if (checkpoint_write(&mend->store->folder, mend->copy, &mend->known, NULL) == LYC_OK)
		return;
	segment_name(mend->copy->first_seq, ".ckpt", name);
	unlinkat(mend->store->folder.fd, name, 0);
}

static enum lyc_status begin(struct mend *mend, struct store *store, size_t at, uint64_t must_seq,
			     bool is_bounded, struct lyc_error *error)
{
	uint64_t salt = 0;
	uint32_t generation = 0;
	*mend = (struct mend){.store = store, .old = store->segments[at]};
	struct segment *old = mend->old;
	if (is_bounded)
		mend->has_known = checkpoint_peek(&store->folder, old->first_seq, must_seq, &salt,
						  &generation, &mend->known);
	if (mend->has_known && old->is_header_damaged)
		old->generation = generation;
	else if (mend->has_known && (old->generation != generation || old->salt != salt))
		mend->has_known = false;
	snprintf(mend->aside, sizeof(mend->aside), "%s" ASIDE "%" PRIu32, old->name,
		 old->generation);
	enum lyc_status status =
		salvage_begin(&mend->salvage, old, must_seq, is_bounded, salt, error);
	if (status == LYC_OK && mend->has_known)
		status = find_missing(mend, error);
	return status;
}

static void end(struct mend *mend)
{
	segment_unref(mend->copy);
	subject_index_fini(&mend->known);
	subject_index_fini(&mend->missing);
	subject_index_fini(&mend->subjects);
	buf_fini(&mend->out);
	salvage_end(&mend->salvage);
}

static enum lyc_status copy_segment(struct mend *mend, size_t at, struct lyc_error *error)
{
	struct store *store = mend->store;
	bool is_active = at + 1 == store->segment_count;
	uint64_t room_len = is_active ? store->folder.segment_len : SEGMENT_HEADER_LEN;
	enum lyc_status status = make_copy(mend, room_len, error);
	if (status != LYC_RESOURCE_EXHAUSTED || mend->out_offset == 0)
		return status;
	/* Once more with the reserve, and without room for more than there is. */
	segment_folder_use_reserve(&store->folder);
	segment_unref(mend->copy);
	mend->copy = NULL;
	subject_index_fini(&mend->subjects);
	buf_clear(&mend->out);
	mend->gap_count = 0;
	mend->salvage.at = SEGMENT_HEADER_LEN;
	mend->salvage.next_seq = mend->old->first_seq;
	return make_copy(mend, SEGMENT_HEADER_LEN, error);
}

/* What the old checkpoint says and what was found: of each subject the later and the more. */
static bool merge_known(struct mend *mend)
{
	bool has_memory = true;
	for (size_t i = 0; i < mend->subjects.cap && has_memory; i++) {
		const struct subject_entry *entry = &mend->subjects.entries[i];
		if (!entry->name)
			continue;
		struct span subject = subject_entry_name(entry);
		struct subject_entry *known = subject_index_find(&mend->known, subject);
		if (!known)
			has_memory = subject_index_add(&mend->known, subject, entry->last_seq,
						       entry->count);
		else if (known->last_seq < entry->last_seq)
			known->last_seq = entry->last_seq;
		if (known && known->count < entry->count)
			known->count = entry->count;
	}
	return has_memory;
}

/* All of it, once the salvage has begun. */
static enum lyc_status run(struct mend *mend, size_t at, struct lyc_error *error)
{
	struct store *store = mend->store;
	enum lyc_status status = copy_segment(mend, at, error);
	if (status == LYC_OK && !merge_known(mend))
		status = no_memory(mend, error);
	if (status == LYC_OK)
		status = put_in_place(mend, at, error);
	if (status != LYC_OK)
		return status;
	store->damage_count += mend->gap_count > 0;
	if (at + 1 < store->segment_count)
		write_checkpoint(mend);
	pthread_mutex_lock(&store->lock);
	segment_unref(mend->old);
	pthread_mutex_unlock(&store->lock);
	return LYC_OK;
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
	for (size_t i = 0; subjects && i < mend.known.cap && status == LYC_OK; i++) {
		const struct subject_entry *entry = &mend.known.entries[i];
		if (entry->name && !subject_index_add(subjects, subject_entry_name(entry),
						      entry->last_seq, entry->count))
			status = no_memory(&mend, error);
	}
	end(&mend);
	return status;
}

enum lyc_status quarantine_mend_now(struct store *store, size_t at, struct lyc_error *error)
{
	pthread_mutex_lock(&store->writing);
	enum lyc_status status =
		quarantine_mend(store, at, store->segments[at]->last_seq, true, NULL, error);
	if (status == LYC_OK)
		status = digest_drop(store, error);
	pthread_mutex_unlock(&store->writing);
	return status;
}

/* ---- healing ---- */

/* How many bytes behind the checksum differ from those that were found damaged; SIZE_MAX when they
 * are not there to be compared. */
static size_t differing(const struct mend *mend, const struct lost *lost, struct span bytes)
{
	char name[64];
	struct buf damaged = {0};
	size_t count = SIZE_MAX;
	snprintf(name, sizeof(name), "%.*s", (int)lost->file.len, (const char *)lost->file.data);
	if (segment_folder_load(&mend->store->folder, mend->store->folder.fd, name, &damaged,
				NULL) == LYC_OK &&
	    damaged.len >= lost->offset + lost->len && lost->len == bytes.len) {
		count = 0;
		for (size_t i = CRC_LEN; i < bytes.len; i++)
			count += damaged.data[lost->offset + i] != bytes.data[i];
	}
	buf_fini(&damaged);
	return count;
}

static uint32_t crc_of(const struct buf *bytes)
{
	uint32_t crc = 0;
	for (int i = CRC_LEN - 1; i >= 0; i--)
		crc = crc << 8 | bytes->data[i];
	return crc;
}

/* Is it the record that was here? Its checksum says so; which batch it was of, that is covered by
 * that, may have to be tried. */
static bool has_crc(const struct mend *mend, const struct lost *lost, struct store_healed *healed,
		    struct buf *bytes)
{
	for (uint64_t i = 0; i <= MAX_BATCH && i <= healed->seq; i++) {
		healed->back = i == 0 ? lost->back : (uint32_t)(i - 1);
		buf_clear(bytes);
		segment_encode(mend->old, bytes, healed->seq, healed->seq - healed->back,
			       healed->subject, healed->record);
		if (bytes->has_failed)
			return false;
		if (crc_of(bytes) == lost->crc)
			return true;
	}
	/* As it was found. */
	healed->back = lost->back;
	buf_clear(bytes);
	segment_encode(mend->old, bytes, healed->seq, healed->seq - healed->back, healed->subject,
		       healed->record);
	return false;
}

/* The same, also where the checksum itself was hit: then the rest is as it was found, or so much of
 * it is gone that only length, subject and place are left to tell. */
static bool fits(const struct mend *mend, const struct lost *lost, struct store_healed *healed)
{
	struct buf bytes = {0};
	if (lost->subject.len > 0 && !span_equal(lost->subject, healed->subject))
		return false;
	bool is_single = lost->first_seq == lost->last_seq;
	bool is_so = is_single && has_crc(mend, lost, healed, &bytes);
	if (!is_so && !bytes.has_failed && !is_single) {
		segment_encode(mend->old, &bytes, healed->seq, healed->seq, healed->subject,
			       healed->record);
		is_so = !bytes.has_failed && bytes.len < lost->len;
		healed->back = 0;
	} else if (!is_so && !bytes.has_failed) {
		size_t count = differing(mend, lost, span_of(bytes.data, bytes.len));
		/* One bit of a record changes half of its checksum's. */
		bool is_crc = count == 0 && __builtin_popcount(crc_of(&bytes) ^ lost->crc) <= 2;
		is_so = bytes.len == lost->len &&
			(is_crc || (count >= MANY_BYTES && count != SIZE_MAX));
	}
	buf_fini(&bytes);
	return is_so;
}

static void judge(const struct mend *mend, struct store_healed *healed)
{
	healed->ret_status = LYC_NOT_FOUND;
	for (size_t i = 0; i < mend->old->lost_count; i++) {
		const struct segment_lost *entry = &mend->old->lost[i];
		struct lost lost;
		if (healed->seq < entry->first_seq || healed->seq > entry->last_seq)
			continue;
		struct span subject = entry->subject
					      ? span_of(entry->subject, strlen(entry->subject))
					      : span_of(NULL, 0);
		lost_read(entry->first_seq, entry->last_seq, subject,
			  span_of(entry->details.data, entry->details.len), &lost);
		healed->ret_status = fits(mend, &lost, healed) ? LYC_OK : LYC_FAILED_PRECONDITION;
		/* Where the subject was known it has been counted all the time. */
		healed->was_counted = lost.subject.len > 0;
	}
}

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

enum lyc_status quarantine_heal(struct store *store, size_t at, struct store_healed *healed,
				size_t count, struct lyc_error *error)
{
	struct mend mend;
	size_t fitting = 0;
	pthread_mutex_lock(&store->writing);
	enum lyc_status status =
		begin(&mend, store, at, store->segments[at]->last_seq, true, error);
	for (size_t i = 0; i < count && status == LYC_OK; i++) {
		judge(&mend, &healed[i]);
		fitting += healed[i].ret_status == LYC_OK;
	}
	mend.healed = healed;
	mend.healed_count = count;
	if (status == LYC_OK && fitting > 0) {
		status = run(&mend, at, error);
		if (status == LYC_OK)
			status = digest_drop(store, error);
		pthread_mutex_lock(&store->lock);
		bool is_active = at + 1 == store->segment_count;
		for (size_t i = 0; i < count && status == LYC_OK; i++) {
			if (healed[i].ret_status == LYC_OK &&
			    (!count_in(&store->subjects, &healed[i]) ||
			     (is_active && !count_in(&store->active_subjects, &healed[i]))))
				status = no_memory(&mend, error);
		}
		pthread_mutex_unlock(&store->lock);
	}
	end(&mend);
	pthread_mutex_unlock(&store->writing);
	return status;
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

/* ---- files that lie aside ---- */

/* Of one segment, 0: of any. Deletes them, too. */
static size_t count_aside(const struct segment_folder *folder, uint64_t first_seq, bool is_deleting)
{
	char prefix[32] = "";
	size_t count = 0;
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	if (!dir && fd >= 0)
		close(fd);
	if (first_seq > 0)
		segment_name(first_seq, ".log", prefix);
	for (struct dirent *entry = dir ? readdir(dir) : NULL; entry; entry = readdir(dir)) {
		if (!strstr(entry->d_name, ".log" ASIDE) ||
		    strncmp(entry->d_name, prefix, strlen(prefix)) != 0)
			continue;
		count++;
		if (is_deleting)
			unlinkat(folder->fd, entry->d_name, 0);
	}
	if (dir)
		closedir(dir);
	return count;
}

size_t quarantine_count(const struct segment_folder *folder)
{
	return count_aside(folder, 0, false);
}

void quarantine_forget(struct segment_folder *folder, uint64_t first_seq)
{
	(void)count_aside(folder, first_seq, true);
}

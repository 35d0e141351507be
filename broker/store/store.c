/*
 * The embedded engine's life and its writer: open, close, append. A batch is judged, encoded into
 * one run of bytes, written with one call, synced with one call, and only then shown to readers.
 * Recovery, reading and rewriting have files of their own.
 */
#include "store/store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/error.h"
#include "base/mem.h"
#include "store/aside.h"
#include "store/backup.h"
#include "store/checkpoint.h"
#include "store/digest.h"
#include "store/embedded.h"

#define DEFAULT_SEGMENT_LEN (64u << 20)
#define MAX_SEGMENT_LEN (1u << 30)
#define KEPT_BATCH_LEN (4u << 20)
/* So many zeros go with a batch that comes to room which was never written, so that the next ones
 * find it written; not with a longer one: a disk that is kept busy has no room for twice the bytes.
 */
#define ZEROS_LEN (64u << 10)
#define ZEROS_MAX_BATCH (8u << 10)
#define BLOCK_LEN 4096u
/* So many checkpoints may have to be read beside the digest. */
#define DIGEST_STEP 8

/* The subjects of the batch that is being judged: an open-addressing table of item numbers. */
struct pending {
	const struct store_item *items;
	size_t *places; /* item + 1; 0: free */
	size_t mask;
};

/* How far the log had been synced stood in the state alone: its end may be lost, and the sequences
 * of that would be given again. So it goes on as after a restore. */
static enum lyc_status begin_after_damage(struct store *store, struct lyc_error *error)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	store_mark_damaged(store, "log");
	enum lyc_status status = store_restore_epochs(store, error);
	if (status == LYC_OK)
		status = store_begin_epoch(
			store, (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000,
			error);
	if (status == LYC_OK)
		status = store_put_meta(store, BACKUP_WAITS_KEY, span_of("1", 1), error);
	return status;
}

enum lyc_status store_open(const struct store_options *options, struct store **ret_store,
			   struct lyc_error *error)
{
	struct store *store = mem_new(struct store);
	pthread_mutex_init(&store->lock, NULL);
	pthread_mutex_init(&store->writing, NULL);
	pthread_mutex_init(&store->changing, NULL);
	store->folder.without_sync = options->without_sync;
	store->folder.segment_len =
		options->segment_len ? options->segment_len : DEFAULT_SEGMENT_LEN;
	if (store->folder.segment_len > MAX_SEGMENT_LEN)
		store->folder.segment_len = MAX_SEGMENT_LEN;
	enum lyc_status status = segment_folder_open(&store->folder, options->folder, error);
	if (status == LYC_OK)
		status = recovery_run(store, error);
	if (status == LYC_OK && store->folder.is_state_damaged && store->last_seq > 0)
		status = begin_after_damage(store, error);
	if (status == LYC_OK)
		status = store_restore_epochs(store, error);
	if (status != LYC_OK) {
		store->is_broken = true; /* so that closing notes nothing */
		store_close(store);
		return status;
	}
	/* Without room for it the log opens all the same: it can be read and made smaller. */
	if (segment_folder_keep_reserve(&store->folder, NULL) != LYC_OK)
		store->folder.has_reserve = false;
	*ret_store = store;
	return LYC_OK;
}

void store_close(struct store *store)
{
	if (!store)
		return;
	if (!store->is_broken && store->segment_count > 0)
		digest_renew(store, 1);
	if (!store->is_broken && store->folder.state.synced_seq != store->last_seq) {
		/* Lets the next opening tell damage from a torn tail; it can do without. */
		struct folder_state state = store->folder.state;
		state.synced_seq = store->last_seq;
		if (segment_folder_put_state(&store->folder, &state, NULL) != LYC_OK)
			store->is_broken = true;
	}
	for (size_t i = 0; i < store->segment_count; i++)
		segment_unref(store->segments[i]);
	free(store->segments);
	subject_index_fini(&store->subjects);
	subject_index_fini(&store->active_subjects);
	buf_fini(&store->batch);
	segment_folder_fini(&store->folder);
	pthread_mutex_destroy(&store->lock);
	pthread_mutex_destroy(&store->writing);
	pthread_mutex_destroy(&store->changing);
	free(store);
}

/* Where the subject stands in the table, or the free place for it. */
static size_t *pending_place(const struct pending *pending, struct span subject)
{
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < subject.len; i++)
		hash = (hash ^ subject.data[i]) * 0x100000001b3u;
	for (size_t at = (hash ^ hash >> 32) & pending->mask;; at = (at + 1) & pending->mask) {
		size_t place = pending->places[at];
		if (place == 0 || span_equal(pending->items[place - 1].subject, subject))
			return &pending->places[at];
	}
}

static bool pending_init(struct pending *pending, const struct store_item *items, size_t count)
{
	size_t cap = 16;
	while (cap < 2 * count)
		cap *= 2;
	*pending = (struct pending){.items = items, .mask = cap - 1};
	pending->places = mem_try(cap * sizeof(size_t));
	return pending->places != NULL;
}

static enum lyc_status answer_all(struct store_item *items, size_t count, enum lyc_status status)
{
	for (size_t i = 0; i < count; i++)
		items[i].ret_status = status;
	return status;
}

/* Answer each item as if the batch were already written; how many are taken. */
static size_t judge(const struct store *store, struct store_item *items, size_t count,
		    const struct pending *pending)
{
	uint64_t batch_seq = store->last_seq + 1;
	uint64_t seq = batch_seq;
	for (size_t i = 0; i < count; i++) {
		struct store_item *item = &items[i];
		if (item->subject.len == 0 || item->subject.len > SEGMENT_MAX_SUBJECT_LEN ||
		    item->record.len > SEGMENT_MAX_RECORD_LEN) {
			item->ret_status = LYC_RESOURCE_EXHAUSTED;
			continue;
		}
		size_t *place = pending->places ? pending_place(pending, item->subject) : NULL;
		if (item->has_expect) {
			const struct subject_entry *entry =
				subject_index_find(&store->subjects, item->subject);
			uint64_t last = entry ? entry->last_seq : 0;
			if (*place > 0)
				last = items[*place - 1].ret_seq;
			if (last != item->expect_seq) {
				item->ret_status = LYC_FAILED_PRECONDITION;
				item->ret_seq = last;
				continue;
			}
		}
		item->ret_status = LYC_OK;
		item->ret_seq = seq;
		if (place)
			*place = i + 1;
		seq++;
	}
	return (size_t)(seq - batch_seq);
}

/* As if all were new: which of them are is found out when they are added. In the lock, because it
 * may move the table under a reader. */
static bool reserve(struct store *store, const struct store_item *items, size_t count, size_t taken,
		    size_t need)
{
	struct segment *active = store_active(store);
	size_t bytes = 0;
	for (size_t i = 0; i < count; i++)
		bytes += items[i].ret_status == LYC_OK ? items[i].subject.len : 0;
	pthread_mutex_lock(&store->lock);
	bool is_done = segment_reserve_marks(active, need / SEGMENT_MARK_DISTANCE + 2) &&
		       subject_index_reserve(&store->subjects, taken, bytes);
	pthread_mutex_unlock(&store->lock);
	return is_done && subject_index_reserve(&store->active_subjects, taken, bytes);
}

static size_t batch_len(const struct store_item *items, size_t count)
{
	size_t len = 0;
	for (size_t i = 0; i < count; i++) {
		if (items[i].ret_status == LYC_OK)
			len += SEGMENT_RECORD_HEADER_LEN + items[i].subject.len +
			       items[i].record.len;
	}
	return len;
}

enum lyc_status store_roll(struct store *store, uint64_t need, struct lyc_error *error)
{
	struct segment *old = store_active(store);
	struct segment *segment;
	char name[32];
	uint64_t room = store->folder.segment_len;
	if (room < SEGMENT_HEADER_LEN + need)
		room = SEGMENT_HEADER_LEN + need;
	enum lyc_status status =
		segment_create(&store->folder, old->last_seq + 1, room, &segment, error);
	if (status == LYC_RESOURCE_EXHAUSTED && store->may_use_reserve) {
		segment_folder_use_reserve(&store->folder);
		status = segment_create(&store->folder, old->last_seq + 1,
					SEGMENT_HEADER_LEN + need, &segment, error);
	}
	if (status != LYC_OK)
		return status;
	segment_name(segment->first_seq, ".log", name);
	status = segment_folder_rename(&store->folder, segment->name, name, error);
	if (status != LYC_OK) {
		/* Whether it has its name on the disk is unknown now. */
		store->is_broken = true;
		segment_unref(segment);
		return status;
	}
	memcpy(segment->name, name, sizeof(name));
	pthread_mutex_lock(&store->lock);
	bool is_added = store_add_segment(store, segment);
	pthread_mutex_unlock(&store->lock);
	if (!is_added) {
		store->is_broken = true;
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a segment.");
	}
	if (ftruncate(old->fd, (off_t)old->len) != 0)
		status = segment_folder_failed(&store->folder, error, "cut", old->name);
	if (status == LYC_OK)
		status = segment_folder_sync_file(&store->folder, old->fd, old->name, error);
	if (status != LYC_OK) {
		store->is_broken = true;
		return status;
	}
	/* Only a shortcut for the next opening; a full disk may do without. */
	if (checkpoint_write(&store->folder, old, &store->active_subjects, NULL) != LYC_OK)
		errno = 0;
	subject_index_fini(&store->active_subjects);
	digest_renew(store, DIGEST_STEP);
	return LYC_OK;
}

/* See to it that the batch fits into the active segment's room. */
static enum lyc_status make_room(struct store *store, uint64_t need, struct lyc_error *error)
{
	struct segment *active = store_active(store);
	uint64_t end = active->len + need;
	if (end > store->folder.segment_len && active->last_seq >= active->first_seq)
		return store_roll(store, need, error);
	if (end <= active->room_len)
		return LYC_OK;
	/* Given back by a cut, or never had: asked for before anything is written, because a write
	 * without room may fail as late as at its sync. */
	uint64_t whole = end > store->folder.segment_len ? end : store->folder.segment_len;
	enum lyc_status status =
		segment_folder_take_room(&store->folder, active->fd, active->name, whole, error);
	if (status == LYC_OK)
		active->room_len = whole;
	if (status != LYC_RESOURCE_EXHAUSTED || !store->may_use_reserve)
		return status;
	segment_folder_use_reserve(&store->folder);
	status = segment_folder_take_room(&store->folder, active->fd, active->name, end, error);
	if (status == LYC_OK)
		active->room_len = end;
	return status;
}

/* After a failed write: what it left must not be read as records one day. */
static void wipe_tail(struct store *store)
{
	struct segment *active = store_active(store);
	active->room_len = active->len;
	active->zeroed_len = 0;
	if (ftruncate(active->fd, (off_t)active->len) != 0 ||
	    segment_folder_sync_file(&store->folder, active->fd, active->name, NULL) != LYC_OK)
		store->is_broken = true;
}

/* The zeros behind a batch are those that lay there before, or would be read. They may do without.
 */
static uint64_t add_zeros(struct buf *batch, const struct segment *active)
{
	uint64_t end = active->len + batch->len;
	uint64_t zeroed = (end + ZEROS_LEN) / BLOCK_LEN * BLOCK_LEN;
	if (zeroed > active->room_len)
		zeroed = active->room_len;
	if (batch->len > ZEROS_MAX_BATCH || end <= active->zeroed_len || zeroed <= end ||
	    !buf_reserve(batch, (size_t)(zeroed - end)))
		return active->zeroed_len;
	memset(batch->data + batch->len, 0, (size_t)(zeroed - end));
	batch->len += (size_t)(zeroed - end);
	return zeroed;
}

static enum lyc_status write_batch(struct store *store, struct lyc_error *error)
{
	struct segment *active = store_active(store);
	uint64_t zeroed_len = add_zeros(&store->batch, active);
	enum lyc_status status =
		segment_folder_write(&store->folder, active->fd, active->name, store->batch.data,
				     store->batch.len, active->len, error);
	if (status != LYC_OK) {
		wipe_tail(store);
		return status;
	}
	if (!store->folder.without_sync && fdatasync(active->fd) != 0) {
		store->is_broken = true;
		status = segment_folder_failed(&store->folder, error, "sync", active->name);
		return status == LYC_RESOURCE_EXHAUSTED ? status : LYC_UNAVAILABLE;
	}
	active->zeroed_len = zeroed_len;
	return LYC_OK;
}

/* The batch is synced: readers may have it. */
static void publish(struct store *store, const struct store_item *items, size_t count)
{
	struct segment *active = store_active(store);
	uint64_t offset = active->len;
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < count; i++) {
		const struct store_item *item = &items[i];
		if (item->ret_status != LYC_OK)
			continue;
		uint64_t len = SEGMENT_RECORD_HEADER_LEN + item->subject.len + item->record.len;
		segment_note(active, SEGMENT_RECORD, item->ret_seq, item->ret_seq, offset, len);
		offset += len;
		(void)subject_index_add(&store->subjects, item->subject, item->ret_seq, 1);
	}
	store->last_seq = active->last_seq;
	pthread_mutex_unlock(&store->lock);
	for (size_t i = 0; i < count; i++) {
		if (items[i].ret_status == LYC_OK)
			(void)subject_index_add(&store->active_subjects, items[i].subject,
						items[i].ret_seq, 1);
	}
}

static enum lyc_status append(struct store *store, struct store_item *items, size_t count,
			      struct pending *pending, struct lyc_error *error)
{
	uint64_t batch_seq = store->last_seq + 1;
	size_t taken = judge(store, items, count, pending);
	if (taken == 0)
		return LYC_OK;
	size_t need = batch_len(items, count);
	if (need > MAX_SEGMENT_LEN)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "A batch of %zu bytes is too long; send at most %u at once.", need,
				 MAX_SEGMENT_LEN);
	enum lyc_status status = make_room(store, need, error);
	if (status != LYC_OK)
		return status;
	struct segment *active = store_active(store);
	buf_clear(&store->batch);
	for (size_t i = 0; i < count; i++) {
		if (items[i].ret_status == LYC_OK)
			segment_encode(active, &store->batch, items[i].ret_seq, batch_seq,
				       items[i].subject, items[i].record);
	}
	if (store->batch.has_failed || !reserve(store, items, count, taken, need))
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a batch.");
	status = write_batch(store, error);
	if (status == LYC_OK)
		publish(store, items, count);
	if (store->batch.cap > KEPT_BATCH_LEN)
		buf_fini(&store->batch);
	return status;
}

enum lyc_status store_append(struct store *store, struct store_item *items, size_t count,
			     struct lyc_error *error)
{
	struct pending pending = {0};
	enum lyc_status status;
	bool has_expect = false;
	bool is_vital = true;
	for (size_t i = 0; i < count; i++) {
		has_expect = has_expect || items[i].has_expect;
		is_vital = is_vital && items[i].is_vital;
	}
	pthread_mutex_lock(&store->writing);
	if (store->is_broken)
		status = error_set(error, LYC_UNAVAILABLE,
				   "The log %s takes no records after a failed sync; restart to "
				   "open it again.",
				   store->folder.path);
	else if (has_expect && !pending_init(&pending, items, count))
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a batch.");
	else
		status = segment_folder_keep_reserve(&store->folder, error);
	store->may_use_reserve = is_vital;
	if (status == LYC_RESOURCE_EXHAUSTED && is_vital)
		status = LYC_OK;
	if (status == LYC_OK)
		status = append(store, items, count, &pending, error);
	if (!is_vital) {
		pthread_mutex_lock(&store->lock);
		store->append_status = status;
		pthread_mutex_unlock(&store->lock);
	}
	pthread_mutex_unlock(&store->writing);
	free(pending.places);
	return status == LYC_OK ? LYC_OK : answer_all(items, count, status);
}

uint64_t store_last_of(struct store *store, struct span subject)
{
	pthread_mutex_lock(&store->lock);
	const struct subject_entry *entry = subject_index_find(&store->subjects, subject);
	uint64_t seq = entry ? entry->last_seq : 0;
	pthread_mutex_unlock(&store->lock);
	return seq;
}

void store_stats(struct store *store, struct store_stats *ret_stats)
{
	struct store_stats stats = {.truncated_bytes = store->truncated_bytes};
	pthread_mutex_lock(&store->lock);
	stats.epoch = store->folder.state.epoch;
	stats.last_seq = store->last_seq;
	stats.subject_count = store->subjects.count;
	stats.segment_count = (uint32_t)store->segment_count;
	for (size_t i = 0; i < store->segment_count; i++) {
		const struct segment *segment = store->segments[i];
		stats.bytes += segment->len;
		if (stats.first_seq == 0)
			stats.first_seq = segment->first_kept_seq;
		for (size_t k = 0; k < segment->lost_count; k++)
			stats.lost_count +=
				segment->lost[k].last_seq - segment->lost[k].first_seq + 1;
	}
	stats.damage_count = store->damage_count;
	stats.append_status = store->append_status;
	pthread_mutex_unlock(&store->lock);
	stats.aside_count = (uint32_t)aside_count(&store->folder);
	*ret_stats = stats;
}

/*
 * The beginning of a new epoch. A hole stands for the sequences that the lost end of the log may
 * have given, so that none of them is given again; a segment of the new epoch comes behind it.
 */
#include "base/error.h"
#include "base/pb.h"
#include "store/backup.h"
#include "store/embedded.h"

#define CHUNK_LEN (1u << 20)

/* The log's former epochs, with the one that ends now. */
static enum lyc_status note_epoch(struct store *store, struct lyc_error *error)
{
	struct buf value = {0};
	enum lyc_status status = store_get_meta(store, BACKUP_EPOCHS_KEY, &value);
	if (status == LYC_OK || status == LYC_NOT_FOUND) {
		size_t mark = pb_begin(&value, 1);
		pb_write_uint(&value, 1, store->folder.state.epoch);
		pb_write_uint(&value, 2, store->last_seq);
		pb_end(&value, mark);
		status = store_put_meta(store, BACKUP_EPOCHS_KEY, span_of(value.data, value.len),
					error);
	} else {
		status = error_set(error, status, "The list of epochs in %s cannot be read.",
				   store->folder.path);
	}
	buf_fini(&value);
	return status;
}

/* The last sequence of a segment that is no hole at its end. */
static enum lyc_status last_given(const struct segment *segment, uint64_t *ret_seq,
				  struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status;
	*ret_seq = segment->first_seq - 1;
	segment_cursor_init(&cursor, segment, SEGMENT_HEADER_LEN, segment->len, CHUNK_LEN);
	while ((status = segment_cursor_next(&cursor, &record, error)) == LYC_OK) {
		if (record.kind != SEGMENT_HOLE)
			*ret_seq = record.last_seq;
	}
	segment_cursor_fini(&cursor);
	/* What is damaged is found when it is read: the number is a little low then. */
	return status == LYC_OUT_OF_RANGE || status == LYC_DATA_LOSS ? LYC_OK : status;
}

static bool has_former_epoch(const struct store *store)
{
	for (size_t i = 0; i < store->segment_count; i++) {
		if (store->segments[i]->epoch != store->folder.state.epoch)
			return true;
	}
	return false;
}

enum lyc_status store_restore_epochs(struct store *store, struct lyc_error *error)
{
	struct buf value = {0};
	if (!has_former_epoch(store))
		return LYC_OK;
	enum lyc_status status = store_get_meta(store, BACKUP_EPOCHS_KEY, &value);
	if (status == LYC_OK)
		goto out;
	if (status == LYC_NOT_FOUND)
		store_mark_damaged(store, BACKUP_EPOCHS_KEY);
	status = LYC_OK;
	for (size_t i = 0; i + 1 < store->segment_count && status == LYC_OK; i++) {
		const struct segment *segment = store->segments[i];
		uint64_t last_seq = 0;
		if (segment->epoch == store->segments[i + 1]->epoch)
			continue;
		status = last_given(segment, &last_seq, error);
		size_t mark = pb_begin(&value, 1);
		pb_write_uint(&value, 1, segment->epoch);
		pb_write_uint(&value, 2, last_seq);
		pb_end(&value, mark);
	}
	if (status == LYC_OK)
		status = store_put_meta(store, BACKUP_EPOCHS_KEY, span_of(value.data, value.len),
					error);
out:
	buf_fini(&value);
	return status;
}

static enum lyc_status append_hole(struct store *store, uint64_t last, struct lyc_error *error)
{
	struct segment *active = store_active(store);
	struct buf hole = {0};
	uint64_t offset = active->len;
	segment_encode_hole(active, &hole, store->last_seq + 1, last);
	enum lyc_status status = LYC_OK;
	if (hole.has_failed || !segment_reserve_marks(active, 1))
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a new epoch.");
	if (status == LYC_OK)
		status = segment_folder_write(&store->folder, active->fd, active->name, hole.data,
					      hole.len, offset, error);
	if (status == LYC_OK)
		status = segment_folder_sync_file(&store->folder, active->fd, active->name, error);
	if (status == LYC_OK) {
		pthread_mutex_lock(&store->lock);
		segment_note(active, SEGMENT_HOLE, store->last_seq + 1, last, offset, hole.len);
		store->last_seq = last;
		pthread_mutex_unlock(&store->lock);
	}
	buf_fini(&hole);
	return status;
}

enum lyc_status store_begin_epoch(struct store *store, uint64_t now_ms, struct lyc_error *error)
{
	struct folder_state state = store->folder.state;
	state.epoch = now_ms > state.epoch ? now_ms : state.epoch + 1;
	uint64_t next = (store->last_seq / BACKUP_EPOCH_STEP + 1) * BACKUP_EPOCH_STEP;
	enum lyc_status status = note_epoch(store, error);
	if (status == LYC_OK)
		status = append_hole(store, next, error);
	if (status == LYC_OK)
		status = segment_folder_put_state(&store->folder, &state, error);
	if (status == LYC_OK)
		status = store_roll(store, 0, error);
	return status;
}

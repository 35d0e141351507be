/*
 * Reading: under the lock a reader takes a reference to the segment and how far it is synced; all
 * file reading is done without the lock, so it never delays a commit. A segment that is rewritten
 * meanwhile stays open for those who read it.
 */
#include <inttypes.h>

#include "base/error.h"
#include "store/embedded.h"

#define CHUNK_LEN (128u << 10)

/* A segment held for reading. */
struct held {
	struct segment *segment;
	uint64_t offset;
	uint64_t end;
	uint64_t last_seq;
};

static bool hold(struct store *store, uint64_t from, struct held *ret_held)
{
	pthread_mutex_lock(&store->lock);
	size_t at = store_find_segment(store, from);
	bool is_found = at < store->segment_count;
	if (is_found) {
		struct segment *segment = store->segments[at];
		segment->ref_count++;
		*ret_held = (struct held){.segment = segment,
					  .offset = segment_find(segment, from),
					  .end = segment->len,
					  .last_seq = segment->last_seq};
	}
	pthread_mutex_unlock(&store->lock);
	return is_found;
}

static uint64_t last_seq_of(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	uint64_t seq = store->last_seq;
	pthread_mutex_unlock(&store->lock);
	return seq;
}

enum lyc_status store_read(struct store *store, uint64_t from, size_t max_count, size_t max_bytes,
			   store_record_fn on_record, void *arg, uint64_t *ret_next,
			   struct lyc_error *error)
{
	return store_read_all(store, from, max_count, max_bytes, on_record, NULL, arg, ret_next,
			      error);
}

enum lyc_status store_read_all(struct store *store, uint64_t from, size_t max_count,
			       size_t max_bytes, store_record_fn on_record, store_record_fn on_lost,
			       void *arg, uint64_t *ret_next, struct lyc_error *error)
{
	uint64_t next = from ? from : 1;
	uint64_t last = last_seq_of(store);
	size_t count = 0;
	size_t bytes = 0;
	bool is_done = max_count == 0;
	struct held held;
	while (!is_done && next <= last && hold(store, next, &held)) {
		struct segment_cursor cursor;
		struct segment_record record;
		enum lyc_status status = LYC_OK;
		segment_cursor_init(&cursor, held.segment, held.offset, held.end, CHUNK_LEN);
		while (!is_done) {
			status = segment_cursor_next(&cursor, &record, error);
			if (status != LYC_OK)
				break;
			store_record_fn on_entry = record.kind == SEGMENT_RECORD ? on_record
						   : record.kind == SEGMENT_LOST ? on_lost
										 : NULL;
			if (!on_entry || record.last_seq < next)
				continue;
			next = record.last_seq + 1;
			count++;
			bytes += record.subject.len + record.record.len;
			is_done = !on_entry(record.last_seq, record.subject, record.record, arg) ||
				  count >= max_count || bytes >= max_bytes;
		}
		segment_cursor_fini(&cursor);
		store_release_segment(store, held.segment);
		if (status == LYC_OUT_OF_RANGE)
			next = held.last_seq + 1;
		else if (status != LYC_OK) {
			*ret_next = next;
			return status;
		}
	}
	*ret_next = next <= last + 1 || count > 0 ? next : last + 1;
	return LYC_OK;
}

enum lyc_status store_read_one(struct store *store, uint64_t seq, struct buf *ret_record,
			       struct lyc_error *error)
{
	struct held held;
	enum lyc_status status = LYC_OUT_OF_RANGE;
	if (seq > 0 && hold(store, seq, &held)) {
		struct segment_cursor cursor;
		struct segment_record record = {0};
		segment_cursor_init(&cursor, held.segment, held.offset, held.end, CHUNK_LEN);
		do
			status = segment_cursor_next(&cursor, &record, error);
		while (status == LYC_OK && record.last_seq < seq);
		if (status == LYC_OK && record.kind == SEGMENT_LOST && record.seq <= seq)
			status = error_set(error, LYC_DATA_LOSS,
					   "The record of sequence %" PRIu64
					   " was found damaged and is lost here.",
					   seq);
		else if (status == LYC_OK && (record.kind != SEGMENT_RECORD || record.seq != seq))
			status = LYC_OUT_OF_RANGE;
		if (status == LYC_OK) {
			buf_add(ret_record, record.record.data, record.record.len);
			if (ret_record->has_failed)
				status = error_set(error, LYC_RESOURCE_EXHAUSTED,
						   "No memory for a record.");
		}
		segment_cursor_fini(&cursor);
		store_release_segment(store, held.segment);
	}
	if (status == LYC_OUT_OF_RANGE)
		status = error_set(error, LYC_NOT_FOUND,
				   "The log holds no record of sequence %" PRIu64 ".", seq);
	return status;
}

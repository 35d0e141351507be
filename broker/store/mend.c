/* The open log's damage: listed, looked for, mended and healed. */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "store/embedded.h"
#include "store/quarantine.h"

#define CHUNK_LEN (256u << 10)

void store_lost(struct store *store, store_lost_fn on_lost, void *arg)
{
	pthread_mutex_lock(&store->lock);
	for (size_t i = 0; i < store->segment_count; i++) {
		const struct segment *segment = store->segments[i];
		for (size_t k = 0; k < segment->lost_count; k++) {
			const struct segment_lost *lost = &segment->lost[k];
			on_lost(lost->first_seq, lost->last_seq,
				span_of(lost->details.data, lost->details.len), arg);
		}
	}
	pthread_mutex_unlock(&store->lock);
}

/* A segment held, and how far it is synced. */
struct held {
	struct segment *segment;
	uint64_t end;
	uint64_t last_seq;
};

static bool hold(struct store *store, size_t at, struct held *ret_held)
{
	pthread_mutex_lock(&store->lock);
	bool is_there = at < store->segment_count;
	if (is_there) {
		struct segment *segment = store->segments[at];
		segment->ref_count++;
		*ret_held = (struct held){segment, segment->len, segment->last_seq};
	}
	pthread_mutex_unlock(&store->lock);
	return is_there;
}

/* Read from an offset on until about max_bytes from this sequence on were checked; the one after
 * them. */
static enum lyc_status check(const struct held *held, uint64_t offset, uint64_t seq,
			     size_t max_bytes, uint64_t *ret_next, struct lyc_error *error)
{
	struct segment_cursor cursor;
	struct segment_record record;
	enum lyc_status status = LYC_OK;
	uint64_t from = offset;
	uint64_t next = 0;
	/* What lies before the first record is looked at with it. */
	if (offset == SEGMENT_HEADER_LEN)
		status = segment_check_header(held->segment, error);
	segment_cursor_init(&cursor, held->segment, offset, held->end, CHUNK_LEN);
	while (status == LYC_OK && cursor.offset - from < max_bytes) {
		status = segment_cursor_next(&cursor, &record, error);
		if (status == LYC_OK && record.last_seq < seq)
			from = cursor.offset;
		else if (status == LYC_OK)
			next = record.last_seq + 1;
	}
	segment_cursor_fini(&cursor);
	*ret_next = status == LYC_OUT_OF_RANGE ? held->last_seq + 1 : next;
	return status == LYC_OUT_OF_RANGE ? LYC_OK : status;
}

enum lyc_status store_scrub(struct store *store, uint64_t *seq, size_t max_bytes,
			    struct lyc_error *error)
{
	struct held held;
	uint64_t next = 1;
	pthread_mutex_lock(&store->lock);
	size_t at = store_find_segment(store, *seq);
	uint64_t offset = at < store->segment_count ? segment_find(store->segments[at], *seq) : 0;
	pthread_mutex_unlock(&store->lock);
	if (!hold(store, at, &held)) {
		*seq = 1;
		return LYC_OK;
	}
	enum lyc_status status = check(&held, offset, *seq, max_bytes, &next, error);
	store_release_segment(store, held.segment);
	if (status == LYC_OK)
		*seq = next;
	return status;
}

enum lyc_status store_mend(struct store *store, uint64_t from_seq, uint64_t to_seq,
			   bool *ret_was_damaged, struct lyc_error *error)
{
	struct held held;
	enum lyc_status status = LYC_OK;
	*ret_was_damaged = false;
	pthread_mutex_lock(&store->changing);
	pthread_mutex_lock(&store->lock);
	size_t at = store_find_segment(store, from_seq);
	pthread_mutex_unlock(&store->lock);
	for (; status == LYC_OK && hold(store, at, &held); at++) {
		uint64_t next;
		bool is_behind = held.segment->first_seq > to_seq;
		if (!is_behind)
			status = check(&held, SEGMENT_HEADER_LEN, 0, SIZE_MAX, &next, error);
		bool is_damaged = status == LYC_DATA_LOSS;
		store_release_segment(store, held.segment);
		if (is_behind)
			break;
		if (is_damaged)
			status = quarantine_mend_now(store, at, error);
		*ret_was_damaged = *ret_was_damaged || is_damaged;
	}
	pthread_mutex_unlock(&store->changing);
	return status;
}

enum lyc_status store_heal(struct store *store, struct store_healed *healed, size_t count,
			   struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	for (size_t i = 0; i < count; i++)
		healed[i].ret_status = LYC_NOT_FOUND;
	pthread_mutex_lock(&store->changing);
	for (size_t i = 0; i < count && status == LYC_OK;) {
		size_t same = 1;
		pthread_mutex_lock(&store->lock);
		size_t at = store_find_segment(store, healed[i].seq);
		uint64_t last_seq = at < store->segment_count ? store->segments[at]->last_seq : 0;
		bool has_lost = last_seq > 0 && store->segments[at]->lost_count > 0;
		pthread_mutex_unlock(&store->lock);
		while (i + same < count && healed[i + same].seq <= last_seq)
			same++;
		if (has_lost)
			status = quarantine_heal(store, at, &healed[i], same, error);
		i += same;
	}
	pthread_mutex_unlock(&store->changing);
	return status;
}

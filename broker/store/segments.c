/* The open log's list of segments: in order, the last one active, and how a file is held while it
 * is read though a rewrite may replace it. */
#include <stdlib.h>

#include "store/embedded.h"

bool store_add_segment(struct store *store, struct segment *segment)
{
	if (store->segment_count == store->segment_cap) {
		size_t cap = store->segment_cap ? store->segment_cap * 2 : 16;
		struct segment **segments = realloc(store->segments, cap * sizeof(*segments));
		if (!segments) {
			segment_unref(segment);
			return false;
		}
		store->segments = segments;
		store->segment_cap = cap;
	}
	store->segments[store->segment_count++] = segment;
	return true;
}

size_t store_find_segment(const struct store *store, uint64_t seq)
{
	size_t low = 0;
	size_t high = store->segment_count;
	while (low < high) {
		size_t middle = (low + high) / 2;
		if (store->segments[middle]->last_seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

size_t store_count_segments(struct store *store)
{
	pthread_mutex_lock(&store->lock);
	size_t count = store->segment_count;
	pthread_mutex_unlock(&store->lock);
	return count;
}

struct segment *store_hold_segment(struct store *store, size_t at)
{
	pthread_mutex_lock(&store->lock);
	struct segment *segment = at < store->segment_count ? store->segments[at] : NULL;
	if (segment)
		segment->ref_count++;
	pthread_mutex_unlock(&store->lock);
	return segment;
}

void store_release_segment(struct store *store, struct segment *segment)
{
	pthread_mutex_lock(&store->lock);
	segment_unref(segment);
	pthread_mutex_unlock(&store->lock);
}

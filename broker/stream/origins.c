/* Positions by origin, with sparse marks into this daemon's log. */
#include "stream/origins.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"

#define MARK_STEP 256

void origins_fini(struct origins *origins)
{
	for (size_t i = 0; i < origins->count; i++)
		free(origins->items[i].marks);
	free(origins->items);
	*origins = (struct origins){0};
}

struct origin *origins_find(const struct origins *origins, struct span name)
{
	for (size_t i = 0; i < origins->count; i++) {
		if (span_is(name, origins->items[i].name))
			return &origins->items[i];
	}
	return NULL;
}

struct origin *origins_get(struct origins *origins, struct span name)
{
	struct origin *origin = origins_find(origins, name);
	if (origin)
		return origin;
	if (origins->count == ORIGINS_MAX || name.len >= sizeof(origin->name))
		return NULL;
	struct origin *items = realloc(origins->items, (origins->count + 1) * sizeof(*items));
	if (!items)
		return NULL;
	origins->items = items;
	origin = &items[origins->count++];
	*origin = (struct origin){0};
	memcpy(origin->name, name.data, name.len);
	return origin;
}

static void begin_epoch(struct origin *origin, uint64_t epoch)
{
	origin->epoch = epoch;
	origin->seq = 0;
	origin->mark_count = 0;
	origin->record_count = 0;
}

void origin_add_mark(struct origin *origin, uint64_t origin_seq, uint64_t seq)
{
	size_t count = origin->mark_count;
	if ((count & (count - 1)) == 0) {
		size_t size = (count ? count * 2 : 1) * sizeof(*origin->marks);
		origin->marks = realloc(origin->marks, size);
		ensure(origin->marks != NULL);
	}
	origin->marks[origin->mark_count++] =
		(struct origin_mark){.origin_seq = origin_seq, .seq = seq};
}

void origin_committed(struct origin *origin, uint64_t epoch, uint64_t origin_seq, uint64_t seq)
{
	if (epoch != origin->epoch) {
		/* Restored from a backup: what came before is still in the log, but its positions
		 * mean nothing now. */
		begin_epoch(origin, epoch);
	}
	if (origin->record_count++ % MARK_STEP == 0)
		origin_add_mark(origin, origin_seq, seq);
	if (origin_seq > origin->seq)
		origin->seq = origin_seq;
}

void origin_restore(struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	if (epoch > origin->epoch)
		begin_epoch(origin, epoch);
	if (epoch == origin->epoch && origin_seq > origin->seq)
		origin->seq = origin_seq;
}

uint64_t origin_age_ms(const struct origin *origin, uint64_t now_ms, uint64_t wall_ms)
{
	if (origin->is_heard_of)
		return (uint64_t)((int64_t)now_ms - origin->confirmed_ms);
	return wall_ms > origin->last_time_ms ? wall_ms - origin->last_time_ms : 0;
}

void origin_heard_of(struct origin *origin, uint64_t now_ms, uint64_t age_ms)
{
	origin->is_heard_of = true;
	origin->confirmed_ms = (int64_t)now_ms - (int64_t)age_ms;
}

bool origin_is_new(const struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	if (epoch != origin->epoch)
		return epoch > origin->epoch;
	return origin_seq > origin->seq;
}

void origin_queued(struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	origin->queued_epoch = epoch;
	origin->queued_seq = origin_seq;
}

void origin_unqueue(struct origin *origin)
{
	origin->queued_epoch = 0;
	origin->queued_seq = 0;
}

bool origin_is_wanted(const struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	bool is_queued = epoch == origin->queued_epoch && origin_seq <= origin->queued_seq;
	return !is_queued && origin_is_new(origin, epoch, origin_seq);
}

uint64_t origin_start(const struct origin *origin, uint64_t epoch, uint64_t after_seq)
{
	if (origin->mark_count == 0)
		return UINT64_MAX;
	if (epoch != origin->epoch)
		return origin->marks[0].seq;
	if (after_seq >= origin->seq)
		return UINT64_MAX;
	size_t low = 0;
	size_t high = origin->mark_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (origin->marks[middle].origin_seq <= after_seq + 1)
			low = middle;
		else
			high = middle;
	}
	return origin->marks[low].seq;
}

/* Positions by origin, with sparse marks into this daemon's log. */
#include "stream/origins.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "stream/subjects.h"

#define MARK_STEP 256

void origins_fini(struct origins *origins)
{
	for (size_t i = 0; i < origins->count; i++) {
		free(origins->items[i].marks);
		seq_set_fini(&origins->items[i].returned);
		for (size_t form = 0; form < 3; form++)
			seq_set_fini(&origins->items[i].forms[form]);
	}
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

const char *origins_home(const struct origins *origins, const struct subject_note *note)
{
	if (!note || note->home)
		return note ? note->home : NULL;
	return note->pending > 0 && note->pending_origin > 0
		       ? origins->items[note->pending_origin].name
		       : NULL;
}

void origin_begin_epoch(struct origin *origin, uint64_t epoch)
{
	struct origin_former former = {.epoch = origin->epoch, .seq = origin->seq};
	size_t count = origin->former_count;
	if (origin->epoch > 0 && count == ORIGIN_MAX_FORMER)
		memmove(origin->formers, origin->formers + 1, --count * sizeof(former));
	if (origin->epoch > 0)
		origin->formers[count++] = former;
	origin->former_count = count;
	origin->epoch = epoch;
	origin->seq = 0;
}

/* A record of an epoch that is known to be over. */
static void note_former(struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	size_t at = origin->former_count;
	while (at > 0 && origin->formers[at - 1].epoch > epoch)
		at--;
	if (at > 0 && origin->formers[at - 1].epoch == epoch) {
		if (origin->formers[at - 1].seq < origin_seq)
			origin->formers[at - 1].seq = origin_seq;
	} else if (origin->former_count < ORIGIN_MAX_FORMER) {
		memmove(origin->formers + at + 1, origin->formers + at,
			(origin->former_count++ - at) * sizeof(*origin->formers));
		origin->formers[at] = (struct origin_former){.epoch = epoch, .seq = origin_seq};
	}
}

static bool is_at_or_before(const struct origin_mark *mark, uint64_t epoch, uint64_t origin_seq)
{
	return mark->epoch < epoch || (mark->epoch == epoch && mark->origin_seq <= origin_seq);
}

/* The last mark at or before the first record behind the position, or the first one. There is one.
 */
static size_t find_mark(const struct origin *origin, uint64_t epoch, uint64_t after_seq)
{
	size_t low = 0;
	size_t high = origin->mark_count;
	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;
		if (is_at_or_before(&origin->marks[middle], epoch, after_seq + 1))
			low = middle;
		else
			high = middle;
	}
	return low;
}

bool origin_has(const struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	if (epoch == origin->epoch && origin_seq <= origin->seq)
		return true;
	if (epoch == origin->queued_epoch && origin_seq <= origin->queued_seq)
		return true;
	for (size_t i = 0; i < origin->former_count; i++) {
		if (origin->formers[i].epoch == epoch && origin_seq <= origin->formers[i].seq)
			return true;
	}
	return seq_set_has(&origin->returned, epoch, origin_seq);
}

uint64_t origin_epoch_end(const struct origin *origin, uint64_t epoch)
{
	uint64_t seq = 0;
	for (size_t i = 0; i < origin->former_count; i++) {
		if (origin->formers[i].epoch <= epoch)
			seq = origin->formers[i].seq;
	}
	return origin->epoch <= epoch ? origin->seq : seq;
}

uint64_t origin_count_after(const struct origin *origin, uint64_t epoch, uint64_t after_seq)
{
	if (origin->mark_count == 0 || epoch > origin->epoch ||
	    (epoch == origin->epoch && after_seq >= origin->seq))
		return 0;
	return origin->record_count - find_mark(origin, epoch, after_seq) * MARK_STEP;
}

void origin_add_mark(struct origin *origin, uint64_t epoch, uint64_t origin_seq, uint64_t seq)
{
	size_t count = origin->mark_count;
	if ((count & (count - 1)) == 0) {
		size_t size = (count ? count * 2 : 1) * sizeof(*origin->marks);
		origin->marks = realloc(origin->marks, size);
		ensure(origin->marks != NULL);
	}
	origin->marks[origin->mark_count++] =
		(struct origin_mark){.epoch = epoch, .origin_seq = origin_seq, .seq = seq};
}

void origin_committed(struct origin *origin, uint64_t epoch, uint64_t origin_seq, uint64_t seq)
{
	if (epoch > origin->epoch)
		origin_begin_epoch(origin, epoch);
	else if (epoch < origin->epoch)
		note_former(origin, epoch, origin_seq);
	if (origin->record_count++ % MARK_STEP == 0)
		origin_add_mark(origin, epoch, origin_seq, seq);
	if (epoch == origin->epoch && origin_seq > origin->seq)
		origin->seq = origin_seq;
}

void origin_restore(struct origin *origin, uint64_t epoch, uint64_t origin_seq)
{
	if (epoch > origin->epoch)
		origin_begin_epoch(origin, epoch);
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
	if (origin->mark_count == 0 || epoch > origin->epoch ||
	    (epoch == origin->epoch && after_seq >= origin->seq))
		return UINT64_MAX;
	return origin->marks[find_mark(origin, epoch, after_seq)].seq;
}

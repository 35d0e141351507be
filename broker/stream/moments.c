/* An array that grows by doubling, and a search by halves. */
#include "stream/moments.h"

#include <stdlib.h>

#include "base/ensure.h"

static void add(struct moments *moments, uint64_t seq, uint64_t time_ms)
{
	size_t count = moments->count;
	if ((count & (count - 1)) == 0) {
		moments->items =
			realloc(moments->items, (count ? count * 2 : 1) * sizeof(struct moment));
		ensure(moments->items != NULL);
	}
	moments->items[moments->count++] = (struct moment){.seq = seq, .time_ms = time_ms};
}

void moments_note(struct moments *moments, uint64_t seq, uint64_t time_ms)
{
	if (time_ms > moments->latest_ms)
		moments->latest_ms = time_ms;
	if (moments->count == 0 || seq >= moments->items[moments->count - 1].seq + MOMENTS_APART)
		add(moments, seq, moments->latest_ms);
}

void moments_restore(struct moments *moments, uint64_t seq, uint64_t time_ms)
{
	if (time_ms > moments->latest_ms)
		moments->latest_ms = time_ms;
	if (moments->count > 0 && seq < moments->items[moments->count - 1].seq + MOMENTS_APART)
		return;
	add(moments, seq, moments->latest_ms);
}

uint64_t moments_find(const struct moments *moments, uint64_t time_ms, uint64_t last_seq)
{
	size_t low = 0;
	size_t high = moments->count;
	if (time_ms > moments->latest_ms)
		return last_seq + 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (moments->items[middle].time_ms < time_ms)
			low = middle + 1;
		else
			high = middle;
	}
	return low == 0 ? 1 : moments->items[low - 1].seq + 1;
}

void moments_fini(struct moments *moments)
{
	free(moments->items);
	*moments = (struct moments){0};
}

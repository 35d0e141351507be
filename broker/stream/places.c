/* An array, moved on insertion: what waits for one member is at most a few thousand. */
#include "stream/places.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

void places_fini(struct places *places)
{
	free(places->items);
	*places = (struct places){0};
}

void places_add(struct places *places, size_t at, struct place place)
{
	if (places->count == places->cap) {
		places->cap = places->cap ? 2 * places->cap : 16;
		places->items = realloc(places->items, places->cap * sizeof(struct place));
		ensure(places->items != NULL);
	}
	memmove(places->items + at + 1, places->items + at,
		(places->count - at) * sizeof(struct place));
	places->items[at] = place;
	places->count++;
}

void places_remove(struct places *places, size_t at, size_t count)
{
	memmove(places->items + at, places->items + at + count,
		(places->count - at - count) * sizeof(struct place));
	places->count -= count;
}

size_t places_find(const struct places *places, uint64_t seq)
{
	size_t low = 0;
	size_t high = places->count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (places->items[middle].seq < seq)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

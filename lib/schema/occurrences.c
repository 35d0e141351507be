/* The fields of a body, found in one pass and sorted, so that writers may take them in any order
 * without reading the body again. */
#include <stdlib.h>

#include "schema/json_writer.h"

static int compare(const void *left, const void *right)
{
	const struct occurrence *a = left;
	const struct occurrence *b = right;
	if (a->wire.number != b->wire.number)
		return a->wire.number < b->wire.number ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

enum lyc_status occurrences_init(struct occurrences *all, const struct schema_message *message,
				 struct span body)
{
	struct buf items = {0};
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field wire;
	bool is_sorted = true;
	uint32_t last = 0;
	size_t count = 0;
	while (pb_read_field(&reader, &wire)) {
		const struct schema_field *field = schema_field_by_number(message, wire.number);
		if (!field)
			continue;
		struct occurrence one = {.field = field, .wire = wire, .order = count++};
		is_sorted = is_sorted && last <= wire.number;
		last = wire.number;
		buf_add(&items, &one, sizeof(one));
	}
	if (reader.has_failed || items.has_failed) {
		enum lyc_status status =
			items.has_failed ? LYC_RESOURCE_EXHAUSTED : LYC_INVALID_ARGUMENT;
		buf_fini(&items);
		return status;
	}
	all->items = (struct occurrence *)(void *)items.data;
	all->count = count;
	if (!is_sorted)
		qsort(all->items, count, sizeof(*all->items), compare);
	return LYC_OK;
}

void occurrences_fini(struct occurrences *all)
{
	free(all->items);
	*all = (struct occurrences){0};
}

struct occurrences occurrences_of(const struct occurrences *all, const struct schema_field *field)
{
	size_t from = 0;
	size_t to = all->count;
	while (from < to) {
		size_t middle = from + (to - from) / 2;
		if (all->items[middle].wire.number < field->number)
			from = middle + 1;
		else
			to = middle;
	}
	to = from;
	while (to < all->count && all->items[to].wire.number == field->number)
		to++;
	return (struct occurrences){.items = to > from ? all->items + from : NULL,
				    .count = to - from};
}

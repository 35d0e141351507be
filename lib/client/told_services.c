/* Reading the reply of Node/Services. */
#include "client/told_services.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/pb.h"

void told_services_fini(struct told_services *served)
{
	for (size_t i = 0; i < served->count; i++)
		free(served->items[i].name);
	free(served->items);
	*served = (struct told_services){0};
}

/* One ServiceInfo. */
static enum lyc_status take_service(struct span item, struct told_service *to)
{
	struct pb_reader reader = pb_reader_of(item);
	struct pb_field part;
	struct span name = {0};
	*to = (struct told_service){.name = NULL};
	while (pb_read_field(&reader, &part)) {
		if (part.number == 1 && part.wire == PB_LEN)
			name = part.bytes;
		else if (part.number == 3 && part.wire == PB_LEN)
			to->is_here = part.bytes.len > 0;
		else if (part.number == 6 && part.wire == PB_FIXED64)
			to->schema = part.value;
	}
	if (reader.has_failed)
		return LYC_INTERNAL;
	to->name = mem_dup_try((const char *)name.data, name.len);
	return to->name ? LYC_OK : LYC_RESOURCE_EXHAUSTED;
}

enum lyc_status told_services_read(struct span reply, struct told_services *ret_services)
{
	struct pb_reader reader = pb_reader_of(reply);
	struct pb_field field;
	size_t most = 0;
	*ret_services = (struct told_services){0};
	while (pb_read_field(&reader, &field))
		most += field.number == 1 && field.wire == PB_LEN;
	if (reader.has_failed)
		return LYC_INTERNAL;
	ret_services->items = mem_try((most + 1) * sizeof(*ret_services->items));
	if (!ret_services->items)
		return LYC_RESOURCE_EXHAUSTED;
	reader = pb_reader_of(reply);
	while (pb_read_field(&reader, &field)) {
		if (field.number != 1 || field.wire != PB_LEN)
			continue;
		enum lyc_status status =
			take_service(field.bytes, &ret_services->items[ret_services->count]);
		if (status != LYC_OK)
			return status;
		ret_services->count++;
	}
	return LYC_OK;
}

bool told_services_equal(const struct told_services *one, const struct told_services *other)
{
	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++) {
		const struct told_service *a = &one->items[i];
		const struct told_service *b = &other->items[i];
		if (strcmp(a->name, b->name) != 0 || a->schema != b->schema ||
		    a->is_here != b->is_here)
			return false;
	}
	return true;
}

const struct told_service *told_services_find(const struct told_services *served, const char *name)
{
	for (size_t i = 0; i < served->count; i++) {
		if (strcmp(served->items[i].name, name) == 0)
			return &served->items[i];
	}
	return NULL;
}

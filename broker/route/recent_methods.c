/* Methods by the last bytes of their names. Two that share a place take it from each other. */
#include "route/recent_methods.h"

#include <string.h>

#define TAIL_LEN 8

static struct method_entry **place_of(struct recent_methods *recent, struct span name)
{
	uint64_t tail;
	memcpy(&tail, name.data + name.len - TAIL_LEN, sizeof(tail));
	tail = (tail ^ name.len) * 0x9e3779b97f4a7c15u;
	return &recent->places[tail >> 32 & (RECENT_METHODS - 1)];
}

struct method_entry *recent_methods_find(struct recent_methods *recent, const struct types *types,
					 struct span full_name)
{
	if (full_name.len < TAIL_LEN)
		return types_method(types, full_name);
	struct method_entry **place = place_of(recent, full_name);
	if (*place && span_is(full_name, (*place)->name))
		return *place;
	struct method_entry *method = types_method(types, full_name);
	if (method)
		*place = method;
	return method;
}

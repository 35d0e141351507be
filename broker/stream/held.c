/* Which types are missing, and the sentence about each. */
#include "stream/held.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

void held_fini(struct held *held)
{
	free(held->types);
	*held = (struct held){0};
}

/* The type at the front of a subject that nothing here describes: up to the first token that begins
 * with a capital. */
static struct span guess_type(struct span subject)
{
	bool is_message = false;
	for (size_t i = 0; i < subject.len; i++) {
		bool is_first = i == 0 || subject.data[i - 1] == '.';
		if (is_first && subject.data[i] >= 'A' && subject.data[i] <= 'Z')
			is_message = true;
		else if (is_message && subject.data[i] == '.')
			return span_of(subject.data, i);
	}
	return subject;
}

void held_add(struct held *held, struct span subject, uint64_t schema)
{
	held_restore(held, guess_type(subject), schema, 1);
}

void held_restore(struct held *held, struct span type, uint64_t schema, uint64_t count)
{
	for (size_t i = 0; i < held->count; i++) {
		if (held->types[i].schema == schema && span_is(type, held->types[i].name)) {
			held->types[i].count += count;
			return;
		}
	}
	if (held->count == HELD_TYPES_MAX || type.len >= sizeof(held->types->name))
		return;
	if (!held->types)
		held->types = mem_get(HELD_TYPES_MAX * sizeof(*held->types));
	struct held_type *added = &held->types[held->count++];
	*added = (struct held_type){.schema = schema, .count = count};
	memcpy(added->name, type.data, type.len);
}

void held_settle(struct held *held, struct types *types)
{
	size_t kept = 0;
	for (size_t i = 0; i < held->count; i++) {
		struct span name = span_of(held->types[i].name, strlen(held->types[i].name));
		bool is_known = types_note_record(types, name);
		if (!is_known || !types_holds_schema(types, name, held->types[i].schema))
			held->types[kept++] = held->types[i];
	}
	held->count = kept;
}

/* "lyceum.experts.v1" of "lyceum.experts.v1.Expert". */
static size_t package_len(const char *type)
{
	const char *dot = strrchr(type, '.');
	return dot ? (size_t)(dot - type) : 0;
}

/* Which of the schemas that are missing this is, of its package and in the order in which their
 * records came. */
static size_t place_of(const struct held *held, size_t index)
{
	const char *type = held->types[index].name;
	size_t len = package_len(type);
	size_t place = 1;
	for (size_t i = 0; i < index; i++) {
		const struct held_type *before = &held->types[i];
		bool is_first = before->schema != held->types[index].schema &&
				package_len(before->name) == len &&
				memcmp(before->name, type, len) == 0;
		for (size_t k = 0; k < i && is_first; k++)
			is_first = held->types[k].schema != before->schema;
		if (before->schema == held->types[index].schema)
			return place;
		place += is_first;
	}
	return place;
}

void held_explain(const struct held *held, size_t index, const struct types *types, struct buf *to)
{
	const struct held_type *type = &held->types[index];
	char package[sizeof(type->name)] = "";
	const char *source = package;
	memcpy(package, type->name, package_len(type->name));
	size_t known = types_versions(types, package, &source);
	if (known == 0)
		buf_add_format(to, "needs a schema of %s, and none is known", package);
	else
		buf_add_format(to, "needs version %zu of %s", known + place_of(held, index),
			       source);
	buf_add_format(to, ", %" PRIu64 " held", type->count);
}

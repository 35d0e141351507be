/* Lays out, per message, what the wire check reads. */
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "schema/check.h"
#include "schema/set_read.h"

static enum check_kind kind_of(const struct schema_field *field)
{
	switch (field->type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		return CHECK_FIXED64;
	case SCHEMA_FLOAT:
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		return CHECK_FIXED32;
	case SCHEMA_STRING:
		return CHECK_STRING;
	case SCHEMA_BYTES:
		return CHECK_BYTES;
	case SCHEMA_MESSAGE:
		return CHECK_MESSAGE;
	case SCHEMA_GROUP:
		return CHECK_GROUP;
	case SCHEMA_ENUM:
		return field->enumeration->is_closed ? CHECK_CLOSED_ENUM : CHECK_VARINT;
	default:
		return CHECK_VARINT;
	}
}

static uint8_t wire_of(enum check_kind kind)
{
	switch (kind) {
	case CHECK_FIXED64:
		return PB_FIXED64;
	case CHECK_FIXED32:
		return PB_FIXED32;
	case CHECK_STRING:
	case CHECK_BYTES:
	case CHECK_MESSAGE:
		return PB_LEN;
	case CHECK_GROUP:
		return PB_GROUP_START;
	default:
		return PB_VARINT;
	}
}

static bool has_item_bounds(const struct schema_field *field)
{
	return field->rules && (field->rules->min_items > 0 || field->rules->max_items > 0);
}

static bool has_more_rules(enum check_kind kind, const struct schema_rules *rules)
{
	if (!rules)
		return false;
	if (kind == CHECK_STRING || kind == CHECK_BYTES)
		return rules->pattern != NULL;
	return rules->is_required || rules->has_int_range || rules->has_float_range;
}

static uint64_t first_bits(uint16_t slot)
{
	return slot < 64 ? (uint64_t)1 << slot : 0;
}

static struct check_field entry_of(const struct schema_message *message, size_t index,
				   uint16_t counter)
{
	const struct schema_field *field = &message->fields[index];
	const struct schema_rules *rules = field->rules;
	enum check_kind kind = kind_of(field);
	struct check_field entry = {
		.tag = kind == CHECK_GROUP ? CHECK_NO_TAG_BUT_ZERO
					   : field->number << 3 | wire_of(kind),
		.kind = (uint8_t)kind,
		.is_repeated = field->is_repeated,
		.is_implicit = !field->is_repeated && !field->has_presence,
		.has_more_rules = has_more_rules(kind, rules),
		.slot = (uint16_t)index,
		.oneof_slot = field->oneof < 0
				      ? (uint16_t)CHECK_NONE
				      : (uint16_t)(message->field_count + (size_t)field->oneof),
		.counter = has_item_bounds(field) ? counter : (uint16_t)CHECK_NONE,
		.min_len = rules ? rules->min_len : 0,
		.max_len = rules && rules->max_len > 0 ? rules->max_len : UINT32_MAX,
		.rules = rules,
		.field = field,
		.message = field->message,
	};
	entry.is_wide =
		entry.slot >= 64 || (entry.oneof_slot != CHECK_NONE && entry.oneof_slot >= 64);
	entry.has_more = entry.is_wide || field->is_repeated;
	if (!entry.is_wide) {
		entry.set = first_bits(entry.slot) | first_bits(entry.oneof_slot);
		entry.once = field->is_repeated ? 0 : entry.set;
	}
	return entry;
}

static bool make_masks(const struct schema_message *message, struct check_table *table,
		       struct arena *arena)
{
	bool has_required = false;
	bool has_rule = false;
	uint64_t *required = arena_get_many(arena, table->word_count, sizeof(required[0]));
	uint64_t *by_rule = arena_get_many(arena, table->word_count, sizeof(by_rule[0]));
	if (!required || !by_rule)
		return false;
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[i];
		uint64_t bit = (uint64_t)1 << (i & 63);
		if (field->is_required) {
			required[i >> 6] |= bit;
			by_rule[i >> 6] |= bit;
			has_required = true;
		}
		if (field->rules && field->rules->is_required) {
			by_rule[i >> 6] |= bit;
			has_rule = true;
		}
	}
	table->required = has_required ? required : NULL;
	table->required_by_rule = has_required || has_rule ? by_rule : NULL;
	return true;
}

enum lyc_status check_table_new(struct schema_message *message, struct arena *arena,
				struct lyc_error *error)
{
	size_t counted_count = 0;
	size_t sparse_count = 0;
	for (size_t i = 0; i < message->field_count; i++) {
		counted_count += has_item_bounds(&message->fields[i]);
		sparse_count += message->fields[i].number >= message->dense_count;
	}
	if (counted_count > CHECK_MAX_COUNTED)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "%.120s has more than %d fields with min_items or max_items",
				 message->full_name, CHECK_MAX_COUNTED);
	struct check_table *table = arena_get(arena, sizeof(*table));
	struct check_field *dense = arena_get_many(arena, message->dense_count, sizeof(dense[0]));
	struct check_field *sparse = arena_get_many(arena, sparse_count, sizeof(sparse[0]));
	const struct check_field **counted =
		arena_get_many(arena, counted_count, sizeof(counted[0]));
	if (!table || !dense || !sparse || !counted)
		return set_no_memory(error);
	table->word_count = (message->field_count + message->oneof_count + 63) / 64;
	for (size_t i = 0; i < message->dense_count; i++)
		dense[i].tag = CHECK_NO_TAG;
	for (size_t i = 0; i < message->field_count; i++) {
		uint32_t number = message->fields[i].number;
		struct check_field *entry = number < message->dense_count
						    ? &dense[number]
						    : &sparse[table->sparse_count++];
		*entry = entry_of(message, i, (uint16_t)table->counted_count);
		if (entry->counter != CHECK_NONE)
			counted[table->counted_count++] = entry;
	}
	table->dense = dense;
	table->dense_count = message->dense_count;
	table->sparse = sparse;
	table->counted = counted;
	if (!make_masks(message, table, arena))
		return set_no_memory(error);
	message->check = table;
	return LYC_OK;
}

const struct check_field *check_find_sparse(const struct check_table *table, uint32_t number)
{
	size_t low = 0;
	size_t high = table->sparse_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		uint32_t found = table->sparse[middle].field->number;
		if (found == number)
			return &table->sparse[middle];
		if (found < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

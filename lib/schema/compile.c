/*
 * Makes the tables of messages, enums and services. Types refer to each other by pointer, so the
 * three arrays are made first, in the order of the full names, and then filled.
 */
#include "schema/compile.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "schema/check.h"

enum lyc_status compile_fault(const struct compiling *compiling, const struct set_symbol *symbol,
			      const char *format, ...)
{
	char reason[200];
	va_list args;
	va_start(args, format);
	vsnprintf(reason, sizeof(reason), format, args);
	va_end(args);
	return error_set(compiling->error, LYC_INVALID_ARGUMENT, "%.60s: %.100s: %s",
			 symbol->file->name, symbol->full_name, reason);
}

/* ---- messages ---- */

struct message_source {
	size_t field_count;
	size_t oneof_count;
	bool is_map_entry;
	const char **oneofs;
};

static bool read_map_entry(struct span options)
{
	bool is_map_entry = false;
	struct pb_reader reader = pb_reader_of(options);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 7)
			is_map_entry = field.value != 0;
	}
	return is_map_entry;
}

static struct span first_field(struct span proto)
{
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			return field.bytes;
	}
	return span_of(NULL, 0);
}

static enum lyc_status survey(struct compiling *compiling, const struct set_symbol *symbol,
			      struct message_source *source)
{
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 2)
			source->field_count++;
		else if (field.number == 8)
			source->oneof_count++;
		else if (field.number == 7)
			source->is_map_entry = read_map_entry(field.bytes);
	}
	if (source->field_count > SCHEMA_MAX_FIELDS || source->oneof_count > SCHEMA_MAX_FIELDS)
		return compile_fault(compiling, symbol, "has more than %d fields",
				     SCHEMA_MAX_FIELDS);
	source->oneofs =
		arena_get_many(compiling->arena, source->oneof_count, sizeof(source->oneofs[0]));
	if (!source->oneofs)
		return set_no_memory(compiling->error);
	reader = pb_reader_of(symbol->proto);
	for (size_t i = 0; pb_read_field(&reader, &field);) {
		if (field.number != 8)
			continue;
		struct span name = first_field(field.bytes);
		if (!set_is_identifier(name))
			return compile_fault(compiling, symbol, "a oneof has no proper name");
		source->oneofs[i] = arena_text(compiling->arena, name);
		if (!source->oneofs[i++])
			return set_no_memory(compiling->error);
	}
	return LYC_OK;
}

/* A field with its place as declared, while they are sorted. */
struct placed_field {
	struct schema_field field;
	uint32_t index;
};

static int compare_numbers(const void *a, const void *b)
{
	const struct placed_field *one = a;
	const struct placed_field *two = b;
	return (one->field.number > two->field.number) - (one->field.number < two->field.number);
}

static enum lyc_status read_fields(struct compiling *compiling, const struct set_symbol *symbol,
				   const struct message_source *source, struct placed_field *placed)
{
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field field;
	uint32_t index = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number != 2)
			continue;
		struct field_source of = {.symbol = symbol,
					  .proto = field.bytes,
					  .index = index,
					  .oneofs = source->oneofs,
					  .oneof_count = source->oneof_count};
		placed[index].index = index;
		enum lyc_status status = compile_field(compiling, &of, &placed[index].field);
		if (status != LYC_OK)
			return status;
		index++;
	}
	return LYC_OK;
}

static enum lyc_status make_fields(struct compiling *compiling, const struct set_symbol *symbol,
				   struct schema_message *message, struct placed_field *placed,
				   size_t count)
{
	if (count > 0)
		qsort(placed, count, sizeof(placed[0]), compare_numbers);
	struct schema_field *fields = arena_get_many(compiling->arena, count, sizeof(fields[0]));
	uint16_t *order = arena_get_many(compiling->arena, count, sizeof(order[0]));
	if (!fields || !order)
		return set_no_memory(compiling->error);
	for (size_t i = 0; i < count; i++) {
		fields[i] = placed[i].field;
		order[placed[i].index] = (uint16_t)i;
		if (i > 0 && fields[i].number == fields[i - 1].number)
			return compile_fault(compiling, symbol, "two fields have the number %u",
					     (unsigned)fields[i].number);
	}
	message->fields = fields;
	message->field_count = count;
	message->by_declaration = order;
	return LYC_OK;
}

static enum lyc_status make_dense(struct compiling *compiling, struct schema_message *message)
{
	if (message->field_count == 0)
		return LYC_OK;
	uint32_t last = message->fields[message->field_count - 1].number;
	uint32_t most = (uint32_t)message->field_count * 4 + 64;
	uint32_t count = last < most ? last + 1 : most;
	const struct schema_field **dense =
		arena_get_many(compiling->arena, count, sizeof(dense[0]));
	if (!dense)
		return set_no_memory(compiling->error);
	for (size_t i = 0; i < message->field_count; i++) {
		if (message->fields[i].number < count)
			dense[message->fields[i].number] = &message->fields[i];
	}
	message->dense = dense;
	message->dense_count = count;
	return LYC_OK;
}

static int compare_names(const void *a, const void *b)
{
	const struct schema_field *const *one = a;
	const struct schema_field *const *two = b;
	return strcmp((*one)->name, (*two)->name);
}

static enum lyc_status check_names(struct compiling *compiling, const struct set_symbol *symbol,
				   const struct schema_message *message)
{
	size_t count = message->field_count;
	if (count == 0)
		return LYC_OK;
	const struct schema_field **names = mem_try(count * sizeof(names[0]));
	if (!names)
		return set_no_memory(compiling->error);
	for (size_t i = 0; i < count; i++)
		names[i] = &message->fields[i];
	qsort(names, count, sizeof(names[0]), compare_names);
	enum lyc_status status = LYC_OK;
	for (size_t i = 1; i < count && status == LYC_OK; i++) {
		if (compare_names(&names[i - 1], &names[i]) == 0)
			status = compile_fault(compiling, symbol, "two fields are called %.80s",
					       names[i]->name);
	}
	free(names);
	return status;
}

static enum lyc_status make_keys(struct compiling *compiling, const struct set_symbol *symbol,
				 struct schema_message *message)
{
	size_t count = 0;
	for (size_t i = 0; i < message->field_count; i++)
		count += message->fields[i].key > 0;
	if (count == 0)
		return LYC_OK;
	if (count > SCHEMA_MAX_KEYS)
		return compile_fault(compiling, symbol, "has more than %d keys", SCHEMA_MAX_KEYS);
	const struct schema_field **keys = arena_get_many(compiling->arena, count, sizeof(keys[0]));
	if (!keys)
		return set_no_memory(compiling->error);
	for (size_t i = 0; i < message->field_count; i++) {
		uint32_t key = message->fields[i].key;
		if (key == 0)
			continue;
		if (key > count || keys[key - 1])
			return compile_fault(compiling, symbol,
					     "the keys are not numbered 1 to %zu, each once",
					     count);
		keys[key - 1] = &message->fields[i];
	}
	message->keys = keys;
	message->key_count = count;
	return LYC_OK;
}

static enum lyc_status compile_message(struct compiling *compiling, const struct set_symbol *symbol)
{
	struct schema_message *message = &compiling->schema->messages[symbol->index];
	struct message_source source = {0};
	struct placed_field *placed = NULL;
	enum lyc_status status = survey(compiling, symbol, &source);
	if (status != LYC_OK)
		return status;
	message->full_name = symbol->full_name;
	message->file = symbol->file->name;
	message->package = symbol->file->package;
	message->comment = set_comment(symbol->file, &symbol->path, compiling->arena);
	message->is_map_entry = source.is_map_entry;
	message->is_proto2 = symbol->file->is_proto2;
	message->oneof_count = source.oneof_count;
	message->schema = compiling->schema;
	placed = mem_try(source.field_count * sizeof(placed[0]));
	if (!placed || !message->comment) {
		status = set_no_memory(compiling->error);
		goto out;
	}
	status = read_fields(compiling, symbol, &source, placed);
	if (status == LYC_OK)
		status = make_fields(compiling, symbol, message, placed, source.field_count);
	if (status == LYC_OK)
		status = make_dense(compiling, message);
	if (status == LYC_OK)
		status = check_names(compiling, symbol, message);
	if (status == LYC_OK)
		status = make_keys(compiling, symbol, message);
out:
	free(placed);
	return status;
}

/* A map field is a repeated field of an entry message: known once all messages are. */
static void mark_maps(struct schema *schema)
{
	for (size_t i = 0; i < schema->message_count; i++) {
		struct schema_message *message = &schema->messages[i];
		struct schema_field *fields = (struct schema_field *)message->fields;
		for (size_t k = 0; k < message->field_count; k++)
			fields[k].is_map = fields[k].is_repeated && fields[k].message &&
					   fields[k].type == SCHEMA_MESSAGE &&
					   fields[k].message->is_map_entry;
	}
}

enum lyc_status schema_compile(struct schema *schema, struct lyc_error *error)
{
	struct arena scratch = {.limit = SCHEMA_MAX_ARENA};
	struct compiling compiling = {.schema = schema,
				      .arena = &schema->arena,
				      .scratch = &scratch,
				      .pattern_work = PATTERN_WORK,
				      .error = error};
	struct set *set = &compiling.set;
	enum lyc_status status = set_read(schema->bytes, &schema->arena, &scratch, set, error);
	if (status != LYC_OK)
		goto out;
	schema->message_count = set->kind_count[SET_MESSAGE];
	schema->enum_count = set->kind_count[SET_ENUM];
	schema->service_count = set->kind_count[SET_SERVICE];
	schema->messages =
		arena_get_many(&schema->arena, schema->message_count, sizeof(schema->messages[0]));
	schema->enums =
		arena_get_many(&schema->arena, schema->enum_count, sizeof(schema->enums[0]));
	schema->services =
		arena_get_many(&schema->arena, schema->service_count, sizeof(schema->services[0]));
	if (!schema->messages || !schema->enums || !schema->services) {
		status = set_no_memory(error);
		goto out;
	}
	for (size_t i = 0; i < set->symbol_count && status == LYC_OK; i++) {
		const struct set_symbol *symbol = set->symbols[i];
		if (symbol->kind == SET_MESSAGE)
			status = compile_message(&compiling, symbol);
		else if (symbol->kind == SET_ENUM)
			status = compile_enum(&compiling, symbol);
		else
			status = compile_service(&compiling, symbol);
	}
	if (status == LYC_OK) {
		mark_maps(schema);
		status = shape_check(&compiling);
	}
	if (status == LYC_OK)
		status = shape_find_labels(&compiling);
	for (size_t i = 0; i < schema->message_count && status == LYC_OK; i++)
		status = check_table_new(&schema->messages[i], &schema->arena, error);
out:
	arena_fini(&scratch);
	return status;
}

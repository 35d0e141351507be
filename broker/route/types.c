/* The types that this daemon knows, by full name. */
#include "route/types.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

#define MAX_SCHEMAS 4096

void types_init(struct types *types)
{
	*types = (struct types){0};
}

void types_fini(struct types *types)
{
	struct type_entry *type;
	struct type_entry *next_type;
	HASH_ITER (by_name, types->messages, type, next_type) {
		HASH_DELETE(by_name, types->messages, type);
		free(type->name);
		free(type);
	}
	struct method_entry *method;
	struct method_entry *next_method;
	HASH_ITER (by_name, types->methods, method, next_method) {
		HASH_DELETE(by_name, types->methods, method);
		free(method->name);
		free(method);
	}
	for (size_t i = 0; i < types->schema_count; i++)
		schema_unref(types->schemas[i]);
	free(types->schemas);
	*types = (struct types){0};
}

static const char *type_name(const struct schema_field *field)
{
	if (field->message)
		return field->message->full_name;
	return field->enumeration ? field->enumeration->full_name : "";
}

static bool is_same_field(const struct schema_field *a, const struct schema_field *b)
{
	return a->type == b->type && a->is_repeated == b->is_repeated && a->is_map == b->is_map &&
	       a->key == b->key && strcmp(type_name(a), type_name(b)) == 0;
}

/* A part of records may become labelled later: from then on it is cut where it was not. */
static bool is_label_kept(const struct schema_message *older, const struct schema_message *newer)
{
	if (!older->label)
		return !newer->label || older->key_count == 0;
	return newer->label && newer->label->number == older->label->number;
}

/* May `newer` stand where `older` stands? What follows a label or a key must not change under
 * records that are there. */
static bool agrees(const struct schema_message *older, const struct schema_message *newer)
{
	if (older->key_count != newer->key_count || older->known != newer->known ||
	    !is_label_kept(older, newer))
		return false;
	for (size_t i = 0; i < older->key_count; i++) {
		if (older->keys[i]->number != newer->keys[i]->number)
			return false;
	}
	for (size_t i = 0; i < older->field_count; i++) {
		const struct schema_field *field =
			schema_field_by_number(newer, older->fields[i].number);
		if (field && !is_same_field(&older->fields[i], field))
			return false;
	}
	return true;
}

static bool is_core(const char *full_name)
{
	return strncmp(full_name, "lyceum.v1.", 10) == 0 ||
	       strncmp(full_name, "google.protobuf.", 16) == 0;
}

/* The first message that does not agree with what is known under its name; NULL. */
static const struct schema_message *find_conflict(const struct types *types,
						  const struct schema *schema, bool is_own)
{
	for (size_t i = 0; i < schema_message_count(schema); i++) {
		const struct schema_message *message = schema_message_at(schema, i);
		const struct type_entry *entry;
		HASH_FIND(by_name, types->messages, message->full_name, strlen(message->full_name),
			  entry);
		bool gives_way = entry && is_own && !entry->is_own && !is_core(entry->name);
		if (entry && !gives_way && !agrees(entry->message, message))
			return message;
	}
	return NULL;
}

static void add_message(struct types *types, const struct schema_message *message, bool is_own)
{
	struct type_entry *entry;
	size_t len = strlen(message->full_name);
	HASH_FIND(by_name, types->messages, message->full_name, len, entry);
	if (entry && (is_core(message->full_name) || (entry->is_own && !is_own)))
		return; /* the daemon's own, as it was built with them */
	if (!entry) {
		entry = mem_new(struct type_entry);
		entry->name = mem_dup(message->full_name);
		HASH_ADD_KEYPTR(by_name, types->messages, entry->name, len, entry);
	}
	entry->message = message;
	entry->is_own = is_own;
}

static void add_method(struct types *types, const struct schema_service *service,
		       const struct schema_method *method, bool is_own)
{
	struct method_entry *entry;
	size_t len = strlen(method->full_name);
	HASH_FIND(by_name, types->methods, method->full_name, len, entry);
	if (entry && (is_core(method->full_name) || (entry->is_own && !is_own)))
		return;
	if (!entry) {
		entry = mem_new(struct method_entry);
		entry->name = mem_dup(method->full_name);
		HASH_ADD_KEYPTR(by_name, types->methods, entry->name, len, entry);
	}
	entry->method = method;
	entry->service = service;
	entry->is_own = is_own;
}

enum lyc_status types_add(struct types *types, struct schema *schema, bool is_own,
			  struct lyc_error *error)
{
	if (types_schema(types, schema_id(schema)))
		return LYC_OK;
	if (types->schema_count == MAX_SCHEMAS)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "%d schemas are held already",
				 MAX_SCHEMAS);
	struct schema **schemas =
		realloc(types->schemas, (types->schema_count + 1) * sizeof(*schemas));
	if (!schemas)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	types->schemas = schemas;
	schemas[types->schema_count++] = schema_ref(schema);
	const struct schema_message *conflict = find_conflict(types, schema, is_own);
	if (conflict)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s is known here with another label, key or field type",
				 conflict->full_name);
	for (size_t i = 0; i < schema_message_count(schema); i++)
		add_message(types, schema_message_at(schema, i), is_own);
	for (size_t i = 0; i < schema_service_count(schema); i++) {
		const struct schema_service *service = schema_service_at(schema, i);
		for (size_t j = 0; j < service->method_count; j++)
			add_method(types, service, &service->methods[j], is_own);
	}
	return LYC_OK;
}

const struct schema *types_schema(const struct types *types, uint64_t id)
{
	for (size_t i = 0; i < types->schema_count; i++) {
		if (schema_id(types->schemas[i]) == id)
			return types->schemas[i];
	}
	return NULL;
}

const struct schema_message *types_message(const struct types *types, struct span full_name)
{
	struct type_entry *entry;
	HASH_FIND(by_name, types->messages, full_name.data, full_name.len, entry);
	return entry ? entry->message : NULL;
}

struct method_entry *types_method(const struct types *types, struct span full_name)
{
	struct method_entry *entry;
	HASH_FIND(by_name, types->methods, full_name.data, full_name.len, entry);
	return entry;
}

const struct schema_message *types_of_subject(const struct types *types, struct span subject,
					      size_t *ret_name_len)
{
	for (size_t len = subject.len; len > 0; len--) {
		if (len < subject.len && subject.data[len] != '.')
			continue;
		const struct schema_message *message =
			types_message(types, span_of(subject.data, len));
		if (message) {
			*ret_name_len = len;
			return message;
		}
	}
	return NULL;
}

const struct schema_message *types_of_record(const struct types *types, struct span subject,
					     uint64_t schema, size_t *ret_name_len)
{
	const struct schema_message *message = types_of_subject(types, subject, ret_name_len);
	if (!message || !schema || schema_id(message->schema) == schema)
		return message;
	const struct schema *written_with = types_schema(types, schema);
	const struct schema_message *exact =
		written_with ? schema_find_message(written_with, message->full_name) : NULL;
	return exact ? exact : message;
}

const struct schema *types_defining(const struct types *types, const char *full_name)
{
	for (size_t i = types->schema_count; i-- > 0;) {
		const struct schema *schema = types->schemas[i];
		if (schema_find_message(schema, full_name) || schema_find_enum(schema, full_name) ||
		    schema_find_service(schema, full_name) || schema_find_method(schema, full_name))
			return schema;
	}
	return NULL;
}

/* The types that this daemon knows, by full name. */
#include "route/types.h"

#include <stdlib.h>
#include <string.h>

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

static void add_message(struct types *types, const struct schema_message *message)
{
	struct type_entry *entry;
	size_t len = strlen(message->full_name);
	HASH_FIND(by_name, types->messages, message->full_name, len, entry);
	if (!entry) {
		entry = mem_new(struct type_entry);
		entry->name = mem_dup(message->full_name);
		HASH_ADD_KEYPTR(by_name, types->messages, entry->name, len, entry);
	}
	entry->message = message;
}

static void add_method(struct types *types, const struct schema_service *service,
		       const struct schema_method *method)
{
	struct method_entry *entry;
	size_t len = strlen(method->full_name);
	HASH_FIND(by_name, types->methods, method->full_name, len, entry);
	if (!entry) {
		entry = mem_new(struct method_entry);
		entry->name = mem_dup(method->full_name);
		HASH_ADD_KEYPTR(by_name, types->methods, entry->name, len, entry);
	}
	entry->method = method;
	entry->service = service;
}

enum lyc_status types_add(struct types *types, struct schema *schema)
{
	if (types_schema(types, schema_id(schema)))
		return LYC_OK;
	if (types->schema_count == MAX_SCHEMAS)
		return LYC_RESOURCE_EXHAUSTED;
	struct schema **schemas =
		realloc(types->schemas, (types->schema_count + 1) * sizeof(*schemas));
	if (!schemas)
		return LYC_RESOURCE_EXHAUSTED;
	types->schemas = schemas;
	schemas[types->schema_count++] = schema_ref(schema);
	for (size_t i = 0; i < schema_message_count(schema); i++)
		add_message(types, schema_message_at(schema, i));
	for (size_t i = 0; i < schema_service_count(schema); i++) {
		const struct schema_service *service = schema_service_at(schema, i);
		for (size_t j = 0; j < service->method_count; j++)
			add_method(types, service, &service->methods[j]);
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

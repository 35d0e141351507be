/*
 * A schema as a whole: made, shared by reference, searched by name. compile.c fills the tables.
 */
#include "schema/schema.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "schema/compile.h"

static uint64_t first_eight(const uint8_t hash[crypto_hash_sha256_BYTES])
{
	uint64_t id = 0;
	for (int i = 0; i < 8; i++)
		id = id << 8 | hash[i];
	return id;
}

static uint64_t id_of(struct span bytes)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	crypto_hash_sha256(hash, bytes.data, bytes.len);
	return first_eight(hash);
}

enum lyc_status schema_new(const void *descriptor_set, size_t len, struct schema **ret_schema,
			   struct lyc_error *error)
{
	if (len > SET_MAX_LEN)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the schema has %zu bytes, at most %zu are allowed", len,
				 SET_MAX_LEN);
	struct schema *schema = calloc(1, sizeof(*schema));
	if (!schema)
		return set_no_memory(error);
	atomic_init(&schema->refs, 1);
	schema->arena.limit = SCHEMA_MAX_ARENA;
	enum lyc_status status;
	char *bytes = arena_text(&schema->arena, span_of(descriptor_set, len));
	if (!bytes) {
		status = set_no_memory(error);
		goto out;
	}
	schema->bytes = span_of(bytes, len);
	schema->id = id_of(schema->bytes);
	status = schema_compile(schema, error);
	if (status != LYC_OK)
		goto out;
	*ret_schema = schema;
	schema = NULL;
out:
	schema_unref(schema);
	return status;
}

struct schema *schema_ref(struct schema *schema)
{
	atomic_fetch_add_explicit(&schema->refs, 1, memory_order_relaxed);
	return schema;
}

void schema_unref(struct schema *schema)
{
	if (!schema || atomic_fetch_sub_explicit(&schema->refs, 1, memory_order_acq_rel) != 1)
		return;
	arena_fini(&schema->arena);
	free(schema);
}

uint64_t schema_id(const struct schema *schema)
{
	return schema->id;
}

/* Of FileDescriptorSet and FileDescriptorProto. */
enum { SET_FILE = 1, FILE_PACKAGE = 2 };

static bool is_of_package(struct span file, const char *package)
{
	struct pb_reader reader = pb_reader_of(file);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == FILE_PACKAGE && field.wire == PB_LEN)
			return span_is(field.bytes, package);
	}
	return package[0] == '\0';
}

uint64_t schema_package_id(const struct schema *schema, const char *package)
{
	crypto_hash_sha256_state hash;
	struct pb_reader reader = pb_reader_of(schema->bytes);
	struct pb_field field;
	bool has_one = false;
	crypto_hash_sha256_init(&hash);
	while (pb_read_field(&reader, &field)) {
		if (field.number != SET_FILE || field.wire != PB_LEN ||
		    !is_of_package(field.bytes, package))
			continue;
		has_one = true;
		crypto_hash_sha256_update(&hash, field.bytes.data, field.bytes.len);
	}
	uint8_t digest[crypto_hash_sha256_BYTES];
	crypto_hash_sha256_final(&hash, digest);
	return has_one ? first_eight(digest) : 0;
}

struct span schema_bytes(const struct schema *schema)
{
	return schema->bytes;
}

/* Every table's elements begin with their full name. */
static const void *find(const void *table, size_t count, size_t size, const char *full_name,
			size_t len)
{
	const char *base = table;
	size_t low = 0;
	size_t high = count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const char *const *name = (const char *const *)(const void *)(base + middle * size);
		int order = strncmp(*name, full_name, len);
		if (order == 0 && (*name)[len] != '\0')
			order = 1;
		if (order == 0)
			return base + middle * size;
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

_Static_assert(offsetof(struct schema_message, full_name) == 0, "find() reads it there");
_Static_assert(offsetof(struct schema_enum, full_name) == 0, "find() reads it there");
_Static_assert(offsetof(struct schema_service, full_name) == 0, "find() reads it there");

const struct schema_message *schema_find_message(const struct schema *schema, const char *full_name)
{
	return find(schema->messages, schema->message_count, sizeof(schema->messages[0]), full_name,
		    strlen(full_name));
}

const struct schema_enum *schema_find_enum(const struct schema *schema, const char *full_name)
{
	return find(schema->enums, schema->enum_count, sizeof(schema->enums[0]), full_name,
		    strlen(full_name));
}

const struct schema_service *schema_find_service(const struct schema *schema, const char *full_name)
{
	return find(schema->services, schema->service_count, sizeof(schema->services[0]), full_name,
		    strlen(full_name));
}

const struct schema_method *schema_find_method(const struct schema *schema, const char *full_name)
{
	const char *slash = strchr(full_name, '/');
	if (!slash)
		return NULL;
	const struct schema_service *service =
		find(schema->services, schema->service_count, sizeof(schema->services[0]),
		     full_name, (size_t)(slash - full_name));
	for (size_t i = 0; service && i < service->method_count; i++) {
		if (strcmp(service->methods[i].name, slash + 1) == 0)
			return &service->methods[i];
	}
	return NULL;
}

size_t schema_message_count(const struct schema *schema)
{
	return schema->message_count;
}

const struct schema_message *schema_message_at(const struct schema *schema, size_t index)
{
	return index < schema->message_count ? &schema->messages[index] : NULL;
}

size_t schema_enum_count(const struct schema *schema)
{
	return schema->enum_count;
}

const struct schema_enum *schema_enum_at(const struct schema *schema, size_t index)
{
	return index < schema->enum_count ? &schema->enums[index] : NULL;
}

size_t schema_service_count(const struct schema *schema)
{
	return schema->service_count;
}

const struct schema_service *schema_service_at(const struct schema *schema, size_t index)
{
	return index < schema->service_count ? &schema->services[index] : NULL;
}

const struct schema_field *schema_field_by_number(const struct schema_message *message,
						  uint32_t number)
{
	if (number < message->dense_count)
		return message->dense[number];
	size_t low = 0;
	size_t high = message->field_count;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (message->fields[middle].number == number)
			return &message->fields[middle];
		if (message->fields[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

static bool is_called(const char *name, const char *wanted, size_t len)
{
	return strlen(name) == len && memcmp(name, wanted, len) == 0;
}

const struct schema_field *schema_field_by_name(const struct schema_message *message,
						const char *name, size_t len)
{
	const struct schema_field *by_json_name = NULL;
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[i];
		if (is_called(field->name, name, len))
			return field;
		if (!by_json_name && is_called(field->json_name, name, len))
			by_json_name = field;
	}
	return by_json_name;
}

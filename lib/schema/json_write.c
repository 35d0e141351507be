/*
 * Canonical proto3 JSON straight from wire bytes: the fields of a body are found in one pass, then
 * written in the order of their declaration. Maps are sorted by key, a key that occurs twice keeps
 * its last value. The types with a form of their own are in known_write.c.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/base64.h"
#include "schema/json_writer.h"

enum lyc_status json_writer_refuse(struct json_writer *writer, const char *name, const char *what)
{
	return error_set_field(writer->error, LYC_INVALID_ARGUMENT, name, "%s %s", name, what);
}

static enum lyc_status no_memory(struct json_writer *writer)
{
	return error_set(writer->error, LYC_RESOURCE_EXHAUSTED,
			 "there is no memory to write the message as JSON");
}

static enum pb_wire wire_of(enum schema_type type)
{
	switch ((int)type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		return PB_FIXED64;
	case SCHEMA_FLOAT:
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		return PB_FIXED32;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_MESSAGE:
		return PB_LEN;
	default:
		return PB_VARINT;
	}
}

static void write_enum(struct json_writer *writer, const struct schema_enum *enumeration,
		       int32_t number)
{
	struct buf *to = writer->text.to;
	if (enumeration && strcmp(enumeration->full_name, "google.protobuf.NullValue") == 0) {
		buf_add_text(to, "null");
		return;
	}
	for (size_t i = 0; enumeration && i < enumeration->value_count; i++) {
		if (enumeration->values[i].number == number) {
			buf_add_format(to, "\"%s\"", enumeration->values[i].name);
			return;
		}
	}
	buf_add_format(to, "%d", number);
}

static void write_bytes(struct json_writer *writer, struct span bytes)
{
	buf_add_byte(writer->text.to, '"');
	base64_write(writer->text.to, bytes);
	buf_add_byte(writer->text.to, '"');
}

static void write_double(struct json_writer *writer, uint64_t bits)
{
	double value;
	memcpy(&value, &bits, sizeof(value));
	json_text_double(&writer->text, value);
}

static void write_float(struct json_writer *writer, uint64_t bits)
{
	uint32_t half = (uint32_t)bits;
	float value;
	memcpy(&value, &half, sizeof(value));
	json_text_float(&writer->text, value);
}

static enum lyc_status write_value(struct json_writer *writer, const struct schema_field *field,
				   const struct pb_field *wire)
{
	struct buf *to = writer->text.to;
	uint64_t value = wire->value;
	if (wire->wire != wire_of(field->type))
		return json_writer_refuse(writer, field->name, "has the wrong wire type");
	switch (field->type) {
	case SCHEMA_DOUBLE:
		write_double(writer, value);
		break;
	case SCHEMA_FLOAT:
		write_float(writer, value);
		break;
	case SCHEMA_INT64:
	case SCHEMA_SFIXED64:
		buf_add_format(to, "\"%lld\"", (long long)value);
		break;
	case SCHEMA_SINT64:
		buf_add_format(to, "\"%lld\"", (long long)pb_zigzag_decode(value));
		break;
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		buf_add_format(to, "\"%llu\"", (unsigned long long)value);
		break;
	case SCHEMA_INT32:
	case SCHEMA_SFIXED32:
		buf_add_format(to, "%d", (int32_t)(uint32_t)value);
		break;
	case SCHEMA_SINT32:
		buf_add_format(to, "%d", (int32_t)pb_zigzag_decode((uint32_t)value));
		break;
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		buf_add_format(to, "%u", (uint32_t)value);
		break;
	case SCHEMA_BOOL:
		buf_add_text(to, value ? "true" : "false");
		break;
	case SCHEMA_ENUM:
		write_enum(writer, field->enumeration, (int32_t)(uint32_t)value);
		break;
	case SCHEMA_STRING:
		if (!json_text_string(&writer->text, wire->bytes))
			return json_writer_refuse(writer, field->name, "is not UTF-8");
		break;
	case SCHEMA_BYTES:
		write_bytes(writer, wire->bytes);
		break;
	case SCHEMA_MESSAGE:
		return json_writer_message(writer, field->message, wire->bytes);
	case SCHEMA_GROUP:
	default:
		return json_writer_refuse(writer, field->name, "is a group, which has no JSON");
	}
	return LYC_OK;
}

static struct pb_field default_of(const struct schema_field *field)
{
	struct pb_field wire = {.number = field->number, .wire = wire_of(field->type)};
	wire.bytes = span_of("", 0);
	if (field->type == SCHEMA_ENUM && field->enumeration && field->enumeration->value_count > 0)
		wire.value = (uint64_t)(int64_t)field->enumeration->values[0].number;
	return wire;
}

static enum lyc_status write_packed(struct json_writer *writer, const struct schema_field *field,
				    struct span bytes)
{
	enum pb_wire kind = wire_of(field->type);
	size_t size = kind == PB_FIXED64 ? 8 : 4;
	struct pb_reader reader = pb_reader_of(bytes);
	while (reader.at < reader.end) {
		struct pb_field wire = {.number = field->number, .wire = kind};
		if (kind == PB_VARINT) {
			if (!pb_read_varint(&reader, &wire.value))
				return json_writer_refuse(writer, field->name, "is cut off");
		} else {
			if ((size_t)(reader.end - reader.at) < size)
				return json_writer_refuse(writer, field->name, "is cut off");
			for (size_t i = 0; i < size; i++)
				wire.value |= (uint64_t)reader.at[i] << (8 * i);
			reader.at += size;
		}
		json_text_item(&writer->text);
		enum lyc_status status = write_value(writer, field, &wire);
		if (status)
			return status;
	}
	return LYC_OK;
}

static enum lyc_status write_list(struct json_writer *writer, const struct schema_field *field,
				  struct occurrences of)
{
	bool is_packable = wire_of(field->type) != PB_LEN;
	enum lyc_status status = LYC_OK;
	json_text_open(&writer->text, '[');
	for (size_t i = 0; i < of.count && !status; i++) {
		const struct pb_field *wire = &of.items[i].wire;
		if (is_packable && wire->wire == PB_LEN) {
			status = write_packed(writer, field, wire->bytes);
			continue;
		}
		json_text_item(&writer->text);
		status = write_value(writer, field, wire);
	}
	json_text_close(&writer->text, ']');
	return status;
}

/* One entry of a map, with the defaults of what it leaves out. */
struct entry {
	struct pb_field key;
	struct pb_field value;
	size_t order;
};

static int compare_entries(const void *left, const void *right)
{
	const struct entry *a = left;
	const struct entry *b = right;
	size_t len = a->key.bytes.len < b->key.bytes.len ? a->key.bytes.len : b->key.bytes.len;
	int order = len ? memcmp(a->key.bytes.data, b->key.bytes.data, len) : 0;
	if (order != 0)
		return order;
	if (a->key.bytes.len != b->key.bytes.len)
		return a->key.bytes.len < b->key.bytes.len ? -1 : 1;
	if (a->key.value != b->key.value)
		return a->key.value < b->key.value ? -1 : 1;
	return a->order < b->order ? -1 : a->order > b->order;
}

/* Varint keys of 32 bits may be written longer than they are. */
static void trim_key(enum schema_type type, struct pb_field *key)
{
	if (type == SCHEMA_BOOL)
		key->value = key->value != 0;
	else if (type == SCHEMA_INT32 || type == SCHEMA_UINT32 || type == SCHEMA_SINT32)
		key->value = (uint32_t)key->value;
}

static enum lyc_status read_entry(struct json_writer *writer, const struct schema_field *map,
				  const struct schema_field *key, const struct schema_field *value,
				  const struct pb_field *wire, struct entry *entry)
{
	if (wire->wire != PB_LEN)
		return json_writer_refuse(writer, map->name, "has the wrong wire type");
	struct pb_reader reader = pb_reader_of(wire->bytes);
	struct pb_field field;
	entry->key = default_of(key);
	entry->value = default_of(value);
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			entry->key = field;
		else if (field.number == 2)
			entry->value = field;
	}
	if (reader.has_failed || entry->key.wire != wire_of(key->type))
		return json_writer_refuse(writer, map->name, "has a malformed entry");
	trim_key(key->type, &entry->key);
	return LYC_OK;
}

static enum lyc_status write_entry(struct json_writer *writer, const struct schema_field *key,
				   const struct schema_field *value, const struct entry *entry)
{
	struct json_text *text = &writer->text;
	json_text_item(text);
	bool is_quoted = key->type == SCHEMA_STRING || key->type == SCHEMA_INT64 ||
			 key->type == SCHEMA_SINT64 || key->type == SCHEMA_SFIXED64 ||
			 key->type == SCHEMA_UINT64 || key->type == SCHEMA_FIXED64;
	if (!is_quoted)
		buf_add_byte(text->to, '"');
	enum lyc_status status = write_value(writer, key, &entry->key);
	if (!is_quoted)
		buf_add_byte(text->to, '"');
	buf_add_text(text->to, text->is_pretty ? ": " : ":");
	return status ? status : write_value(writer, value, &entry->value);
}

static bool is_key_type(enum schema_type type)
{
	return type != SCHEMA_DOUBLE && type != SCHEMA_FLOAT && type != SCHEMA_BYTES &&
	       type != SCHEMA_ENUM && type != SCHEMA_MESSAGE && type != SCHEMA_GROUP;
}

static enum lyc_status write_map(struct json_writer *writer, const struct schema_field *field,
				 struct occurrences of)
{
	const struct schema_field *key = schema_field_by_number(field->message, 1);
	const struct schema_field *value = schema_field_by_number(field->message, 2);
	if (!key || !value || !is_key_type(key->type))
		return json_writer_refuse(writer, field->name, "is no map that JSON can hold");
	enum lyc_status status = LYC_OK;
	struct entry *entries = of.count ? calloc(of.count, sizeof(*entries)) : NULL;
	if (of.count && !entries)
		return no_memory(writer);
	for (size_t i = 0; i < of.count && !status; i++) {
		entries[i].order = i;
		status = read_entry(writer, field, key, value, &of.items[i].wire, &entries[i]);
	}
	if (status)
		goto out;
	if (of.count > 1)
		qsort(entries, of.count, sizeof(*entries), compare_entries);
	json_text_open(&writer->text, '{');
	for (size_t i = 0; i < of.count && !status; i++) {
		bool is_last = i + 1 == of.count ||
			       entries[i].key.value != entries[i + 1].key.value ||
			       !span_equal(entries[i].key.bytes, entries[i + 1].key.bytes);
		if (is_last)
			status = write_entry(writer, key, value, &entries[i]);
	}
	json_text_close(&writer->text, '}');
out:
	free(entries);
	return status;
}

enum lyc_status json_writer_field(struct json_writer *writer, const struct schema_field *field,
				  struct occurrences of)
{
	if (field->is_map)
		return write_map(writer, field, of);
	if (field->is_repeated)
		return write_list(writer, field, of);
	if (of.count > 0)
		return write_value(writer, field, &of.items[of.count - 1].wire);
	struct pb_field nothing = default_of(field);
	return write_value(writer, field, &nothing);
}

/* A scalar without presence that holds its zero counts as absent. */
static bool is_absent(const struct schema_field *field, struct occurrences of)
{
	if (field->is_repeated && wire_of(field->type) != PB_LEN) {
		/* Packed runs of nothing are nothing. */
		for (size_t i = 0; i < of.count; i++) {
			if (of.items[i].wire.wire != PB_LEN || of.items[i].wire.bytes.len > 0)
				return false;
		}
		return true;
	}
	if (of.count == 0)
		return true;
	if (field->is_repeated || field->has_presence)
		return false;
	const struct pb_field *wire = &of.items[of.count - 1].wire;
	if (wire->wire == PB_LEN)
		return wire->bytes.len == 0;
	bool is_narrow = field->type == SCHEMA_INT32 || field->type == SCHEMA_UINT32 ||
			 field->type == SCHEMA_SINT32 || field->type == SCHEMA_ENUM;
	return (is_narrow ? (uint32_t)wire->value : wire->value) == 0;
}

enum lyc_status json_writer_members(struct json_writer *writer,
				    const struct schema_message *message, struct span body)
{
	bool with_defaults = writer->options.with_defaults;
	if (body.len == 0 && !with_defaults)
		return LYC_OK;
	struct occurrences all = {0};
	enum lyc_status status = occurrences_init(&all, message, body);
	if (status == LYC_INVALID_ARGUMENT)
		return json_writer_refuse(writer, message->full_name, "has malformed bytes");
	if (status)
		return no_memory(writer);
	for (size_t i = 0; i < message->field_count && !status; i++) {
		const struct schema_field *field = &message->fields[message->by_declaration[i]];
		struct occurrences of = occurrences_of(&all, field);
		if (is_absent(field, of) && (!with_defaults || field->has_presence))
			continue;
		const char *name = writer->options.use_proto_names ? field->name : field->json_name;
		if (!json_text_name(&writer->text, span_of(name, strlen(name))))
			status = json_writer_refuse(writer, message->full_name, "is not UTF-8");
		else
			status = json_writer_field(writer, field, of);
	}
	occurrences_fini(&all);
	return status;
}

enum lyc_status json_writer_message(struct json_writer *writer,
				    const struct schema_message *message, struct span body)
{
	if (writer->depth == SCHEMA_MAX_DEPTH)
		return json_writer_refuse(writer, message->full_name, "is nested too deeply");
	writer->depth++;
	enum lyc_status status;
	if (has_known_form(message)) {
		status = known_write(writer, message, body);
	} else {
		json_text_open(&writer->text, '{');
		status = json_writer_members(writer, message, body);
		json_text_close(&writer->text, '}');
	}
	writer->depth--;
	return status;
}

enum lyc_status json_write(const struct schema_message *message, struct span body,
			   const struct json_options *options, struct buf *to,
			   struct lyc_error *error)
{
	struct json_writer writer = {.text = {.to = to}, .error = error};
	if (options)
		writer.options = *options;
	writer.text.is_pretty = writer.options.is_pretty;
	size_t before = to->len;
	enum lyc_status status = json_writer_message(&writer, message, body);
	if (!status && to->has_failed)
		status = no_memory(&writer);
	if (status)
		to->len = before;
	return status;
}

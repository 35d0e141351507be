/*
 * The key of a body: the tokens that follow the type in a record's subject. Numbers are written in
 * decimal, bools as true and false; texts are escaped so that a token is one token.
 */
#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "schema/compile.h"

/* What is on the wire of each key field, in token order, and of the label. */
struct key_parts {
	struct pb_field fields[SCHEMA_MAX_KEYS];
	bool is_present[SCHEMA_MAX_KEYS];
	uint32_t label_number; /* 0: nobody asks for it */
	struct span label;
	bool has_label;
};

/* Of as many as there are. */
static void parts_init(struct key_parts *parts, size_t key_count, uint32_t label_number)
{
	for (size_t i = 0; i < key_count; i++) {
		parts->fields[i].value = 0;
		parts->fields[i].bytes = (struct span){0};
		parts->is_present[i] = false;
	}
	parts->label_number = label_number;
	parts->label = (struct span){0};
	parts->has_label = false;
}

static enum pb_wire wire_of(enum schema_type type)
{
	switch (type) {
	case SCHEMA_STRING:
		return PB_LEN;
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		return PB_FIXED64;
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		return PB_FIXED32;
	default:
		return PB_VARINT;
	}
}

static enum lyc_status occurs_again(const struct schema_field *field, struct lyc_error *error)
{
	return error_set_field(error, LYC_INVALID_ARGUMENT, field->name,
			       "%s: is malformed or occurs twice", field->name);
}

static enum lyc_status find_parts(const struct schema_message *message, struct span body,
				  struct key_parts *parts, struct lyc_error *error)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == parts->label_number) {
			if (field.wire != PB_LEN || parts->has_label)
				return occurs_again(message->label, error);
			parts->label = field.bytes;
			parts->has_label = true;
			continue;
		}
		for (size_t i = 0; i < message->key_count; i++) {
			const struct schema_field *key = message->keys[i];
			if (key->number != field.number)
				continue;
			if (field.wire != wire_of(key->type) || parts->is_present[i])
				return occurs_again(key, error);
			parts->fields[i] = field;
			parts->is_present[i] = true;
		}
	}
	if (reader.has_failed)
		return error_set(error, LYC_INVALID_ARGUMENT, "the body: is malformed");
	return LYC_OK;
}

static bool has_to_be_escaped(uint8_t c)
{
	return c <= ' ' || c == 0x7f || c == '.' || c == '*' || c == '>' || c == '%';
}

static void add_escaped(struct buf *to, struct span text)
{
	size_t plain = 0; /* where what needs no escape began */
	for (size_t i = 0; i < text.len; i++) {
		if (!has_to_be_escaped(text.data[i]))
			continue;
		buf_add(to, text.data + plain, i - plain);
		buf_add_format(to, "%%%02X", text.data[i]);
		plain = i + 1;
	}
	buf_add(to, text.data + plain, text.len - plain);
}

static void add_number(struct buf *to, enum schema_type type, uint64_t value)
{
	switch (type) {
	case SCHEMA_BOOL:
		buf_add_text(to, value != 0 ? "true" : "false");
		break;
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		buf_add_format(to, "%" PRIu32, (uint32_t)value);
		break;
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		buf_add_format(to, "%" PRIu64, value);
		break;
	case SCHEMA_SINT32:
		buf_add_format(to, "%" PRId64, pb_zigzag_decode((uint32_t)value));
		break;
	case SCHEMA_SINT64:
		buf_add_format(to, "%" PRId64, pb_zigzag_decode(value));
		break;
	case SCHEMA_INT64:
	case SCHEMA_SFIXED64:
		buf_add_format(to, "%" PRId64, (int64_t)value);
		break;
	default:
		buf_add_format(to, "%" PRId32, (int32_t)(uint32_t)value);
		break;
	}
}

static enum lyc_status write_key(const struct schema_message *message, struct span body,
				 struct buf *to, struct key_parts *parts, struct lyc_error *error)
{
	size_t len = to->len;
	enum lyc_status status = find_parts(message, body, parts, error);
	for (size_t i = 0; status == LYC_OK && i < message->key_count; i++) {
		const struct schema_field *key = message->keys[i];
		const struct pb_field *part = &parts->fields[i];
		bool is_text = key->type == SCHEMA_STRING;
		if (is_text ? part->bytes.len == 0 : key->has_presence && !parts->is_present[i]) {
			status = error_set_field(error, LYC_INVALID_ARGUMENT, key->name,
						 "%s: is a key and has to be set", key->name);
			break;
		}
		if (i > 0)
			buf_add_byte(to, '.');
		if (is_text)
			add_escaped(to, part->bytes);
		else
			add_number(to, key->type, part->value);
	}
	if (status == LYC_OK && to->has_failed)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "there is no memory for the key");
	if (status != LYC_OK)
		to->len = len;
	return status;
}

enum lyc_status schema_key_and_label(const struct schema_message *message, struct span body,
				     struct buf *to, struct span *ret_label, bool *ret_has_label,
				     struct lyc_error *error)
{
	struct key_parts parts;
	parts_init(&parts, message->key_count, message->label ? message->label->number : 0);
	enum lyc_status status = write_key(message, body, to, &parts, error);
	if (status != LYC_OK)
		return status;
	*ret_label = parts.label;
	*ret_has_label = parts.has_label;
	return LYC_OK;
}

enum lyc_status schema_key(const struct schema_message *message, struct span body, struct buf *to,
			   struct lyc_error *error)
{
	struct key_parts parts;
	if (message->key_count == 0)
		return LYC_OK;
	parts_init(&parts, message->key_count, 0);
	return write_key(message, body, to, &parts, error);
}

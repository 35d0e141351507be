/*
 * From a jansson tree to wire bytes: the members of an object are matched with the fields of their
 * message, sorted by number, and written. Refuses what the tables do not allow, with the path; what
 * it writes passes schema_check.
 */
#include "schema/json_encoder.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "base/utf8.h"
#include "schema/base64.h"
#include "schema/json_writer.h"
#include "schema/near_name.h"

/* Of an enum without a value of that name: what is said about those that there are. */
#define MAX_LISTED_VALUES 12
#define HINT_LEN 160

static enum lyc_status no_memory(struct json_encoder *encoder)
{
	return error_set(encoder->error, LYC_RESOURCE_EXHAUSTED,
			 "there is no memory to read the message");
}

static bool is_kind_of_text(const struct json_scalar *scalar)
{
	return scalar->kind == JSON_KIND_TEXT || scalar->kind == JSON_KIND_PLAIN ||
	       scalar->kind == JSON_KIND_BIG;
}

/* jansson's own parser keeps to JSON's grammar and to the point whatever the locale. */
static bool number_of_text(struct span text, double *ret_value)
{
	if (text.len == 0 || text.len > 400 || text.data[0] == ' ')
		return false;
	struct number whole;
	if (number_read(text, &whole) == NUMBER_NONE)
		return false;
	json_t *number = json_loadb((const char *)text.data, text.len,
				    JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL, NULL);
	bool is_number = json_is_number(number);
	if (is_number)
		*ret_value = json_number_value(number);
	json_decref(number);
	return is_number;
}

bool json_encoder_number(const struct json_scalar *scalar, bool is_float, double *ret_value)
{
	double value;
	if (scalar->kind == JSON_KIND_INTEGER)
		value = (double)scalar->integer;
	else if (scalar->kind == JSON_KIND_REAL)
		value = scalar->real;
	else if (!is_kind_of_text(scalar))
		return false;
	else if (span_is(scalar->text, "NaN"))
		value = (double)NAN;
	else if (span_is(scalar->text, "Infinity"))
		value = (double)INFINITY;
	else if (span_is(scalar->text, "-Infinity"))
		value = -(double)INFINITY;
	else if (!number_of_text(scalar->text, &value))
		return false;
	/* Half a step above the largest float rounds to infinity. */
	if (is_float && !isinf(value) && fabs(value) >= (double)FLT_MAX * (1 + 0x1p-25))
		return false;
	*ret_value = value;
	return true;
}

static enum lyc_status read_integer(struct json_encoder *encoder, enum schema_type type,
				    const struct json_place *at, uint64_t *ret_bits)
{
	struct json_scalar scalar = json_encoder_scalar(encoder, at->value);
	struct number number = {0};
	enum number_result result = NUMBER_NONE;
	if (scalar.kind == JSON_KIND_INTEGER) {
		number = number_of_int(scalar.integer);
		result = NUMBER_OK;
	} else if (scalar.kind == JSON_KIND_REAL) {
		result = number_of_double(scalar.real, &number);
	} else if (is_kind_of_text(&scalar)) {
		result = number_read(scalar.text, &number);
	}
	if (result != NUMBER_OK || !number_fits(number, type, ret_bits)) {
		char what[80] = "a whole number from ";
		strncat(what, number_range(type), sizeof(what) - strlen(what) - 1);
		return json_encoder_wrong(encoder, at, what);
	}
	return LYC_OK;
}

/* The value that was probably meant; or else the values that there are, as long as they are few.
 * The one that stands for "not given" is none of them. */
static void write_hint(const struct schema_enum *enumeration, const char *near, char hint[HINT_LEN])
{
	static const char unspecified[] = "_UNSPECIFIED";
	size_t used = 0;
	hint[0] = '\0';
	if (near) {
		snprintf(hint, HINT_LEN, "; did you mean '%s'?", near);
		return;
	}
	if (enumeration->value_count > MAX_LISTED_VALUES)
		return;
	for (size_t i = 0; i < enumeration->value_count && used < HINT_LEN; i++) {
		const char *name = enumeration->values[i].name;
		size_t len = strlen(name);
		if (len >= sizeof(unspecified) - 1 &&
		    strcmp(name + len - (sizeof(unspecified) - 1), unspecified) == 0)
			continue;
		used += (size_t)snprintf(hint + used, HINT_LEN - used, "%s%s",
					 used ? ", " : "; it is one of ", name);
	}
	/* Half a list says less than none. */
	if (used >= HINT_LEN)
		hint[0] = '\0';
}

static enum lyc_status read_enum(struct json_encoder *encoder, const struct schema_field *field,
				 const struct json_place *at, uint64_t *ret_bits)
{
	const struct schema_enum *enumeration = field->enumeration;
	struct json_scalar scalar = json_encoder_scalar(encoder, at->value);
	struct number number;
	bool is_null_value = strcmp(enumeration->full_name, "google.protobuf.NullValue") == 0;
	if (scalar.kind == JSON_KIND_NULL && is_null_value) {
		*ret_bits = 0;
		return LYC_OK;
	}
	for (size_t i = 0; is_kind_of_text(&scalar) && i < enumeration->value_count; i++) {
		if (span_is(scalar.text, enumeration->values[i].name)) {
			*ret_bits = (uint64_t)(int64_t)enumeration->values[i].number;
			return LYC_OK;
		}
	}
	if (is_kind_of_text(&scalar) && number_read(scalar.text, &number) == NUMBER_NONE) {
		const char *text = (const char *)scalar.text.data;
		const char *near = near_value_name(enumeration, text, scalar.text.len);
		char hint[HINT_LEN];
		write_hint(enumeration, near, hint);
		return json_encoder_refuse(
			encoder, at, "is no value of %s: '%.*s'%s", enumeration->full_name,
			scalar.text.len > 40 ? 40 : (int)scalar.text.len, text, hint);
	}
	enum lyc_status status = read_integer(encoder, SCHEMA_ENUM, at, ret_bits);
	if (status || !enumeration->is_closed)
		return status;
	for (size_t i = 0; i < enumeration->value_count; i++) {
		if (enumeration->values[i].number == (int32_t)(int64_t)*ret_bits)
			return LYC_OK;
	}
	return json_encoder_refuse(encoder, at, "is no value of %s: %d", enumeration->full_name,
				   (int32_t)(int64_t)*ret_bits);
}

static void write_tag(struct buf *to, uint32_t number, enum pb_wire wire)
{
	pb_write_varint(to, (uint64_t)number << 3 | (uint64_t)wire);
}

static void write_fixed(struct buf *to, size_t size, uint64_t bits)
{
	uint8_t bytes[8];
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(bits >> (8 * i));
	buf_add(to, bytes, size);
}

/* Numbers, truths and enums. ret_size: 0 for a varint, else the bytes of a fixed one. */
static enum lyc_status read_bits(struct json_encoder *encoder, const struct schema_field *field,
				 const struct json_place *at, uint64_t *ret_bits, size_t *ret_size)
{
	struct json_scalar scalar = json_encoder_scalar(encoder, at->value);
	enum lyc_status status = LYC_OK;
	double number;
	*ret_size = 0;
	switch ((int)field->type) {
	case SCHEMA_BOOL:
		*ret_bits = scalar.kind == JSON_KIND_TRUE;
		if (scalar.kind != JSON_KIND_TRUE && scalar.kind != JSON_KIND_FALSE)
			status = json_encoder_wrong(encoder, at, "true or false");
		break;
	case SCHEMA_ENUM:
		status = read_enum(encoder, field, at, ret_bits);
		break;
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		*ret_bits = 0;
		*ret_size = field->type == SCHEMA_FLOAT ? 4 : 8;
		if (!json_encoder_number(&scalar, *ret_size == 4, &number)) {
			status = json_encoder_wrong(encoder, at,
						    *ret_size == 4 ? "a number that a float holds"
								   : "a number");
		} else if (*ret_size == 4) {
			float half = (float)number;
			memcpy(ret_bits, &half, sizeof(half));
		} else {
			memcpy(ret_bits, &number, sizeof(number));
		}
		break;
	default:
		status = read_integer(encoder, field->type, at, ret_bits);
		if (field->type == SCHEMA_SINT32 || field->type == SCHEMA_SINT64)
			*ret_bits = pb_zigzag_encode((int64_t)*ret_bits);
		if (field->type == SCHEMA_FIXED32 || field->type == SCHEMA_SFIXED32)
			*ret_size = 4;
		if (field->type == SCHEMA_FIXED64 || field->type == SCHEMA_SFIXED64)
			*ret_size = 8;
		break;
	}
	return status;
}

static enum lyc_status encode_bits(struct json_encoder *encoder, const struct schema_field *field,
				   const struct json_place *at, bool keep_zero, bool with_tag,
				   struct buf *to)
{
	uint64_t bits = 0;
	size_t size = 0;
	enum lyc_status status = read_bits(encoder, field, at, &bits, &size);
	if (status || (bits == 0 && !keep_zero))
		return status;
	enum pb_wire wire = size == 8 ? PB_FIXED64 : size == 4 ? PB_FIXED32 : PB_VARINT;
	if (with_tag)
		write_tag(to, field->number, wire);
	if (size == 0)
		pb_write_varint(to, bits);
	else
		write_fixed(to, size, bits);
	return LYC_OK;
}

static enum lyc_status encode_text(struct json_encoder *encoder, const struct schema_field *field,
				   const struct json_place *at, bool keep_zero, struct buf *to)
{
	struct json_scalar scalar = json_encoder_scalar(encoder, at->value);
	struct buf bytes = {0};
	struct span text = {0};
	enum lyc_status status = LYC_OK;
	/* YAML without quotes: what looks like a truth is text here. */
	if (scalar.kind != JSON_KIND_NULL && scalar.kind != JSON_KIND_BIG &&
	    json_is_string(at->value))
		text = span_of(json_string_value(at->value), json_string_length(at->value));
	else
		return json_encoder_wrong(encoder, at,
					  field->type == SCHEMA_BYTES ? "base64 text" : "text");
	if (field->type == SCHEMA_BYTES) {
		if (!base64_read(&bytes, text))
			status = json_encoder_wrong(encoder, at, "base64 text");
		text = span_of(bytes.data, bytes.len);
	} else if (!utf8_check(text.data, text.len, NULL)) {
		status = json_encoder_refuse(encoder, at, "is not UTF-8");
	}
	if (!status && bytes.has_failed)
		status = no_memory(encoder);
	if (!status && (text.len > 0 || keep_zero))
		pb_write_message(to, field->number, text);
	buf_fini(&bytes);
	return status;
}

static enum lyc_status encode_one(struct json_encoder *encoder, const struct schema_field *field,
				  const struct json_place *at, bool keep_zero, struct buf *to)
{
	if (field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES)
		return encode_text(encoder, field, at, keep_zero, to);
	if (field->type == SCHEMA_GROUP)
		return json_encoder_refuse(encoder, at, "is a group, which has no JSON");
	if (field->type != SCHEMA_MESSAGE)
		return encode_bits(encoder, field, at, keep_zero, true, to);
	size_t mark = pb_begin(to, field->number);
	enum lyc_status status = json_encoder_message(encoder, field->message, at, to);
	if (!status)
		pb_end(to, mark);
	return status;
}

static enum lyc_status count_element(struct json_encoder *encoder, const struct json_place *at)
{
	if (++encoder->element_count > SCHEMA_MAX_ELEMENTS)
		return json_encoder_refuse(encoder, at, "is one element too many: at most %d",
					   SCHEMA_MAX_ELEMENTS);
	return LYC_OK;
}

/* null stands for a value only where the type has one for it. */
static bool takes_null(const struct schema_field *field)
{
	if (field->type == SCHEMA_ENUM)
		return strcmp(field->enumeration->full_name, "google.protobuf.NullValue") == 0;
	return field->type == SCHEMA_MESSAGE && field->message->known == SCHEMA_VALUE;
}

static bool is_null(const struct json_encoder *encoder, const json_t *value)
{
	return json_encoder_scalar(encoder, value).kind == JSON_KIND_NULL;
}

static enum lyc_status encode_list(struct json_encoder *encoder, const struct schema_field *field,
				   const struct json_place *at, struct buf *to)
{
	if (!json_is_array(at->value))
		return json_encoder_wrong(encoder, at, "a list");
	if (json_array_size(at->value) == 0)
		return LYC_OK;
	bool is_packed = field->is_packed && field->type != SCHEMA_STRING &&
			 field->type != SCHEMA_BYTES && field->type != SCHEMA_MESSAGE;
	size_t mark = is_packed ? pb_begin(to, field->number) : 0;
	for (size_t i = 0; i < json_array_size(at->value); i++) {
		struct json_place element = {
			.up = at, .value = json_array_get(at->value, i), .index = i};
		enum lyc_status status = count_element(encoder, &element);
		if (!status && is_null(encoder, element.value) && !takes_null(field))
			status = json_encoder_refuse(encoder, &element, "is null; leave it out");
		else if (!status && is_packed)
			status = encode_bits(encoder, field, &element, true, false, to);
		else if (!status)
			status = encode_one(encoder, field, &element, true, to);
		if (status)
			return status;
	}
	if (is_packed)
		pb_end(to, mark);
	return LYC_OK;
}

/* A key is text in JSON whatever its type; as a number it is read by the number's grammar. */
static enum lyc_status encode_key(struct json_encoder *encoder, const struct schema_field *key,
				  const struct json_place *at, struct span text, struct buf *to)
{
	struct number number;
	uint64_t bits;
	if (key->type == SCHEMA_STRING) {
		if (!utf8_check(text.data, text.len, NULL))
			return json_encoder_refuse(encoder, at, "has a key that is not UTF-8");
		pb_write_message(to, 1, text);
		return LYC_OK;
	}
	if (key->type == SCHEMA_BOOL) {
		bool is_true = span_is(text, "true");
		if (!is_true && !span_is(text, "false"))
			return json_encoder_refuse(encoder, at, "has a key other than true, false");
		write_tag(to, 1, PB_VARINT);
		buf_add_byte(to, is_true);
		return LYC_OK;
	}
	if (number_read(text, &number) != NUMBER_OK || !number_fits(number, key->type, &bits))
		return json_encoder_refuse(encoder, at, "has a key that is no whole number from %s",
					   number_range(key->type));
	if (key->type == SCHEMA_SINT32 || key->type == SCHEMA_SINT64)
		bits = pb_zigzag_encode((int64_t)bits);
	bool is_8 = key->type == SCHEMA_FIXED64 || key->type == SCHEMA_SFIXED64;
	bool is_4 = key->type == SCHEMA_FIXED32 || key->type == SCHEMA_SFIXED32;
	write_tag(to, 1, is_8 ? PB_FIXED64 : is_4 ? PB_FIXED32 : PB_VARINT);
	if (is_8 || is_4)
		write_fixed(to, is_8 ? 8 : 4, bits);
	else
		pb_write_varint(to, bits);
	return LYC_OK;
}

static enum lyc_status encode_map(struct json_encoder *encoder, const struct schema_field *field,
				  const struct json_place *at, struct buf *to)
{
	const struct schema_field *key = schema_field_by_number(field->message, 1);
	const struct schema_field *value = schema_field_by_number(field->message, 2);
	if (!json_is_object(at->value))
		return json_encoder_wrong(encoder, at, "an object");
	if (!key || !value)
		return json_encoder_refuse(encoder, at, "is no map that JSON can hold");
	if (encoder->depth == SCHEMA_MAX_DEPTH)
		return json_encoder_refuse(encoder, at, "is nested too deeply");
	encoder->depth++;
	enum lyc_status status = LYC_OK;
	const char *name;
	size_t name_len;
	json_t *member;
	json_object_keylen_foreach((json_t *)(uintptr_t)at->value, name, name_len, member)
	{
		struct json_place entry = {.up = at, .value = member, .name = name, .is_key = true};
		status = count_element(encoder, &entry);
		size_t mark = pb_begin(to, field->number);
		if (!status)
			status = encode_key(encoder, key, &entry, span_of(name, name_len), to);
		if (!status && is_null(encoder, member) && !takes_null(value))
			status = json_encoder_refuse(encoder, &entry, "is null; leave it out");
		if (!status)
			status = encode_one(encoder, value, &entry, true, to);
		if (status)
			break;
		pb_end(to, mark);
	}
	encoder->depth--;
	return status;
}

enum lyc_status json_encoder_field(struct json_encoder *encoder, const struct schema_field *field,
				   const struct json_place *at, bool keep_zero, struct buf *to)
{
	if (is_null(encoder, at->value) && !takes_null(field))
		return LYC_OK;
	if (field->is_map)
		return encode_map(encoder, field, at, to);
	if (field->is_repeated)
		return encode_list(encoder, field, at, to);
	return encode_one(encoder, field, at, keep_zero, to);
}

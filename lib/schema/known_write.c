/*
 * The JSON forms of google.protobuf's own types. They are read by field number, so a set that
 * declares such a type otherwise gets a refusal and no more.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/field_mask.h"
#include "schema/json_writer.h"
#include "schema/timestamp.h"

bool has_known_form(const struct schema_message *message)
{
	return message->known != SCHEMA_PLAIN && message->known != SCHEMA_EMPTY &&
	       message->known != SCHEMA_LABEL;
}

static enum lyc_status refuse_malformed(struct json_writer *writer,
					const struct schema_message *message)
{
	return json_writer_refuse(writer, message->full_name, "has malformed bytes");
}

/* Timestamp and Duration: seconds = 1, nanos = 2. */
static enum lyc_status write_time(struct json_writer *writer, const struct schema_message *message,
				  struct span body)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	int64_t seconds = 0;
	int32_t nanos = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 1)
			seconds = (int64_t)field.value;
		else if (field.number == 2)
			nanos = (int32_t)(uint32_t)field.value;
	}
	if (reader.has_failed)
		return refuse_malformed(writer, message);
	struct buf *to = writer->text.to;
	buf_add_byte(to, '"');
	bool is_in_range = message->known == SCHEMA_TIMESTAMP ? timestamp_write(to, seconds, nanos)
							      : duration_write(to, seconds, nanos);
	if (!is_in_range)
		return json_writer_refuse(writer, message->full_name, "is out of range");
	buf_add_byte(to, '"');
	return LYC_OK;
}

static enum lyc_status write_field_mask(struct json_writer *writer,
					const struct schema_message *message, struct span body)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	struct buf paths = {0};
	enum lyc_status status = LYC_OK;
	bool is_first = true;
	while (!status && pb_read_field(&reader, &field)) {
		if (field.number != 1)
			continue;
		if (!is_first)
			buf_add_byte(&paths, ',');
		is_first = false;
		if (field.wire != PB_LEN || !field_mask_write_path(&paths, field.bytes))
			status = json_writer_refuse(writer, message->full_name,
						    "has a path that camel case cannot express");
	}
	if (!status && reader.has_failed)
		status = refuse_malformed(writer, message);
	if (!status && !json_text_string(&writer->text, span_of(paths.data, paths.len)))
		status = json_writer_refuse(writer, message->full_name, "is not UTF-8");
	writer->text.to->has_failed |= paths.has_failed;
	buf_fini(&paths);
	return status;
}

/* Wrappers, Struct and ListValue are what their one field holds. */
static enum lyc_status write_only_field(struct json_writer *writer,
					const struct schema_message *message, struct span body)
{
	const struct schema_field *field = schema_field_by_number(message, 1);
	if (!field)
		return json_writer_refuse(writer, message->full_name, "has no field 1");
	struct occurrences all = {0};
	enum lyc_status status = occurrences_init(&all, message, body);
	if (status == LYC_INVALID_ARGUMENT)
		return refuse_malformed(writer, message);
	if (status)
		return error_set(writer->error, status, "there is no memory to write JSON");
	status = json_writer_field(writer, field, occurrences_of(&all, field));
	occurrences_fini(&all);
	return status;
}

/* google.protobuf.Value is whichever of its fields came last. */
static enum lyc_status write_any_value(struct json_writer *writer,
				       const struct schema_message *message, struct span body)
{
	struct pb_reader reader = pb_reader_of(body);
	struct occurrence last = {0};
	struct pb_field wire;
	while (pb_read_field(&reader, &wire)) {
		const struct schema_field *field = schema_field_by_number(message, wire.number);
		if (field)
			last = (struct occurrence){.field = field, .wire = wire};
	}
	if (reader.has_failed)
		return refuse_malformed(writer, message);
	if (!last.field) {
		buf_add_text(writer->text.to, "null");
		return LYC_OK;
	}
	if (last.field->type == SCHEMA_DOUBLE) {
		double number;
		memcpy(&number, &last.wire.value, sizeof(number));
		if (isnan(number) || isinf(number))
			return json_writer_refuse(writer, message->full_name,
						  "holds NaN or an infinity, which JSON has not");
	}
	return json_writer_field(writer, last.field,
				 (struct occurrences){.items = &last, .count = 1});
}

static enum lyc_status write_any_content(struct json_writer *writer, const char *url,
					 const struct schema_message *type, struct span value)
{
	struct json_text *text = &writer->text;
	enum lyc_status status;
	json_text_open(text, '{');
	if (!json_text_name(text, span_of("@type", 5)) ||
	    !json_text_string(text, span_of(url, strlen(url))))
		return json_writer_refuse(writer, type->full_name,
					  "has a type URL that is no UTF-8");
	if (has_known_form(type)) {
		if (!json_text_name(text, span_of("value", 5)))
			return LYC_INTERNAL;
		status = json_writer_message(writer, type, value);
	} else if (writer->depth == SCHEMA_MAX_DEPTH) {
		status = json_writer_refuse(writer, type->full_name, "is nested too deeply");
	} else {
		writer->depth++;
		status = json_writer_members(writer, type, value);
		writer->depth--;
	}
	json_text_close(text, '}');
	return status;
}

/* type_url = 1, value = 2. An empty Any is {}. */
static enum lyc_status write_any(struct json_writer *writer, const struct schema_message *message,
				 struct span body)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	struct span url = {0};
	struct span value = span_of("", 0);
	while (pb_read_field(&reader, &field)) {
		if (field.wire == PB_LEN && field.number == 1)
			url = field.bytes;
		else if (field.wire == PB_LEN && field.number == 2)
			value = field.bytes;
	}
	if (reader.has_failed)
		return refuse_malformed(writer, message);
	if (url.len == 0 && value.len == 0) {
		buf_add_text(writer->text.to, "{}");
		return LYC_OK;
	}
	char name[512];
	if (url.len >= sizeof(name) ||
	    memchr(url.data ? url.data : (const uint8_t *)"", 0, url.len))
		return json_writer_refuse(writer, message->full_name, "has a bad type URL");
	memcpy(name, url.data ? url.data : (const uint8_t *)"", url.len);
	name[url.len] = '\0';
	const char *slash = strrchr(name, '/');
	const struct schema_message *type =
		schema_find_message(message->schema, slash ? slash + 1 : name);
	if (!type)
		return error_set_field(writer->error, LYC_INVALID_ARGUMENT, message->full_name,
				       "the type '%s' inside %s is not in this schema", name,
				       message->full_name);
	return write_any_content(writer, name, type, value);
}

enum lyc_status known_write(struct json_writer *writer, const struct schema_message *message,
			    struct span body)
{
	switch ((int)message->known) {
	case SCHEMA_TIMESTAMP:
	case SCHEMA_DURATION:
		return write_time(writer, message, body);
	case SCHEMA_FIELD_MASK:
		return write_field_mask(writer, message, body);
	case SCHEMA_VALUE:
		return write_any_value(writer, message, body);
	case SCHEMA_ANY:
		return write_any(writer, message, body);
	default:
		return write_only_field(writer, message, body);
	}
}

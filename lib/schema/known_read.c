/* The JSON forms of google.protobuf's own types, read. What they hold is written by field number,
 * as known_write.c reads it. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "schema/field_mask.h"
#include "schema/json_encoder.h"
#include "schema/json_writer.h"
#include "schema/timestamp.h"

static bool text_of(const struct json_encoder *encoder, const struct json_place *at,
		    struct span *ret_text)
{
	struct json_scalar scalar = json_encoder_scalar(encoder, at->value);
	if (scalar.kind != JSON_KIND_TEXT && scalar.kind != JSON_KIND_PLAIN)
		return false;
	*ret_text = scalar.text;
	return true;
}

static enum lyc_status read_time(struct json_encoder *encoder, const struct schema_message *message,
				 const struct json_place *at, struct buf *to)
{
	bool is_timestamp = message->known == SCHEMA_TIMESTAMP;
	struct span text;
	int64_t seconds;
	int32_t nanos;
	if (!text_of(encoder, at, &text) ||
	    !(is_timestamp ? timestamp_read : duration_read)(text, &seconds, &nanos))
		return json_encoder_wrong(encoder, at,
					  is_timestamp ? "a time like \"2026-05-01T09:30:00Z\""
						       : "a duration like \"1.5s\"");
	pb_write_uint(to, 1, (uint64_t)seconds);
	pb_write_uint(to, 2, (uint64_t)(int64_t)nanos);
	return LYC_OK;
}

static enum lyc_status read_field_mask(struct json_encoder *encoder, const struct json_place *at,
				       struct buf *to)
{
	struct span text;
	if (!text_of(encoder, at, &text))
		return json_encoder_wrong(encoder, at, "field paths like \"name,orcidId\"");
	struct buf path = {0};
	enum lyc_status status = LYC_OK;
	for (size_t from = 0, i = 0; i <= text.len && !status && text.len > 0; i++) {
		if (i < text.len && text.data[i] != ',')
			continue;
		buf_clear(&path);
		if (!field_mask_read_path(&path, span_of(text.data + from, i - from)))
			status = json_encoder_refuse(encoder, at,
						     "has a path with an underscore; write it in "
						     "camel case, like \"orcidId\"");
		else
			pb_write_message(to, 1, span_of(path.data, path.len));
		to->has_failed |= path.has_failed;
		from = i + 1;
	}
	buf_fini(&path);
	return status;
}

/* Write what stands at `at` as that field of the message. */
static enum lyc_status read_as(struct json_encoder *encoder, const struct schema_message *message,
			       uint32_t number, bool keep_zero, const struct json_place *at,
			       struct buf *to)
{
	const struct schema_field *field = schema_field_by_number(message, number);
	if (!field)
		return json_encoder_refuse(encoder, at, "has the type %s without its field %u",
					   message->full_name, number);
	return json_encoder_field(encoder, field, at, keep_zero, to);
}

/* google.protobuf.Value: one field for each kind of JSON value. */
static enum lyc_status read_any_value(struct json_encoder *encoder,
				      const struct schema_message *message,
				      const struct json_place *at, struct buf *to)
{
	enum { NOTHING = 1, NUMBER = 2, TEXT = 3, TRUTH = 4, OBJECT = 5, LIST = 6 };
	struct json_scalar scalar = json_encoder_scalar(encoder, at->value);
	double number;
	uint32_t as = TEXT;
	switch (scalar.kind) {
	case JSON_KIND_NULL:
		as = NOTHING;
		break;
	case JSON_KIND_TRUE:
	case JSON_KIND_FALSE:
		as = TRUTH;
		break;
	case JSON_KIND_INTEGER:
	case JSON_KIND_REAL:
	case JSON_KIND_BIG:
		as = NUMBER;
		break;
	case JSON_KIND_OBJECT:
		as = OBJECT;
		break;
	case JSON_KIND_LIST:
		as = LIST;
		break;
	case JSON_KIND_PLAIN:
		if (json_encoder_number(&scalar, false, &number) && isfinite(number))
			as = NUMBER;
		break;
	case JSON_KIND_TEXT:
	default:
		break;
	}
	return read_as(encoder, message, as, true, at, to);
}

static enum lyc_status read_any_content(struct json_encoder *encoder,
					const struct schema_message *type,
					const struct json_place *at, struct buf *to)
{
	const json_t *value = json_object_get(at->value, "value");
	if (!has_known_form(type) && !(type->known == SCHEMA_EMPTY && value)) {
		if (encoder->depth == SCHEMA_MAX_DEPTH)
			return json_encoder_refuse(encoder, at, "is nested too deeply");
		encoder->depth++;
		enum lyc_status status = json_encoder_members(encoder, type, at, "@type", to);
		encoder->depth--;
		return status;
	}
	if (!value || json_object_size(at->value) != 2)
		return json_encoder_refuse(encoder, at,
					   "needs the fields '@type' and 'value' only");
	struct json_place inner = {.up = at, .value = value, .name = "value"};
	return json_encoder_message(encoder, type, &inner, to);
}

static enum lyc_status read_any(struct json_encoder *encoder, const struct schema_message *message,
				const struct json_place *at, struct buf *to)
{
	if (!json_is_object(at->value))
		return json_encoder_wrong(encoder, at, "an object with '@type'");
	if (json_object_size(at->value) == 0)
		return LYC_OK;
	const char *url = json_string_value(json_object_get(at->value, "@type"));
	const char *slash = url ? strrchr(url, '/') : NULL;
	if (!slash || !slash[1])
		return json_encoder_refuse(
			encoder, at, "needs '@type', like \"type.googleapis.com/lyceum.v1.Label\"");
	const struct schema_message *type = schema_find_message(message->schema, slash + 1);
	if (!type)
		return json_encoder_refuse(encoder, at,
					   "has a type that is not in this schema: '%s'", url);
	struct buf content = {0};
	enum lyc_status status = read_any_content(encoder, type, at, &content);
	if (!status) {
		pb_write_text(to, 1, url);
		pb_write_bytes(to, 2, content.data, content.len);
		to->has_failed |= content.has_failed;
	}
	buf_fini(&content);
	return status;
}

enum lyc_status known_read(struct json_encoder *encoder, const struct schema_message *message,
			   const struct json_place *at, struct buf *to)
{
	switch ((int)message->known) {
	case SCHEMA_TIMESTAMP:
	case SCHEMA_DURATION:
		return read_time(encoder, message, at, to);
	case SCHEMA_FIELD_MASK:
		return read_field_mask(encoder, at, to);
	case SCHEMA_VALUE:
		return read_any_value(encoder, message, at, to);
	case SCHEMA_ANY:
		return read_any(encoder, message, at, to);
	default:
		/* A field that is null is left out before; inside an Any there is nothing to leave.
		 */
		if (json_encoder_scalar(encoder, at->value).kind == JSON_KIND_NULL)
			return json_encoder_refuse(encoder, at, "is null, which is no %s",
						   message->full_name);
		return read_as(encoder, message, 1, false, at, to);
	}
}

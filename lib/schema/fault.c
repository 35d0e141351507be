/* The path and the sentence of a fault. Nothing here is fast, and nothing here is called for a good
 * body. */
#include "schema/fault.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/pb.h"

struct path {
	char text[120];
	size_t len;
};

static LYC_PRINTF(2, 3) void path_add(struct path *path, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(path->text + path->len, sizeof(path->text) - path->len, format, args);
	va_end(args);
	if (len > 0)
		path->len += (size_t)len;
	if (path->len > sizeof(path->text) - 1)
		path->len = sizeof(path->text) - 1;
}

/* Elements in a packed run. */
static size_t run_count(const struct schema_field *field, struct span run)
{
	switch (field->type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FIXED64:
	case SCHEMA_SFIXED64:
		return run.len / 8;
	case SCHEMA_FLOAT:
	case SCHEMA_FIXED32:
	case SCHEMA_SFIXED32:
		return run.len / 4;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		return 1;
	default:
		break;
	}
	size_t count = 0;
	for (size_t i = 0; i < run.len; i++)
		count += run.data[i] < 0x80;
	return count;
}

static const struct schema_field *field_of(const struct fault_frame *frame)
{
	uint64_t tag = 0;
	struct pb_reader reader = {.at = frame->at, .end = frame->body.data + frame->body.len};
	bool is_read = pb_read_varint(&reader, &tag);
	const struct schema_field *field =
		is_read ? schema_field_by_number(frame->message, (uint32_t)(tag >> 3)) : NULL;
	ensure(field != NULL);
	return field;
}

/* Elements of the field in front of the one at hand. */
static size_t index_of(const struct fault_frame *frame, const struct schema_field *at_hand)
{
	size_t count = frame->packed_before;
	struct pb_reader reader = pb_reader_of(frame->body);
	struct pb_field field;
	while (reader.at < frame->at && pb_read_field(&reader, &field)) {
		if (field.number != at_hand->number)
			continue;
		count += field.wire == PB_LEN ? run_count(at_hand, field.bytes) : 1;
	}
	return count;
}

static void add_name(struct path *path, const char *name)
{
	path_add(path, "%s%s", path->len > 0 ? "." : "", name);
}

static void add_element(struct path *path, const struct fault_frame *frame)
{
	const struct schema_field *field = field_of(frame);
	add_name(path, field->name);
	if (field->is_repeated)
		path_add(path, "[%zu]", index_of(frame, field));
}

/* The way to the frame's message. */
static void add_way(struct path *path, const struct fault_frame *frame)
{
	const struct fault_frame *frames[SCHEMA_MAX_DEPTH + 1];
	size_t count = 0;
	for (frame = frame->parent; frame && count <= SCHEMA_MAX_DEPTH; frame = frame->parent)
		frames[count++] = frame;
	while (count-- > 0)
		add_element(path, frames[count]);
}

static void fill(const struct path *path, struct lyc_error *error, const char *format, va_list args)
{
	char sentence[200];
	vsnprintf(sentence, sizeof(sentence), format, args);
	error_set_field(error, LYC_INVALID_ARGUMENT, path->text, "%s: %s",
			path->len > 0 ? path->text : "the body", sentence);
}

bool fault_at(const struct fault_frame *frame, enum fault_scope scope, struct lyc_error *error,
	      const char *format, ...)
{
	if (!error)
		return false;
	struct path path = {.len = 0};
	add_way(&path, frame);
	if (scope == FAULT_ELEMENT)
		add_element(&path, frame);
	else if (scope == FAULT_FIELD)
		add_name(&path, field_of(frame)->name);
	va_list args;
	va_start(args, format);
	fill(&path, error, format, args);
	va_end(args);
	return false;
}

bool fault_of(const struct fault_frame *frame, const struct schema_field *field,
	      struct lyc_error *error, const char *format, ...)
{
	if (!error)
		return false;
	struct path path = {.len = 0};
	add_way(&path, frame);
	add_name(&path, field->name);
	va_list args;
	va_start(args, format);
	fill(&path, error, format, args);
	va_end(args);
	return false;
}

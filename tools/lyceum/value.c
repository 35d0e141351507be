/* Reading values out of a body by path, and the text of each kind of value. */
#include "value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "age.h"
#include "base/pb.h"
#include "choice.h"

/* One element of a field: a number as it stood on the wire, or bytes. */
struct element {
	const struct schema_field *field;
	uint64_t number;
	struct span bytes;
};

typedef void (*element_fn)(const struct element *element, void *arg);

static bool is_length_delimited(enum schema_type type)
{
	return type == SCHEMA_STRING || type == SCHEMA_BYTES || type == SCHEMA_MESSAGE;
}

static bool read_packed(struct pb_reader *reader, enum schema_type type, uint64_t *ret_number)
{
	size_t size = 0;
	if (type == SCHEMA_DOUBLE || type == SCHEMA_FIXED64 || type == SCHEMA_SFIXED64)
		size = 8;
	else if (type == SCHEMA_FLOAT || type == SCHEMA_FIXED32 || type == SCHEMA_SFIXED32)
		size = 4;
	if (reader->at == reader->end)
		return false;
	if (size == 0)
		return pb_read_varint(reader, ret_number);
	if ((size_t)(reader->end - reader->at) < size)
		return false;
	uint64_t number = 0;
	for (size_t i = 0; i < size; i++)
		number |= (uint64_t)reader->at[i] << (8 * i);
	reader->at += size;
	*ret_number = number;
	return true;
}

/* Each element of one field of a body. A singular field counts once: its last occurrence. */
static void each_element(const struct schema_field *field, struct span body, element_fn fn,
			 void *arg)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field at;
	struct element last = {.field = field};
	bool has_last = false;
	while (pb_read_field(&reader, &at)) {
		if (at.number != field->number)
			continue;
		struct element element = {.field = field, .number = at.value, .bytes = at.bytes};
		if (!field->is_repeated) {
			last = element;
			has_last = true;
		} else if (at.wire == PB_LEN && !is_length_delimited(field->type)) {
			struct pb_reader packed = pb_reader_of(at.bytes);
			while (read_packed(&packed, field->type, &element.number))
				fn(&element, arg);
		} else {
			fn(&element, arg);
		}
	}
	/* A scalar without presence that is absent has its zero value. */
	if (has_last ||
	    (!field->is_repeated && !field->has_presence && !is_length_delimited(field->type)))
		fn(&last, arg);
}

static void write_double(double number, const char *format, struct buf *to)
{
	char text[40];
	snprintf(text, sizeof(text), format, number);
	buf_add_text(to, text);
}

static void write_message(const struct element *element, struct buf *to);

static void write_element(const struct element *element, struct buf *to)
{
	uint64_t number = element->number;
	uint32_t low = (uint32_t)number;
	double real;
	float small;
	switch (element->field->type) {
	case SCHEMA_DOUBLE:
		memcpy(&real, &number, sizeof(real));
		write_double(real, "%.6g", to);
		break;
	case SCHEMA_FLOAT:
		memcpy(&small, &low, sizeof(small));
		write_double((double)small, "%.6g", to);
		break;
	case SCHEMA_INT64:
	case SCHEMA_SFIXED64:
		buf_add_format(to, "%lld", (long long)number);
		break;
	case SCHEMA_INT32:
	case SCHEMA_SFIXED32:
		buf_add_format(to, "%d", (int32_t)low);
		break;
	case SCHEMA_SINT32:
	case SCHEMA_SINT64:
		buf_add_format(to, "%lld", (long long)pb_zigzag_decode(number));
		break;
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		buf_add_format(to, "%llu", (unsigned long long)number);
		break;
	case SCHEMA_BOOL:
		buf_add_text(to, number ? "yes" : "no");
		break;
	case SCHEMA_ENUM:
		choice_write(element->field->enumeration, (int32_t)low, to);
		break;
	case SCHEMA_STRING:
		buf_add(to, element->bytes.data, element->bytes.len);
		break;
	case SCHEMA_BYTES:
		buf_add_format(to, "%zu bytes", element->bytes.len);
		break;
	case SCHEMA_MESSAGE:
	case SCHEMA_GROUP:
		write_message(element, to);
		break;
	}
}

static int64_t number_of(struct span body, uint32_t field_number)
{
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field at;
	uint64_t number = 0;
	while (pb_read_field(&reader, &at)) {
		if (at.number == field_number)
			number = at.value;
	}
	return (int64_t)number;
}

struct joiner {
	struct buf *to;
	size_t start;
	const char *gap;
	/* What is left of the path below this element; "" at its end. */
	const char *rest;
};

static void join_element(const struct element *element, void *arg)
{
	struct joiner *joiner = arg;
	struct buf one = {0};
	write_element(element, &one);
	if (one.len > 0) {
		if (joiner->to->len > joiner->start)
			buf_add_text(joiner->to, joiner->gap);
		buf_add(joiner->to, one.data, one.len);
	}
	buf_fini(&one);
}

static void write_message(const struct element *element, struct buf *to)
{
	const struct schema_message *message = element->field->message;
	if (message->known == SCHEMA_TIMESTAMP) {
		int64_t seconds = number_of(element->bytes, 1);
		if (seconds >= 0)
			age_write_moment(to, (uint64_t)seconds * 1000);
		return;
	}
	if (message->known == SCHEMA_DURATION) {
		int64_t ms = number_of(element->bytes, 1) * 1000 +
			     number_of(element->bytes, 2) / 1000000;
		if (ms < 0)
			buf_add_byte(to, '-');
		age_write(to, (uint64_t)(ms < 0 ? -ms : ms));
		return;
	}
	if (message->is_map_entry || message->known == SCHEMA_WRAPPER) {
		struct joiner joiner = {.to = to, .start = to->len, .gap = "="};
		for (size_t i = 0; i < message->field_count; i++)
			each_element(&message->fields[i], element->bytes, join_element, &joiner);
		return;
	}
	struct buf json = {0};
	if (json_write(message, element->bytes, NULL, &json, NULL) == LYC_OK)
		buf_add(to, json.data, json.len);
	buf_fini(&json);
}

static const struct schema_field *first_field(const struct schema_message *message,
					      const char *path, const char **ret_rest)
{
	size_t len = strcspn(path, ".");
	*ret_rest = path + len + (path[len] == '.');
	return schema_field_by_name(message, path, len);
}

static void walk(const struct schema_message *message, struct span body, const char *path,
		 struct joiner *joiner);

static void walk_element(const struct element *element, void *arg)
{
	struct joiner *joiner = arg;
	const char *rest = joiner->rest;
	walk(element->field->message, element->bytes, rest, joiner);
	joiner->rest = rest;
}

static void walk(const struct schema_message *message, struct span body, const char *path,
		 struct joiner *joiner)
{
	const char *rest;
	const struct schema_field *field = first_field(message, path, &rest);
	if (!field)
		return;
	if (!*rest) {
		each_element(field, body, join_element, joiner);
	} else if (field->message) {
		joiner->rest = rest;
		each_element(field, body, walk_element, joiner);
	}
}

void value_write_joined(const struct schema_message *message, struct span body, const char *path,
			const char *gap, struct buf *to)
{
	struct joiner joiner = {.to = to, .start = to->len, .gap = gap};
	walk(message, body, path, &joiner);
}

void value_write(const struct schema_message *message, struct span body, const char *path,
		 struct buf *to)
{
	value_write_joined(message, body, path, "; ", to);
}

struct visitor {
	value_message_fn fn;
	void *arg;
	const char *rest;
};

static void visit_element(const struct element *element, void *arg)
{
	const struct visitor *visitor = arg;
	if (*visitor->rest)
		value_each(element->field->message, element->bytes, visitor->rest, visitor->fn,
			   visitor->arg);
	else
		visitor->fn(element->field->message, element->bytes, visitor->arg);
}

void value_each(const struct schema_message *message, struct span body, const char *path,
		value_message_fn fn, void *arg)
{
	struct visitor visitor = {.fn = fn, .arg = arg};
	const struct schema_field *field = first_field(message, path, &visitor.rest);
	if (field && field->message)
		each_element(field, body, visit_element, &visitor);
}

void value_fill(const struct schema_message *message, struct span body, const char *text,
		struct buf *to)
{
	while (*text) {
		const char *end = *text == '{' ? strchr(text, '}') : NULL;
		if (!end) {
			buf_add_byte(to, (uint8_t)*text++);
			continue;
		}
		char path[200];
		snprintf(path, sizeof(path), "%.*s", (int)(end - text - 1), text + 1);
		value_write(message, body, path, to);
		text = end + 1;
	}
}

struct liner {
	value_line_fn fn;
	void *arg;
	const char *prefix;
	size_t index;
};

static void lines_below(const struct schema_message *message, struct span body,
			const struct liner *outer);

static bool is_leaf(const struct schema_field *field)
{
	return !field->message || field->is_map ||
	       (field->message->known != SCHEMA_PLAIN && field->message->known != SCHEMA_LABEL);
}

static void line_element(const struct element *element, void *arg)
{
	struct liner *liner = arg;
	const struct schema_field *field = element->field;
	struct buf path = {0};
	struct buf text = {0};
	buf_add_format(&path, "%s%s%s", liner->prefix, *liner->prefix ? "." : "", field->name);
	if (field->is_repeated && !is_leaf(field))
		buf_add_format(&path, "[%zu]", liner->index++);
	if (!is_leaf(field)) {
		struct liner inner = *liner;
		inner.prefix = buf_text(&path);
		lines_below(field->message, element->bytes, &inner);
	} else {
		write_element(element, &text);
		if (text.len > 0)
			liner->fn(buf_text(&path), buf_text(&text), liner->arg);
	}
	buf_fini(&path);
	buf_fini(&text);
}

static void lines_below(const struct schema_message *message, struct span body,
			const struct liner *outer)
{
	for (size_t i = 0; i < message->field_count; i++) {
		struct liner liner = *outer;
		const struct schema_field *field = &message->fields[message->by_declaration[i]];
		if (!field->is_repeated || !is_leaf(field)) {
			each_element(field, body, line_element, &liner);
			continue;
		}
		/* A list of plain values is one line. */
		struct buf path = {0};
		struct buf text = {0};
		buf_add_format(&path, "%s%s%s", liner.prefix, *liner.prefix ? "." : "",
			       field->name);
		value_write(message, body, field->name, &text);
		if (text.len > 0)
			liner.fn(buf_text(&path), buf_text(&text), liner.arg);
		buf_fini(&path);
		buf_fini(&text);
	}
}

void value_lines(const struct schema_message *message, struct span body, value_line_fn fn,
		 void *arg)
{
	struct liner liner = {.fn = fn, .arg = arg, .prefix = ""};
	lines_below(message, body, &liner);
}

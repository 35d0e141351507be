/*
 * The fields of a message as .proto text. Types are named as shortly as their scope allows; a map's
 * entry message and proto3's one-field oneofs become what they were written as.
 */
#include <stdlib.h>
#include <string.h>

#include "schema/proto_text.h"

static void add_span(struct buf *to, struct span text)
{
	buf_add(to, text.data, text.len);
}

static const struct set_symbol *find_type(const struct set *set, struct span type_name)
{
	if (type_name.len < 2 || type_name.data[0] != '.')
		return NULL;
	return set_find(set, (const char *)type_name.data + 1, type_name.len - 1);
}

/* True when a name inside `scope` or a message around it hides the first word of `name`. */
static bool is_hidden(const struct proto_text *text, const char *scope, const char *name)
{
	char inner[2 * SET_MAX_NAME];
	size_t package_len = strlen(text->file->package);
	size_t len = strlen(scope);
	size_t word_len = strcspn(name, ".");
	while (len > package_len) {
		memcpy(inner, scope, len);
		inner[len] = '.';
		memcpy(inner + len + 1, name, word_len);
		const struct set_symbol *other = set_find(text->set, inner, len + 1 + word_len);
		if (other && strcmp(other->full_name + len + 1, name) != 0)
			return true;
		while (len > 0 && scope[len - 1] != '.')
			len--;
		len -= len > 0;
	}
	return false;
}

/* As short as it may be read inside `scope`. */
void proto_text_type_name(struct proto_text *text, struct span type_name, const char *scope)
{
	const struct set_symbol *symbol = find_type(text->set, type_name);
	if (!symbol) {
		add_span(text->to, type_name);
		return;
	}
	if (!pointers_have(&text->used, symbol))
		buf_add(&text->used, &symbol, sizeof(symbol));
	const char *name = symbol->full_name;
	size_t scope_len = strlen(scope);
	size_t package_len = strlen(text->file->package);
	if (strncmp(name, scope, scope_len) == 0 && name[scope_len] == '.') {
		name += scope_len + 1;
	} else if (strcmp(symbol->file->package, text->file->package) == 0) {
		name += package_len ? package_len + 1 : 0;
	}
	if (is_hidden(text, scope, name)) {
		buf_add_byte(text->to, '.');
		name = symbol->full_name;
	}
	buf_add_text(text->to, name);
}

static void write_type(struct proto_text *text, struct span field, const char *scope)
{
	static const char *const names[] = {"",         "double",   "float",   "int64",  "uint64",
					    "int32",    "fixed64",  "fixed32", "bool",   "string",
					    "group",    "",         "bytes",   "uint32", "",
					    "sfixed32", "sfixed64", "sint32",  "sint64"};
	uint64_t type = descriptor_number(field, 5);
	if (type == SCHEMA_MESSAGE || type == SCHEMA_ENUM)
		proto_text_type_name(text, descriptor_part(field, 6), scope);
	else if (type < sizeof(names) / sizeof(names[0]))
		buf_add_text(text->to, names[type]);
}

/* The entry message of a map field; an empty span for any other field. */
static struct span map_entry_of(const struct proto_text *text, struct span field)
{
	if (descriptor_number(field, 5) != SCHEMA_MESSAGE)
		return (struct span){0};
	const struct set_symbol *symbol = find_type(text->set, descriptor_part(field, 6));
	if (symbol && symbol->kind == SET_MESSAGE &&
	    descriptor_number(descriptor_part(symbol->proto, 7), 7))
		return symbol->proto;
	return (struct span){0};
}

static struct span entry_field(struct span entry, uint64_t number)
{
	struct pb_reader reader = pb_reader_of(entry);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 2 && field.wire == PB_LEN &&
		    descriptor_number(field.bytes, 3) == number)
			return field.bytes;
	}
	return (struct span){0};
}

static bool is_camel_of(struct span name, struct span json_name)
{
	size_t at = 0;
	bool is_upper = false;
	for (size_t i = 0; i < name.len; i++) {
		uint8_t c = name.data[i];
		if (c == '_') {
			is_upper = true;
			continue;
		}
		if (is_upper && c >= 'a' && c <= 'z')
			c = (uint8_t)(c - 'a' + 'A');
		is_upper = false;
		if (at == json_name.len || json_name.data[at++] != c)
			return false;
	}
	return at == json_name.len;
}

static void add_default(struct option_list *list, struct span field)
{
	struct span value = descriptor_part(field, 7);
	if (!value.data)
		return;
	uint64_t type = descriptor_number(field, 5);
	buf_add_text(&list->text, "default = ");
	if (type == SCHEMA_STRING) {
		literal_write(&list->text, value, false);
	} else {
		/* The default of bytes is escaped in the descriptor. */
		const char *quote = type == SCHEMA_BYTES ? "\"" : "";
		buf_add_text(&list->text, quote);
		add_span(&list->text, value);
		buf_add_text(&list->text, quote);
	}
	buf_add_byte(&list->text, '\0');
	list->count++;
}

static void add_json_name(struct option_list *list, struct span field)
{
	struct span json_name = descriptor_part(field, 10);
	if (json_name.len == 0 || is_camel_of(descriptor_part(field, 1), json_name))
		return;
	buf_add_text(&list->text, "json_name = ");
	literal_write(&list->text, json_name, false);
	buf_add_byte(&list->text, '\0');
	list->count++;
}

static void write_label(struct proto_text *text, struct span field, bool in_oneof)
{
	uint64_t label = descriptor_number(field, 4);
	if (label == 3)
		buf_add_text(text->to, "repeated ");
	else if (label == 2)
		buf_add_text(text->to, "required ");
	else if (!in_oneof && (text->file->is_proto2 || descriptor_number(field, 17)))
		buf_add_text(text->to, "optional ");
}

static void write_field(struct proto_text *text, struct span field, const struct set_path *path,
			const char *scope, bool in_oneof)
{
	struct span entry = map_entry_of(text, field);
	struct option_list options = {0};
	proto_text_comment(text, path);
	proto_text_indent(text);
	if (entry.data) {
		buf_add_text(text->to, "map<");
		write_type(text, entry_field(entry, 1), scope);
		buf_add_text(text->to, ", ");
		write_type(text, entry_field(entry, 2), scope);
		buf_add_text(text->to, ">");
	} else {
		write_label(text, field, in_oneof);
		write_type(text, field, scope);
	}
	buf_add_text(text->to, " ");
	add_span(text->to, descriptor_part(field, 1));
	buf_add_format(text->to, " = %u", (uint32_t)descriptor_number(field, 3));
	add_default(&options, field);
	add_json_name(&options, field);
	option_list_add(&options, text, "google.protobuf.FieldOptions", descriptor_part(field, 8));
	proto_text_option_list(text, &options);
	buf_fini(&options.text);
}

/* 0 when it is in none that was written as one. */
static uint64_t oneof_of(struct span field)
{
	struct pb_reader reader = pb_reader_of(field);
	struct pb_field part;
	uint64_t oneof = 0;
	while (pb_read_field(&reader, &part)) {
		if (part.number == 9)
			oneof = part.value + 1;
	}
	return descriptor_number(field, 17) ? 0 : oneof;
}

static void write_oneof(struct proto_text *text, struct span message, const struct set_path *path,
			const char *scope, uint64_t oneof)
{
	struct pb_reader reader = pb_reader_of(message);
	struct pb_field part;
	struct set_path down = set_path_down(path, 8, (uint32_t)oneof - 1);
	uint64_t index = 0;
	uint32_t field_index = 0;
	proto_text_comment(text, &down);
	proto_text_indent(text);
	while (pb_read_field(&reader, &part)) {
		if (part.number == 8 && ++index == oneof) {
			buf_add_text(text->to, "oneof ");
			add_span(text->to, descriptor_part(part.bytes, 1));
			buf_add_text(text->to, " {\n");
		}
	}
	text->indent++;
	reader = pb_reader_of(message);
	while (pb_read_field(&reader, &part)) {
		if (part.number != 2)
			continue;
		down = set_path_down(path, 2, field_index++);
		if (oneof_of(part.bytes) == oneof)
			write_field(text, part.bytes, &down, scope, true);
	}
	text->indent--;
	proto_text_indent(text);
	buf_add_text(text->to, "}\n");
}

void proto_text_fields(struct proto_text *text, struct span message, const struct set_path *path,
		       const char *scope)
{
	struct pb_reader reader = pb_reader_of(message);
	struct pb_field part;
	uint32_t index = 0;
	/* One byte for each oneof: is it written? */
	struct buf seen = {0};
	while (pb_read_field(&reader, &part)) {
		if (part.number != 2 || part.wire != PB_LEN)
			continue;
		struct set_path down = set_path_down(path, 2, index++);
		uint64_t oneof = oneof_of(part.bytes);
		if (oneof == 0)
			write_field(text, part.bytes, &down, scope, false);
		while (seen.len <= oneof && oneof <= UINT16_MAX && !seen.has_failed)
			buf_add_byte(&seen, 0);
		if (oneof > 0 && oneof < seen.len && !seen.data[oneof]) {
			seen.data[oneof] = 1;
			write_oneof(text, message, path, scope, oneof);
		}
	}
	text->to->has_failed |= seen.has_failed;
	buf_fini(&seen);
}

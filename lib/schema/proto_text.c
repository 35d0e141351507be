/*
 * .proto text from descriptors. Types inside a message come before its fields; a map's entry
 * message and proto3's one-field oneofs become what they were written as.
 */
#include "schema/proto_text.h"

#include <stdlib.h>
#include <string.h>

bool pointers_have(const struct buf *pointers, const void *pointer)
{
	for (size_t at = 0; at < pointers->len; at += sizeof(pointer)) {
		if (memcmp(pointers->data + at, &pointer, sizeof(pointer)) == 0)
			return true;
	}
	return false;
}

static void start_line(struct proto_text *text)
{
	for (unsigned i = 0; i < text->indent; i++)
		buf_add(text->to, "  ", 2);
}

static void write_comment(struct proto_text *text, const struct set_path *path)
{
	const char *comment = set_comment(text->file, path, text->scratch);
	if (!comment) {
		text->to->has_failed = true;
		return;
	}
	while (*comment) {
		size_t len = strcspn(comment, "\n");
		start_line(text);
		buf_add_format(text->to, "//%s%.*s\n", len ? " " : "", (int)len, comment);
		comment += len + (comment[len] == '\n');
	}
}

/* "option a = 1;" lines. */
static void write_option_lines(struct proto_text *text, const struct option_list *list)
{
	const char *at = (const char *)list->text.data;
	for (size_t i = 0; i < list->count && !list->text.has_failed; i++) {
		start_line(text);
		buf_add_format(text->to, "option %s;\n", at);
		at += strlen(at) + 1;
	}
	text->to->has_failed |= list->text.has_failed;
}

/* " [a = 1, b = 2];" behind a field or value, on lines of their own when they are long. */
static void write_option_list(struct proto_text *text, const struct option_list *list)
{
	const char *at = (const char *)list->text.data;
	bool is_long = list->text.len > 70 && list->count > 1;
	if (list->count > 0)
		buf_add_text(text->to, " [");
	text->indent += 2;
	for (size_t i = 0; i < list->count && !list->text.has_failed; i++) {
		if (i > 0)
			buf_add_text(text->to, is_long ? "," : ", ");
		if (is_long) {
			buf_add_byte(text->to, '\n');
			start_line(text);
		}
		buf_add_text(text->to, at);
		at += strlen(at) + 1;
	}
	text->indent -= 2;
	if (is_long) {
		buf_add_byte(text->to, '\n');
		start_line(text);
	}
	buf_add_text(text->to, list->count > 0 ? "];\n" : ";\n");
	text->to->has_failed |= list->text.has_failed;
}

static struct span part_of(struct span proto, uint32_t number)
{
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	struct span part = {0};
	while (pb_read_field(&reader, &field)) {
		if (field.number == number && field.wire == PB_LEN)
			part = field.bytes;
	}
	return part;
}

static uint64_t number_of(struct span proto, uint32_t number)
{
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	uint64_t value = 0;
	while (pb_read_field(&reader, &field)) {
		if (field.number == number && field.wire == PB_VARINT)
			value = field.value;
	}
	return value;
}

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

const struct set_symbol *proto_text_outermost(const struct set *set,
					      const struct set_symbol *symbol)
{
	const char *name = symbol->full_name;
	size_t len = strlen(symbol->file->package);
	size_t from = len ? len + 1 : 0;
	const struct set_symbol *outer = set_find(set, name, from + strcspn(name + from, "."));
	return outer ? outer : symbol;
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
static void write_type_name(struct proto_text *text, struct span type_name, const char *scope)
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
	uint64_t type = number_of(field, 5);
	if (type == SCHEMA_MESSAGE || type == SCHEMA_ENUM)
		write_type_name(text, part_of(field, 6), scope);
	else if (type < sizeof(names) / sizeof(names[0]))
		buf_add_text(text->to, names[type]);
}

/* The entry message of a map field; an empty span for any other field. */
static struct span map_entry_of(const struct proto_text *text, struct span field)
{
	if (number_of(field, 5) != SCHEMA_MESSAGE)
		return (struct span){0};
	const struct set_symbol *symbol = find_type(text->set, part_of(field, 6));
	if (symbol && symbol->kind == SET_MESSAGE && number_of(part_of(symbol->proto, 7), 7))
		return symbol->proto;
	return (struct span){0};
}

static struct span entry_field(struct span entry, uint64_t number)
{
	struct pb_reader reader = pb_reader_of(entry);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == 2 && field.wire == PB_LEN &&
		    number_of(field.bytes, 3) == number)
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
	struct span value = part_of(field, 7);
	if (!value.data)
		return;
	uint64_t type = number_of(field, 5);
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
	struct span json_name = part_of(field, 10);
	if (json_name.len == 0 || is_camel_of(part_of(field, 1), json_name))
		return;
	buf_add_text(&list->text, "json_name = ");
	literal_write(&list->text, json_name, false);
	buf_add_byte(&list->text, '\0');
	list->count++;
}

static void write_label(struct proto_text *text, struct span field, bool in_oneof)
{
	uint64_t label = number_of(field, 4);
	if (label == 3)
		buf_add_text(text->to, "repeated ");
	else if (label == 2)
		buf_add_text(text->to, "required ");
	else if (!in_oneof && (text->file->is_proto2 || number_of(field, 17)))
		buf_add_text(text->to, "optional ");
}

static void write_field(struct proto_text *text, struct span field, const struct set_path *path,
			const char *scope, bool in_oneof)
{
	struct span entry = map_entry_of(text, field);
	struct option_list options = {0};
	write_comment(text, path);
	start_line(text);
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
	add_span(text->to, part_of(field, 1));
	buf_add_format(text->to, " = %u", (uint32_t)number_of(field, 3));
	add_default(&options, field);
	add_json_name(&options, field);
	option_list_add(&options, text, "google.protobuf.FieldOptions", part_of(field, 8));
	write_option_list(text, &options);
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
	return number_of(field, 17) ? 0 : oneof;
}

static void write_oneof(struct proto_text *text, struct span message, const struct set_path *path,
			const char *scope, uint64_t oneof)
{
	struct pb_reader reader = pb_reader_of(message);
	struct pb_field part;
	struct set_path down = set_path_down(path, 8, (uint32_t)oneof - 1);
	uint64_t index = 0;
	uint32_t field_index = 0;
	write_comment(text, &down);
	start_line(text);
	while (pb_read_field(&reader, &part)) {
		if (part.number == 8 && ++index == oneof) {
			buf_add_text(text->to, "oneof ");
			add_span(text->to, part_of(part.bytes, 1));
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
	start_line(text);
	buf_add_text(text->to, "}\n");
}

static void write_fields(struct proto_text *text, struct span message, const struct set_path *path,
			 const char *scope)
{
	struct pb_reader reader = pb_reader_of(message);
	struct pb_field part;
	uint32_t index = 0;
	uint64_t last_oneof = 0;
	while (pb_read_field(&reader, &part)) {
		if (part.number != 2 || part.wire != PB_LEN)
			continue;
		struct set_path down = set_path_down(path, 2, index++);
		uint64_t oneof = oneof_of(part.bytes);
		/* The members of a oneof are declared side by side. */
		if (oneof == 0)
			write_field(text, part.bytes, &down, scope, false);
		else if (oneof != last_oneof)
			write_oneof(text, message, path, scope, oneof);
		last_oneof = oneof;
	}
}

/* "reserved 2, 4 to 6;" for messages, where the end is one too far, and enums, where it is not. */
static void write_ranges(struct proto_text *text, struct span proto, uint32_t number,
			 const char *word, bool is_enum)
{
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field part;
	bool is_first = true;
	while (pb_read_field(&reader, &part)) {
		if (part.number != number || part.wire != PB_LEN)
			continue;
		int64_t from = (int32_t)(uint32_t)number_of(part.bytes, 1);
		int64_t to = (int32_t)(uint32_t)number_of(part.bytes, 2) - !is_enum;
		if (is_first)
			start_line(text);
		buf_add_format(text->to, "%s%lld", is_first ? word : ", ", (long long)from);
		if (to >= (is_enum ? INT32_MAX : 536870911))
			buf_add_text(text->to, " to max");
		else if (to != from)
			buf_add_format(text->to, " to %lld", (long long)to);
		is_first = false;
	}
	if (!is_first)
		buf_add_text(text->to, ";\n");
}

static void write_reserved_names(struct proto_text *text, struct span proto, uint32_t number)
{
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field part;
	bool is_first = true;
	while (pb_read_field(&reader, &part)) {
		if (part.number != number || part.wire != PB_LEN)
			continue;
		if (is_first)
			start_line(text);
		buf_add_text(text->to, is_first ? "reserved " : ", ");
		literal_write(text->to, part.bytes, false);
		is_first = false;
	}
	if (!is_first)
		buf_add_text(text->to, ";\n");
}

static void write_options(struct proto_text *text, const char *kind, struct span options)
{
	struct option_list list = {0};
	option_list_add(&list, text, kind, options);
	write_option_lines(text, &list);
	buf_fini(&list.text);
}

static void write_value_line(struct proto_text *text, struct span value,
			     const struct set_path *path)
{
	struct option_list options = {0};
	write_comment(text, path);
	start_line(text);
	add_span(text->to, part_of(value, 1));
	buf_add_format(text->to, " = %d", (int32_t)(uint32_t)number_of(value, 2));
	option_list_add(&options, text, "google.protobuf.EnumValueOptions", part_of(value, 3));
	write_option_list(text, &options);
	buf_fini(&options.text);
}

static void write_enum(struct proto_text *text, const struct set_symbol *symbol)
{
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field part;
	uint32_t index = 0;
	write_options(text, "google.protobuf.EnumOptions", part_of(symbol->proto, 3));
	while (pb_read_field(&reader, &part)) {
		if (part.number != 2 || part.wire != PB_LEN)
			continue;
		struct set_path down = set_path_down(&symbol->path, 2, index++);
		write_value_line(text, part.bytes, &down);
	}
	write_ranges(text, symbol->proto, 4, "reserved ", true);
	write_reserved_names(text, symbol->proto, 5);
}

static void write_symbol(struct proto_text *text, const struct set_symbol *symbol,
			 const char *only_method);

/* The messages (3) and enums (4) declared inside. */
static void write_inner(struct proto_text *text, const struct set_symbol *symbol, uint32_t number)
{
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field part;
	char name[2 * SET_MAX_NAME];
	size_t len = strlen(symbol->full_name);
	while (pb_read_field(&reader, &part)) {
		if (part.number != number || part.wire != PB_LEN)
			continue;
		struct span own = part_of(part.bytes, 1);
		if (len + 1 + own.len > sizeof(name) || number_of(part_of(part.bytes, 7), 7))
			continue;
		memcpy(name, symbol->full_name, len);
		name[len] = '.';
		memcpy(name + len + 1, own.data, own.len);
		const struct set_symbol *inner = set_find(text->set, name, len + 1 + own.len);
		if (inner)
			write_symbol(text, inner, NULL);
	}
}

static void write_message(struct proto_text *text, const struct set_symbol *symbol)
{
	write_options(text, "google.protobuf.MessageOptions", part_of(symbol->proto, 7));
	write_inner(text, symbol, 4);
	write_inner(text, symbol, 3);
	write_fields(text, symbol->proto, &symbol->path, symbol->full_name);
	write_ranges(text, symbol->proto, 5, "extensions ", false);
	write_ranges(text, symbol->proto, 9, "reserved ", false);
	write_reserved_names(text, symbol->proto, 10);
}

static void write_method(struct proto_text *text, struct span method, const struct set_path *path)
{
	struct option_list options = {0};
	/* In the package's scope, not in a message's. */
	const char *scope = text->file->package;
	write_comment(text, path);
	start_line(text);
	buf_add_text(text->to, "rpc ");
	add_span(text->to, part_of(method, 1));
	buf_add_text(text->to, number_of(method, 5) ? "(stream " : "(");
	write_type_name(text, part_of(method, 2), scope);
	buf_add_text(text->to, number_of(method, 6) ? ") returns (stream " : ") returns (");
	write_type_name(text, part_of(method, 3), scope);
	option_list_add(&options, text, "google.protobuf.MethodOptions", part_of(method, 4));
	buf_add_text(text->to, options.count > 0 ? ") {\n" : ");\n");
	text->indent++;
	write_option_lines(text, &options);
	text->indent--;
	if (options.count > 0) {
		start_line(text);
		buf_add_text(text->to, "}\n");
	}
	buf_fini(&options.text);
}

static void write_service(struct proto_text *text, const struct set_symbol *symbol,
			  const char *only_method)
{
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field part;
	uint32_t index = 0;
	write_options(text, "google.protobuf.ServiceOptions", part_of(symbol->proto, 3));
	while (pb_read_field(&reader, &part)) {
		if (part.number != 2 || part.wire != PB_LEN)
			continue;
		struct set_path down = set_path_down(&symbol->path, 2, index++);
		if (!only_method || span_is(part_of(part.bytes, 1), only_method))
			write_method(text, part.bytes, &down);
	}
}

static void write_symbol(struct proto_text *text, const struct set_symbol *symbol,
			 const char *only_method)
{
	static const char *const words[] = {"message", "enum", "service"};
	const char *dot = strrchr(symbol->full_name, '.');
	write_comment(text, &symbol->path);
	start_line(text);
	buf_add_format(text->to, "%s %s {\n", words[symbol->kind],
		       dot ? dot + 1 : symbol->full_name);
	text->indent++;
	if (symbol->kind == SET_MESSAGE)
		write_message(text, symbol);
	else if (symbol->kind == SET_ENUM)
		write_enum(text, symbol);
	else
		write_service(text, symbol, only_method);
	text->indent--;
	start_line(text);
	buf_add_text(text->to, "}\n");
}

void proto_text_write(struct proto_text *text, const struct set_symbol *symbol,
		      const char *only_method)
{
	text->file = symbol->file;
	text->indent = 0;
	write_symbol(text, symbol, only_method);
}

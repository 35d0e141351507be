/*
 * .proto text from descriptors: messages, enums and services. Types inside a message come before
 * its fields, which are proto_field.c's.
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

void proto_text_indent(struct proto_text *text)
{
	for (unsigned i = 0; i < text->indent; i++)
		buf_add(text->to, "  ", 2);
}

void proto_text_comment(struct proto_text *text, const struct set_path *path)
{
	const char *comment = set_comment(text->file, path, text->scratch);
	if (!comment) {
		text->to->has_failed = true;
		return;
	}
	while (*comment) {
		size_t len = strcspn(comment, "\n");
		proto_text_indent(text);
		buf_add_format(text->to, "//%s%.*s\n", len ? " " : "", (int)len, comment);
		comment += len + (comment[len] == '\n');
	}
}

/* "option a = 1;" lines. */
static void write_option_lines(struct proto_text *text, const struct option_list *list)
{
	const char *at = (const char *)list->text.data;
	for (size_t i = 0; i < list->count && !list->text.has_failed; i++) {
		proto_text_indent(text);
		buf_add_format(text->to, "option %s;\n", at);
		at += strlen(at) + 1;
	}
	text->to->has_failed |= list->text.has_failed;
}

/* " [a = 1, b = 2];" behind a field or value, on lines of their own when they are long. */
void proto_text_option_list(struct proto_text *text, const struct option_list *list)
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
			proto_text_indent(text);
		}
		buf_add_text(text->to, at);
		at += strlen(at) + 1;
	}
	text->indent -= 2;
	if (is_long) {
		buf_add_byte(text->to, '\n');
		proto_text_indent(text);
	}
	buf_add_text(text->to, list->count > 0 ? "];\n" : ";\n");
	text->to->has_failed |= list->text.has_failed;
}

struct span descriptor_part(struct span proto, uint32_t number)
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

uint64_t descriptor_number(struct span proto, uint32_t number)
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

const struct set_symbol *proto_text_outermost(const struct set *set,
					      const struct set_symbol *symbol)
{
	const char *name = symbol->full_name;
	size_t len = strlen(symbol->file->package);
	size_t from = len ? len + 1 : 0;
	const struct set_symbol *outer = set_find(set, name, from + strcspn(name + from, "."));
	return outer ? outer : symbol;
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
		int64_t from = (int32_t)(uint32_t)descriptor_number(part.bytes, 1);
		int64_t to = (int32_t)(uint32_t)descriptor_number(part.bytes, 2) - !is_enum;
		if (is_first)
			proto_text_indent(text);
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
			proto_text_indent(text);
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
	proto_text_comment(text, path);
	proto_text_indent(text);
	add_span(text->to, descriptor_part(value, 1));
	buf_add_format(text->to, " = %d", (int32_t)(uint32_t)descriptor_number(value, 2));
	option_list_add(&options, text, "google.protobuf.EnumValueOptions",
			descriptor_part(value, 3));
	proto_text_option_list(text, &options);
	buf_fini(&options.text);
}

static void write_enum(struct proto_text *text, const struct set_symbol *symbol)
{
	struct pb_reader reader = pb_reader_of(symbol->proto);
	struct pb_field part;
	uint32_t index = 0;
	write_options(text, "google.protobuf.EnumOptions", descriptor_part(symbol->proto, 3));
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
		struct span own = descriptor_part(part.bytes, 1);
		if (len + 1 + own.len > sizeof(name) ||
		    descriptor_number(descriptor_part(part.bytes, 7), 7))
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
	write_options(text, "google.protobuf.MessageOptions", descriptor_part(symbol->proto, 7));
	write_inner(text, symbol, 4);
	write_inner(text, symbol, 3);
	proto_text_fields(text, symbol->proto, &symbol->path, symbol->full_name);
	write_ranges(text, symbol->proto, 5, "extensions ", false);
	write_ranges(text, symbol->proto, 9, "reserved ", false);
	write_reserved_names(text, symbol->proto, 10);
}

static void write_method(struct proto_text *text, struct span method, const struct set_path *path)
{
	struct option_list options = {0};
	/* In the package's scope, not in a message's. */
	const char *scope = text->file->package;
	proto_text_comment(text, path);
	proto_text_indent(text);
	buf_add_text(text->to, "rpc ");
	add_span(text->to, descriptor_part(method, 1));
	buf_add_text(text->to, descriptor_number(method, 5) ? "(stream " : "(");
	proto_text_type_name(text, descriptor_part(method, 2), scope);
	buf_add_text(text->to, descriptor_number(method, 6) ? ") returns (stream " : ") returns (");
	proto_text_type_name(text, descriptor_part(method, 3), scope);
	option_list_add(&options, text, "google.protobuf.MethodOptions",
			descriptor_part(method, 4));
	buf_add_text(text->to, options.count > 0 ? ") {\n" : ");\n");
	text->indent++;
	write_option_lines(text, &options);
	text->indent--;
	if (options.count > 0) {
		proto_text_indent(text);
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
	write_options(text, "google.protobuf.ServiceOptions", descriptor_part(symbol->proto, 3));
	while (pb_read_field(&reader, &part)) {
		if (part.number != 2 || part.wire != PB_LEN)
			continue;
		struct set_path down = set_path_down(&symbol->path, 2, index++);
		if (!only_method || span_is(descriptor_part(part.bytes, 1), only_method))
			write_method(text, part.bytes, &down);
	}
}

static void write_symbol(struct proto_text *text, const struct set_symbol *symbol,
			 const char *only_method)
{
	static const char *const words[] = {"message", "enum", "service"};
	const char *dot = strrchr(symbol->full_name, '.');
	proto_text_comment(text, &symbol->path);
	proto_text_indent(text);
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
	proto_text_indent(text);
	buf_add_text(text->to, "}\n");
}

void proto_text_write(struct proto_text *text, const struct set_symbol *symbol,
		      const char *only_method)
{
	text->file = symbol->file;
	text->indent = 0;
	write_symbol(text, symbol, only_method);
}

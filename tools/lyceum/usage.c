/* Help from the schema: comments, types, choices and rules of the request's fields. */
#include "usage.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argument.h"
#include "cell.h"
#include "choice.h"
#include "flags.h"
#include "schema/rules.h"

#define LINE_WIDTH 100

/* Append words of text, starting at column `indent`, which the line has reached. */
static void write_wrapped(const char *text, size_t indent, struct buf *to)
{
	size_t at = indent;
	while (*text) {
		text += strspn(text, " \n");
		size_t len = strcspn(text, " \n");
		size_t width = cell_width(text, len);
		if (len == 0)
			break;
		if (at > indent && at + 1 + width > LINE_WIDTH) {
			buf_add_format(to, "\n%*s", (int)indent, "");
			at = indent;
		} else if (at > indent) {
			buf_add_byte(to, ' ');
			at++;
		}
		buf_add(to, text, len);
		at += width;
		text += len;
	}
	buf_add_byte(to, '\n');
}

void usage_write_entry(const char *name, const char *text, size_t name_width, struct buf *to)
{
	size_t width = cell_width(name, strlen(name));
	buf_add_format(to, "  %s", name);
	if (width > name_width) {
		buf_add_byte(to, '\n');
		width = 0;
		buf_add_text(to, "  ");
	}
	if (*text)
		buf_add_format(to, "%*s", (int)(name_width + 2 - width), "");
	write_wrapped(text, name_width + 4, to);
}

/* "TEXT" of the field text. */
static void write_placeholder(const struct schema_field *field, struct buf *to)
{
	for (const char *at = field->name; *at; at++)
		buf_add_byte(to, (uint8_t)toupper((unsigned char)*at));
}

static bool is_required(const struct schema_field *field)
{
	return field->is_required || (field->rules && field->rules->is_required);
}

void usage_write_line(const struct schema_method *method, struct buf *to)
{
	const struct schema_field *field;
	buf_add_text(to, method->command.verb);
	for (uint32_t i = 1; (field = flags_positional(method->input, i)); i++) {
		bool is_last = !flags_positional(method->input, i + 1);
		bool takes_rest = is_last && (field->is_repeated || field->type == SCHEMA_STRING);
		buf_add_text(to, is_required(field) ? " " : " [");
		write_placeholder(field, to);
		buf_add_text(to, takes_rest ? "..." : "");
		buf_add_text(to, is_required(field) ? "" : "]");
	}
}

static void write_notes(const struct schema_field *field, struct buf *to)
{
	buf_add_text(to, field->comment);
	if (field->type == SCHEMA_ENUM) {
		buf_add_text(to, " One of: ");
		choice_write_all(field->enumeration, to);
		buf_add_byte(to, '.');
	}
	if (field->is_repeated && !strstr(field->comment, "several times"))
		buf_add_text(to, " May be given several times.");
	if (is_required(field))
		buf_add_text(to, " Required.");
	const struct schema_rules *rules = field->rules;
	if (rules && rules->has_int_range)
		buf_add_format(to, " From %lld to %lld.", (long long)rules->int_min,
			       (long long)rules->int_max);
	if (rules && rules->has_float_range)
		buf_add_format(to, " From %g to %g.", rules->float_min, rules->float_max);
}

static void write_flag(const struct schema_field *field, struct buf *to)
{
	struct buf name = {0};
	struct buf notes = {0};
	buf_add_format(&name, "--%s", field->cli_flag);
	size_t len = name.len;
	buf_add_byte(&name, ' ');
	argument_write_kind(field, &name);
	if (name.len == len + 1)
		name.len = len;
	write_notes(field, &notes);
	usage_write_entry(buf_text(&name), notes.len ? buf_text(&notes) : "", 26, to);
	buf_fini(&name);
	buf_fini(&notes);
}

static void write_argument(const struct schema_field *field, struct buf *to)
{
	struct buf name = {0};
	struct buf notes = {0};
	write_placeholder(field, &name);
	write_notes(field, &notes);
	usage_write_entry(buf_text(&name), notes.len ? buf_text(&notes) : "", 26, to);
	buf_fini(&name);
	buf_fini(&notes);
}

/* Does a message have fields that --field.sub reaches? */
static bool has_parts(const struct schema_field *field)
{
	return field->message && !field->is_repeated &&
	       (field->message->known == SCHEMA_PLAIN || field->message->known == SCHEMA_LABEL);
}

void usage_write(const char *noun, const struct schema_method *method, struct buf *to)
{
	const struct schema_message *input = method->input;
	const struct schema_field *field;
	bool has_flags = false;
	bool has_any_parts = false;
	bool has_text = false;
	if (*method->comment) {
		write_wrapped(method->comment, 0, to);
		buf_add_byte(to, '\n');
	}
	buf_add_format(to, "Usage: lyceum %s%s", noun, *noun ? " " : "");
	usage_write_line(method, to);
	for (size_t i = 0; i < input->field_count; i++)
		has_flags = has_flags || !input->fields[i].cli_positional;
	buf_add_text(to, has_flags ? " [flags]\n" : "\n");
	if (flags_positional(input, 1))
		buf_add_text(to, "\nArguments:\n");
	for (uint32_t i = 1; (field = flags_positional(input, i)); i++)
		write_argument(field, to);
	if (has_flags)
		buf_add_text(to, "\nFlags:\n");
	for (size_t i = 0; i < input->field_count; i++) {
		field = &input->fields[input->by_declaration[i]];
		has_any_parts = has_any_parts || has_parts(field);
		has_text = has_text || field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES;
		if (!field->cli_positional)
			write_flag(field, to);
	}
	buf_add_byte(to, '\n');
	if (has_any_parts)
		buf_add_text(to, "A part of a JSON flag can be given alone: --flag.part VALUE.\n");
	if (has_text)
		buf_add_text(
			to,
			"@FILE as a text stands for what the file holds, @- for standard input.\n");
	buf_add_text(to, "The options of every command are shown by lyceum --help.\n");
}

/* One field: its type resolved, its presence, its options, its rules compiled. */
#include "schema/compile.h"

#include <string.h>

#include "base/error.h"
#include "base/pb.h"
#include "base/utf8.h"

#define MAX_NUMBER 536870911

struct raw_field {
	struct span name;
	struct span type_name;
	struct span json_name;
	struct span default_text;
	struct span options;
	bool has_default;
	bool has_oneof;
	bool is_proto3_optional;
	bool has_failed;
	uint64_t number;
	uint64_t label;
	uint64_t type;
	uint64_t oneof;
};

static struct raw_field raw_field_read(struct span proto)
{
	struct raw_field raw = {.label = 1};
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		switch (field.number) {
		case 1:
			raw.name = field.bytes;
			break;
		case 3:
			raw.number = field.value;
			break;
		case 4:
			raw.label = field.value;
			break;
		case 5:
			raw.type = field.value;
			break;
		case 6:
			raw.type_name = field.bytes;
			break;
		case 7:
			raw.default_text = field.bytes;
			raw.has_default = true;
			break;
		case 8:
			raw.options = field.bytes;
			break;
		case 9:
			raw.oneof = field.value;
			raw.has_oneof = true;
			break;
		case 10:
			raw.json_name = field.bytes;
			break;
		case 17:
			raw.is_proto3_optional = field.value != 0;
			break;
		default:
			break;
		}
	}
	raw.has_failed = reader.has_failed;
	return raw;
}

/* "lowerCamel" of "lower_camel", as protoc makes it. */
static const char *make_json_name(struct arena *arena, const char *name)
{
	char *text = arena_get(arena, strlen(name) + 1);
	if (!text)
		return NULL;
	size_t len = 0;
	bool is_after_underscore = false;
	for (; *name; name++) {
		char c = *name;
		if (c == '_') {
			is_after_underscore = true;
			continue;
		}
		if (is_after_underscore && c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		is_after_underscore = false;
		text[len++] = c;
	}
	return text;
}

static const char *make_flag(struct arena *arena, const char *name)
{
	char *text = arena_text(arena, span_of(name, strlen(name)));
	for (char *c = text; c && *c; c++) {
		if (*c == '_')
			*c = '-';
	}
	return text;
}

static bool is_plain_text(struct span text)
{
	return utf8_check(text.data, text.len, NULL) &&
	       (text.len == 0 || !memchr(text.data, '\0', text.len));
}

static enum lyc_status take_names(struct compiling *compiling, const struct field_source *source,
				  const struct raw_field *raw, struct schema_field *field)
{
	if (!set_is_identifier(raw->name))
		return compile_fault(compiling, source->symbol, "field %u has no proper name",
				     (unsigned)source->index + 1);
	field->name = arena_text(compiling->arena, raw->name);
	if (!field->name)
		return set_no_memory(compiling->error);
	if (!is_plain_text(raw->json_name) || raw->json_name.len > SET_MAX_NAME)
		return compile_fault(compiling, source->symbol,
				     "the JSON name of %.80s is malformed", field->name);
	field->json_name = raw->json_name.len > 0 ? arena_text(compiling->arena, raw->json_name)
						  : make_json_name(compiling->arena, field->name);
	struct set_path path = set_path_down(&source->symbol->path, 2, source->index);
	field->comment = set_comment(source->symbol->file, &path, compiling->arena);
	if (raw->has_default) {
		if (!is_plain_text(raw->default_text))
			return compile_fault(compiling, source->symbol,
					     "the default of %.80s is malformed", field->name);
		field->default_text = arena_text(compiling->arena, raw->default_text);
		if (!field->default_text)
			return set_no_memory(compiling->error);
	}
	if (!field->json_name || !field->comment)
		return set_no_memory(compiling->error);
	return LYC_OK;
}

static enum lyc_status resolve(struct compiling *compiling, const struct field_source *source,
			       const struct raw_field *raw, struct schema_field *field)
{
	const struct set_symbol *found = NULL;
	bool wants_enum = field->type == SCHEMA_ENUM;
	const char *name = (const char *)raw->type_name.data;
	size_t len = raw->type_name.len;
	if (len > 1 && name[0] == '.' && is_plain_text(raw->type_name))
		found = set_find(&compiling->set, name + 1, len - 1);
	if (found && raw->type == 0) {
		wants_enum = found->kind == SET_ENUM;
		field->type = wants_enum ? SCHEMA_ENUM : SCHEMA_MESSAGE;
	}
	if (!found || found->kind != (wants_enum ? SET_ENUM : SET_MESSAGE)) {
		if (!is_plain_text(raw->type_name))
			len = 0;
		return compile_fault(compiling, source->symbol,
				     "the type %.*s of field %.60s is not in the set",
				     (int)(len < 80 ? len : 80), name ? name : "", field->name);
	}
	if (wants_enum)
		field->enumeration = &compiling->schema->enums[found->index];
	else
		field->message = &compiling->schema->messages[found->index];
	return LYC_OK;
}

static bool is_packable(enum schema_type type)
{
	return type != SCHEMA_STRING && type != SCHEMA_BYTES && type != SCHEMA_MESSAGE &&
	       type != SCHEMA_GROUP;
}

static enum lyc_status take_type(struct compiling *compiling, const struct field_source *source,
				 const struct raw_field *raw, struct schema_field *field)
{
	bool is_proto2 = source->symbol->file->is_proto2;
	if (raw->number == 0 || raw->number > MAX_NUMBER)
		return compile_fault(compiling, source->symbol, "field %.80s has no proper number",
				     field->name);
	if (raw->type > SCHEMA_SINT64 || raw->label < 1 || raw->label > 3)
		return compile_fault(compiling, source->symbol,
				     "field %.80s has a type or label that is not known",
				     field->name);
	field->number = (uint32_t)raw->number;
	field->type = (enum schema_type)raw->type;
	field->is_repeated = raw->label == 3;
	field->is_required = raw->label == 2;
	if (raw->type == 0 || raw->type == SCHEMA_MESSAGE || raw->type == SCHEMA_GROUP ||
	    raw->type == SCHEMA_ENUM) {
		enum lyc_status status = resolve(compiling, source, raw, field);
		if (status != LYC_OK)
			return status;
	}
	field->oneof = -1;
	if (raw->has_oneof) {
		if (raw->oneof >= source->oneof_count || field->is_repeated || field->is_required)
			return compile_fault(compiling, source->symbol,
					     "field %.80s is in a oneof that cannot hold it",
					     field->name);
		if (!raw->is_proto3_optional) {
			field->oneof = (int)raw->oneof;
			field->oneof_name = source->oneofs[raw->oneof];
		}
	}
	field->has_presence = !field->is_repeated && (is_proto2 || raw->has_oneof ||
						      raw->is_proto3_optional || field->message);
	return LYC_OK;
}

static enum lyc_status take_rules(struct compiling *compiling, const struct field_source *source,
				  const struct schema_rules *read, struct schema_field *field)
{
	const char *fault = rules_fault(read, field);
	if (fault)
		return compile_fault(compiling, source->symbol, "the rules of %.80s: %s",
				     field->name, fault);
	struct schema_rules *rules = arena_get(compiling->arena, sizeof(*rules));
	if (!rules)
		return set_no_memory(compiling->error);
	*rules = *read;
	field->rules = rules;
	if (!rules->pattern_text)
		return LYC_OK;
	struct lyc_error reason = {0};
	enum lyc_status status =
		pattern_new(span_of(rules->pattern_text, strlen(rules->pattern_text)),
			    compiling->arena, &compiling->pattern_work, &rules->pattern, &reason);
	if (status == LYC_INVALID_ARGUMENT)
		return compile_fault(compiling, source->symbol, "the pattern of %.60s: %.140s",
				     field->name, reason.text);
	return status == LYC_OK ? LYC_OK : set_no_memory(compiling->error);
}

static enum lyc_status take_options(struct compiling *compiling, const struct field_source *source,
				    const struct raw_field *raw, struct schema_field *field)
{
	struct field_options options;
	struct lyc_error reason = {0};
	enum lyc_status status =
		field_options_read(raw->options, compiling->arena, &options, &reason);
	if (status == LYC_INVALID_ARGUMENT)
		return compile_fault(compiling, source->symbol, "field %.80s: %.80s", field->name,
				     reason.text);
	if (status != LYC_OK)
		return set_no_memory(compiling->error);
	bool is_proto2 = source->symbol->file->is_proto2;
	field->is_packed = field->is_repeated && is_packable(field->type) &&
			   (options.has_packed ? options.is_packed : !is_proto2);
	field->is_personal = options.is_personal;
	field->key = options.key;
	if (options.key > 0 &&
	    (field->is_repeated || field->message || field->type == SCHEMA_BYTES ||
	     field->type == SCHEMA_DOUBLE || field->type == SCHEMA_FLOAT))
		return compile_fault(compiling, source->symbol,
				     "field %.80s cannot be a key: a key is one string, integer, "
				     "bool or enum",
				     field->name);
	field->cli_positional = options.cli_positional;
	field->cli_flag =
		options.cli_flag ? options.cli_flag : make_flag(compiling->arena, field->name);
	if (!field->cli_flag)
		return set_no_memory(compiling->error);
	field->headers = options.headers;
	field->header_count = options.header_count;
	return options.has_rules ? take_rules(compiling, source, &options.rules, field) : LYC_OK;
}

enum lyc_status compile_field(struct compiling *compiling, const struct field_source *source,
			      struct schema_field *field)
{
	struct raw_field raw = raw_field_read(source->proto);
	if (raw.has_failed)
		return compile_fault(compiling, source->symbol, "field %u is malformed",
				     (unsigned)source->index + 1);
	enum lyc_status status = take_names(compiling, source, &raw, field);
	if (status == LYC_OK)
		status = take_type(compiling, source, &raw, field);
	if (status == LYC_OK)
		status = take_options(compiling, source, &raw, field);
	return status;
}

/*
 * Two versions of a field: its names, oneof, default, cardinality and type. Which types may follow
 * each other is Buf's table of what both the wire and JSON can read.
 */
#include <string.h>

#include "schema/differ.h"

enum cardinality { ONE, REQUIRED, LIST, MAP };

static enum cardinality cardinality_of(const struct schema_field *field)
{
	if (field->is_map)
		return MAP;
	if (field->is_repeated)
		return LIST;
	return field->is_required ? REQUIRED : ONE;
}

static const char *const cardinality_names[] = {"one value", "required", "repeated", "a map"};

/* Types of one group read each other's bytes and JSON. */
static int group_of(enum schema_type type)
{
	switch ((int)type) {
	case SCHEMA_UINT32:
		return SCHEMA_INT32;
	case SCHEMA_UINT64:
		return SCHEMA_INT64;
	case SCHEMA_SFIXED32:
		return SCHEMA_FIXED32;
	case SCHEMA_SFIXED64:
		return SCHEMA_FIXED64;
	default:
		return type;
	}
}

static const char *type_name(const struct schema_field *field)
{
	static const char *const names[] = {"",         "double",   "float",   "int64",  "uint64",
					    "int32",    "fixed64",  "fixed32", "bool",   "string",
					    "group",    "message",  "bytes",   "uint32", "enum",
					    "sfixed32", "sfixed64", "sint32",  "sint64"};
	if (field->message)
		return field->message->full_name;
	return field->enumeration ? field->enumeration->full_name : names[field->type];
}

static const char *last_part(const char *full_name)
{
	const char *dot = strrchr(full_name, '.');
	return dot ? dot + 1 : full_name;
}

static bool has_value(const struct schema_enum *enumeration, const struct schema_enum_value *value)
{
	for (size_t i = 0; i < enumeration->value_count; i++) {
		if (enumeration->values[i].number == value->number &&
		    strcmp(enumeration->values[i].name, value->name) == 0)
			return true;
	}
	return false;
}

/* An enum may have moved, as long as it is called the same and has all its values. */
static bool is_same_enum(const struct schema_enum *older, const struct schema_enum *newer)
{
	if (strcmp(older->full_name, newer->full_name) == 0)
		return true;
	if (strcmp(last_part(older->full_name), last_part(newer->full_name)) != 0)
		return false;
	for (size_t i = 0; i < older->value_count; i++) {
		if (!has_value(newer, &older->values[i]))
			return false;
	}
	return true;
}

static bool is_compatible(const struct schema_field *older, const struct schema_field *newer)
{
	if (group_of(older->type) != group_of(newer->type))
		return false;
	if (older->enumeration && newer->enumeration)
		return is_same_enum(older->enumeration, newer->enumeration);
	if (older->message && newer->message)
		return strcmp(older->message->full_name, newer->message->full_name) == 0;
	return true;
}

static void diff_type(struct differ *differ, const struct diff_field_pair *pair, const char *part,
		      const struct schema_field *older, const struct schema_field *newer)
{
	if (older && newer && !is_compatible(older, newer))
		differ_report(differ, FIELD_WIRE_JSON_COMPATIBLE_TYPE, pair->file, &pair->path,
			      "the %s of %s.%s was %s and is %s", part, pair->message->full_name,
			      pair->newer->name, type_name(older), type_name(newer));
}

static void diff_types(struct differ *differ, const struct diff_field_pair *pair)
{
	if (!pair->older->is_map || !pair->newer->is_map) {
		diff_type(differ, pair, "type", pair->older, pair->newer);
		return;
	}
	const struct schema_message *older = pair->older->message;
	const struct schema_message *newer = pair->newer->message;
	diff_type(differ, pair, "key's type", schema_field_by_number(older, 1),
		  schema_field_by_number(newer, 1));
	diff_type(differ, pair, "value's type", schema_field_by_number(older, 2),
		  schema_field_by_number(newer, 2));
}

/* Messages and lists have none. */
static bool can_have_default(const struct schema_field *field)
{
	return !field->is_repeated && !field->message;
}

/* As protoc writes it; "" is zero, false or empty. */
static const char *default_of(const struct schema_field *field, char to[16])
{
	const char *text = field->default_text ? field->default_text : "";
	const struct schema_enum *enumeration = field->enumeration;
	if (enumeration) {
		int32_t number = enumeration->value_count > 0 ? enumeration->values[0].number : 0;
		for (size_t i = 0; *text && i < enumeration->value_count; i++) {
			if (strcmp(enumeration->values[i].name, text) == 0)
				number = enumeration->values[i].number;
		}
		size_t len = 0;
		char digits[16];
		uint32_t rest = number < 0 ? -(uint32_t)number : (uint32_t)number;
		for (; rest > 0; rest /= 10)
			digits[len++] = (char)('0' + rest % 10);
		size_t at = 0;
		if (number < 0)
			to[at++] = '-';
		while (len > 0)
			to[at++] = digits[--len];
		to[at] = '\0';
		return to;
	}
	bool is_text = field->type == SCHEMA_STRING || field->type == SCHEMA_BYTES;
	if (!is_text && (strcmp(text, "0") == 0 || strcmp(text, "false") == 0))
		return "";
	return !is_text && strcmp(text, "true") == 0 ? "1" : text;
}

static const char *shown_default(const struct schema_field *field)
{
	return field->default_text ? field->default_text : "its type's own";
}

static void diff_default(struct differ *differ, const struct diff_field_pair *pair)
{
	char was[16];
	char is[16];
	if (!can_have_default(pair->older) || !can_have_default(pair->newer))
		return;
	if (strcmp(default_of(pair->older, was), default_of(pair->newer, is)) != 0)
		differ_report(differ, FIELD_SAME_DEFAULT, pair->file, &pair->path,
			      "the default of %s.%s was %.80s and is %.80s",
			      pair->message->full_name, pair->newer->name,
			      shown_default(pair->older), shown_default(pair->newer));
}

static void diff_oneof(struct differ *differ, const struct diff_field_pair *pair)
{
	const char *was = pair->older->oneof >= 0 ? pair->older->oneof_name : "";
	const char *is = pair->newer->oneof >= 0 ? pair->newer->oneof_name : "";
	if (strcmp(was, is) != 0)
		differ_report(differ, FIELD_SAME_ONEOF, pair->file, &pair->path,
			      "%s.%s was in %s%s and is in %s%s", pair->message->full_name,
			      pair->newer->name, *was ? "the oneof " : "no oneof", was,
			      *is ? "the oneof " : "none", is);
}

void diff_fields(struct differ *differ, const struct diff_field_pair *pair)
{
	const struct schema_field *older = pair->older;
	const struct schema_field *newer = pair->newer;
	const char *message = pair->message->full_name;
	if (strcmp(older->name, newer->name) != 0)
		differ_report(differ, FIELD_SAME_NAME, pair->file, &pair->path,
			      "the field %u of %s was called %s and is %s", newer->number, message,
			      older->name, newer->name);
	if (strcmp(older->json_name, newer->json_name) != 0)
		differ_report(differ, FIELD_SAME_JSON_NAME, pair->file, &pair->path,
			      "the JSON name of %s.%s was \"%s\" and is \"%s\"", message,
			      newer->name, older->json_name, newer->json_name);
	if (cardinality_of(older) != cardinality_of(newer))
		differ_report(differ, FIELD_WIRE_JSON_COMPATIBLE_CARDINALITY, pair->file,
			      &pair->path, "%s.%s was %s and is %s", message, newer->name,
			      cardinality_names[cardinality_of(older)],
			      cardinality_names[cardinality_of(newer)]);
	diff_types(differ, pair);
	diff_default(differ, pair);
	diff_oneof(differ, pair);
}

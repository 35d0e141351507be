/*
 * JSON Schema (draft 2020-12) of messages, as json_write.c writes and json_read.c takes them. A
 * list of messages grows while it is worked through: what one refers to comes behind it.
 */
#include "schema/json_schema.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/rules.h"

struct writing {
	const char *ref_prefix;
	const struct schema_message **messages;
	size_t count;
	size_t cap;
	bool has_failed;
};

/* Its index does not matter, only that it is in the list. */
static void want(struct writing *writing, const struct schema_message *message)
{
	for (size_t i = 0; i < writing->count; i++) {
		if (strcmp(writing->messages[i]->full_name, message->full_name) == 0)
			return;
	}
	if (writing->count == writing->cap) {
		size_t cap = writing->cap ? writing->cap * 2 : 64;
		const struct schema_message **grown =
			realloc(writing->messages, cap * sizeof(*grown));
		if (!grown) {
			writing->has_failed = true;
			return;
		}
		writing->messages = grown;
		writing->cap = cap;
	}
	writing->messages[writing->count++] = message;
}

static void set(struct writing *writing, json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0)
		writing->has_failed = true;
}

static json_t *of_type(const char *type, const char *format)
{
	json_t *value = json_pack("{s:s}", "type", type);
	if (value && format)
		json_object_set_new(value, "format", json_string(format));
	return value;
}

/* ---- Values ---- */

static json_t *of_enum(struct writing *writing, const struct schema_enum *enumeration)
{
	if (strcmp(enumeration->full_name, "google.protobuf.NullValue") == 0)
		return of_type("null", NULL);
	json_t *value = of_type("string", NULL);
	json_t *names = json_array();
	for (size_t i = 0; i < enumeration->value_count; i++)
		json_array_append_new(names, json_string(enumeration->values[i].name));
	set(writing, value, "enum", names);
	return value;
}

/* 64 bits are written as strings and read as either. */
static json_t *of_wide(const char *format)
{
	return json_pack("{s:[s, s], s:s, s:s}", "type", "string", "integer", "format", format,
			 "pattern", "^-?[0-9]+$");
}

static json_t *of_scalar(struct writing *writing, const struct schema_field *field)
{
	switch (field->type) {
	case SCHEMA_DOUBLE:
		return of_type("number", "double");
	case SCHEMA_FLOAT:
		return of_type("number", "float");
	case SCHEMA_INT64:
	case SCHEMA_SINT64:
	case SCHEMA_SFIXED64:
		return of_wide("int64");
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		return of_wide("uint64");
	case SCHEMA_INT32:
	case SCHEMA_SINT32:
	case SCHEMA_SFIXED32:
		return of_type("integer", "int32");
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32: {
		json_t *value = of_type("integer", "int64");
		set(writing, value, "minimum", json_integer(0));
		set(writing, value, "maximum", json_integer(UINT32_MAX));
		return value;
	}
	case SCHEMA_BOOL:
		return of_type("boolean", NULL);
	case SCHEMA_BYTES:
		return json_pack("{s:s, s:s}", "type", "string", "contentEncoding", "base64");
	case SCHEMA_ENUM:
		return of_enum(writing, field->enumeration);
	case SCHEMA_STRING:
	case SCHEMA_GROUP:
	case SCHEMA_MESSAGE:
	default:
		return of_type("string", NULL);
	}
}

static json_t *of_element(struct writing *writing, const struct schema_field *field);

static json_t *of_message(struct writing *writing, const struct schema_message *message)
{
	switch (message->known) {
	case SCHEMA_TIMESTAMP:
		return of_type("string", "date-time");
	case SCHEMA_DURATION:
		return json_pack("{s:s, s:s}", "type", "string", "pattern",
				 "^-?[0-9]+(\\.[0-9]+)?s$");
	case SCHEMA_FIELD_MASK:
		return of_type("string", NULL);
	case SCHEMA_WRAPPER:
		return message->field_count == 1 ? of_element(writing, &message->fields[0])
						 : json_object();
	case SCHEMA_STRUCT:
	case SCHEMA_ANY:
		return of_type("object", NULL);
	case SCHEMA_VALUE:
		return json_object();
	case SCHEMA_LIST_VALUE:
		return of_type("array", NULL);
	case SCHEMA_PLAIN:
	case SCHEMA_EMPTY:
	case SCHEMA_LABEL:
	default:
		break;
	}
	want(writing, message);
	return json_pack("{s:s+}", "$ref", writing->ref_prefix, message->full_name);
}

static void add_rules(struct writing *writing, const struct schema_field *field, json_t *value)
{
	const struct schema_rules *rules = field->rules;
	if (!rules)
		return;
	bool is_text = field->type == SCHEMA_STRING;
	uint32_t min_len = rules->min_len;
	if (rules->is_required && !field->is_repeated && min_len == 0)
		min_len = 1;
	if (is_text && min_len > 0)
		set(writing, value, "minLength", json_integer(min_len));
	if (is_text && rules->max_len > 0)
		set(writing, value, "maxLength", json_integer(rules->max_len));
	if (rules->has_int_range) {
		set(writing, value, "minimum", json_integer(rules->int_min));
		set(writing, value, "maximum", json_integer(rules->int_max));
	}
	if (rules->has_float_range) {
		set(writing, value, "minimum", json_real(rules->float_min));
		set(writing, value, "maximum", json_real(rules->float_max));
	}
	if (rules->pattern_text) {
		struct buf whole = {0};
		/* An empty string is an absent one. */
		buf_add_format(&whole, rules->is_required ? "^(?:%s)$" : "^(?:%s)?$",
			       rules->pattern_text);
		const char *text = buf_text(&whole);
		set(writing, value, "pattern", text ? json_string(text) : NULL);
		buf_fini(&whole);
	}
}

static json_t *of_element(struct writing *writing, const struct schema_field *field)
{
	json_t *value =
		field->message ? of_message(writing, field->message) : of_scalar(writing, field);
	if (value && !field->message)
		add_rules(writing, field, value);
	return value;
}

static json_t *of_map(struct writing *writing, const struct schema_field *field)
{
	const struct schema_field *value = schema_field_by_number(field->message, 2);
	json_t *object = of_type("object", NULL);
	if (value)
		set(writing, object, "additionalProperties", of_element(writing, value));
	return object;
}

static json_t *of_list(struct writing *writing, const struct schema_field *field)
{
	json_t *list = of_type("array", NULL);
	const struct schema_rules *rules = field->rules;
	uint32_t min_items = rules ? rules->min_items : 0;
	set(writing, list, "items", of_element(writing, field));
	if (rules && rules->is_required && min_items == 0)
		min_items = 1;
	if (min_items > 0)
		set(writing, list, "minItems", json_integer(min_items));
	if (rules && rules->max_items > 0)
		set(writing, list, "maxItems", json_integer(rules->max_items));
	return list;
}

/* ---- Messages ---- */

static json_t *of_field(struct writing *writing, const struct schema_field *field)
{
	json_t *value = field->is_map        ? of_map(writing, field)
			: field->is_repeated ? of_list(writing, field)
					     : of_element(writing, field);
	if (value && field->comment[0])
		set(writing, value, "description", json_string(field->comment));
	return value;
}

static json_t *of_fields(struct writing *writing, const struct schema_message *message)
{
	json_t *object = of_type("object", NULL);
	json_t *properties = json_object();
	json_t *required = json_array();
	if (message->comment[0])
		set(writing, object, "description", json_string(message->comment));
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[message->by_declaration[i]];
		set(writing, properties, field->json_name, of_field(writing, field));
		if (field->is_required || (field->rules && field->rules->is_required))
			json_array_append_new(required, json_string(field->json_name));
	}
	set(writing, object, "properties", properties);
	if (json_array_size(required) > 0)
		set(writing, object, "required", required);
	else
		json_decref(required);
	return object;
}

enum lyc_status json_schema_write(const struct schema_message *const *messages,
				  size_t message_count, const char *ref_prefix, struct buf *to,
				  struct lyc_error *error)
{
	struct writing writing = {.ref_prefix = ref_prefix};
	json_t *all = json_object();
	char *text = NULL;
	for (size_t i = 0; i < message_count; i++)
		want(&writing, messages[i]);
	for (size_t i = 0; i < writing.count && !writing.has_failed; i++)
		set(&writing, all, writing.messages[i]->full_name,
		    of_fields(&writing, writing.messages[i]));
	if (all && !writing.has_failed)
		text = json_dumps(all, JSON_COMPACT | JSON_PRESERVE_ORDER);
	if (text)
		buf_add_text(to, text);
	free(text);
	json_decref(all);
	free(writing.messages);
	return text && !to->has_failed ? LYC_OK
				       : error_set(error, LYC_RESOURCE_EXHAUSTED,
						   "there is no memory for the JSON Schemas");
}

/*
 * Pairs become a JSON tree, by the tables: what a text means depends on its field. json_read.c has
 * the last word on the values; here it is only which field, and list or not.
 */
#include "schema/pairs.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAX_DEPTH 8

static enum lyc_status no_memory(struct lyc_error *error)
{
	return error_set(error, LYC_RESOURCE_EXHAUSTED, "there is no memory for a form");
}

static bool is_one_of(const char *value, const char *const *words)
{
	for (; *words; words++) {
		if (strcmp(value, *words) == 0)
			return true;
	}
	return false;
}

/* Numbers and all else may stand as strings in protobuf's JSON; truths may not. */
static enum lyc_status value_of(const struct schema_field *field, const struct lyc_pair *pair,
				json_t **ret_value, struct lyc_error *error)
{
	static const char *const yes[] = {"true", "1", "on", "yes", NULL};
	static const char *const no[] = {"false", "0", "off", "no", NULL};
	char *end = NULL;
	if (field->type == SCHEMA_BOOL) {
		bool is_yes = is_one_of(pair->value, yes);
		if (!is_yes && !is_one_of(pair->value, no))
			return error_set_field(error, LYC_INVALID_ARGUMENT, pair->name,
					       "%.100s must be true or false", pair->name);
		*ret_value = json_boolean(is_yes);
	} else if (field->type == SCHEMA_ENUM) {
		errno = 0;
		long number = strtol(pair->value, &end, 10);
		*ret_value = *end || errno ? json_string(pair->value) : json_integer(number);
	} else {
		*ret_value = json_string(pair->value);
	}
	if (*ret_value)
		return LYC_OK;
	return error_set_field(error, LYC_INVALID_ARGUMENT, pair->name, "%.100s is not UTF-8",
			       pair->name);
}

/* The object that the last word of "a.b.c" is a member of, and that field. */
static enum lyc_status find_place(const struct schema_message *message, const struct lyc_pair *pair,
				  json_t *root, json_t **ret_object,
				  const struct schema_field **ret_field, struct lyc_error *error)
{
	const char *at = pair->name;
	json_t *object = root;
	for (int depth = 0; depth < MAX_DEPTH && message; depth++) {
		size_t len = strcspn(at, ".");
		const struct schema_field *field = schema_field_by_name(message, at, len);
		bool is_last = at[len] == '\0';
		if (!field || (!is_last && (!field->message || field->is_repeated)) ||
		    (is_last &&
		     (field->is_map || (field->message && field->message->known == SCHEMA_PLAIN))))
			break;
		if (is_last) {
			*ret_object = object;
			*ret_field = field;
			return LYC_OK;
		}
		json_t *inner = json_object_get(object, field->json_name);
		if (!inner) {
			inner = json_object();
			if (json_object_set_new(object, field->json_name, inner) != 0)
				return no_memory(error);
		}
		object = inner;
		message = field->message;
		at += len + 1;
	}
	return error_set_field(error, LYC_INVALID_ARGUMENT, pair->name,
			       "there is no field %.100s that takes a text", pair->name);
}

static enum lyc_status add_pair(const struct schema_message *message, const struct lyc_pair *pair,
				json_t *root, struct lyc_error *error)
{
	json_t *object = NULL;
	json_t *value = NULL;
	const struct schema_field *field = NULL;
	enum lyc_status status = find_place(message, pair, root, &object, &field, error);
	if (status != LYC_OK)
		return status;
	/* An empty input of a form is one that was left out. */
	if (pair->value[0] == '\0')
		return LYC_OK;
	status = value_of(field, pair, &value, error);
	if (status != LYC_OK)
		return status;
	json_t *there = json_object_get(object, field->json_name);
	if (!field->is_repeated && there) {
		json_decref(value);
		return error_set_field(error, LYC_INVALID_ARGUMENT, pair->name,
				       "%.100s is said twice", pair->name);
	}
	if (!field->is_repeated)
		return json_object_set_new(object, field->json_name, value) == 0 ? LYC_OK
										 : no_memory(error);
	if (!there) {
		there = json_array();
		if (json_object_set_new(object, field->json_name, there) != 0) {
			json_decref(value);
			return no_memory(error);
		}
	}
	return json_array_append_new(there, value) == 0 ? LYC_OK : no_memory(error);
}

enum lyc_status pairs_write_json(const struct schema_message *message, const struct lyc_pair *pairs,
				 size_t pair_count, char **ret_json, struct lyc_error *error)
{
	json_t *root = json_object();
	enum lyc_status status = root ? LYC_OK : no_memory(error);
	for (size_t i = 0; status == LYC_OK && i < pair_count; i++)
		status = add_pair(message, &pairs[i], root, error);
	char *json = status == LYC_OK ? json_dumps(root, JSON_COMPACT) : NULL;
	if (status == LYC_OK && !json)
		status = no_memory(error);
	json_decref(root);
	if (status == LYC_OK)
		*ret_json = json;
	return status;
}

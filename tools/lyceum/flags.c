/* Builds the request as JSON and lets json_read make the wire bytes, so that nested fields, maps
 * and the well-known types follow one set of rules. */
#include "flags.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "argument.h"
#include "base/error.h"

#define MAX_PATH 8

/* The fields from the request down to the one that a flag names. */
struct path {
	const struct schema_field *fields[MAX_PATH];
	size_t depth;
};

static bool is_name(const char *name, const char *flag, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char a = name[i] == '_' ? '-' : name[i];
		char b = flag[i] == '_' ? '-' : flag[i];
		if (a != b)
			return false;
	}
	return name[len] == '\0';
}

static const struct schema_field *find_one(const struct schema_message *message, const char *flag,
					   size_t len)
{
	for (size_t i = 0; i < message->field_count; i++) {
		if (is_name(message->fields[i].cli_flag, flag, len))
			return &message->fields[i];
	}
	for (size_t i = 0; i < message->field_count; i++) {
		if (is_name(message->fields[i].name, flag, len) ||
		    is_name(message->fields[i].json_name, flag, len))
			return &message->fields[i];
	}
	return NULL;
}

static bool find_path(const struct schema_message *message, const char *flag, size_t len,
		      struct path *ret_path)
{
	*ret_path = (struct path){0};
	const char *end = flag + len;
	while (message && ret_path->depth < MAX_PATH) {
		const char *dot = memchr(flag, '.', (size_t)(end - flag));
		const struct schema_field *field =
			find_one(message, flag, (size_t)((dot ? dot : end) - flag));
		if (!field)
			return false;
		ret_path->fields[ret_path->depth++] = field;
		if (!dot)
			return true;
		flag = dot + 1;
		message = field->message;
	}
	return false;
}

const struct schema_field *flags_find(const struct schema_message *input, const char *flag,
				      size_t len)
{
	struct path path;
	return find_path(input, flag, len, &path) ? path.fields[path.depth - 1] : NULL;
}

const struct schema_field *flags_positional(const struct schema_message *input, uint32_t position)
{
	for (size_t i = 0; i < input->field_count; i++) {
		if (input->fields[i].cli_positional == position)
			return &input->fields[i];
	}
	return NULL;
}

static enum lyc_status put_map_entry(json_t *map, const struct schema_field *field,
				     const char *flag, const char *text, struct lyc_error *error)
{
	const char *equals = strchr(text, '=');
	if (!equals)
		return error_set(error, LYC_INVALID_ARGUMENT, "%s takes KEY=VALUE, not \"%.60s\"",
				 flag, text);
	json_t *value =
		argument_json(schema_field_by_number(field->message, 2), flag, equals + 1, error);
	if (!value)
		return LYC_INVALID_ARGUMENT;
	char key[200];
	snprintf(key, sizeof(key), "%.*s", (int)(equals - text), text);
	json_object_set_new(map, key, value);
	return LYC_OK;
}

/* The object of `parent` that holds the last field of the path; NULL with an error. */
static json_t *object_at(json_t *parent, const struct path *path, const char *flag,
			 struct lyc_error *error)
{
	for (size_t i = 0; i + 1 < path->depth; i++) {
		const struct schema_field *field = path->fields[i];
		if (field->is_repeated) {
			error_set(error, LYC_INVALID_ARGUMENT,
				  "%s: %s is a list, give each element as --%s '{...}'", flag,
				  field->name, field->cli_flag);
			return NULL;
		}
		json_t *child = json_object_get(parent, field->name);
		if (!child) {
			child = json_object();
			json_object_set_new(parent, field->name, child);
		}
		parent = child;
	}
	return parent;
}

static enum lyc_status put(json_t *request, const struct path *path, const char *flag,
			   const char *text, struct lyc_error *error)
{
	const struct schema_field *field = path->fields[path->depth - 1];
	json_t *object = object_at(request, path, flag, error);
	if (!object)
		return LYC_INVALID_ARGUMENT;
	json_t *old = json_object_get(object, field->name);
	if (field->is_map) {
		if (!old) {
			old = json_object();
			json_object_set_new(object, field->name, old);
		}
		return put_map_entry(old, field, flag, text, error);
	}
	if (old && !field->is_repeated)
		return error_set(error, LYC_INVALID_ARGUMENT, "%s is given twice", flag);
	json_t *value = argument_json(field, flag, text, error);
	if (!value)
		return LYC_INVALID_ARGUMENT;
	if (!field->is_repeated) {
		json_object_set_new(object, field->name, value);
	} else if (json_is_array(value)) {
		/* --evidence '[{...}, {...}]' gives several at once. */
		if (!old)
			json_object_set(object, field->name, value);
		else
			json_array_extend(old, value);
		json_decref(value);
	} else {
		if (!old) {
			old = json_array();
			json_object_set_new(object, field->name, old);
		}
		json_array_append_new(old, value);
	}
	return LYC_OK;
}

static enum lyc_status unknown(const struct schema_message *input, const char *word, size_t len,
			       const char *const *other_names, struct lyc_error *error)
{
	char name[100];
	struct suggest suggest;
	struct buf text = {0};
	snprintf(name, sizeof(name), "%.*s", (int)len, word);
	suggest_start(&suggest, name);
	for (size_t i = 0; i < input->field_count; i++)
		suggest_offer(&suggest, input->fields[i].cli_flag);
	for (size_t i = 0; other_names && other_names[i]; i++)
		suggest_offer(&suggest, other_names[i]);
	suggest_write(&suggest, "--", &text);
	error_set(error, LYC_INVALID_ARGUMENT, "there is no flag --%s%s", name,
		  text.len ? buf_text(&text) : ": --help lists them");
	buf_fini(&text);
	return LYC_INVALID_ARGUMENT;
}

/* One --flag at argv[*at]; moves *at to the last word that it took. */
static enum lyc_status take_flag(const struct schema_message *input, json_t *request, int argc,
				 char **argv, const char *const *other_names, int *at,
				 struct lyc_error *error)
{
	const char *word = argv[*at] + 2;
	size_t len = strcspn(word, "=");
	const char *value = word[len] ? word + len + 1 : NULL;
	struct path path;
	char flag[120];
	snprintf(flag, sizeof(flag), "--%.*s", (int)len, word);
	if (!find_path(input, word, len, &path)) {
		bool is_no = len > 3 && strncmp(word, "no-", 3) == 0 && !value &&
			     find_path(input, word + 3, len - 3, &path) &&
			     path.fields[path.depth - 1]->type == SCHEMA_BOOL;
		if (!is_no)
			return unknown(input, word, len, other_names, error);
		return put(request, &path, flag, "false", error);
	}
	const struct schema_field *field = path.fields[path.depth - 1];
	if (!value && field->type == SCHEMA_BOOL) {
		value = "true";
	} else if (!value) {
		if (*at + 1 == argc || strncmp(argv[*at + 1], "--", 2) == 0)
			return error_set(error, LYC_INVALID_ARGUMENT, "%s needs a value", flag);
		value = argv[++*at];
	}
	return put(request, &path, flag, value, error);
}

/* The words without a flag, in order. */
static enum lyc_status take_words(const struct schema_message *input, json_t *request, char **words,
				  int count, struct lyc_error *error)
{
	struct buf rest = {0};
	enum lyc_status status = LYC_OK;
	for (int i = 0; i < count && status == LYC_OK; i++) {
		uint32_t position = (uint32_t)i + 1;
		const struct schema_field *field = flags_positional(input, position);
		while (!field && position > 1)
			field = flags_positional(input, --position);
		bool is_last = field && !flags_positional(input, position + 1);
		bool is_rest = position <= (uint32_t)i;
		if (!field || (is_rest && !field->is_repeated && field->type != SCHEMA_STRING)) {
			status = error_set(
				error, LYC_INVALID_ARGUMENT,
				"\"%.80s\" is one argument too many: --help shows what is "
				"taken",
				words[i]);
			break;
		}
		struct path path = {.fields = {field}, .depth = 1};
		if (is_last && field->type == SCHEMA_STRING && !field->is_repeated) {
			if (rest.len > 0)
				buf_add_byte(&rest, ' ');
			buf_add_text(&rest, words[i]);
			if (i + 1 == count)
				status = put(request, &path, field->name, buf_text(&rest), error);
		} else {
			status = put(request, &path, field->name, words[i], error);
		}
	}
	buf_fini(&rest);
	return status;
}

enum lyc_status flags_read(const struct schema_message *input, int argc, char **argv,
			   const char *const *other_names, struct buf *to, struct lyc_error *error)
{
	json_t *request = json_object();
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	char *text = NULL;
	int word_count = 0;
	bool is_flag_allowed = true;
	enum lyc_status status = LYC_OK;
	for (int i = 0; i < argc && status == LYC_OK; i++) {
		if (is_flag_allowed && strcmp(argv[i], "--") == 0)
			is_flag_allowed = false;
		else if (is_flag_allowed && strncmp(argv[i], "--", 2) == 0)
			status = take_flag(input, request, argc, argv, other_names, &i, error);
		else
			words[word_count++] = argv[i];
	}
	if (status == LYC_OK)
		status = take_words(input, request, words, word_count, error);
	if (status == LYC_OK) {
		text = json_dumps(request, JSON_COMPACT);
		status = json_read(input, text, strlen(text), to, error);
	}
	free(text);
	free(words);
	json_decref(request);
	return status;
}

/*
 * YAML into wire bytes: libyaml's events become the jansson tree that json_encoder.c reads, with
 * every scalar a string and a mark of its line and of whether it had quotes. One document of plain
 * mappings, lists and scalars; anchors, aliases and tags are refused.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/error.h"
#include "schema/json_encoder.h"

/* Mappings and lists inside each other; a message cannot use more. */
#define MAX_NESTING (2 * SCHEMA_MAX_DEPTH)

struct yaml {
	yaml_parser_t parser;
	const char *text;
	struct lyc_error *error;
	struct buf marks; /* struct json_mark, in the order of the text */
	unsigned nesting;
};

static enum lyc_status refuse(struct yaml *yaml, size_t line, const char *sentence)
{
	return error_set(yaml->error, LYC_INVALID_ARGUMENT, "line %zu: %s", line + 1, sentence);
}

static enum lyc_status no_memory(struct yaml *yaml)
{
	return error_set(yaml->error, LYC_RESOURCE_EXHAUSTED,
			 "line 1: there is no memory to read the YAML");
}

static enum lyc_status next_event(struct yaml *yaml, yaml_event_t *event)
{
	if (yaml_parser_parse(&yaml->parser, event))
		return LYC_OK;
	const yaml_parser_t *parser = &yaml->parser;
	if (parser->error == YAML_MEMORY_ERROR)
		return no_memory(yaml);
	size_t line = parser->problem_mark.line;
	/* The reader is ahead of the scanner and counts bytes. */
	for (size_t i = 0; parser->error == YAML_READER_ERROR && i < parser->problem_offset; i++)
		line += yaml->text[i] == '\n';
	return refuse(yaml, line, parser->problem ? parser->problem : "this is not YAML");
}

static enum lyc_status refuse_extras(struct yaml *yaml, const yaml_event_t *event,
				     const yaml_char_t *anchor, const yaml_char_t *tag)
{
	if (anchor)
		return refuse(yaml, event->start_mark.line, "anchors (&name) are not taken here");
	if (tag)
		return refuse(yaml, event->start_mark.line, "tags (!name) are not taken here");
	return LYC_OK;
}

static enum lyc_status read_node(struct yaml *yaml, yaml_event_t *event, size_t key_line,
				 json_t **ret_node);

static enum lyc_status read_list(struct yaml *yaml, json_t *list)
{
	for (;;) {
		yaml_event_t event;
		enum lyc_status status = next_event(yaml, &event);
		if (status)
			return status;
		json_t *item = NULL;
		bool is_end = event.type == YAML_SEQUENCE_END_EVENT;
		if (!is_end)
			status = read_node(yaml, &event, event.start_mark.line, &item);
		yaml_event_delete(&event);
		if (is_end || status)
			return status;
		if (json_array_append_new(list, item))
			return no_memory(yaml);
	}
}

/* The line of a value's key, for the message about a second one. */
static unsigned key_line_of(const struct yaml *yaml, const json_t *value)
{
	const struct json_mark *marks = (const struct json_mark *)(const void *)yaml->marks.data;
	for (size_t i = 0; i < yaml->marks.len / sizeof(*marks); i++) {
		if (marks[i].value == value)
			return marks[i].key_line;
	}
	return 0;
}

static enum lyc_status read_member(struct yaml *yaml, const yaml_event_t *key, json_t *mapping)
{
	size_t line = key->start_mark.line;
	if (key->type != YAML_SCALAR_EVENT)
		return refuse(yaml, line,
			      "a key must be a word, not a list, a mapping or an alias");
	enum lyc_status status =
		refuse_extras(yaml, key, key->data.scalar.anchor, key->data.scalar.tag);
	if (status)
		return status;
	const char *name = (const char *)key->data.scalar.value;
	size_t len = key->data.scalar.length;
	const json_t *before = json_object_getn(mapping, name, len);
	if (before)
		return error_set(yaml->error, LYC_INVALID_ARGUMENT,
				 "line %zu: the key '%s' is there already in line %u", line + 1,
				 name, key_line_of(yaml, before));
	yaml_event_t event;
	json_t *value = NULL;
	status = next_event(yaml, &event);
	if (status)
		return status;
	status = read_node(yaml, &event, line, &value);
	yaml_event_delete(&event);
	if (!status && json_object_setn_new(mapping, name, len, value))
		status = no_memory(yaml);
	return status;
}

static enum lyc_status read_mapping(struct yaml *yaml, json_t *mapping)
{
	for (;;) {
		yaml_event_t event;
		enum lyc_status status = next_event(yaml, &event);
		if (status)
			return status;
		bool is_end = event.type == YAML_MAPPING_END_EVENT;
		if (!is_end)
			status = read_member(yaml, &event, mapping);
		yaml_event_delete(&event);
		if (is_end || status)
			return status;
	}
}

static enum lyc_status read_inside(struct yaml *yaml, const yaml_event_t *event, json_t *node)
{
	if (yaml->nesting == MAX_NESTING)
		return refuse(yaml, event->start_mark.line, "this is nested too deeply");
	yaml->nesting++;
	enum lyc_status status =
		json_is_array(node) ? read_list(yaml, node) : read_mapping(yaml, node);
	yaml->nesting--;
	return status;
}

static enum lyc_status read_node(struct yaml *yaml, yaml_event_t *event, size_t key_line,
				 json_t **ret_node)
{
	enum lyc_status status = LYC_OK;
	json_t *node = NULL;
	bool is_plain = false;
	switch (event->type) {
	case YAML_SCALAR_EVENT:
		status = refuse_extras(yaml, event, event->data.scalar.anchor,
				       event->data.scalar.tag);
		is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
		node = json_stringn((const char *)event->data.scalar.value,
				    event->data.scalar.length);
		break;
	case YAML_SEQUENCE_START_EVENT:
		status = refuse_extras(yaml, event, event->data.sequence_start.anchor,
				       event->data.sequence_start.tag);
		node = json_array();
		break;
	case YAML_MAPPING_START_EVENT:
		status = refuse_extras(yaml, event, event->data.mapping_start.anchor,
				       event->data.mapping_start.tag);
		node = json_object();
		break;
	case YAML_ALIAS_EVENT:
		return refuse(yaml, event->start_mark.line, "aliases (*name) are not taken here");
	default:
		return refuse(yaml, event->start_mark.line, "a value is missing");
	}
	if (!status && !node)
		status = no_memory(yaml);
	struct json_mark mark = {.value = node,
				 .line = (unsigned)event->start_mark.line + 1,
				 .key_line = (unsigned)key_line + 1,
				 .is_plain = is_plain};
	buf_add(&yaml->marks, &mark, sizeof(mark));
	if (!status && !json_is_string(node))
		status = read_inside(yaml, event, node);
	if (status) {
		json_decref(node);
		return status;
	}
	*ret_node = node;
	return LYC_OK;
}

/* Stream start, document start, the root, document end, stream end. ret_root stays NULL for an
 * empty text. */
static enum lyc_status read_stream(struct yaml *yaml, json_t **ret_root)
{
	for (;;) {
		yaml_event_t event;
		enum lyc_status status = next_event(yaml, &event);
		if (status)
			return status;
		bool is_end = event.type == YAML_STREAM_END_EVENT;
		size_t line = event.start_mark.line;
		bool is_document = event.type == YAML_DOCUMENT_START_EVENT;
		bool is_frame = is_end || is_document || event.type == YAML_STREAM_START_EVENT ||
				event.type == YAML_DOCUMENT_END_EVENT;
		if (is_document && *ret_root)
			status = refuse(yaml, line,
					"a second document begins here; only one is "
					"taken");
		else if (!is_frame)
			status = read_node(yaml, &event, line, ret_root);
		yaml_event_delete(&event);
		if (is_end || status)
			return status;
	}
}

static int by_value(const void *left, const void *right)
{
	uintptr_t a = (uintptr_t)((const struct json_mark *)left)->value;
	uintptr_t b = (uintptr_t)((const struct json_mark *)right)->value;
	return a < b ? -1 : a > b;
}

/* Nothing at all, or only comments: a message without fields. */
static bool is_nothing(const json_t *root, const struct buf *marks)
{
	const struct json_mark *mark = (const struct json_mark *)(const void *)marks->data;
	return !root || (json_is_string(root) && json_string_length(root) == 0 && mark->is_plain);
}

static enum lyc_status encode(struct yaml *yaml, const struct schema_message *message,
			      const json_t *root, struct buf *to)
{
	if (yaml->marks.has_failed)
		return no_memory(yaml);
	if (is_nothing(root, &yaml->marks))
		return LYC_OK;
	struct json_encoder encoder = {
		.error = yaml->error,
		.marks = (const struct json_mark *)(const void *)yaml->marks.data,
		.mark_count = yaml->marks.len / sizeof(struct json_mark)};
	qsort(yaml->marks.data, encoder.mark_count, sizeof(struct json_mark), by_value);
	return json_encode(&encoder, message, root, to);
}

/* Parse the text into a tree and its marks; both are the caller's to free, also on failure. */
static enum lyc_status parse(struct yaml *yaml, const char *text, size_t len, json_t **ret_root)
{
	yaml->text = text ? text : "";
	if (!yaml_parser_initialize(&yaml->parser))
		return no_memory(yaml);
	yaml_parser_set_encoding(&yaml->parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&yaml->parser, (const unsigned char *)yaml->text, len);
	enum lyc_status status = read_stream(yaml, ret_root);
	yaml_parser_delete(&yaml->parser);
	return status;
}

enum lyc_status yaml_read(const struct schema_message *message, const char *text, size_t len,
			  struct buf *to, struct lyc_error *error)
{
	struct yaml yaml = {.error = error};
	json_t *root = NULL;
	enum lyc_status status = parse(&yaml, text, len, &root);
	if (!status)
		status = encode(&yaml, message, root, to);
	json_decref(root);
	buf_fini(&yaml.marks);
	return status;
}

/* One step of a path: "[2]" into a list, a name in either spelling into a mapping. Moves behind it;
 * NULL when it leads nowhere. */
static const json_t *step(const json_t *at, const struct schema_message **message,
			  const char **path)
{
	if (**path == '[') {
		char *end;
		size_t index = strtoul(*path + 1, &end, 10);
		bool is_index = end != *path + 1 && *end == ']';
		*path = end + is_index;
		return is_index ? json_array_get(at, index) : NULL;
	}
	*path += **path == '.';
	size_t len = strcspn(*path, ".[");
	const struct schema_field *field =
		*message ? schema_field_by_name(*message, *path, len) : NULL;
	*path += len;
	if (!field)
		return NULL;
	*message = field->message;
	const json_t *member = json_object_get(at, field->name);
	return member ? member : json_object_get(at, field->json_name);
}

unsigned yaml_line(const struct schema_message *message, const char *text, size_t len,
		   const char *path)
{
	struct yaml yaml = {0};
	json_t *root = NULL;
	unsigned line = 1;
	if (parse(&yaml, text, len, &root) == LYC_OK) {
		const json_t *at = root;
		while (*path && at) {
			at = step(at, &message, &path);
			if (at)
				line = key_line_of(&yaml, at);
		}
	}
	json_decref(root);
	buf_fini(&yaml.marks);
	return line;
}

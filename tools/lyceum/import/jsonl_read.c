/* Reads JSON Lines. The schema decides what a line may say (json_read); here are only the lines,
 * and the two members that a refused file adds to them. */
#include "import/jsonl_read.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "import/mapping.h"

bool jsonl_is(struct span text)
{
	struct span trimmed = cell_trim(span_of(text.data, text.len < 4096 ? text.len : 4096));
	if (trimmed.len == 0 || trimmed.data[0] != '{')
		return false;
	struct span inside = cell_trim(span_of(trimmed.data + 1, trimmed.len - 1));
	return inside.len == 0 || inside.data[0] == '"' || inside.data[0] == '}';
}

struct span jsonl_line_at(struct span text, size_t offset)
{
	const uint8_t *start = text.data + offset;
	const uint8_t *end = memchr(start, '\n', text.len - offset);
	return cell_trim(span_of(start, end ? (size_t)(end - start) : text.len - offset));
}

static bool mentions(struct span line, const char *name)
{
	return memmem(line.data, line.len, name, strlen(name)) != NULL;
}

/* The line as an object without what a refused file added; NULL when it is not an object. */
static json_t *load(struct span line)
{
	json_t *object =
		json_loadb((const char *)line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
	if (!json_is_object(object)) {
		json_decref(object);
		return NULL;
	}
	json_object_del(object, MAPPING_REFUSED_LINE);
	json_object_del(object, MAPPING_REFUSED_REASON);
	return object;
}

static bool is_only_reason(struct span line)
{
	if (!mentions(line, MAPPING_REFUSED_REASON))
		return false;
	json_t *object = load(line);
	bool is_empty = object && json_object_size(object) == 0;
	json_decref(object);
	return is_empty;
}

bool jsonl_next(struct jsonl *jsonl, size_t *ret_offset, uint64_t *ret_line, struct span *ret_item)
{
	while (jsonl->offset < jsonl->text.len) {
		size_t offset = jsonl->offset;
		uint64_t line_number = jsonl->line;
		struct span line = jsonl_line_at(jsonl->text, offset);
		const uint8_t *end =
			memchr(jsonl->text.data + offset, '\n', jsonl->text.len - offset);
		jsonl->offset = end ? (size_t)(end - jsonl->text.data) + 1 : jsonl->text.len;
		jsonl->line++;
		if (line.len == 0 || is_only_reason(line))
			continue;
		*ret_offset = offset;
		*ret_line = line_number;
		*ret_item = line;
		return true;
	}
	return false;
}

enum lyc_status jsonl_item(const struct schema_message *message, struct span line, struct buf *to,
			   struct lyc_error *error)
{
	json_t *object = mentions(line, MAPPING_REFUSED_LINE) ? load(line) : NULL;
	if (!object)
		return json_read(message, (const char *)line.data, line.len, to, error);
	enum lyc_status status = LYC_RESOURCE_EXHAUSTED;
	char *text = json_dumps(object, JSON_COMPACT);
	if (text)
		status = json_read(message, text, strlen(text), to, error);
	else
		error_set(error, status, "there is no memory for this line");
	free(text);
	json_decref(object);
	return status;
}

/* What goes wrong while a tree becomes wire bytes: the path, the line, the sentence. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/json_encoder.h"

static int compare_mark(const void *key, const void *mark)
{
	uintptr_t a = (uintptr_t)key;
	uintptr_t b = (uintptr_t)((const struct json_mark *)mark)->value;
	return a < b ? -1 : a > b;
}

const struct json_mark *json_encoder_mark(const struct json_encoder *encoder, const json_t *value)
{
	if (encoder->mark_count == 0)
		return NULL;
	return bsearch(value, encoder->marks, encoder->mark_count, sizeof(*encoder->marks),
		       compare_mark);
}

/* "expert.evidence[2].labels["x"]" from the chain; the root has no name. */
static void write_path(const struct json_place *at, struct buf *path)
{
	if (!at || !at->up)
		return;
	write_path(at->up, path);
	if (at->is_key)
		buf_add_format(path, "[\"%s\"]", at->name);
	else if (at->name)
		buf_add_format(path, "%s%s", path->len ? "." : "", at->name);
	else
		buf_add_format(path, "[%zu]", at->index);
}

static enum lyc_status refuse(struct json_encoder *encoder, const struct json_place *at,
			      const char *sentence)
{
	struct buf path = {0};
	char line[32] = "";
	write_path(at, &path);
	const char *text = path.len ? buf_text(&path) : "";
	const struct json_mark *mark = json_encoder_mark(encoder, at->value);
	/* A list or mapping begins below its key; what is wrong with it is wrong at the key. */
	if (mark && mark->line > 0)
		snprintf(line, sizeof(line),
			 "line %u: ", json_is_string(at->value) ? mark->line : mark->key_line);
	enum lyc_status status =
		error_set_field(encoder->error, LYC_INVALID_ARGUMENT, text, "%s%s %s", line,
				text && *text ? text : "the message", sentence);
	buf_fini(&path);
	return status;
}

enum lyc_status json_encoder_refuse(struct json_encoder *encoder, const struct json_place *at,
				    const char *format, ...)
{
	char sentence[240];
	va_list args;
	va_start(args, format);
	vsnprintf(sentence, sizeof(sentence), format, args);
	va_end(args);
	return refuse(encoder, at, sentence);
}

/* A value as a person recognises it, shortened. */
static void show(const struct json_encoder *encoder, const json_t *value, char *to, size_t size)
{
	struct json_scalar scalar = json_encoder_scalar(encoder, value);
	int len = scalar.text.len > 40 ? 40 : (int)scalar.text.len;
	/* Not in the middle of a character. */
	while (len > 0 && (size_t)len < scalar.text.len && (scalar.text.data[len] & 0xc0) == 0x80)
		len--;
	const char *dots = (size_t)len < scalar.text.len ? "..." : "";
	switch (scalar.kind) {
	case JSON_KIND_LIST:
		snprintf(to, size, "a list");
		break;
	case JSON_KIND_OBJECT:
		snprintf(to, size, "an object");
		break;
	case JSON_KIND_NULL:
		snprintf(to, size, "null");
		break;
	case JSON_KIND_TRUE:
	case JSON_KIND_FALSE:
		snprintf(to, size, scalar.kind == JSON_KIND_TRUE ? "true" : "false");
		break;
	case JSON_KIND_INTEGER:
		snprintf(to, size, "%lld", (long long)scalar.integer);
		break;
	case JSON_KIND_REAL:
		snprintf(to, size, "%.15g", scalar.real);
		break;
	case JSON_KIND_TEXT:
		snprintf(to, size, "\"%.*s%s\"", len, (const char *)scalar.text.data, dots);
		break;
	case JSON_KIND_BIG:
	case JSON_KIND_PLAIN:
	default:
		snprintf(to, size, "%.*s%s", len, (const char *)scalar.text.data, dots);
		break;
	}
}

enum lyc_status json_encoder_wrong(struct json_encoder *encoder, const struct json_place *at,
				   const char *what)
{
	char shown[64];
	show(encoder, at->value, shown, sizeof(shown));
	return json_encoder_refuse(encoder, at, "must be %s, not %s", what, shown);
}

struct json_scalar json_encoder_scalar(const struct json_encoder *encoder, const json_t *value)
{
	struct json_scalar scalar = {.kind = JSON_KIND_NULL};
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		scalar.kind = JSON_KIND_OBJECT;
		break;
	case JSON_ARRAY:
		scalar.kind = JSON_KIND_LIST;
		break;
	case JSON_INTEGER:
		scalar.kind = JSON_KIND_INTEGER;
		scalar.integer = json_integer_value(value);
		break;
	case JSON_REAL:
		scalar.kind = JSON_KIND_REAL;
		scalar.real = json_real_value(value);
		break;
	case JSON_TRUE:
		scalar.kind = JSON_KIND_TRUE;
		break;
	case JSON_FALSE:
		scalar.kind = JSON_KIND_FALSE;
		break;
	case JSON_STRING:
		scalar.kind = JSON_KIND_TEXT;
		scalar.text = span_of(json_string_value(value), json_string_length(value));
		break;
	case JSON_NULL:
	default:
		break;
	}
	const struct json_mark *mark = json_encoder_mark(encoder, value);
	if (mark && mark->is_big)
		scalar.kind = JSON_KIND_BIG;
	if (scalar.kind != JSON_KIND_TEXT || !mark || !mark->is_plain)
		return scalar;
	scalar.kind = JSON_KIND_PLAIN;
	if (scalar.text.len == 0 || span_is(scalar.text, "~") || span_is(scalar.text, "null"))
		scalar.kind = JSON_KIND_NULL;
	else if (span_is(scalar.text, "true"))
		scalar.kind = JSON_KIND_TRUE;
	else if (span_is(scalar.text, "false"))
		scalar.kind = JSON_KIND_FALSE;
	return scalar;
}

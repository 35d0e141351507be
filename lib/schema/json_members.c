/*
 * An object's members against the fields of its message: unknown names, a field said twice, two of
 * one oneof and missing required fields are refused here; the values are json_encoder.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "schema/json_encoder.h"
#include "schema/json_writer.h"
#include "schema/near_name.h"

struct member {
	const struct schema_field *field;
	const json_t *value;
	const char *name;
};

static int by_number(const void *left, const void *right)
{
	uint32_t a = ((const struct member *)left)->field->number;
	uint32_t b = ((const struct member *)right)->field->number;
	return a < b ? -1 : a > b;
}

static int by_oneof(const void *left, const void *right)
{
	const struct member *a = left;
	const struct member *b = right;
	if (a->field->oneof != b->field->oneof)
		return a->field->oneof < b->field->oneof ? -1 : 1;
	return by_number(left, right);
}

static struct json_place place_of(const struct member *member, const struct json_place *at)
{
	return (struct json_place){.up = at, .value = member->value, .name = member->name};
}

/* " (line 3)" in YAML, "" in JSON. */
static const char *line_of(const struct json_encoder *encoder, const json_t *value, char *to,
			   size_t size)
{
	const struct json_mark *mark = json_encoder_mark(encoder, value);
	to[0] = '\0';
	if (mark && mark->line > 0)
		snprintf(to, size, " (line %u)", mark->key_line);
	return to;
}

static enum lyc_status refuse_unknown(struct json_encoder *encoder,
				      const struct schema_message *message,
				      const struct json_place *at, size_t len)
{
	const char *near = near_field_name(message, at->name, len);
	if (near)
		return json_encoder_refuse(encoder, at, "is no field of %s; did you mean '%s'?",
					   message->full_name, near);
	return json_encoder_refuse(encoder, at, "is no field of %s", message->full_name);
}

static enum lyc_status collect(struct json_encoder *encoder, const struct schema_message *message,
			       const struct json_place *at, const char *skip, struct buf *members)
{
	const char *name;
	size_t len;
	json_t *value;
	json_object_keylen_foreach((json_t *)(uintptr_t)at->value, name, len, value)
	{
		if (skip && strcmp(name, skip) == 0)
			continue;
		struct member member = {.field = schema_field_by_name(message, name, len),
					.value = value,
					.name = name};
		if (!member.field) {
			struct json_place unknown = place_of(&member, at);
			return refuse_unknown(encoder, message, &unknown, len);
		}
		member.name = member.field->name;
		buf_add(members, &member, sizeof(member));
	}
	if (members->has_failed)
		return error_set(encoder->error, LYC_RESOURCE_EXHAUSTED,
				 "there is no memory to read the message");
	return LYC_OK;
}

/* Sorted by number, the same field said twice, in both spellings, is side by side. */
static enum lyc_status refuse_twice(struct json_encoder *encoder, const struct json_place *at,
				    const struct member *members, size_t count)
{
	char line[24];
	for (size_t i = 1; i < count; i++) {
		struct json_place place = place_of(&members[i], at);
		if (members[i].field == members[i - 1].field)
			return json_encoder_refuse(
				encoder, &place, "is there twice, as '%s' and as '%s'%s",
				members[i].field->name, members[i].field->json_name,
				line_of(encoder, members[i - 1].value, line, sizeof(line)));
	}
	return LYC_OK;
}

static bool is_said(const struct json_encoder *encoder, const struct member *member)
{
	return json_encoder_scalar(encoder, member->value).kind != JSON_KIND_NULL;
}

/* Needs the members sorted by oneof. */
static enum lyc_status refuse_two_of_oneof(struct json_encoder *encoder,
					   const struct json_place *at,
					   const struct member *members, size_t count)
{
	const struct member *last = NULL;
	char line[24];
	for (size_t i = 0; i < count; i++) {
		if (members[i].field->oneof < 0 || !is_said(encoder, &members[i]))
			continue;
		if (last && last->field->oneof == members[i].field->oneof) {
			struct json_place place = place_of(&members[i], at);
			return json_encoder_refuse(
				encoder, &place, "and %s%s exclude each other: one of '%s' only",
				last->field->name,
				line_of(encoder, last->value, line, sizeof(line)),
				last->field->oneof_name);
		}
		last = &members[i];
	}
	return LYC_OK;
}

static enum lyc_status refuse_missing(struct json_encoder *encoder,
				      const struct schema_message *message,
				      const struct json_place *at, const struct member *members,
				      size_t count)
{
	size_t next = 0;
	for (size_t i = 0; message->is_proto2 && i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[i];
		while (next < count && members[next].field->number < field->number)
			next++;
		bool is_there = next < count && members[next].field == field &&
				is_said(encoder, &members[next]);
		if (field->is_required && !is_there) {
			struct json_place place = {
				.up = at, .value = at->value, .name = field->name};
			return json_encoder_refuse(encoder, &place, "is required");
		}
	}
	return LYC_OK;
}

enum lyc_status json_encoder_members(struct json_encoder *encoder,
				     const struct schema_message *message,
				     const struct json_place *at, const char *skip, struct buf *to)
{
	struct buf bytes = {0};
	enum lyc_status status = collect(encoder, message, at, skip, &bytes);
	struct member *members = (struct member *)(void *)bytes.data;
	size_t count = bytes.len / sizeof(*members);
	if (!status && count > 1) {
		qsort(members, count, sizeof(*members), by_oneof);
		status = refuse_two_of_oneof(encoder, at, members, count);
		qsort(members, count, sizeof(*members), by_number);
		/* The same field twice explains more than two of one oneof. */
		enum lyc_status twice = refuse_twice(encoder, at, members, count);
		status = twice ? twice : status;
	}
	if (!status)
		status = refuse_missing(encoder, message, at, members, count);
	for (size_t i = 0; i < count && !status; i++) {
		struct json_place place = place_of(&members[i], at);
		const struct schema_field *field = members[i].field;
		status = json_encoder_field(encoder, field, &place, field->has_presence, to);
	}
	buf_fini(&bytes);
	return status;
}

enum lyc_status json_encoder_message(struct json_encoder *encoder,
				     const struct schema_message *message,
				     const struct json_place *at, struct buf *to)
{
	if (encoder->depth == SCHEMA_MAX_DEPTH)
		return json_encoder_refuse(encoder, at, "is nested too deeply");
	encoder->depth++;
	enum lyc_status status;
	if (has_known_form(message))
		status = known_read(encoder, message, at, to);
	else if (!json_is_object(at->value))
		status = json_encoder_wrong(encoder, at, "an object");
	else
		status = json_encoder_members(encoder, message, at, NULL, to);
	encoder->depth--;
	return status;
}

enum lyc_status json_encode(struct json_encoder *encoder, const struct schema_message *message,
			    const json_t *root, struct buf *to)
{
	struct json_place at = {.value = root};
	size_t before = to->len;
	enum lyc_status status = json_encoder_message(encoder, message, &at, to);
	if (!status && to->has_failed)
		status = error_set(encoder->error, LYC_RESOURCE_EXHAUSTED,
				   "there is no memory to read the message");
	if (status)
		to->len = before;
	return status;
}

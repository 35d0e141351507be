/*
 * Labels: read off the wire, and judged by the one rule of who may see what. Cutting out what a
 * reader may not see is label_cut.c's.
 */
#include <string.h>

#include "base/pb.h"
#include "schema/schema.h"

enum {
	LABEL_HOME = 1,
	LABEL_VISIBILITY = 2,
	LABEL_AUDIENCE = 3,
	LABEL_ABOUT = 4,
};

/* lyceum.v1.Visibility. */
enum {
	VISIBILITY_PUBLIC = 1,
	VISIBILITY_MEMBERS = 2,
	VISIBILITY_AUDIENCE = 3,
};

/* Of the audience as much as there is: the struct has room for many. */
static void copy(struct label *to, const struct label *from)
{
	to->visibility = from->visibility;
	to->home = from->home;
	to->audience_count = from->audience_count;
	to->is_present = from->is_present;
	for (size_t i = 0; i < from->audience_count; i++)
		to->audience[i] = from->audience[i];
}

enum lyc_status label_read(struct span bytes, struct label *ret_label)
{
	struct label label;
	label_set(&label, 0);
	label.is_present = true;
	bool has_home = false;
	bool has_visibility = false;
	struct pb_reader reader = pb_reader_of(bytes);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		switch (field.number) {
		case LABEL_HOME:
			if (field.wire != PB_LEN || has_home)
				return LYC_INVALID_ARGUMENT;
			label.home = field.bytes;
			has_home = true;
			break;
		case LABEL_VISIBILITY:
			if (field.wire != PB_VARINT || has_visibility)
				return LYC_INVALID_ARGUMENT;
			label.visibility = (int)(uint32_t)field.value;
			has_visibility = true;
			break;
		case LABEL_AUDIENCE:
			if (field.wire != PB_LEN || label.audience_count == LABEL_MAX_AUDIENCE)
				return LYC_INVALID_ARGUMENT;
			label.audience[label.audience_count++] = field.bytes;
			break;
		default:
			break;
		}
	}
	if (reader.has_failed)
		return LYC_INVALID_ARGUMENT;
	copy(ret_label, &label);
	return LYC_OK;
}

enum lyc_status label_at(uint32_t number, struct span body, struct label *ret_label)
{
	struct span found = {0};
	bool is_present = false;
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number != number)
			continue;
		if (field.wire != PB_LEN || is_present)
			return LYC_INVALID_ARGUMENT;
		found = field.bytes;
		is_present = true;
	}
	if (reader.has_failed)
		return LYC_INVALID_ARGUMENT;
	if (is_present)
		return label_read(found, ret_label);
	label_set(ret_label, 0);
	return LYC_OK;
}

enum lyc_status label_of_body(const struct schema_message *message, struct span body,
			      struct label *ret_label)
{
	if (message->label)
		return label_at(message->label->number, body, ret_label);
	label_set(ret_label, 0);
	return LYC_OK;
}

static const struct schema_field *field_of(const struct schema_message *message, uint32_t number)
{
	for (size_t i = 0; i < message->field_count; i++) {
		if (message->fields[i].number == number)
			return &message->fields[i];
	}
	return NULL;
}

/* The depth of a body was checked when it was taken. */
bool label_is_about(const struct schema_message *message, struct span body, struct span person)
{
	bool is_label = message->known == SCHEMA_LABEL;
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	if (!is_label && !message->label && !message->has_label_below)
		return false;
	while (pb_read_field(&reader, &field)) {
		if (field.wire != PB_LEN)
			continue;
		if (is_label && field.number == LABEL_ABOUT && span_equal(field.bytes, person))
			return true;
		const struct schema_field *below =
			is_label ? NULL : field_of(message, field.number);
		if (below && below->message && label_is_about(below->message, field.bytes, person))
			return true;
	}
	return false;
}

/* A name that is missing equals nothing. */
static bool is_name(struct span span, const char *name)
{
	return name && name[0] != '\0' && span_is(span, name);
}

static bool is_named(const struct label *label, const struct readers *readers)
{
	for (size_t i = 0; i < label->audience_count; i++) {
		struct span entry = label->audience[i];
		if (is_name(entry, readers->node) || is_name(entry, readers->person))
			return true;
		for (size_t k = 0; k < readers->group_count; k++) {
			if (is_name(entry, readers->groups[k]))
				return true;
		}
	}
	return false;
}

/* "wales/policy" or "ann@wales", where wales is the home. */
static bool is_within(struct span entry, struct span home)
{
	if (home.len == 0 || entry.len <= home.len + 1)
		return false;
	const uint8_t *tail = entry.data + entry.len - home.len;
	return (memcmp(entry.data, home.data, home.len) == 0 && entry.data[home.len] == '/') ||
	       (memcmp(tail, home.data, home.len) == 0 && tail[-1] == '@');
}

/* An audience that names some people of the home means those, not all of it. The home itself, which
 * is neither a person nor a group, keeps the record and sees it. */
static bool is_narrowed(const struct label *label, struct span home, const struct readers *readers)
{
	if (label->visibility != VISIBILITY_AUDIENCE ||
	    ((!readers->person || !readers->person[0]) && readers->group_count == 0))
		return false;
	for (size_t i = 0; i < label->audience_count; i++) {
		if (is_within(label->audience[i], home))
			return true;
	}
	return false;
}

bool label_may_see(const struct label *label, const char *here, const struct readers *readers)
{
	if (label->visibility == VISIBILITY_PUBLIC || label->visibility == VISIBILITY_MEMBERS)
		return true;
	struct span home = label->home;
	if (home.len == 0 && here)
		home = span_of(here, strlen(here));
	if (is_name(home, readers->node) && !is_narrowed(label, home, readers))
		return true;
	return label->visibility == VISIBILITY_AUDIENCE && is_named(label, readers);
}

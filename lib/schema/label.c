/*
 * Labels: read off the wire, judged by the one rule of who may see what, and obeyed by cutting the
 * parts that a reader may not see out of a body. What is not cut stays byte for byte as it was. A
 * google.protobuf.Any is not looked into.
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

enum lyc_status label_read(struct span bytes, struct label *ret_label)
{
	struct label label = {.is_present = true};
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
	*ret_label = label;
	return LYC_OK;
}

enum lyc_status label_of_body(const struct schema_message *message, struct span body,
			      struct label *ret_label)
{
	struct span found = {0};
	bool is_present = false;
	if (message->label) {
		struct pb_reader reader = pb_reader_of(body);
		struct pb_field field;
		while (pb_read_field(&reader, &field)) {
			if (field.number != message->label->number)
				continue;
			if (field.wire != PB_LEN || is_present)
				return LYC_INVALID_ARGUMENT;
			found = field.bytes;
			is_present = true;
		}
		if (reader.has_failed)
			return LYC_INVALID_ARGUMENT;
	}
	if (is_present)
		return label_read(found, ret_label);
	*ret_label = (struct label){.is_present = false};
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

/* ---- cutting ---- */

struct cutting {
	const char *here;
	struct span home; /* of the keyed message around; empty: none says it */
	const struct readers *readers;
	struct buf *to;
	size_t count;
};

/* The home that the key of a message names: whose it is where its label does not say so. */
static struct span home_in_key(const struct schema_message *message, struct span body)
{
	struct span home = {0};
	if (message->key_count == 0 || strcmp(message->keys[0]->name, "home") != 0)
		return home;
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == message->keys[0]->number && field.wire == PB_LEN)
			home = field.bytes;
	}
	return home;
}

/* Is this submessage refused by its own label? One that may have a label and has none is private.
 */
static enum lyc_status judge(const struct cutting *cutting, const struct schema_message *message,
			     struct span body, bool *ret_is_refused)
{
	struct label label;
	*ret_is_refused = false;
	if (!message->label)
		return LYC_OK;
	enum lyc_status status = label_of_body(message, body, &label);
	if (status == LYC_OK && label.home.len == 0)
		label.home = home_in_key(message, body);
	if (status == LYC_OK && label.home.len == 0)
		label.home = cutting->home;
	if (status == LYC_OK)
		*ret_is_refused = !label_may_see(&label, cutting->here, cutting->readers);
	return status;
}

/* A map entry stands or falls with its value: its key alone may say too much. */
static enum lyc_status judge_entry(const struct cutting *cutting,
				   const struct schema_message *entry, struct span body,
				   bool *ret_is_refused)
{
	const struct schema_message *message = entry->fields[1].message;
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	enum lyc_status status = LYC_OK;
	*ret_is_refused = false;
	while (status == LYC_OK && !*ret_is_refused && pb_read_field(&reader, &field)) {
		if (field.number == 2 && message && field.wire == PB_LEN)
			status = judge(cutting, message, field.bytes, ret_is_refused);
	}
	return reader.has_failed ? LYC_INVALID_ARGUMENT : status;
}

static enum lyc_status cut(struct cutting *cutting, const struct schema_message *message,
			   struct span body, int depth);

/* A submessage: refused, cut below, or as it was. `raw` is the field with its tag. */
static enum lyc_status cut_field(struct cutting *cutting, const struct schema_field *described,
				 const struct pb_field *field, struct span raw, int depth)
{
	bool is_refused;
	enum lyc_status status =
		described->is_map
			? judge_entry(cutting, described->message, field->bytes, &is_refused)
			: judge(cutting, described->message, field->bytes, &is_refused);
	if (status != LYC_OK)
		return status;
	if (is_refused) {
		cutting->count++;
		return LYC_OK;
	}
	size_t len = cutting->to->len;
	size_t count = cutting->count;
	if (described->message->has_label_below) {
		size_t mark = pb_begin(cutting->to, field->number);
		status = cut(cutting, described->message, field->bytes, depth + 1);
		if (status != LYC_OK)
			return status;
		pb_end(cutting->to, mark);
	}
	if (cutting->count == count) {
		cutting->to->len = len;
		buf_add(cutting->to, raw.data, raw.len);
	}
	return LYC_OK;
}

static enum lyc_status cut(struct cutting *cutting, const struct schema_message *message,
			   struct span body, int depth)
{
	if (depth > SCHEMA_MAX_DEPTH)
		return LYC_INVALID_ARGUMENT;
	/* What is below a thing that has a home is at home there, too. */
	struct span outer = cutting->home;
	struct span home = home_in_key(message, body);
	if (home.len > 0)
		cutting->home = home;
	/* From here on nothing has been copied yet. */
	const uint8_t *from = body.data;
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	for (;;) {
		const uint8_t *at = reader.at;
		if (!pb_read_field(&reader, &field))
			break;
		if (field.wire != PB_LEN)
			continue;
		const struct schema_field *described =
			schema_field_by_number(message, field.number);
		if (!described || described->type != SCHEMA_MESSAGE ||
		    (!described->message->label && !described->message->has_label_below))
			continue;
		buf_add(cutting->to, from, (size_t)(at - from));
		from = reader.at;
		enum lyc_status status = cut_field(cutting, described, &field,
						   span_of(at, (size_t)(reader.at - at)), depth);
		if (status != LYC_OK)
			return status;
	}
	if (reader.has_failed)
		return LYC_INVALID_ARGUMENT;
	buf_add(cutting->to, from, (size_t)(reader.at - from));
	cutting->home = outer;
	return LYC_OK;
}

enum lyc_status label_cut(const struct schema_message *message, struct span body, const char *here,
			  const struct readers *readers, struct buf *to, size_t *ret_cut_count)
{
	struct cutting cutting = {.here = here, .readers = readers, .to = to};
	size_t len = to->len;
	enum lyc_status status = LYC_OK;
	if (message->has_label_below)
		status = cut(&cutting, message, body, 1);
	else
		buf_add(to, body.data, body.len);
	if (status == LYC_OK && to->has_failed)
		status = LYC_RESOURCE_EXHAUSTED;
	if (status != LYC_OK) {
		to->len = len;
		return status;
	}
	*ret_cut_count = cutting.count;
	return LYC_OK;
}

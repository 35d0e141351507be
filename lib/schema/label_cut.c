/*
 * Obeying labels: the parts of a body that a reader may not see are cut out, and what is not cut
 * stays byte for byte as it was. A field that the message does not have is judged by the other
 * versions of it that are known; one that none of them has may be a labelled part of a version yet
 * to come, and is private. A google.protobuf.Any is not looked into.
 */
#include <string.h>

#include "base/pb.h"
#include "schema/schema.h"

struct cutting {
	const char *here;
	struct span home; /* of the keyed message around; empty: none says it */
	const struct label_versions *versions;
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

static const struct schema_message *const *versions_of(const struct label_versions *versions,
						       const struct schema_message *message,
						       size_t *ret_count)
{
	*ret_count = 0;
	return versions ? versions->of(versions->types, message, ret_count) : NULL;
}

static bool has_labels(const struct label_versions *versions, const struct schema_message *message,
		       bool with_own)
{
	size_t count;
	const struct schema_message *const *others = versions_of(versions, message, &count);
	bool has_any = message->has_label_below || (with_own && message->label);
	for (size_t i = 0; i < count && !has_any; i++)
		has_any = others[i]->has_label_below || (with_own && others[i]->label);
	return has_any;
}

bool label_is_within(const struct schema_message *message, const struct label_versions *versions)
{
	return has_labels(versions, message, versions != NULL);
}

static bool is_of_labelled(const struct schema_field *field)
{
	return field->type == SCHEMA_MESSAGE &&
	       (field->message->label || field->message->has_label_below);
}

/* What another version says of a field that this one does not have. Where they differ, the one that
 * hides most. */
static const struct schema_field *described_elsewhere(const struct cutting *cutting,
						      const struct schema_message *message,
						      uint32_t number)
{
	size_t count;
	const struct schema_message *const *others =
		versions_of(cutting->versions, message, &count);
	const struct schema_field *found = NULL;
	for (size_t i = 0; i < count; i++) {
		const struct schema_field *field = schema_field_by_number(others[i], number);
		if (field && (!found || (!is_of_labelled(found) && is_of_labelled(field))))
			found = field;
	}
	return found;
}

static bool is_refused_by(const struct cutting *cutting, const struct schema_message *message,
			  struct span body, struct label *label)
{
	if (label->home.len == 0)
		label->home = home_in_key(message, body);
	if (label->home.len == 0)
		label->home = cutting->home;
	return !label_may_see(label, cutting->here, cutting->readers);
}

/* A label that only another version knows: it is obeyed where it is there. Where it is not, whoever
 * wrote the part may have known nothing of it. */
static void judge_elsewhere(const struct cutting *cutting, const struct schema_message *message,
			    struct span body, bool *ret_is_refused)
{
	size_t count;
	struct label label;
	const struct schema_message *const *others =
		versions_of(cutting->versions, message, &count);
	for (size_t i = 0; i < count && !*ret_is_refused; i++) {
		if (!others[i]->label || schema_field_by_number(message, others[i]->label->number))
			continue;
		/* It was never checked: one that cannot be read refuses. */
		if (label_at(others[i]->label->number, body, &label) != LYC_OK)
			*ret_is_refused = true;
		else if (label.is_present)
			*ret_is_refused = is_refused_by(cutting, message, body, &label);
	}
}

/* Is this submessage refused by its own label? One that may have a label and has none is private.
 */
static enum lyc_status judge(const struct cutting *cutting, const struct schema_message *message,
			     struct span body, bool *ret_is_refused)
{
	struct label label;
	*ret_is_refused = false;
	if (message->label) {
		enum lyc_status status = label_of_body(message, body, &label);
		if (status != LYC_OK)
			return status;
		*ret_is_refused = is_refused_by(cutting, message, body, &label);
	}
	judge_elsewhere(cutting, message, body, ret_is_refused);
	return LYC_OK;
}

/* Nobody here can say whether it is a labelled part. */
static bool is_refused_unknown(const struct cutting *cutting)
{
	struct label label = {.home = cutting->home};
	return !label_may_see(&label, cutting->here, cutting->readers);
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
	if (label_is_within(described->message, cutting->versions)) {
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

/* A field that only another version has, or none. It was never checked, so one that is not as that
 * version says is left out. */
static enum lyc_status cut_other(struct cutting *cutting, const struct schema_field *described,
				 const struct pb_field *field, struct span raw, int depth)
{
	size_t len = cutting->to->len;
	size_t count = cutting->count;
	struct span home = cutting->home;
	if (described && cut_field(cutting, described, field, raw, depth) == LYC_OK)
		return LYC_OK;
	cutting->to->len = len;
	cutting->count = count;
	cutting->home = home;
	if (described || is_refused_unknown(cutting))
		cutting->count++;
	else
		buf_add(cutting->to, raw.data, raw.len);
	return LYC_OK;
}

/* NULL: a field that no version has. */
static bool is_worth_a_look(const struct cutting *cutting, const struct schema_field *described)
{
	if (!described)
		return cutting->versions != NULL;
	return described->type == SCHEMA_MESSAGE && described->message->known != SCHEMA_LABEL &&
	       has_labels(cutting->versions, described->message, true);
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
		struct span raw = span_of(at, (size_t)(reader.at - at));
		const struct schema_field *described =
			schema_field_by_number(message, field.number);
		bool is_ours = described != NULL;
		if (!is_ours && cutting->versions)
			described = described_elsewhere(cutting, message, field.number);
		if (!is_worth_a_look(cutting, described))
			continue;
		buf_add(cutting->to, from, (size_t)(at - from));
		from = reader.at;
		enum lyc_status status =
			is_ours ? cut_field(cutting, described, &field, raw, depth)
				: cut_other(cutting, described, &field, raw, depth);
		if (status != LYC_OK)
			return status;
	}
	if (reader.has_failed)
		return LYC_INVALID_ARGUMENT;
	buf_add(cutting->to, from, (size_t)(reader.at - from));
	cutting->home = outer;
	return LYC_OK;
}

enum lyc_status label_cut(const struct schema_message *message,
			  const struct label_versions *versions, struct span body, const char *here,
			  const struct readers *readers, struct buf *to, size_t *ret_cut_count)
{
	struct cutting cutting = {.here = here, .versions = versions, .readers = readers, .to = to};
	size_t len = to->len;
	enum lyc_status status = LYC_OK;
	if (label_is_within(message, versions))
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

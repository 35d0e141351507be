/* Two versions of a message: fields that went or came, keys, its label. */
#include "schema/differ.h"

static void field_is_gone(struct differ *differ, const struct diff_pair *pair,
			  const struct schema_field *field)
{
	struct reserved reserved = reserved_of(pair->newer);
	if (!reserved_has_name(&reserved, field->name))
		differ_report(differ, FIELD_NO_DELETE_UNLESS_NAME_RESERVED, pair->newer->file,
			      &pair->newer->path,
			      "%s lost the field %s = %u and does not reserve the name",
			      pair->newer->full_name, field->name, field->number);
	if (!reserved_has_number(&reserved, field->number))
		differ_report(differ, FIELD_NO_DELETE_UNLESS_NUMBER_RESERVED, pair->newer->file,
			      &pair->newer->path,
			      "%s lost the field %s = %u and does not reserve the number",
			      pair->newer->full_name, field->name, field->number);
	if (field->is_required)
		differ_report(differ, MESSAGE_SAME_REQUIRED_FIELDS, pair->newer->file,
			      &pair->newer->path, "%s lost its required field %s = %u",
			      pair->newer->full_name, field->name, field->number);
}

static bool has_same_keys(const struct schema_message *older, const struct schema_message *newer)
{
	if (older->key_count != newer->key_count)
		return false;
	for (size_t i = 0; i < older->key_count; i++) {
		if (older->keys[i]->number != newer->keys[i]->number)
			return false;
	}
	return true;
}

/* "id.region" of the keys in their order. */
static const char *key_names(const struct schema_message *message, struct buf *to)
{
	for (size_t i = 0; i < message->key_count; i++)
		buf_add_format(to, "%s%s", i > 0 ? "." : "", message->keys[i]->name);
	const char *text = buf_text(to);
	return message->key_count > 0 && text ? text : "none";
}

static void diff_keys(struct differ *differ, const struct diff_pair *pair,
		      const struct schema_message *older, const struct schema_message *newer)
{
	struct buf was = {0};
	struct buf is = {0};
	if (!has_same_keys(older, newer))
		differ_report(differ, LYCEUM_KEY_SAME, pair->newer->file, &pair->newer->path,
			      "the key of %s was %s and is %s: records would change their subjects",
			      newer->full_name, key_names(older, &was), key_names(newer, &is));
	buf_fini(&was);
	buf_fini(&is);
}

/* A part of records may become labelled later: from then on it is cut where it was not. A record
 * itself may not, and no label is ever taken away. */
static void diff_label(struct differ *differ, const struct diff_pair *pair,
		       const struct schema_message *older, const struct schema_message *newer)
{
	bool is_moved =
		older->label && (!newer->label || newer->label->number != older->label->number);
	if (is_moved)
		differ_report(differ, LYCEUM_LABEL_SAME, pair->newer->file, &pair->newer->path,
			      "the label of %s was the field %s = %u and is %s", newer->full_name,
			      older->label->name, older->label->number,
			      newer->label ? newer->label->name : "gone");
	else if (!older->label && newer->label && older->key_count > 0)
		differ_report(differ, LYCEUM_LABEL_SAME, pair->newer->file, &pair->newer->path,
			      "%s has a key and had no label: its records would become private",
			      newer->full_name);
}

static void diff_field(struct differ *differ, const struct diff_pair *pair,
		       const struct schema_message *older, const struct schema_message *newer,
		       size_t index)
{
	const struct schema_field *field = &newer->fields[newer->by_declaration[index]];
	struct diff_field_pair fields = {
		.message = newer,
		.older = schema_field_by_number(older, field->number),
		.newer = field,
		.file = pair->newer->file,
		.path = set_path_down(&pair->newer->path, 2, (uint32_t)index)};
	bool was_required = fields.older && fields.older->is_required;
	if (field->is_required && !was_required)
		differ_report(differ, MESSAGE_SAME_REQUIRED_FIELDS, fields.file, &fields.path,
			      "%s gained the required field %s = %u", newer->full_name, field->name,
			      field->number);
	if (was_required && !field->is_required)
		differ_report(differ, MESSAGE_SAME_REQUIRED_FIELDS, fields.file, &fields.path,
			      "the field %s = %u of %s is required no longer", field->name,
			      field->number, newer->full_name);
	if (fields.older)
		diff_fields(differ, &fields);
	diff_field_rules(differ, &fields);
}

void diff_messages(struct differ *differ, const struct diff_pair *pair)
{
	const struct schema_message *older =
		schema_find_message(differ->older, pair->older->full_name);
	const struct schema_message *newer =
		schema_find_message(differ->newer, pair->newer->full_name);
	/* A map's entry is compared with its field. */
	if (!older || !newer || older->is_map_entry || newer->is_map_entry)
		return;
	if (!older->is_proto2 && newer->is_proto2)
		differ_report(differ, MESSAGE_SAME_JSON_FORMAT, pair->newer->file,
			      &pair->newer->path,
			      "%s went from proto3 to proto2, whose JSON is not canonical",
			      newer->full_name);
	for (size_t i = 0; i < older->field_count; i++) {
		if (!schema_field_by_number(newer, older->fields[i].number))
			field_is_gone(differ, pair, &older->fields[i]);
	}
	for (size_t i = 0; i < newer->field_count; i++)
		diff_field(differ, pair, older, newer, i);
	diff_keys(differ, pair, older, newer);
	diff_label(differ, pair, older, newer);
	diff_reserved(differ, pair);
}

/*
 * Options as .proto text. An extension option's name is found among the top-level extensions of the
 * set, its value printed by the schema's tables; those declared inside a message are left out, as
 * are groups.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "schema/json_writer.h"
#include "schema/proto_text.h"

/* FieldDescriptorProto as far as an extension needs it. */
struct extension {
	struct span name;
	char extendee[SET_MAX_NAME];
	char type_name[SET_MAX_NAME];
	uint32_t number;
	enum schema_type type;
	bool is_repeated;
	const struct set_file *file;
};

/* Without the dot in front. */
static void copy_name(char *to, struct span name)
{
	size_t skip = name.len > 0 && name.data[0] == '.';
	size_t len = name.len - skip < SET_MAX_NAME - 1 ? name.len - skip : SET_MAX_NAME - 1;
	if (len > 0)
		memcpy(to, name.data + skip, len);
	to[len] = '\0';
}

static void read_extension(struct span proto, struct extension *extension)
{
	struct pb_reader reader = pb_reader_of(proto);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		switch (field.number) {
		case 1:
			extension->name = field.bytes;
			break;
		case 2:
			copy_name(extension->extendee, field.bytes);
			break;
		case 3:
			extension->number = (uint32_t)field.value;
			break;
		case 4:
			extension->is_repeated = field.value == 3;
			break;
		case 5:
			extension->type = (enum schema_type)field.value;
			break;
		case 6:
			copy_name(extension->type_name, field.bytes);
			break;
		default:
			break;
		}
	}
}

static bool find_extension(const struct set *set, const char *extendee, uint32_t number,
			   struct extension *ret_extension)
{
	for (size_t i = 0; i < set->file_count; i++) {
		struct pb_reader reader = pb_reader_of(set->files[i].proto);
		struct pb_field field;
		while (pb_read_field(&reader, &field)) {
			struct extension extension = {.file = &set->files[i]};
			if (field.number != 7 || field.wire != PB_LEN)
				continue;
			read_extension(field.bytes, &extension);
			if (extension.number == number &&
			    strcmp(extension.extendee, extendee) == 0) {
				*ret_extension = extension;
				return true;
			}
		}
	}
	return false;
}

void literal_write(struct buf *to, struct span value, bool is_bytes)
{
	buf_add_byte(to, '"');
	for (size_t i = 0; i < value.len; i++) {
		uint8_t c = value.data[i];
		if (c == '"' || c == '\\')
			buf_add_format(to, "\\%c", c);
		else if (c == '\n')
			buf_add_text(to, "\\n");
		else if (c < 0x20 || c == 0x7f || (is_bytes && c >= 0x80))
			buf_add_format(to, "\\%03o", c);
		else
			buf_add_byte(to, c);
	}
	buf_add_byte(to, '"');
}

static void write_real(struct buf *to, const struct pb_field *wire, enum schema_type type)
{
	double value;
	uint32_t half = (uint32_t)wire->value;
	float single;
	memcpy(&value, &wire->value, sizeof(value));
	memcpy(&single, &half, sizeof(single));
	if (type == SCHEMA_FLOAT)
		value = (double)single;
	if (isnan(value))
		buf_add_text(to, "nan");
	else if (isinf(value))
		buf_add_text(to, value < 0 ? "-inf" : "inf");
	else
		json_text_digits(to, value, type == SCHEMA_FLOAT);
}

static void write_message(struct buf *to, const struct schema_message *message, struct span body,
			  unsigned depth);

/* One value as text format has it. */
static void write_value(struct buf *to, enum schema_type type,
			const struct schema_enum *enumeration, const struct schema_message *message,
			const struct pb_field *wire, unsigned depth)
{
	switch ((int)type) {
	case SCHEMA_DOUBLE:
	case SCHEMA_FLOAT:
		write_real(to, wire, type);
		break;
	case SCHEMA_BOOL:
		buf_add_text(to, wire->value ? "true" : "false");
		break;
	case SCHEMA_STRING:
	case SCHEMA_BYTES:
		literal_write(to, wire->bytes, type == SCHEMA_BYTES);
		break;
	case SCHEMA_MESSAGE:
		if (message)
			write_message(to, message, wire->bytes, depth + 1);
		break;
	case SCHEMA_SINT32:
	case SCHEMA_SINT64:
		buf_add_format(to, "%lld", (long long)pb_zigzag_decode(wire->value));
		break;
	case SCHEMA_UINT64:
	case SCHEMA_FIXED64:
		buf_add_format(to, "%llu", (unsigned long long)wire->value);
		break;
	case SCHEMA_UINT32:
	case SCHEMA_FIXED32:
		buf_add_format(to, "%u", (uint32_t)wire->value);
		break;
	case SCHEMA_SFIXED32:
		buf_add_format(to, "%d", (int32_t)(uint32_t)wire->value);
		break;
	case SCHEMA_ENUM:
		for (size_t i = 0; enumeration && i < enumeration->value_count; i++) {
			if (enumeration->values[i].number == (int32_t)(uint32_t)wire->value) {
				buf_add_text(to, enumeration->values[i].name);
				return;
			}
		}
		buf_add_format(to, "%d", (int32_t)(uint32_t)wire->value);
		break;
	default:
		buf_add_format(to, "%lld", (long long)wire->value);
		break;
	}
}

/* "{min: 1, max: 64}". Options are a few lines; packed runs in them are not worth code. */
static void write_message(struct buf *to, const struct schema_message *message, struct span body,
			  unsigned depth)
{
	struct occurrences all = {0};
	buf_add_byte(to, '{');
	enum lyc_status status = depth > SCHEMA_MAX_DEPTH ? LYC_INVALID_ARGUMENT
							  : occurrences_init(&all, message, body);
	to->has_failed |= status == LYC_RESOURCE_EXHAUSTED;
	if (status != LYC_OK)
		goto out;
	bool is_first = true;
	for (size_t i = 0; i < message->field_count; i++) {
		const struct schema_field *field = &message->fields[message->by_declaration[i]];
		struct occurrences of = occurrences_of(&all, field);
		for (size_t j = 0; j < of.count; j++) {
			buf_add_format(to, "%s%s: ", is_first ? "" : ", ", field->name);
			write_value(to, field->type, field->enumeration, field->message,
				    &of.items[j].wire, depth);
			is_first = false;
		}
	}
out:
	occurrences_fini(&all);
	buf_add_byte(to, '}');
}

/* (lyceum.v1.rules).required = true, (lyceum.v1.rules).max_len = 5 is one message in pieces. */
static void join_pieces(struct span options, uint32_t number, struct buf *ret_joined)
{
	struct pb_reader reader = pb_reader_of(options);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == number && field.wire == PB_LEN)
			buf_add(ret_joined, field.bytes.data, field.bytes.len);
	}
}

static bool is_first_piece(struct span options, const struct pb_field *piece)
{
	struct pb_reader reader = pb_reader_of(options);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == piece->number)
			return field.bytes.data == piece->bytes.data;
	}
	return false;
}

static void add_extension(struct option_list *list, struct proto_text *text,
			  const struct extension *extension, struct span options,
			  const struct pb_field *field)
{
	struct buf joined = {0};
	struct pb_field whole = *field;
	bool is_in_pieces = extension->type == SCHEMA_MESSAGE && !extension->is_repeated;
	if (is_in_pieces && !is_first_piece(options, field))
		return;
	if (is_in_pieces) {
		join_pieces(options, field->number, &joined);
		whole.bytes = span_of(joined.data, joined.len);
	}
	const char *package = extension->file->package;
	buf_add_format(&list->text, "(%s%s%.*s) = ", package, *package ? "." : "",
		       (int)extension->name.len, (const char *)extension->name.data);
	write_value(&list->text, extension->type,
		    schema_find_enum(text->schema, extension->type_name),
		    schema_find_message(text->schema, extension->type_name), &whole, 0);
	buf_add_byte(&list->text, '\0');
	list->count++;
	if (!pointers_have(&text->option_files, extension->file))
		buf_add(&text->option_files, &extension->file, sizeof(extension->file));
	list->text.has_failed |= joined.has_failed;
	buf_fini(&joined);
}

/* Those of protobuf's own options that say something about the data. */
static const char *plain_option(const char *kind, const struct pb_field *field)
{
	static const struct {
		const char *kind;
		uint32_t number;
		const char *name;
	} table[] = {
		{"google.protobuf.FieldOptions", 2, "packed"},
		{"google.protobuf.FieldOptions", 3, "deprecated"},
		{"google.protobuf.MessageOptions", 3, "deprecated"},
		{"google.protobuf.EnumOptions", 2, "allow_alias"},
		{"google.protobuf.EnumOptions", 3, "deprecated"},
		{"google.protobuf.EnumValueOptions", 1, "deprecated"},
		{"google.protobuf.ServiceOptions", 33, "deprecated"},
		{"google.protobuf.MethodOptions", 33, "deprecated"},
	};
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (table[i].number == field->number && strcmp(table[i].kind, kind) == 0)
			return table[i].name;
	}
	return NULL;
}

void option_list_add(struct option_list *list, struct proto_text *text, const char *kind,
		     struct span options)
{
	struct pb_reader reader = pb_reader_of(options);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		struct extension extension;
		const char *plain = plain_option(kind, &field);
		if (plain) {
			buf_add_format(&list->text, "%s = %s", plain,
				       field.value ? "true" : "false");
			buf_add_byte(&list->text, '\0');
			list->count++;
		} else if (find_extension(text->set, kind, field.number, &extension)) {
			add_extension(list, text, &extension, options, &field);
		}
	}
}

/*
 * What code relies on beyond the schema language: the fields of well-known types and of map
 * entries, and where labels are. A set that calls something else google.protobuf.Timestamp is
 * refused here, so that nobody behind has to look again.
 */
#include <string.h>

#include "base/error.h"
#include "schema/compile.h"

#define SHAPE_FIELDS 6

struct shape_field {
	uint32_t number;
	enum schema_type type;
	bool is_repeated;
};

struct shape {
	const char *full_name;
	enum schema_known known;
	struct shape_field fields[SHAPE_FIELDS];
};

#define WRAPPER(name, type)                                                                        \
	{                                                                                          \
		"google.protobuf." name, SCHEMA_WRAPPER,                                           \
		{                                                                                  \
			{                                                                          \
				1, type, false                                                     \
			}                                                                          \
		}                                                                                  \
	}

static const struct shape shapes[] = {
	{"google.protobuf.Timestamp",
	 SCHEMA_TIMESTAMP,
	 {{1, SCHEMA_INT64, false}, {2, SCHEMA_INT32, false}}},
	{"google.protobuf.Duration",
	 SCHEMA_DURATION,
	 {{1, SCHEMA_INT64, false}, {2, SCHEMA_INT32, false}}},
	{"google.protobuf.FieldMask", SCHEMA_FIELD_MASK, {{1, SCHEMA_STRING, true}}},
	{"google.protobuf.Struct", SCHEMA_STRUCT, {{1, SCHEMA_MESSAGE, true}}},
	{"google.protobuf.Value",
	 SCHEMA_VALUE,
	 {{1, SCHEMA_ENUM, false},
	  {2, SCHEMA_DOUBLE, false},
	  {3, SCHEMA_STRING, false},
	  {4, SCHEMA_BOOL, false},
	  {5, SCHEMA_MESSAGE, false},
	  {6, SCHEMA_MESSAGE, false}}},
	{"google.protobuf.ListValue", SCHEMA_LIST_VALUE, {{1, SCHEMA_MESSAGE, true}}},
	{"google.protobuf.Any", SCHEMA_ANY, {{1, SCHEMA_STRING, false}, {2, SCHEMA_BYTES, false}}},
	{"google.protobuf.Empty", SCHEMA_EMPTY, {{0}}},
	{"lyceum.v1.Label",
	 SCHEMA_LABEL,
	 {{1, SCHEMA_STRING, false},
	  {2, SCHEMA_ENUM, false},
	  {3, SCHEMA_STRING, true},
	  {4, SCHEMA_STRING, true}}},
	WRAPPER("DoubleValue", SCHEMA_DOUBLE),
	WRAPPER("FloatValue", SCHEMA_FLOAT),
	WRAPPER("Int64Value", SCHEMA_INT64),
	WRAPPER("UInt64Value", SCHEMA_UINT64),
	WRAPPER("Int32Value", SCHEMA_INT32),
	WRAPPER("UInt32Value", SCHEMA_UINT32),
	WRAPPER("BoolValue", SCHEMA_BOOL),
	WRAPPER("StringValue", SCHEMA_STRING),
	WRAPPER("BytesValue", SCHEMA_BYTES),
};

/* Messages that the JSON form of Struct, Value and ListValue takes for granted. */
static const struct {
	const char *full_name;
	uint32_t number;
	const char *below;
} shape_links[] = {
	{"google.protobuf.Struct", 1, "google.protobuf.Struct.FieldsEntry"},
	{"google.protobuf.Struct.FieldsEntry", 2, "google.protobuf.Value"},
	{"google.protobuf.Value", 5, "google.protobuf.Struct"},
	{"google.protobuf.Value", 6, "google.protobuf.ListValue"},
	{"google.protobuf.ListValue", 1, "google.protobuf.Value"},
};

static bool has_shape(const struct schema_message *message, const struct shape *shape)
{
	size_t count = 0;
	while (count < SHAPE_FIELDS && shape->fields[count].number > 0)
		count++;
	if (message->field_count != count)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct schema_field *field = &message->fields[i];
		const struct shape_field *wanted = &shape->fields[i];
		if (field->number != wanted->number || field->type != wanted->type ||
		    field->is_repeated != wanted->is_repeated)
			return false;
	}
	return true;
}

static bool is_map_key(enum schema_type type)
{
	return type != SCHEMA_DOUBLE && type != SCHEMA_FLOAT && type != SCHEMA_BYTES &&
	       type != SCHEMA_MESSAGE && type != SCHEMA_GROUP && type != SCHEMA_ENUM;
}

static bool is_entry(const struct schema_message *message)
{
	const struct schema_field *fields = message->fields;
	return message->field_count == 2 && fields[0].number == 1 && fields[1].number == 2 &&
	       !fields[0].is_repeated && !fields[1].is_repeated && !fields[0].is_required &&
	       !fields[1].is_required && is_map_key(fields[0].type) &&
	       fields[1].type != SCHEMA_GROUP && strcmp(fields[0].name, "key") == 0 &&
	       strcmp(fields[1].name, "value") == 0;
}

static enum lyc_status fault(struct compiling *compiling, const struct schema_message *message)
{
	return error_set(compiling->error, LYC_INVALID_ARGUMENT,
			 "%.120s does not have the fields that a type of this kind has",
			 message->full_name);
}

static bool is_linked(const struct schema_message *message)
{
	for (size_t i = 0; i < sizeof(shape_links) / sizeof(shape_links[0]); i++) {
		if (strcmp(shape_links[i].full_name, message->full_name) != 0)
			continue;
		const struct schema_field *field =
			schema_field_by_number(message, shape_links[i].number);
		if (!field || !field->message ||
		    strcmp(field->message->full_name, shape_links[i].below) != 0)
			return false;
	}
	return true;
}

enum lyc_status shape_check(struct compiling *compiling)
{
	struct schema *schema = compiling->schema;
	for (size_t i = 0; i < schema->message_count; i++) {
		struct schema_message *message = &schema->messages[i];
		if ((message->is_map_entry && !is_entry(message)) || !is_linked(message))
			return fault(compiling, message);
	}
	for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
		struct schema_message *message =
			(struct schema_message *)schema_find_message(schema, shapes[i].full_name);
		if (!message)
			continue;
		if (!has_shape(message, &shapes[i]))
			return fault(compiling, message);
		if (shapes[i].known == SCHEMA_STRUCT &&
		    (!message->fields[0].is_map ||
		     message->fields[0].message->fields[0].type != SCHEMA_STRING))
			return fault(compiling, message);
		message->known = shapes[i].known;
	}
	return LYC_OK;
}

/* ---- labels ---- */

/* "This message is used by that one": the way up. */
struct user {
	struct schema_message *message;
	struct user *next;
};

static void find_own_label(struct schema_message *message)
{
	for (size_t i = 0; i < message->field_count && !message->label; i++) {
		const struct schema_field *field = &message->fields[i];
		if (!field->is_repeated && field->message && field->message->known == SCHEMA_LABEL)
			message->label = field;
	}
}

static enum lyc_status note_users(struct compiling *compiling, struct user **users)
{
	struct schema *schema = compiling->schema;
	for (size_t i = 0; i < schema->message_count; i++) {
		struct schema_message *message = &schema->messages[i];
		for (size_t k = 0; k < message->field_count; k++) {
			const struct schema_message *below = message->fields[k].message;
			if (!below)
				continue;
			struct user *user = arena_get(compiling->scratch, sizeof(*user));
			if (!user)
				return set_no_memory(compiling->error);
			user->message = message;
			user->next = users[below - schema->messages];
			users[below - schema->messages] = user;
		}
	}
	return LYC_OK;
}

enum lyc_status shape_find_labels(struct compiling *compiling)
{
	struct schema *schema = compiling->schema;
	size_t count = schema->message_count;
	struct user **users = arena_get_many(compiling->scratch, count, sizeof(users[0]));
	struct schema_message **waiting =
		arena_get_many(compiling->scratch, count * 2, sizeof(waiting[0]));
	if (!users || !waiting)
		return set_no_memory(compiling->error);
	enum lyc_status status = note_users(compiling, users);
	if (status != LYC_OK)
		return status;
	/* Each message waits at most twice: for its own label, and once for one below. */
	size_t waiting_count = 0;
	for (size_t i = 0; i < count; i++) {
		find_own_label(&schema->messages[i]);
		if (schema->messages[i].label)
			waiting[waiting_count++] = &schema->messages[i];
	}
	while (waiting_count > 0) {
		const struct schema_message *below = waiting[--waiting_count];
		for (struct user *user = users[below - schema->messages]; user; user = user->next) {
			if (user->message->has_label_below)
				continue;
			user->message->has_label_below = true;
			waiting[waiting_count++] = user->message;
		}
	}
	return LYC_OK;
}

/*
 * The schema tables: what a FileDescriptorSet says, compiled once into compact read-only tables.
 * They check bodies on the wire bytes, give JSON both ways, `describe`, keys and labels. A schema
 * is immutable and shared by reference; all functions here that take a const schema may run on any
 * thread. Sets are hostile input: limits apply, nothing recurses deeper than 64.
 */
#ifndef LYC_SCHEMA_SCHEMA_H
#define LYC_SCHEMA_SCHEMA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <lyceum/status.h>

#include "base/buf.h"

#define SCHEMA_MAX_DEPTH 64
#define SCHEMA_MAX_ELEMENTS 65536

struct schema;

/* The numbers of google.protobuf.FieldDescriptorProto.Type. */
enum schema_type {
	SCHEMA_DOUBLE = 1,
	SCHEMA_FLOAT = 2,
	SCHEMA_INT64 = 3,
	SCHEMA_UINT64 = 4,
	SCHEMA_INT32 = 5,
	SCHEMA_FIXED64 = 6,
	SCHEMA_FIXED32 = 7,
	SCHEMA_BOOL = 8,
	SCHEMA_STRING = 9,
	SCHEMA_GROUP = 10,
	SCHEMA_MESSAGE = 11,
	SCHEMA_BYTES = 12,
	SCHEMA_UINT32 = 13,
	SCHEMA_ENUM = 14,
	SCHEMA_SFIXED32 = 15,
	SCHEMA_SFIXED64 = 16,
	SCHEMA_SINT32 = 17,
	SCHEMA_SINT64 = 18,
};

struct schema_enum_value {
	const char *name;
	int32_t number;
};

struct schema_enum {
	const char *full_name;
	/* In declaration order. */
	const struct schema_enum_value *values;
	size_t value_count;
	/* The numbers alone, ascending. */
	const int32_t *numbers;
	bool is_closed; /* proto2: an unknown number is refused */
};

struct schema_rules; /* compiled; see rules.h */
struct check_table;  /* see check.h */

/* How the CLI takes a field; from (lyceum.v1.cli) and (lyceum.v1.header). */
struct schema_field {
	const char *name;
	const char *json_name;
	uint32_t number;
	enum schema_type type;

	bool is_repeated;
	bool is_packed;
	bool is_map;       /* type is the map entry message */
	bool has_presence; /* message, oneof member, proto2 or proto3 optional */
	bool is_required;  /* proto2's own */
	bool is_personal;  /* (lyceum.v1.personal) */
	uint32_t key;      /* (lyceum.v1.key): 1-based token, 0 none */
	int oneof;         /* index within the message, -1 none */
	const char *oneof_name;

	const struct schema_message *message;  /* MESSAGE and map entries */
	const struct schema_enum *enumeration; /* ENUM */
	const struct schema_rules *rules;      /* NULL: none */

	uint32_t cli_positional;
	const char *cli_flag;       /* never NULL */
	const char *const *headers; /* header_count names under which a list may carry it */
	size_t header_count;
	const char *comment;      /* from the source info, cleaned; "" when there is none */
	const char *default_text; /* proto2 default as written, NULL when none */
};

/* What a message is beyond its fields. */
enum schema_known {
	SCHEMA_PLAIN = 0,
	SCHEMA_TIMESTAMP,
	SCHEMA_DURATION,
	SCHEMA_FIELD_MASK,
	SCHEMA_WRAPPER,
	SCHEMA_STRUCT,
	SCHEMA_VALUE,
	SCHEMA_LIST_VALUE,
	SCHEMA_ANY,
	SCHEMA_EMPTY,
	SCHEMA_LABEL, /* lyceum.v1.Label */
};

struct schema_message {
	const char *full_name;
	const char *comment;
	const char *file;    /* that defines it: "lyceum/experts/v1/expert.proto" */
	const char *package; /* "" when there is none */
	/* In order of field number; by_declaration[i] is an index into fields. */
	const struct schema_field *fields;
	size_t field_count;
	const uint16_t *by_declaration;
	/* fields by number for numbers below dense_count; NULL entries for gaps. */
	const struct schema_field *const *dense;
	uint32_t dense_count;
	/* The fields that carry (lyceum.v1.key), in token order; key_count may be 0. */
	const struct schema_field *const *keys;
	size_t key_count;
	/* Its own lyceum.v1.Label field, NULL when it has none; and whether anything below it has
	 * one. */
	const struct schema_field *label;
	bool has_label_below;
	enum schema_known known;
	bool is_map_entry;
	bool is_proto2;
	/* Its oneofs by index; fields name theirs, too. The synthetic ones of proto3 optional are
	 * left out of fields[].oneof but counted here. */
	size_t oneof_count;
	const struct schema *schema;
	const struct check_table *check;
};

/* From (lyceum.v1.command); every string is "" and every list empty when not said. */
struct schema_command {
	const char *verb;
	const char *rows;
	const char *const *columns; /* "HEADING=path" */
	size_t column_count;
	const char *detail;
	const char *const *detail_columns;
	size_t detail_column_count;
	const char *import_items;
	const char *headline;
	const char *const *notes; /* paths */
	size_t note_count;
	bool is_bare;
};

/* From (lyceum.v1.web); every string is "" when not said. */
struct schema_web {
	const char *get;
	const char *post;
	const char *body;
	const char *content_type;
	bool is_open;
};

struct schema_method {
	const char *name;      /* "Say" */
	const char *full_name; /* "lyceum.echo.v1.Echo/Say" */
	const char *comment;
	const struct schema_message *input;
	const struct schema_message *output;
	bool is_server_streaming;
	bool is_client_streaming;
	bool appends;
	struct schema_command command;
	struct schema_web web;
};

struct schema_service {
	const char *full_name;
	const char *comment;
	/* "experts" of "lyceum.experts.v1": the plugin that is expected to serve it is called so.
	 */
	const char *package_word;
	/* The CLI's noun: from (lyceum.v1.noun), else package_word. */
	const char *noun;
	const struct schema_method *methods;
	size_t method_count;
};

/* Compile a serialised FileDescriptorSet with all its imports. INVALID_ARGUMENT with the file and
 * the reason in error; unresolved names, duplicates, a bad pattern and an over-large set are
 * refused. ret_schema has one reference: schema_unref. */
LYC_MUST_USE enum lyc_status schema_new(const void *descriptor_set, size_t len,
					struct schema **ret_schema, struct lyc_error *error);
struct schema *schema_ref(struct schema *schema);
void schema_unref(struct schema *schema);

/* First 8 bytes, big endian, of the SHA-256 of the set: what Record.schema holds. */
uint64_t schema_id(const struct schema *schema);
/* The same of the files of one package only: two sets with the same version of it agree. 0 when the
 * set has no such package. */
uint64_t schema_package_id(const struct schema *schema, const char *package);
/* The set as it was given. Valid as long as the schema. */
struct span schema_bytes(const struct schema *schema);

/* By full name; NULL when absent. schema_find_method takes "package.Service/Method". */
const struct schema_message *schema_find_message(const struct schema *schema,
						 const char *full_name);
const struct schema_enum *schema_find_enum(const struct schema *schema, const char *full_name);
const struct schema_service *schema_find_service(const struct schema *schema,
						 const char *full_name);
const struct schema_method *schema_find_method(const struct schema *schema, const char *full_name);
size_t schema_message_count(const struct schema *schema);
const struct schema_message *schema_message_at(const struct schema *schema, size_t index);
size_t schema_enum_count(const struct schema *schema);
const struct schema_enum *schema_enum_at(const struct schema *schema, size_t index);
size_t schema_service_count(const struct schema *schema);
const struct schema_service *schema_service_at(const struct schema *schema, size_t index);

/* The field of that number, name (or JSON name); NULL. */
const struct schema_field *schema_field_by_number(const struct schema_message *message,
						  uint32_t number);
const struct schema_field *schema_field_by_name(const struct schema_message *message,
						const char *name, size_t len);

/* ---- check.c ---- */

/* Check a body on its wire bytes: wire types, depth, elements, UTF-8, singular fields once, a oneof
 * once, proto2's required; and, with with_rules, the field rules. Allocates nothing.
 * INVALID_ARGUMENT: error->field is the path of the first fault ("expert.evidence[2].doi") and
 * error->text says what is wrong with it. Unknown fields are let through, well-formed, and count as
 * elements; groups are refused. A zero or empty value of a field without presence is an absent one.
 */
LYC_MUST_USE enum lyc_status schema_check(const struct schema_message *message, struct span body,
					  bool with_rules, struct lyc_error *error);

/* ---- key.c ---- */

/* Append the key tokens of a body, joined with '.', escaped for a subject ('.', '*', '>', '%',
 * control bytes and spaces as %XX); numbers and enums in decimal, bools as true and false. Nothing
 * for a type without keys. INVALID_ARGUMENT when a key text is empty, or a number with presence is
 * absent. A key is a field of the message itself. */
LYC_MUST_USE enum lyc_status schema_key(const struct schema_message *message, struct span body,
					struct buf *to, struct lyc_error *error);
/* The same, and in the same walk the serialised label, where the type has a field for it and the
 * body has it. The span borrows the body. */
LYC_MUST_USE enum lyc_status schema_key_and_label(const struct schema_message *message,
						  struct span body, struct buf *to,
						  struct span *ret_label, bool *ret_has_label,
						  struct lyc_error *error);

/* ---- personal.c ---- */

/* Is a field on this path ("expert.contact[0].email", as schema_check names it) about a person? */
bool schema_path_is_personal(const struct schema_message *message, const char *path);
/* Do the subjects of this type tell something about a person? */
bool schema_key_is_personal(const struct schema_message *message);

/* ---- label.c ---- */

/* What a label says, read off the wire. Spans borrow the body. It is long, and nearly always names
 * nobody: of the audience only what is counted is ever written or copied. */
#define LABEL_MAX_AUDIENCE 64
struct label {
	int visibility;   /* lyceum.v1.Visibility by number */
	struct span home; /* empty: not said */
	struct span audience[LABEL_MAX_AUDIENCE];
	size_t audience_count;
	bool is_present;
};

/* A label that says its visibility and nothing else; 0: one that is not there. */
static inline void label_set(struct label *label, int visibility)
{
	label->visibility = visibility;
	label->home = (struct span){0};
	label->audience_count = 0;
	label->is_present = visibility != 0;
}

/* Whoever reads: filled in by policy, carried by calls. `person` "ann@wales" or "". All valid as
 * long as the struct is used. */
struct readers {
	const char *node;
	const char *person;
	const char *const *groups; /* "wales/policy" */
	size_t group_count;
};

/* Read a serialised lyceum.v1.Label. INVALID_ARGUMENT when malformed or with more than
 * LABEL_MAX_AUDIENCE entries. */
LYC_MUST_USE enum lyc_status label_read(struct span bytes, struct label *ret_label);
/* The label of a body: its message's own Label field. is_present is false when the type has none or
 * the body leaves it out. */
LYC_MUST_USE enum lyc_status label_of_body(const struct schema_message *message, struct span body,
					   struct label *ret_label);
/* The label that the field of that number is, of whatever version of the message. */
LYC_MUST_USE enum lyc_status label_at(uint32_t number, struct span body, struct label *ret_label);
/* Does a label of the body, or of a part of it, say that it is about this person? */
bool label_is_about(const struct schema_message *message, struct span body, struct span person);
/* The one rule of who may see what. `here` is the home assumed where the label does not say one.
 * PUBLIC and MEMBERS: every reader. AUDIENCE: a reader whose node, person or one of whose groups is
 * named, and the home's own: all of them, or, where some of its people or groups are named, the
 * home itself and those. PRIVATE and unspecified: the home's own readers only. */
bool label_may_see(const struct label *label, const char *here, const struct readers *readers);

/* ---- label_cut.c ---- */

/* Finds the other versions of a message that are known; there may be none. */
struct label_versions {
	const struct schema_message *const *(*of)(const void *types,
						  const struct schema_message *message,
						  size_t *ret_count);
	const void *types;
};

/* May a body of this message hold labelled parts? With `versions` also where only another version
 * says so, and where the message has a label and may hold parts of a version that is not known. */
bool label_is_within(const struct schema_message *message, const struct label_versions *versions);
/* Copy `body` without the labelled parts that `readers` may not see: a submessage whose own Label
 * refuses the reader is left out as a whole, a map entry together with its value; one of a type
 * with a Label that carries none is private to its home. A label that says no home is of the one
 * that the key of its message, or of one around it, names, else of `here`. With `versions` (may be
 * NULL) what the message does not have is judged by the others, and what none of them has is
 * private. ret_cut_count says how many. Where nothing is cut the bytes are the same. The top
 * message itself is the caller's business. Appends to `to`. */
LYC_MUST_USE enum lyc_status label_cut(const struct schema_message *message,
				       const struct label_versions *versions, struct span body,
				       const char *here, const struct readers *readers,
				       struct buf *to, size_t *ret_cut_count);

/* ---- json_write.c, json_read.c ---- */

struct json_options {
	/* Two-space indentation, otherwise one line. */
	bool is_pretty;
	/* Field names as in the .proto instead of lowerCamelCase. */
	bool use_proto_names;
	/* Also fields that hold their default. */
	bool with_defaults;
};

/* Append the body as canonical proto3 JSON. The body has been checked; malformed bytes give
 * INVALID_ARGUMENT. options may be NULL. */
LYC_MUST_USE enum lyc_status json_write(const struct schema_message *message, struct span body,
					const struct json_options *options, struct buf *to,
					struct lyc_error *error);
/* Append the wire bytes of a JSON text. Takes field names in both spellings; refuses unknown names,
 * duplicates and wrong types, naming the field path, and for broken JSON the line and column. */
LYC_MUST_USE enum lyc_status json_read(const struct schema_message *message, const char *json,
				       size_t len, struct buf *to, struct lyc_error *error);

/* ---- yaml_read.c ---- */

/* The same from YAML (one document, read with libyaml; no anchors, no tags). error->text begins
 * with "line N: ". */
LYC_MUST_USE enum lyc_status yaml_read(const struct schema_message *message, const char *yaml,
				       size_t len, struct buf *to, struct lyc_error *error);

/* The line of a field path ("listen[0].endpoint", as schema_check names the fault) in a YAML text
 * that yaml_read took; of what is around it when it is not said there. 1 when nothing is. */
unsigned yaml_line(const struct schema_message *message, const char *yaml, size_t len,
		   const char *path);

/* ---- describe.c ---- */

/* Append .proto text, comments and options included, of a message, enum, service or method
 * ("package.Service/Method": the method's line, then its input and output). with_below: also the
 * messages and enums that it uses. NOT_FOUND when the schema has no such name. */
LYC_MUST_USE enum lyc_status describe_write(const struct schema *schema, const char *full_name,
					    bool with_below, struct buf *to);

#endif

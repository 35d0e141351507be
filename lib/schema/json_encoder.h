/*
 * From a jansson tree to wire bytes, by the tables. json_read.c and yaml_read.c bring the tree;
 * known_read.c does the types that have a JSON form of their own. Nobody else includes this.
 */
#ifndef LYC_SCHEMA_JSON_ENCODER_H
#define LYC_SCHEMA_JSON_ENCODER_H

#include <jansson.h>

#include "schema/number.h"
#include "schema/schema.h"

/* Where a value of a YAML text stood; of JSON only the whole numbers that stand as text. */
struct json_mark {
	const json_t *value;
	unsigned line; /* 0: not known */
	/* Of its key in a mapping, else the same as line. */
	unsigned key_line;
	/* A scalar without quotes: may be a number, a truth or nothing. */
	bool is_plain;
	/* A number of JSON, beyond 63 bits. */
	bool is_big;
};

struct json_encoder {
	struct lyc_error *error;
	/* Sorted by value. */
	const struct json_mark *marks;
	size_t mark_count;

	unsigned depth;
	size_t element_count;
};

/* Where in the message we are: a chain on the stack, from the inner to the outer. */
struct json_place {
	const struct json_place *up;
	const json_t *value;
	/* A field's name, or a map's key where is_key. NULL: element `index` of a list. */
	const char *name;
	bool is_key;
	size_t index;
};

/* What a scalar of either form says. */
enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_FALSE,
	JSON_KIND_TRUE,
	JSON_KIND_INTEGER,
	JSON_KIND_REAL,
	JSON_KIND_TEXT,  /* a string */
	JSON_KIND_PLAIN, /* YAML without quotes */
	JSON_KIND_BIG,   /* a whole number beyond 63 bits: its digits */
	JSON_KIND_LIST,
	JSON_KIND_OBJECT
};

struct json_scalar {
	enum json_kind kind;
	struct span text; /* TEXT, PLAIN and BIG */
	json_int_t integer;
	double real;
};

/* Append the wire bytes of a whole message. The error names the path of the fault. */
LYC_MUST_USE enum lyc_status json_encode(struct json_encoder *encoder,
					 const struct schema_message *message, const json_t *root,
					 struct buf *to);

LYC_MUST_USE enum lyc_status json_encoder_message(struct json_encoder *encoder,
						  const struct schema_message *message,
						  const struct json_place *at, struct buf *to);
/* One field with its tag; `at` holds its value. keep_zero: also a zero without presence. */
LYC_MUST_USE enum lyc_status json_encoder_field(struct json_encoder *encoder,
						const struct schema_field *field,
						const struct json_place *at, bool keep_zero,
						struct buf *to);
/* The members of an object, without `skip` (may be NULL). */
LYC_MUST_USE enum lyc_status json_encoder_members(struct json_encoder *encoder,
						  const struct schema_message *message,
						  const struct json_place *at, const char *skip,
						  struct buf *to);
/* "PATH must be WHAT, not VALUE". */
LYC_MUST_USE enum lyc_status json_encoder_wrong(struct json_encoder *encoder,
						const struct json_place *at, const char *what);
/* "PATH " and the sentence. */
LYC_MUST_USE enum lyc_status json_encoder_refuse(struct json_encoder *encoder,
						 const struct json_place *at, const char *format,
						 ...) LYC_PRINTF(3, 4);
struct json_scalar json_encoder_scalar(const struct json_encoder *encoder, const json_t *value);
bool json_encoder_number(const struct json_scalar *scalar, bool is_float, double *ret_value);

/* The mark of a value; NULL for JSON. */
const struct json_mark *json_encoder_mark(const struct json_encoder *encoder, const json_t *value);

/* known_read.c: a message for which has_known_form (json_writer.h) holds. */
LYC_MUST_USE enum lyc_status known_read(struct json_encoder *encoder,
					const struct schema_message *message,
					const struct json_place *at, struct buf *to);

#endif

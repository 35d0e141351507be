/*
 * Between json_write.c (messages by their tables) and known_write.c (the types that have a JSON
 * form of their own, such as Timestamp). Nobody else includes this.
 */
#ifndef LYC_SCHEMA_JSON_WRITER_H
#define LYC_SCHEMA_JSON_WRITER_H

#include "base/pb.h"
#include "schema/json_text.h"
#include "schema/schema.h"

struct json_writer {
	struct json_text text;
	struct json_options options;
	struct lyc_error *error;
	unsigned depth;
};

/* One field as it occurs in a body. */
struct occurrence {
	const struct schema_field *field;
	struct pb_field wire;
	size_t order;
};

/* The known fields of a body, sorted by number; those of one number in the order of the body. */
struct occurrences {
	struct occurrence *items;
	size_t count;
};

LYC_MUST_USE enum lyc_status
occurrences_init(struct occurrences *all, const struct schema_message *message, struct span body);
void occurrences_fini(struct occurrences *all);
/* The occurrences of one field; count 0 when there are none. */
struct occurrences occurrences_of(const struct occurrences *all, const struct schema_field *field);

/* Set the error: `what` is a sentence about the message type or field `name`. */
LYC_MUST_USE enum lyc_status json_writer_refuse(struct json_writer *writer, const char *name,
						const char *what);
/* A whole message, in braces or in the form of its own. */
LYC_MUST_USE enum lyc_status json_writer_message(struct json_writer *writer,
						 const struct schema_message *message,
						 struct span body);
/* The members of a message without the braces around them. */
LYC_MUST_USE enum lyc_status json_writer_members(struct json_writer *writer,
						 const struct schema_message *message,
						 struct span body);
/* The value of one field without its name; its default when count is 0. */
LYC_MUST_USE enum lyc_status json_writer_field(struct json_writer *writer,
					       const struct schema_field *field,
					       struct occurrences of);

/* known_write.c: a message whose `known` has_known_form. */
bool has_known_form(const struct schema_message *message);
LYC_MUST_USE enum lyc_status known_write(struct json_writer *writer,
					 const struct schema_message *message, struct span body);

#endif

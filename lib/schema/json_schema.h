/* The tables as JSON Schemas, for OpenAPI and for whoever checks JSON before he sends it. */
#ifndef LYC_SCHEMA_JSON_SCHEMA_H
#define LYC_SCHEMA_JSON_SCHEMA_H

#include "schema/schema.h"

/* Append one JSON object: a member for each of these messages and for all that they use, by full
 * name. A reference is ref_prefix and the name. Types with a JSON form of their own (Timestamp,
 * wrappers) stand in place; of two that share a name the first counts. */
LYC_MUST_USE enum lyc_status json_schema_write(const struct schema_message *const *messages,
					       size_t message_count, const char *ref_prefix,
					       struct buf *to, struct lyc_error *error);

#endif

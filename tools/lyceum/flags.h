/*
 * A request from the words of a command line, by its schema: positional arguments, --flags for
 * fields, --field.sub for fields of fields, and --field '{json}' for a whole message. Knows nothing
 * of the command's own options: those are taken out before.
 */
#ifndef LYC_TOOLS_FLAGS_H
#define LYC_TOOLS_FLAGS_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "schema/schema.h"
#include "suggest.h"

/* The field that a flag without its dashes names, "region" or "label.visibility"; NULL. */
const struct schema_field *flags_find(const struct schema_message *input, const char *flag,
				      size_t len);
/* The field of the Nth argument without a flag, from 1; NULL. */
const struct schema_field *flags_positional(const struct schema_message *input, uint32_t position);
/* Append the request's wire bytes. INVALID_ARGUMENT with a sentence; other_names (ended by NULL)
 * are further flags that a mistyped one may have meant. */
LYC_MUST_USE enum lyc_status flags_read(const struct schema_message *input, int argc, char **argv,
					const char *const *other_names, struct buf *to,
					struct lyc_error *error);
#endif

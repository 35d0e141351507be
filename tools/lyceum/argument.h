/* One word of the command line as a JSON value: numbers, choices, "@FILE" texts, times such as
 * "2026-03-01", durations such as "5min", JSON for a message. */
#ifndef LYC_TOOLS_ARGUMENT_H
#define LYC_TOOLS_ARGUMENT_H

#include <jansson.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "schema/schema.h"

/* NULL with an error that names the flag. The caller owns the value. */
json_t *argument_json(const struct schema_field *field, const char *flag, const char *text,
		      struct lyc_error *error);
/* Append what the field takes: "TEXT", "NUMBER", "CHOICE", "JSON"; nothing for a bool. */
void argument_write_kind(const struct schema_field *field, struct buf *to);

#endif

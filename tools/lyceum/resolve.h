/* Names as people type them: in full, or as much of the end as makes them unique: "Echo/Say" for
 * lyceum.echo.v1.Echo/Say, "Note" for lyceum.echo.v1.Note. */
#ifndef LYC_TOOLS_RESOLVE_H
#define LYC_TOOLS_RESOLVE_H

#include "session.h"

/* NULL with an error that suggests the nearest names. The session is loaded. */
const struct schema_method *resolve_method(const struct session *session, const char *name,
					   struct lyc_error *error);
const struct schema_message *resolve_message(const struct session *session, const char *name,
					     struct lyc_error *error);
/* Anything that can be described: appends the full name and gives the schema. */
const struct schema *resolve_any(const struct session *session, const char *name,
				 struct buf *ret_full_name, struct lyc_error *error);
/* The type of a subject's records, from the schema of that id where it is loaded; NULL. */
const struct schema_message *resolve_subject(const struct session *session, const char *subject,
					     uint64_t schema);

#endif

/*
 * A reply on the screen: a table by the method's (lyceum.v1.command), lines of path and value where
 * it says nothing, or JSON. Below, on stderr, how old what was read is.
 */
#ifndef LYC_TOOLS_RENDER_H
#define LYC_TOOLS_RENDER_H

#include "session.h"

/* Print one reply to stdout. `reply` may carry no more than its body. */
LYC_MUST_USE enum lyc_status render_reply(const struct session *session,
					  const struct schema_method *method,
					  const struct session_reply *reply,
					  struct lyc_error *error);
/* Print a body as one JSON text and a line end; pretty on a terminal where is_pretty. */
LYC_MUST_USE enum lyc_status render_json(const struct session *session,
					 const struct schema_message *message, struct span body,
					 bool is_pretty, struct lyc_error *error);
/* Append the lines that go to stderr before the reply, as the command's notes name them. */
void render_notes(const struct schema_method *method, struct span body, struct buf *to);
/* Append the table's text: what render_reply prints without JSON. */
void render_write(const struct session_output *output, const struct schema_method *method,
		  struct span body, struct buf *to);

#endif

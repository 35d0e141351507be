/*
 * What the journal hears of a call: the chain that it belongs to, where it was given, how it was
 * answered, and why it was refused. Only of traced ones, but for refusals.
 */
#ifndef LYC_HOST_CALL_JOURNAL_H
#define LYC_HOST_CALL_JOURNAL_H

#include "host/router.h"

/* The call came with this traceparent: one that is malformed counts as none. */
void call_journal_begin(struct router *router, struct call *call, struct span traceparent);
/* It waits until the log is far enough; it goes to its callee (NULL: the daemon itself). */
void call_journal_queued(struct router *router, const struct call *call,
			 const struct packet_call *packet);
void call_journal_given(struct router *router, const struct call *call,
			const struct packet_call *packet, const struct session *callee);
/* Its last reply goes back. */
void call_journal_answered(struct router *router, const struct call *call, enum lyc_status status,
			   const char *field, size_t field_len);
/* This daemon ends it with a status; returns the refusal's number, 0 for what is no refusal. The
 * call may have ended before it began: NULL. */
uint64_t call_journal_refused(struct router *router, const struct session *session,
			      const struct call *call, const struct lyc_error *error);

#endif

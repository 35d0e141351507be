/*
 * What the journal hears of a call: the chain that it belongs to, where it was given, how it was
 * answered, and why it was refused.
 */
#ifndef LYC_HOST_CALL_JOURNAL_H
#define LYC_HOST_CALL_JOURNAL_H

#include "host/router.h"

/* The call came with this traceparent: one that is malformed counts as none. */
void call_journal_begin(struct router *router, struct call *call, struct span traceparent);

#endif

/* What the journal hears of peers that were refused: as a session, or what they want to serve. */
#ifndef LYC_NODE_SESSION_JOURNAL_H
#define LYC_NODE_SESSION_JOURNAL_H

#include "node/daemon.h"

/* `session` may be NULL: there is none. */
void session_journal_refused(struct daemon *daemon, const char *identity,
			     const struct session *session, enum journal_kind kind,
			     enum journal_rule rule, enum lyc_status status, const char *text);

#endif

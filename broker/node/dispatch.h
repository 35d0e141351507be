/* What becomes of each packet, and the beginning and end of sessions; inside the daemon only. */
#ifndef LYC_NODE_DISPATCH_H
#define LYC_NODE_DISPATCH_H

#include "node/daemon.h"

/* Everything that belongs to the session ends with it. */
void daemon_end_session(struct daemon *daemon, struct session *session, const char *text);
/* The same after a Goodbye. */
void daemon_dismiss(struct daemon *daemon, struct session *session, enum goodbye_reason reason,
		    const char *text);

/* An instance of a plugin has one session: end those that are left of it. */
void daemon_end_instance_sessions(struct daemon *daemon, const char *identity, const char *text);

#endif

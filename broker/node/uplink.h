/*
 * The connection to the hub: attempts with back-off and jitter, Hello, Welcome, and the end. What
 * travels on it is link.h's business.
 */
#ifndef LYC_NODE_UPLINK_H
#define LYC_NODE_UPLINK_H

#include "node/link.h"

enum uplink_state { UPLINK_NONE = 0, UPLINK_WAITING, UPLINK_GREETING, UPLINK_UP };

struct uplink {
	const struct env *env;
	struct link *link;
	enum uplink_state state;
	uint64_t epoch;
	uint64_t call_credit; /* bytes of calls that this daemon takes from the hub */
	bool has_said_hello;
	uint64_t attempt_ends_ms;
	uint32_t backoff_ms;
	/* The reason that the log has; "": none since the link was up. */
	char logged[160];
};

/* Begin; the first attempt is made by the next tick. */
void uplink_start(struct uplink *uplink, struct link *link);
void uplink_tick(struct uplink *uplink);
/* Welcome has come: its session is the caller's to make. */
void uplink_welcomed(struct uplink *uplink);
/* The attempt or the session has ended, and why. */
void uplink_lost(struct uplink *uplink, const char *text);

#endif

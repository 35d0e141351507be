/*
 * Calls with an idempotency key: each runs at most once, and its reply is remembered for a stated
 * time, across restarts. Before such a call is given to anybody, a record that it was started is
 * synced; its reply is synced before anybody hears it. Both are private records of the log
 * (lyceum.v1.KeyedCall); docs/decisions/0011 says why.
 *
 * A call that runs belongs to nobody's session: whoever makes it waits for it, and may go away. A
 * key is its principal's own.
 */
#ifndef LYC_HOST_ONCE_H
#define LYC_HOST_ONCE_H

#include <stdbool.h>
#include <stdint.h>

#include "host/remembered.h"
#include "route/call.h"

#define ONCE_MAX_KEY 128

struct router;

struct once {
	struct remembered remembered;
	/* The caller of what runs: a session that is nobody's. */
	struct session keeper;
	uint64_t last_run;
	/* The daemon ends: nothing is appended any more. */
	bool is_closed;
};

void once_init(struct router *router);
/* No append and no read of it is under way. */
void once_fini(struct router *router);
/* Forget what is older than it has to be. */
void once_prune(struct router *router);
/* A private record of the log, before the daemon starts. */
void once_replay(struct router *router, uint64_t seq, const struct record *record);

/* Is there anything to say here about this call, whether or not anybody serves it now? */
bool once_knows(const struct router *router, const struct call *call,
		const struct packet_call *packet);
/* The call has passed every check and would be given to somebody of this daemon now: it runs once
 * its start is synced, waits for the same call that runs, gets the reply that is remembered, or is
 * refused. */
void once_take(struct router *router, struct call *call, const struct packet_call *packet);

static inline bool once_is_run(const struct once *once, const struct call *call)
{
	return call->caller == &once->keeper;
}

/* What runs got its last reply, or ended without one. The run's call ends. */
void once_reply(struct router *router, struct call *run, const struct packet_reply *reply);
void once_failed(struct router *router, struct call *run, const struct lyc_error *error);
/* A caller has cancelled, and has its answer: what nobody waits for any more is cancelled. */
void once_cancelled(struct router *router, struct once_run *run);

#endif

/*
 * Calls that may not go on yet: until the log has come to the position that they ask for, or until
 * an instance that retires appends no more. Their bytes have a limit, and their deadline runs on.
 */
#ifndef LYC_HOST_WAITING_H
#define LYC_HOST_WAITING_H

#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "route/call.h"

struct router;

struct waiting_calls {
	struct list for_position;
	struct list for_handover;
	struct list mark;
	size_t max_held; /* bytes of all of them */
	bool has_advanced;
};

void waiting_init(struct waiting_calls *waiting);

/* Has the log come as far as the call asks for? False: it waits, or has ended. */
bool waiting_is_far_enough(struct router *router, struct call *call,
			   const struct packet_call *packet);
/* Would it append beside an instance that is being replaced? */
bool waiting_must_hand_over(struct router *router, const struct call *call,
			    const struct session *callee);
/* Keep it in this list, with its packet. RESOURCE_EXHAUSTED when as much waits as may. */
LYC_MUST_USE enum lyc_status waiting_hold(struct router *router, struct call *call,
					  struct list *list, const struct packet_call *packet,
					  struct lyc_error *error);
/* Keep it until that appends no more. */
LYC_MUST_USE enum lyc_status waiting_for_handover(struct router *router, struct call *call,
						  const struct packet_call *packet,
						  struct lyc_error *error);
/* A record was committed or an origin's position moved: calls that waited for it go on with the
 * turn's end. */
static inline void waiting_advance(struct waiting_calls *waiting)
{
	waiting->has_advanced = true;
}
/* At the end of a turn. */
void waiting_turn(struct router *router);

#endif

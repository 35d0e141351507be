/* Where a call goes. */
#ifndef LYC_HOST_DESTINATION_H
#define LYC_HOST_DESTINATION_H

#include "host/router.h"

/* The home that the request's key begins with: the method runs there. Empty: its key has none. */
struct span destination_home(const struct schema_method *method, struct span body);
/* Who runs the call; ret_session stays NULL for the daemon itself. UNAVAILABLE, UNIMPLEMENTED or
 * NOT_FOUND with a sentence when nobody can. */
LYC_MUST_USE enum lyc_status destination_find(struct router *router, struct session *from,
					      const struct packet_call *call, const char *method,
					      struct method_entry *entry,
					      struct session **ret_session,
					      struct lyc_error *error);

/* Is this daemon the one that should run it, whether or not it can now? */
bool destination_is_here(const struct router *router, const struct packet_call *call,
			 const struct schema_method *method);

#endif

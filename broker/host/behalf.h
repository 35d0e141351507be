/* On whose behalf a call runs: its principal and the groups that it carries. */
#ifndef LYC_HOST_BEHALF_H
#define LYC_HOST_BEHALF_H

#include "policy/policy.h"
#include "route/call.h"
#include "route/session.h"

/* Fill in the call's principal and groups; on failure its groups are those that were taken so far.
 * PERMISSION_DENIED where the session may not speak for them. */
LYC_MUST_USE enum lyc_status behalf_take(struct policy *policy, const struct session *session,
					 const struct packet_call *packet, struct call *call,
					 struct lyc_error *error);

#endif

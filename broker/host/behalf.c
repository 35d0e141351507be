/*
 * Who a call is for: a person's key speaks for itself, a plugin for those whose calls it serves, a
 * node and a bridge for whom the configuration lets them vouch for.
 */
#include "host/behalf.h"

#include <string.h>

#include "base/error.h"

/* A plugin that calls on for somebody whose call it serves calls with that call's groups: it need
 * not know them. Of several such calls nobody can tell which one is meant: with what all have. */
static void take_served_groups(const struct session *plugin, struct call *call)
{
	const struct call *served =
		policy_served_call(plugin, span_of(call->principal, strlen(call->principal)));
	struct span groups[CALL_MAX_GROUPS];
	size_t count = 0;
	if (!served || served->group_count == 0)
		return;
	for (size_t i = 0; i < served->group_count; i++) {
		const char *group = served->groups[i];
		if (policy_all_served_have(plugin, call->principal, group))
			groups[count++] = span_of(group, strlen(group));
	}
	call_take_groups(call, groups, count);
}

enum lyc_status behalf_take(struct policy *policy, const struct session *session,
			    const struct packet_call *packet, struct call *call,
			    struct lyc_error *error)
{
	enum lyc_status status =
		policy_principal(policy, session, packet->principal, call->principal, error);
	if (status != LYC_OK)
		return status;
	bool is_person = session->grants->role == ROLE_PERSON;
	if (session->grants->role == ROLE_PLUGIN && packet->group_count == 0) {
		take_served_groups(session, call);
		return LYC_OK;
	}
	size_t count = is_person ? session->grants->group_count : packet->group_count;
	if (count > CALL_MAX_GROUPS)
		return error_set(error, LYC_INVALID_ARGUMENT, "a call carries at most %d groups",
				 CALL_MAX_GROUPS);
	if (count == 0)
		return LYC_OK;
	struct span groups[CALL_MAX_GROUPS];
	for (size_t i = 0; i < count; i++) {
		struct span group = is_person ? span_of(session->grants->groups[i],
							strlen(session->grants->groups[i]))
					      : packet->groups[i];
		if (!is_person && !policy_vouches_for_group(policy, session, group))
			return error_set(error, LYC_PERMISSION_DENIED,
					 "'%s' may not speak for the group '%.*s'",
					 session->identity, (int)(group.len < 64 ? group.len : 64),
					 (const char *)group.data);
		groups[i] = group;
	}
	call_take_groups(call, groups, count);
	return LYC_OK;
}

/* lyceum.http.v1.Users: what the operator does with people. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "exchange.h"
#include "lyceum/http/v1/users.pb-c.h"

#define DAY_MS (24ull * 60 * 60 * 1000)
#define DEFAULT_DAYS 7

static struct web *web_of(struct lyc_call *call)
{
	return lyc_call_state(call);
}

/* She who lets people in can be anybody here: so nobody but the operator of this node, speaking for
 * the node itself. */
static bool is_allowed(struct lyc_call *call)
{
	if (lyc_call_is_operator(call) &&
	    strcmp(lyc_call_principal(call), lyc_node_name(lyc_call_context(call))) == 0)
		return true;
	lyc_call_fail(call, LYC_PERMISSION_DENIED,
		      "only the operator of %s may say who enters: run this command there with the "
		      "operator's key",
		      lyc_node_name(lyc_call_context(call)));
	return false;
}

static Lyceum__V1__Label private_label(const struct web *web)
{
	Lyceum__V1__Label label = LYCEUM__V1__LABEL__INIT;
	label.home = (char *)(uintptr_t)lyc_node_name(web->context);
	label.visibility = LYCEUM__V1__VISIBILITY__PRIVATE;
	return label;
}

/* ---- Withdrawing ---- */

void users_withdraw_pass(struct web *web, const char *type, const char *id, uint64_t seq,
			 lyc_ack_fn on_done, void *arg)
{
	struct lyc_publish_options options = {.expect = seq > 0, .expect_seq = seq};
	Lyceum__Http__V1__Invitation invitation = LYCEUM__HTTP__V1__INVITATION__INIT;
	Lyceum__Http__V1__Session session = LYCEUM__HTTP__V1__SESSION__INIT;
	bool is_session = strcmp(type, "Session") == 0;
	invitation.home = session.home = (char *)(uintptr_t)lyc_node_name(web->context);
	invitation.id = session.id = (char *)(uintptr_t)id;
	enum lyc_status status =
		lyc_withdraw(web->context, is_session ? &session.base : &invitation.base, &options,
			     on_done, arg);
	if (status != LYC_OK)
		on_done(&(struct lyc_ack){.status = status,
					  .text = "the log takes no more at the moment"},
			arg);
}

void users_take_own(struct web *web, const char *type, const char *key,
		    const ProtobufCMessage *body, uint64_t seq)
{
	char subject[400];
	int len =
		snprintf(subject, sizeof(subject), "lyceum.http.v1.%s.%s.", type, web->users.home);
	for (; *key && len + 4 < (int)sizeof(subject); key++)
		len += snprintf(subject + len, 4, *key == '.' ? "%%2E" : "%c", *key);
	size_t size = body ? protobuf_c_message_get_packed_size(body) : 0;
	uint8_t *bytes = malloc(size + 1);
	if (!bytes)
		return;
	if (body)
		protobuf_c_message_pack(body, bytes);
	users_apply(&web->users, &(struct lyc_delivery){.subject = subject,
							.body = bytes,
							.body_len = size,
							.origin = web->users.home,
							.seq = seq,
							.removed = !body});
	free(bytes);
}

static void on_swept(const struct lyc_ack *ack, void *arg)
{
	(void)ack;
	(void)arg;
}

static void sweep(struct web *web, const struct pass *passes, const char *type, uint64_t now_ms)
{
	size_t count = 0;
	for (const struct pass *pass = passes; pass && count < 1000; pass = pass->by_id.next) {
		if (users_is_good(&web->users, pass, now_ms))
			continue;
		users_withdraw_pass(web, type, pass->id, pass->seq, on_swept, NULL);
		count++;
	}
}

void users_sweep(struct web *web)
{
	uint64_t now_ms = web_wall_ms();
	sweep(web, web->users.invitations, "Invitation", now_ms);
	sweep(web, web->users.sessions, "Session", now_ms);
}

/* ---- Invite ---- */

struct inviting {
	struct lyc_call *call;
	const Lyceum__Http__V1__InviteRequest *request;
	Lyceum__Http__V1__InviteReply_Closure closure;
	struct web *web;
	char token[TOKEN_LEN + 1];
	uint64_t expires_ms;
};

static void answer_invite(struct inviting *inviting, const struct lyc_ack *ack)
{
	Lyceum__Http__V1__InviteReply reply = LYCEUM__HTTP__V1__INVITE_REPLY__INIT;
	const char *node = lyc_node_name(inviting->web->context);
	const char *url = inviting->web->settings.public_url;
	size_t url_len = strlen(url);
	char link[400], principal[160], advice[300], until[40];
	time_t seconds = (time_t)(inviting->expires_ms / 1000);
	struct tm when;
	strftime(until, sizeof(until), "%Y-%m-%d %H:%M UTC", gmtime_r(&seconds, &when));
	while (url_len > 0 && url[url_len - 1] == '/')
		url_len--;
	snprintf(link, sizeof(link), "%.*s/enter?token=%s", (int)url_len, url, inviting->token);
	snprintf(principal, sizeof(principal), "%s@%s", inviting->request->name, node);
	snprintf(advice, sizeof(advice),
		 "For %s alone: whoever has the link enters as %s. It works once, until %s, and is "
		 "shown only now.",
		 inviting->request->name, principal, until);
	reply.name = inviting->request->name;
	reply.link = link;
	reply.principal = principal;
	reply.expires_ms = inviting->expires_ms;
	reply.advice = advice;
	lyc_call_set_position(inviting->call, ack->seq);
	inviting->closure(&reply, inviting->call);
}

static void on_invited(const struct lyc_ack *ack, void *arg)
{
	struct inviting *inviting = arg;
	if (ack->status == LYC_OK)
		answer_invite(inviting, ack);
	else
		lyc_call_fail_append(inviting->call, &lyceum__http__v1__invitation__descriptor,
				     ack);
	free(inviting);
}

static void append_invitation(struct inviting *inviting)
{
	struct web *web = inviting->web;
	Lyceum__Http__V1__Invitation invitation = LYCEUM__HTTP__V1__INVITATION__INIT;
	Lyceum__V1__Label label = private_label(web);
	uint8_t hash[TOKEN_HASH_LEN];
	char id[TOKEN_ID_LEN + 1];
	uint32_t days = inviting->request->days ? inviting->request->days : DEFAULT_DAYS;
	token_make(inviting->token, hash);
	token_id(id);
	invitation.home = label.home;
	invitation.id = id;
	invitation.user = inviting->request->name;
	invitation.token_hash = (ProtobufCBinaryData){sizeof(hash), hash};
	invitation.created_ms = web_wall_ms();
	invitation.expires_ms = inviting->expires_ms = invitation.created_ms + days * DAY_MS;
	invitation.label = &label;
	enum lyc_status status =
		lyc_append(web->context, &invitation.base, NULL, on_invited, inviting);
	if (status != LYC_OK) {
		lyc_call_fail(inviting->call, status, "the log takes no more at the moment");
		free(inviting);
	}
}

static void on_user(const struct lyc_ack *ack, void *arg)
{
	struct inviting *inviting = arg;
	if (ack->status == LYC_OK) {
		append_invitation(inviting);
		return;
	}
	lyc_call_fail_append(inviting->call, &lyceum__http__v1__user__descriptor, ack);
	free(inviting);
}

/* Without "wales/". */
static char *bare_group(const struct web *web, char *group)
{
	return group + strlen(web->users.home) + 1;
}

static enum lyc_status append_user(struct inviting *inviting, const struct user *known)
{
	struct web *web = inviting->web;
	const Lyceum__Http__V1__InviteRequest *request = inviting->request;
	Lyceum__Http__V1__User user = LYCEUM__HTTP__V1__USER__INIT;
	Lyceum__V1__Label label = private_label(web);
	char *groups[64];
	user.home = label.home;
	user.name = request->name;
	user.groups = request->groups;
	user.n_groups = request->n_groups;
	if (request->n_groups == 0 && known && !request->no_groups) {
		user.groups = groups;
		for (size_t i = 0; i < known->group_count && i < 64; i++)
			groups[user.n_groups++] = bare_group(web, known->groups[i]);
	}
	user.call = request->call;
	user.n_call = request->n_call;
	if (request->n_call == 0 && known && !request->every_call) {
		user.call = known->calls;
		user.n_call = known->call_count;
	}
	user.language = request->language[0] ? request->language
			: known              ? (char *)(uintptr_t)known->language
					     : (char *)(uintptr_t) "en";
	user.since_ms = known ? known->since_ms : web_wall_ms();
	user.label = &label;
	return lyc_append(web->context, &user.base, NULL, on_user, inviting);
}

static void users_invite(Lyceum__Http__V1__Users_Service *service,
			 const Lyceum__Http__V1__InviteRequest *request,
			 Lyceum__Http__V1__InviteReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	(void)service;
	if (!is_allowed(call))
		return;
	struct web *web = web_of(call);
	const struct user *known = users_find(&web->users, request->name);
	struct inviting *inviting = calloc(1, sizeof(*inviting));
	if (!inviting) {
		lyc_call_fail(call, LYC_RESOURCE_EXHAUSTED, "there is no memory");
		return;
	}
	*inviting =
		(struct inviting){.call = call, .request = request, .closure = closure, .web = web};
	lyc_call_defer(call);
	enum lyc_status status = append_user(inviting, known);
	if (status != LYC_OK) {
		lyc_call_fail(call, status, "the log takes no more at the moment");
		free(inviting);
	}
}

/* ---- List ---- */

static void users_list(Lyceum__Http__V1__Users_Service *service,
		       const Lyceum__Http__V1__ListRequest *request,
		       Lyceum__Http__V1__ListReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	(void)service;
	(void)request;
	if (!is_allowed(call))
		return;
	struct web *web = web_of(call);
	Lyceum__Http__V1__ListReply reply = LYCEUM__HTTP__V1__LIST_REPLY__INIT;
	size_t count = HASH_CNT(by_name, web->users.all);
	Lyceum__Http__V1__UserInfo *infos = calloc(count + 1, sizeof(*infos));
	char(*times)[40] = calloc(count + 1, sizeof(*times));
	reply.user = calloc(count + 1, sizeof(*reply.user));
	uint64_t now_ms = web_wall_ms();
	for (const struct user *user = web->users.all; infos && times && reply.user && user;
	     user = user->by_name.next) {
		Lyceum__Http__V1__UserInfo *info = &infos[reply.n_user];
		uint64_t last_ms, ignored;
		lyceum__http__v1__user_info__init(info);
		info->name = user->name;
		info->language = (char *)(uintptr_t)user->language;
		info->groups = user->groups;
		info->n_groups = user->group_count;
		info->call = user->calls;
		info->n_call = user->call_count;
		info->invitations = (uint32_t)users_count(&web->users, web->users.invitations,
							  user->name, now_ms, &ignored);
		info->sessions = (uint32_t)users_count(&web->users, web->users.sessions, user->name,
						       now_ms, &last_ms);
		time_t seconds = (time_t)(last_ms / 1000);
		struct tm when;
		if (last_ms)
			strftime(times[reply.n_user], sizeof(*times), "%Y-%m-%dT%H:%M:%SZ",
				 gmtime_r(&seconds, &when));
		info->last_entered = times[reply.n_user];
		reply.user[reply.n_user++] = info;
	}
	closure(&reply, call);
	free(infos);
	free(times);
	free(reply.user);
}

/* ---- Remove ---- */

struct removing {
	struct lyc_call *call;
	const Lyceum__Http__V1__RemoveRequest *request;
	Lyceum__Http__V1__RemoveReply_Closure closure;
	struct web *web;
	uint32_t sessions;
};

static void withdraw_all(struct web *web, const struct pass *passes, const char *type,
			 const char *user)
{
	for (const struct pass *pass = passes; pass; pass = pass->by_id.next) {
		if (strcmp(pass->user, user) == 0)
			users_withdraw_pass(web, type, pass->id, pass->seq, on_swept, NULL);
	}
}

/* Her name is withdrawn: nothing of hers is good any more, whatever becomes of the rest. */
static void on_removed(const struct lyc_ack *ack, void *arg)
{
	struct removing *removing = arg;
	struct web *web = removing->web;
	Lyceum__Http__V1__RemoveReply reply = LYCEUM__HTTP__V1__REMOVE_REPLY__INIT;
	if (ack->status == LYC_OK) {
		const char *name = removing->request->name;
		withdraw_all(web, web->users.invitations, "Invitation", name);
		withdraw_all(web, web->users.sessions, "Session", name);
		users_take_own(web, "User", name, NULL, ack->seq);
		exchanges_end_user(web, name);
		reply.name = removing->request->name;
		reply.sessions = removing->sessions;
		lyc_call_set_position(removing->call, ack->seq);
		removing->closure(&reply, removing->call);
	} else {
		lyc_call_fail_append(removing->call, &lyceum__http__v1__user__descriptor, ack);
	}
	free(removing);
}

static void users_remove(Lyceum__Http__V1__Users_Service *service,
			 const Lyceum__Http__V1__RemoveRequest *request,
			 Lyceum__Http__V1__RemoveReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	(void)service;
	if (!is_allowed(call))
		return;
	struct web *web = web_of(call);
	uint64_t ignored;
	struct removing *removing = NULL;
	if (!users_find(&web->users, request->name)) {
		lyc_call_fail_field(call, LYC_NOT_FOUND, "name",
				    "nobody called %s is known here: lyceum user list",
				    request->name);
		return;
	}
	removing = calloc(1, sizeof(*removing));
	if (!removing) {
		lyc_call_fail(call, LYC_RESOURCE_EXHAUSTED, "there is no memory");
		return;
	}
	*removing = (struct removing){
		.call = call,
		.request = request,
		.closure = closure,
		.web = web,
		.sessions = (uint32_t)users_count(&web->users, web->users.sessions, request->name,
						  web_wall_ms(), &ignored),
	};
	lyc_call_defer(call);
	Lyceum__Http__V1__User user = LYCEUM__HTTP__V1__USER__INIT;
	user.home = (char *)(uintptr_t)lyc_node_name(web->context);
	user.name = request->name;
	enum lyc_status status = lyc_withdraw(web->context, &user.base, NULL, on_removed, removing);
	if (status != LYC_OK) {
		lyc_call_fail(call, status, "the log takes no more at the moment");
		free(removing);
	}
}

static Lyceum__Http__V1__Users_Service users = LYCEUM__HTTP__V1__USERS__INIT(users_);
ProtobufCService *const users_services[] = {&users.base, NULL};

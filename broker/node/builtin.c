/* lyceum.v1.Node: which file answers which method, and who may ask. */
#include "node/daemon.h"

#include <string.h>

#include "base/error.h"
#include "host/report.h"
#include "lyceum/v1/node.pb-c.h"
#include "node/backups.h"
#include "node/erase.h"
#include "node/metrics_reply.h"
#include "node/restart.h"
#include "node/services_reply.h"
#include "node/status_reply.h"
#include "node/why.h"

static enum lyc_status must_be_operator(const struct session *caller, struct lyc_error *error)
{
	if (caller->grants->role == ROLE_OPERATOR)
		return LYC_OK;
	return error_set(error, LYC_PERMISSION_DENIED,
			 "this takes an operator's key of this daemon, and '%s' is none",
			 caller->identity);
}

static enum lyc_status reload_call(struct daemon *daemon, const struct call *call, struct span body,
				   struct lyc_error *error)
{
	Lyceum__V1__ReloadRequest *request =
		lyceum__v1__reload_request__unpack(NULL, body.len, body.data);
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	bool is_check = request->check;
	lyceum__v1__reload_request__free_unpacked(request, NULL);
	if (!daemon->reload)
		return error_set(error, LYC_UNIMPLEMENTED, "this daemon was not read from a file");
	router_builtin_later(&daemon->router);
	return daemon->reload(daemon->env.world, call_id(call), is_check, error);
}

enum lyc_status builtin_call(const char *method, const struct call *call, struct span body,
			     struct buf *ret_reply, struct lyc_error *error, void *arg)
{
	struct daemon *daemon = arg;
	const struct session *caller = call->caller;
	const char *name = strchr(method, '/');
	name = name ? name + 1 : "";
	if (strcmp(name, "Status") == 0) {
		status_reply(daemon, caller->grants->role == ROLE_OPERATOR, ret_reply);
	} else if (strcmp(name, "Services") == 0) {
		services_reply(daemon, ret_reply);
	} else if (strcmp(name, "Why") == 0) {
		return why_call(daemon, call, body, ret_reply, error);
	} else if (strcmp(name, "Metrics") == 0) {
		metrics_reply(daemon, ret_reply);
	} else if (strcmp(name, "Report") == 0) {
		/* A plugin may carry the calls of people: theirs are not its own word. */
		if (strcmp(call->principal, daemon->name) != 0)
			return error_set(error, LYC_PERMISSION_DENIED,
					 "metrics are told by a plugin itself, not for '%s'",
					 call->principal);
		return report_take(&daemon->host, caller, body, error);
	} else if (strcmp(name, "RestartPlugin") == 0) {
		enum lyc_status status = must_be_operator(caller, error);
		return status == LYC_OK ? restart_call(daemon, call, body, error) : status;
	} else if (strcmp(name, "Backup") == 0) {
		return backups_call(daemon, call, body, error);
	} else if (strcmp(name, "Erase") == 0) {
		return erase_call(daemon, call, body, error);
	} else if (strcmp(name, "Reload") == 0) {
		enum lyc_status status = must_be_operator(caller, error);
		return status == LYC_OK ? reload_call(daemon, call, body, error) : status;
	} else if (strcmp(name, "Schema") == 0) {
		Lyceum__V1__SchemaRequest *request =
			lyceum__v1__schema_request__unpack(NULL, body.len, body.data);
		if (!request)
			return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
		enum lyc_status status = schema_reply(daemon, request, ret_reply, error);
		lyceum__v1__schema_request__free_unpacked(request, NULL);
		return status;
	} else {
		return error_set(error, LYC_UNIMPLEMENTED, "lyceum.v1.Node has no method '%s'",
				 name);
	}
	return LYC_OK;
}

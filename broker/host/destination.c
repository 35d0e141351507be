/* Where a call goes: the home in its key, a plugin here, the hub, another node. */
#include "host/destination.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "base/pb.h"

struct session *router_node(struct router *router, struct span name)
{
	list_each (node, &router->sessions->all) {
		struct session *session = list_entry(node, struct session, all);
		if (session->kind == SESSION_NODE && span_is(name, session->identity))
			return session;
	}
	return NULL;
}

struct span destination_home(const struct schema_method *method, struct span body)
{
	const struct schema_message *input = method->input;
	if (input->key_count == 0 || strcmp(input->keys[0]->name, "home") != 0)
		return span_of(NULL, 0);
	struct pb_reader reader = pb_reader_of(body);
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.number == input->keys[0]->number && field.wire == PB_LEN)
			return field.bytes;
	}
	return span_of(NULL, 0);
}

bool destination_is_here(const struct router *router, const struct packet_call *call,
			 const struct schema_method *method)
{
	struct span at = call->at.len > 0 ? call->at : destination_home(method, call->body);
	return at.len == 0 || span_is(at, router->name);
}

static enum lyc_status find_node(struct router *router, struct session *from, struct span node,
				 struct session **ret_session, struct lyc_error *error)
{
	int len = node.len < 64 ? (int)node.len : 64;
	const char *name = (const char *)node.data;
	if (from->kind == SESSION_HUB)
		return error_set(error, LYC_NOT_FOUND, "'%s' is not '%.*s'", router->name, len,
				 name);
	if (router->hub_name[0]) {
		if (!router->hub) {
			journal_because(router->journal, RULE_LINK);
			return error_set(
				error, LYC_UNAVAILABLE,
				"the link to the hub '%s' is down, so '%.*s' cannot be reached",
				router->hub_name, len, name);
		}
		*ret_session = router->hub;
		return LYC_OK;
	}
	*ret_session = router_node(router, node);
	if (*ret_session)
		return LYC_OK;
	char text[65];
	snprintf(text, sizeof(text), "%.*s", len, name);
	const struct grants *grants = policy_find(router->policy, text);
	if (grants && grants->role == ROLE_NODE) {
		journal_because(router->journal, RULE_LINK);
		return error_set(error, LYC_UNAVAILABLE, "'%s' is not connected", text);
	}
	return error_set(error, LYC_NOT_FOUND, "the network has no node '%s'", text);
}

/* What appends runs in one instance: the one that has been there longest. */
static struct offer *pick_here(struct service_entry *service, const struct schema_method *method)
{
	if (!method->appends)
		return services_pick_here(service);
	struct offer *oldest = NULL;
	list_each (node, &service->here) {
		struct offer *offer = list_entry(node, struct offer, of_service);
		if (!oldest || offer->session->serial < oldest->session->serial)
			oldest = offer;
	}
	return oldest;
}

/* What a plugin serves that appends nothing is not known before it has registered. is_meant: this
 * daemon was asked by its name. */
static enum lyc_status nobody_serves(const struct router *router, bool is_meant, const char *method,
				     struct lyc_error *error)
{
	list_each (node, &router->host->plugins) {
		const struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin->state == PLUGIN_STARTING)
			return error_set(
				error, LYC_UNAVAILABLE,
				"nobody serves %s here yet, and the plugin '%s' is starting",
				method, plugin->name);
	}
	if (is_meant)
		return error_set(error, LYC_UNIMPLEMENTED, "'%s' does not serve %s", router->name,
				 method);
	return error_set(error, LYC_UNIMPLEMENTED, "nobody serves %s", method);
}

static enum lyc_status find_abroad(struct router *router, struct session *from,
				   struct service_entry *service, const char *method,
				   struct session **ret_session, struct lyc_error *error)
{
	if (router->hub_name[0] && from->kind != SESSION_HUB) {
		if (!router->hub) {
			journal_because(router->journal, RULE_LINK);
			return error_set(
				error, LYC_UNAVAILABLE,
				"nobody here serves %s, and the link to the hub '%s' is down",
				method, router->hub_name);
		}
		*ret_session = router->hub;
		return LYC_OK;
	}
	struct offer *offer =
		service ? services_pick_abroad(service, span_of(NULL, 0), from) : NULL;
	if (!offer)
		return nobody_serves(router, false, method, error);
	*ret_session = offer->session;
	return LYC_OK;
}

static struct span service_of(const char *method)
{
	const char *slash = strchr(method, '/');
	return span_of(method, slash ? (size_t)(slash - method) : strlen(method));
}

/* The configured plugin that serves it when it runs: lyceum.experts.v1 is of `experts`. */
static const struct plugin *plugin_of(const struct router *router,
				      const struct schema_service *service)
{
	list_each (node, &router->host->plugins) {
		const struct plugin *plugin = list_entry(node, struct plugin, node);
		if (strcmp(plugin->name, service->package_word) == 0)
			return plugin;
	}
	return NULL;
}

enum lyc_status destination_find(struct router *router, struct session *from,
				 const struct packet_call *call, const char *method,
				 struct method_entry *entry, struct session **ret_session,
				 struct lyc_error *error)
{
	struct span at = call->at;
	if (at.len == 0 && entry)
		at = destination_home(entry->method, call->body);
	if (at.len > 0 && !span_is(at, router->name))
		return find_node(router, from, at, ret_session, error);
	if (entry && entry->is_builtin)
		return LYC_OK;
	struct service_entry *service = entry ? services_of_method(router->services, entry)
					      : services_find(router->services, service_of(method));
	struct offer *offer = service && entry ? pick_here(service, entry->method) : NULL;
	if (offer) {
		*ret_session = offer->session;
		return LYC_OK;
	}
	/* Somebody else's answer in place of this node's own would be taken for the whole. */
	const struct plugin *plugin = entry ? plugin_of(router, entry->service) : NULL;
	if (plugin)
		return error_set(error, LYC_UNAVAILABLE,
				 "the plugin '%s', which serves %s here, is not running%s%.80s",
				 plugin->name, method, plugin->text[0] ? ": " : " yet",
				 plugin->text);
	if (at.len > 0)
		return nobody_serves(router, true, method, error);
	/* What appends runs at the home that it is meant for, never wherever somebody happens to
	 * serve it. */
	if (entry && entry->method->appends)
		return error_set(error, LYC_UNAVAILABLE,
				 "no plugin here serves %s, which appends records: start it, or "
				 "say with `at` which node should run it",
				 method);
	return find_abroad(router, from, service, method, ret_session, error);
}

/* Restarts that somebody asked for, until their instances have been replaced. */
#include "node/restart.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "host/upgrade.h"
#include "lyceum/v1/node.pb-c.h"

/* One that is under way. */
struct restart {
	struct list node;
	uint64_t call_id;
	char **titles;
	size_t count;
	size_t open_count;
	struct lyc_error error;
};

static void restart_free(struct restart *restart)
{
	list_remove(&restart->node);
	for (size_t i = 0; i < restart->count; i++)
		free(restart->titles[i]);
	free(restart->titles);
	free(restart);
}

static void finish(struct daemon *daemon, struct restart *restart)
{
	struct buf reply = {0};
	for (size_t i = 0; i < restart->count; i++)
		pb_write_text(&reply, 1, restart->titles[i]);
	router_builtin_done(&daemon->router, restart->call_id, span_of(reply.data, reply.len),
			    &restart->error);
	buf_fini(&reply);
	restart_free(restart);
}

void restart_heard(struct daemon *daemon, const struct plugin *plugin, bool is_good,
		   const char *text)
{
	list_each_safe (node, &daemon->restarts) {
		struct restart *restart = list_entry(node, struct restart, node);
		for (size_t i = 0; i < restart->count; i++) {
			if (strcmp(restart->titles[i], plugin->title) != 0)
				continue;
			if (!is_good)
				error_set(&restart->error, LYC_FAILED_PRECONDITION,
					  "'%s' was not replaced: %.180s", plugin->title, text);
			if (--restart->open_count == 0)
				finish(daemon, restart);
			break;
		}
	}
}

static bool is_meant(const struct plugin *plugin, const char *name)
{
	return plugin_entry_is_shown(plugin) &&
	       (strcmp(plugin->name, name) == 0 || strcmp(plugin->title, name) == 0);
}

/* Taken down first: what begins changes the list. */
static size_t list_meant(struct host *host, const char *name, struct plugin **ret_plugins,
			 size_t max)
{
	size_t count = 0;
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (is_meant(plugin, name) && count < max)
			ret_plugins[count++] = plugin;
	}
	return count;
}

enum lyc_status restart_call(struct daemon *daemon, const struct call *call, struct span body,
			     struct lyc_error *error)
{
	struct plugin *plugins[64];
	Lyceum__V1__RestartPluginRequest *request =
		lyceum__v1__restart_plugin_request__unpack(NULL, body.len, body.data);
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	size_t count = list_meant(&daemon->host, request->name, plugins, 64);
	enum lyc_status status = LYC_OK;
	if (count == 0)
		status = error_set_field(error, LYC_NOT_FOUND, "name",
					 "this daemon has no plugin '%.60s': `lyceum plugins` "
					 "lists those that it has",
					 request->name);
	lyceum__v1__restart_plugin_request__free_unpacked(request, NULL);
	if (status != LYC_OK)
		return status;
	struct restart *restart = mem_new(struct restart);
	restart->call_id = call_id(call);
	restart->titles = mem_get(count * sizeof(char *));
	restart->open_count = count;
	for (; restart->count < count; restart->count++)
		restart->titles[restart->count] = mem_dup(plugins[restart->count]->title);
	list_add_last(&daemon->restarts, &restart->node);
	router_builtin_later(&daemon->router);
	for (size_t i = 0; i < count; i++)
		upgrade_begin(&daemon->host, plugins[i], NULL);
	return LYC_OK;
}

void restart_fini(struct daemon *daemon)
{
	list_each_safe (node, &daemon->restarts)
		restart_free(list_entry(node, struct restart, node));
}

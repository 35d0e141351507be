/* Successors and those that retire. */
#include "host/upgrade.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "log.h"
#include "route/call.h"

#define LOG_TOPIC "host"
#define LEAST_GRACE_MS 2000u

static uint64_t now_of(const struct host *host)
{
	return host->env->now_ms(host->env->world);
}

static void tell(struct host *host, const struct plugin *plugin, bool is_good, const char *text)
{
	if (host->on_upgraded)
		host->on_upgraded(plugin, is_good, text, host->arg);
}

static bool serves(const struct plugin *plugin)
{
	return plugin->instance && plugin->session && plugin->state == PLUGIN_RUNNING;
}

/* In the list behind it, where people expect it. */
static void put_behind(struct plugin *plugin, struct plugin *next)
{
	next->node.prev = &plugin->node;
	next->node.next = plugin->node.next;
	plugin->node.next->prev = &next->node;
	plugin->node.next = &next->node;
}

static void name_anew(struct host *host, struct plugin *next)
{
	struct buf text = {0};
	buf_add_format(&text, "%s~%llu", next->title, (unsigned long long)++host->upgrade_count);
	free(next->identity);
	next->identity = buf_text(&text);
}

void upgrade_begin(struct host *host, struct plugin *plugin, struct plugin *next)
{
	if (!next)
		next = plugin_entry_like(plugin);
	name_anew(host, next);
	next->is_awaited = true;
	next->restarts = plugin->restarts;
	put_behind(plugin, next);
	if (plugin->successor)
		upgrade_fail(host, plugin->successor, "another upgrade began");
	if (serves(plugin)) {
		plugin->successor = next;
		next->incumbent = plugin;
		log_notice("plugin upgrade begins", "plugin", plugin->title, "file", next->path);
	} else {
		upgrade_retire(host, plugin);
	}
}

void upgrade_ask(struct host *host, struct plugin *plugin)
{
	uint64_t now = now_of(host);
	uint64_t grace = LEAST_GRACE_MS;
	if (plugin->session) {
		list_each (node, &plugin->session->calls_given) {
			const struct call *call = list_entry(node, struct call, of_callee);
			if (call->deadline_ms > now + grace)
				grace = call->deadline_ms - now;
		}
	}
	grace = grace < UPGRADE_GRACE_MS ? grace : UPGRADE_GRACE_MS;
	/* Somewhat later than the last deadline, so that the reply says what became of it. */
	host->env->plugin_stop(host->env->world, plugin, (uint32_t)grace + 500);
}

void upgrade_complete(struct host *host, struct plugin *next)
{
	struct plugin *old = next->incumbent;
	if (!old)
		return;
	old->successor = NULL;
	old->is_retiring = true;
	next->incumbent = NULL;
	next->is_awaited = false;
	next->restarts = old->restarts;
	log_notice("plugin upgraded", "plugin", next->title);
	tell(host, next, true, "");
}

void upgrade_fail(struct host *host, struct plugin *next, const char *text)
{
	struct plugin *old = next->incumbent;
	if (old) {
		log_error("plugin upgrade failed, the former instance goes on", "plugin",
			  old->title, "reason", text);
		snprintf(old->text, sizeof(old->text), "its upgrade failed: %.200s", text);
		old->successor = NULL;
		next->incumbent = NULL;
	}
	if (next->is_awaited)
		tell(host, next, false, text);
	next->is_awaited = false;
	if (old)
		upgrade_retire(host, next);
}

void upgrade_retire(struct host *host, struct plugin *plugin)
{
	if (plugin->successor)
		upgrade_fail(host, plugin->successor, "the plugin was taken out");
	if (!plugin->instance) {
		plugin_entry_free(plugin);
		return;
	}
	plugin->is_retiring = true;
	upgrade_ask(host, plugin);
}

bool upgrade_may_append(const struct host *host, const char *name)
{
	list_each (node, &host->plugins) {
		const struct plugin *plugin = list_entry(node, struct plugin, node);
		if (!plugin->is_retiring || !plugin->session ||
		    (name && strcmp(plugin->name, name) != 0))
			continue;
		list_each (given, &plugin->session->calls_given) {
			const struct call *call = list_entry(given, struct call, of_callee);
			if (!call->method || call->method->appends)
				return true;
		}
	}
	return false;
}

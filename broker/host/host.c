/* Plugins: started, watched, started again. */
#include "host/host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "host/instance.h"
#include "host/upgrade.h"
#include "route/call.h"
#include "log.h"
#include "lyceum/v1/config.pb-c.h"

#define LOG_TOPIC "host"
#define FIRST_BACKOFF_MS 250u
#define LAST_BACKOFF_MS 60000u
/* After the deadline of its last call an instance may take so long to come back. */
#define BACK_MS 1000u
/* Between two lines about what one instance does wrong. */
#define FAULT_LOG_MS 10000u
/* An instance that ran this long starts its back-off anew. */
#define STABLE_MS 30000u

void host_init(struct host *host)
{
	list_init(&host->plugins);
}

void host_configure(struct host *host, const Lyceum__V1__Config *config, const char *default_folder)
{
	for (size_t i = 0; i < config->n_plugins; i++) {
		uint32_t instances = config->plugins[i]->instances;
		for (uint32_t number = 1; number <= (instances ? instances : 1); number++)
			list_add_last(&host->plugins,
				      &plugin_entry_new(config->plugins[i], number, default_folder)
					       ->node);
	}
}

void host_fini(struct host *host)
{
	list_each_safe (node, &host->plugins)
		plugin_entry_free(list_entry(node, struct plugin, node));
}

static uint64_t now_of(const struct host *host)
{
	return host->env->now_ms(host->env->world);
}

static void enter(struct host *host, struct plugin *plugin, enum plugin_state state,
		  const char *text)
{
	plugin->state = state;
	plugin->since_ms = now_of(host);
	snprintf(plugin->text, sizeof(plugin->text), "%s", text);
}

/* Half of the back-off for certain, the other half by chance, so that a crowd does not come back at
 * once. */
static void wait_out(struct host *host, struct plugin *plugin, const char *text)
{
	uint64_t half = plugin->backoff_ms / 2;
	enter(host, plugin, PLUGIN_WAITING, text);
	plugin->retry_at_ms =
		now_of(host) + half + host->env->random(host->env->world) % (half + 1);
	if (plugin->backoff_ms < LAST_BACKOFF_MS)
		plugin->backoff_ms *= 2;
}

/* Nobody serves in its stead where it was to replace one that does not run: then it is tried
 * again. */
static void fails_to_begin(struct host *host, struct plugin *plugin, const char *text)
{
	bool has_incumbent = plugin->incumbent != NULL;
	upgrade_fail(host, plugin, text);
	if (!has_incumbent)
		wait_out(host, plugin, text);
}

static void start(struct host *host, struct plugin *plugin)
{
	struct lyc_error error = {0};
	plugin->is_hung = false;
	enter(host, plugin, PLUGIN_STARTING, "");
	enum lyc_status status = host->env->plugin_start(host->env->world, plugin, &error);
	if (status == LYC_OK)
		return;
	log_error("plugin cannot be started", "plugin", plugin->title, "reason", error.text);
	if (plugin->incumbent || plugin->is_awaited)
		fails_to_begin(host, plugin, error.text);
	else
		wait_out(host, plugin, error.text);
}

/* Has it a call under way whose deadline has not passed? It may be busy with that. */
static bool is_busy(const struct plugin *plugin, uint64_t now)
{
	if (!plugin->session)
		return false;
	list_each (node, &plugin->session->calls_given) {
		if (list_entry(node, struct call, of_callee)->deadline_ms > now)
			return true;
	}
	return false;
}

static bool hangs(struct plugin *plugin, uint64_t now)
{
	/* It waits for its turn, or is being stopped, which has a time of its own. */
	if (plugin->pending.len > 0 || plugin->is_retiring)
		return false;
	uint64_t heard_ms = plugin->session ? plugin->session->last_heard_ms : plugin->since_ms;
	if (now - heard_ms < plugin->hang_ms)
		return false;
	if (is_busy(plugin, now))
		plugin->busy_ms = now;
	return now - plugin->busy_ms >= BACK_MS;
}

/* A process is killed and comes back; a thread cannot be: it stays as it is. */
static void end_hung(struct host *host, struct plugin *plugin)
{
	char text[200];
	plugin->is_hung = true;
	snprintf(text, sizeof(text), "it hung: nothing was heard of it for %u ms (hang_ms)%s",
		 plugin->hang_ms,
		 plugin->in_thread ? ", and a thread cannot be ended: restart the daemon"
				   : "; it was killed");
	log_warning("plugin hangs", "plugin", plugin->title, "reason", text);
	enter(host, plugin, plugin->state, text);
	if (host->on_hung)
		host->on_hung(plugin, text, host->arg);
	host->env->plugin_stop(host->env->world, plugin, 0);
}

void host_tick(struct host *host)
{
	uint64_t now = now_of(host);
	if (host->is_stopping)
		return;
	list_each_safe (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin->state == PLUGIN_WAITING && now >= plugin->retry_at_ms &&
		    !plugin->is_retiring) {
			start(host, plugin); /* which may free it */
			continue;
		}
		if (plugin->state == PLUGIN_RUNNING && now - plugin->since_ms > STABLE_MS)
			plugin->backoff_ms = FIRST_BACKOFF_MS;
		if (plugin->instance && !plugin->is_hung && hangs(plugin, now))
			end_hung(host, plugin);
	}
}

struct plugin *host_find(struct host *host, const char *identity)
{
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (strcmp(plugin->identity, identity) == 0)
			return plugin;
	}
	return NULL;
}

struct plugin *host_find_title(struct host *host, const char *title)
{
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin_entry_is_shown(plugin) && strcmp(plugin->title, title) == 0)
			return plugin;
	}
	return NULL;
}

void host_connected(struct plugin *plugin, struct session *session)
{
	plugin->session = session;
}

void host_registered(struct host *host, struct plugin *plugin, struct session *session)
{
	plugin->session = session;
	if (plugin->state != PLUGIN_RUNNING)
		log_notice("plugin running", "plugin", plugin->title);
	enter(host, plugin, PLUGIN_RUNNING, "");
	if (plugin->is_awaited && host->on_upgraded)
		host->on_upgraded(plugin, true, "", host->arg);
	plugin->is_awaited = false;
}

void host_session_lost(struct host *host, struct session *session)
{
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin->session != session)
			continue;
		plugin->session = NULL;
		if (plugin->state == PLUGIN_RUNNING && !plugin->is_hung)
			enter(host, plugin, PLUGIN_STARTING, "its connection was lost");
	}
}

void host_refused(struct host *host, struct plugin *plugin, const char *text)
{
	log_error("plugin refused", "plugin", plugin->title, "reason", text);
	enter(host, plugin, PLUGIN_FAILED, text);
	if (plugin->incumbent || plugin->is_awaited)
		upgrade_fail(host, plugin, text);
}

static void tell_end(struct host *host, struct plugin *plugin, bool is_final, const char *text)
{
	bool is_awaited = plugin->incumbent || plugin->is_awaited;
	if (host->is_stopping) {
		enter(host, plugin, PLUGIN_STOPPED, "");
	} else if (plugin->is_retiring) {
		log_info("plugin instance has finished", "plugin", plugin->identity, "how", text);
		plugin_entry_free(plugin);
	} else if (plugin->state == PLUGIN_FAILED) {
		/* refused before; it stays so */
	} else if (is_final && plugin->is_hung) {
		log_error("plugin given up", "plugin", plugin->title, "reason", text);
		enter(host, plugin, PLUGIN_FAILED, text);
		if (is_awaited)
			upgrade_fail(host, plugin, text);
	} else if (is_final) {
		host_refused(host, plugin, text);
	} else if (is_awaited) {
		log_warning("plugin ended", "plugin", plugin->title, "reason", text);
		fails_to_begin(host, plugin, text);
	} else {
		plugin->restarts++;
		log_warning("plugin ended", "plugin", plugin->title, "reason", text);
		wait_out(host, plugin, text);
	}
}

void host_exited(struct host *host, struct plugin *plugin, bool is_final, const char *text)
{
	char hung[sizeof(plugin->text)];
	plugin->pid = 0;
	plugin->instance = NULL;
	buf_fini(&plugin->report);
	if (plugin->is_hung) {
		memcpy(hung, plugin->text, sizeof(hung));
		text = hung;
	}
	/* Who was to take its place does so as soon as it can. */
	if (plugin->successor && !host->is_stopping) {
		plugin->successor->incumbent = NULL;
		plugin->successor = NULL;
		plugin->is_retiring = true;
	}
	tell_end(host, plugin, is_final, text);
}

void host_fault(struct host *host, const struct session *session, const char *text)
{
	uint64_t now = now_of(host);
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin->session != session)
			continue;
		plugin->faults++;
		snprintf(plugin->last_fault, sizeof(plugin->last_fault), "%s", text);
		if (plugin->fault_logged_ms && now - plugin->fault_logged_ms < FAULT_LOG_MS)
			return;
		plugin->fault_logged_ms = now;
		log_warning("plugin answers wrongly", "plugin", plugin->title, "reason", text);
		return;
	}
}

void host_line(struct host *host, struct plugin *plugin, int level, const char *text)
{
	(void)host;
	if (level != INSTANCE_CONFINED) {
		log_write((enum log_level)level, plugin->title, text, NULL);
		return;
	}
	snprintf(plugin->confined, sizeof(plugin->confined), "%s", text);
	log_write(LOG_INFO, plugin->title, text, NULL);
}

void host_stop(struct host *host, uint32_t grace_ms)
{
	host->is_stopping = true;
	list_each (node, &host->plugins) {
		struct plugin *plugin = list_entry(node, struct plugin, node);
		if (plugin->instance)
			host->env->plugin_stop(host->env->world, plugin, grace_ms);
		else
			enter(host, plugin, PLUGIN_STOPPED, "");
	}
}

size_t host_running(const struct host *host)
{
	size_t count = 0;
	list_each (node, &host->plugins) {
		if (list_entry(node, struct plugin, node)->instance)
			count++;
	}
	return count;
}

/*
 * The plugins that the configuration names: each instance is started, watched, and started again
 * with a growing back-off when it ends. What an instance is (a process, a thread) is the world's
 * business.
 */
#ifndef LYC_HOST_HOST_H
#define LYC_HOST_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "base/rng.h"
#include "host/plugin_entry.h"
#include "policy/policy.h"
#include "route/env.h"
#include "route/session.h"

struct host {
	const struct env *env;
	struct policy *policy;
	struct list plugins;
	bool is_stopping;
	uint64_t upgrade_count;
	/* An instance hangs: whoever waits for it is to be told. It is ended afterwards. */
	void (*on_hung)(struct plugin *plugin, const char *text, void *arg);
	/* An upgrade has succeeded, or has not, and why. `plugin` is the new instance. */
	void (*on_upgraded)(const struct plugin *plugin, bool is_good, const char *text, void *arg);
	void *arg;
};

struct Lyceum__V1__Config;

void host_init(struct host *host);
/* One entry per instance. `default_folder` is where a plugin without a path lies. */
void host_configure(struct host *host, const struct Lyceum__V1__Config *config,
		    const char *default_folder);
void host_fini(struct host *host);
/* Start what is due, end what hangs. */
void host_tick(struct host *host);
struct plugin *host_find(struct host *host, const char *identity);
/* The instance that people call so; NULL. */
struct plugin *host_find_title(struct host *host, const char *title);
/* The instance has said Hello; it has registered its services; its session has ended. */
void host_connected(struct plugin *plugin, struct session *session);
void host_registered(struct host *host, struct plugin *plugin, struct session *session);
void host_session_lost(struct host *host, struct session *session);
/* The instance refused to load, or the daemon refused what it registered: starting it again is no
 * use until somebody mends it. */
void host_refused(struct host *host, struct plugin *plugin, const char *text);
/* The instance has ended. `is_final`: by its own refusal to start. */
void host_exited(struct host *host, struct plugin *plugin, bool is_final, const char *text);
/* It did something wrong that ends with one call: counted, shown, logged now and then. Nothing
 * where the session is not a plugin's. */
void host_fault(struct host *host, const struct session *session, const char *text);
/* It has said something: level as in log.h, or INSTANCE_CONFINED. */
void host_line(struct host *host, struct plugin *plugin, int level, const char *text);
void host_stop(struct host *host, uint32_t grace_ms);
/* Instances that have not ended. */
size_t host_running(const struct host *host);

#endif

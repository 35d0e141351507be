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
#include "policy/policy.h"
#include "route/env.h"
#include "route/session.h"

enum plugin_state {
	PLUGIN_STARTING = 1,
	PLUGIN_RUNNING = 2,
	PLUGIN_WAITING = 3,
	PLUGIN_FAILED = 4,
	PLUGIN_STOPPED = 5,
};

struct plugin {
	struct list node;
	char *name;     /* of the plugin: "experts" */
	char *identity; /* of the instance and its key: "experts", "experts.2" */
	char *path;
	char *config_file; /* NULL */
	bool in_thread;
	/* As lyceum-plugin takes it: "asked", "required", "none"; and what the operator adds. */
	const char *confine;
	char **reach;
	size_t reach_count;
	uint64_t memory_limit; /* bytes; 0: the default */
	uint32_t hang_ms;

	enum plugin_state state;
	uint64_t since_ms;
	uint64_t retry_at_ms;
	uint32_t backoff_ms;
	uint64_t restarts;
	int64_t pid;
	char text[240];
	/* How its process says that it is confined, in words; "" until then. */
	char confined[400];
	/* From its Hello on. */
	struct session *session;
	/* Nothing was heard of it for too long: it is being ended. */
	bool is_hung;
	/* When it last had a call under way. */
	uint64_t busy_ms;
	/* What it did wrong while it ran. */
	uint64_t faults;
	char last_fault[200];
	uint64_t fault_logged_ms;
	/* The ReportRequest that it sent last: its own metrics. */
	struct buf report;
	/* The world's handle. */
	void *instance;
};

struct host {
	const struct env *env;
	struct policy *policy;
	struct list plugins;
	bool is_stopping;
	/* An instance hangs: whoever waits for it is to be told. It is ended afterwards. */
	void (*on_hung)(struct plugin *plugin, const char *text, void *arg);
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

/* One configured instance of a plugin, as the host knows it: what was configured, and how it is. */
#ifndef LYC_HOST_PLUGIN_ENTRY_H
#define LYC_HOST_PLUGIN_ENTRY_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/list.h"
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
	char *name;  /* of the plugin: "experts" */
	char *title; /* of the instance, for people, its folder and its durable names: "experts.2"
		      */
	/* Of its key: the title; with "~" and a number after an upgrade, so that two of one title
	 * can be there at the same time. */
	char *identity;
	char *path;
	char *config_file; /* NULL */
	bool in_thread;
	/* As lyceum-plugin takes it: "asked", "required", "none"; and what the operator adds. */
	const char *confine;
	char **reach;
	size_t reach_count;
	uint64_t memory_limit; /* bytes; 0: the default */
	uint32_t hang_ms;
	/* What its files were like when it was started: the world's, to compare. */
	uint64_t stamp;

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

	/* An upgrade, host/upgrade.h: who takes this one's place, and whose place this one takes;
	 * NULL when there is none. */
	struct plugin *successor;
	struct plugin *incumbent;
	/* A successor's Register, from when it could take over until the incumbent lets go. */
	struct buf pending;
	uint64_t pending_ms;
	/* It finishes its calls and ends; then the entry is removed. */
	bool is_retiring;
	/* Somebody wants to hear how its start goes. */
	bool is_awaited;
};

struct Lyceum__V1__PluginConfig;

/* `number` is the instance's, from 1; `default_folder` where a plugin without a path lies. */
struct plugin *plugin_entry_new(const struct Lyceum__V1__PluginConfig *config, uint32_t number,
				const char *default_folder);
/* One more of the same title and configuration. */
struct plugin *plugin_entry_like(const struct plugin *plugin);
void plugin_entry_free(struct plugin *plugin);
/* Is it what people call an instance? Not one that starts beside another, or finishes. */
bool plugin_entry_is_shown(const struct plugin *plugin);

#endif

/*
 * Plugins of a fake daemon. Each has a thread of its own that runs only while it has the baton:
 * whoever runs the world hands it over when a frame has come, a descriptor stirs or its time is
 * due, and gets it back when the plugin waits. So one thread runs at a time, in an order that
 * depends on nothing else, and a waiting call is no different from the end of a method.
 */
#ifndef LYC_FAKE_FAKE_PLUGIN_H
#define LYC_FAKE_FAKE_PLUGIN_H

#include "fake/fake_node.h"

struct lyc_plugin;

struct fake_plugin_options {
	/* The descriptor, where it is linked in; NULL: what the .so at plugin->path exports. */
	const struct lyc_plugin *linked;
	/* Exists. Borrowed as long as the plugin runs, as is the configuration (NULL: none). */
	const char *data_folder;
	const char *config_file;
	/* What it says, on whichever thread has the baton; NULL: to the daemon's log. */
	void (*on_line)(int level, const char *text, void *arg);
	void *arg;
};

/* For the hooks of struct env: plugin->instance is it, daemon_instance_ended is called at its end.
 */
LYC_MUST_USE enum lyc_status fake_plugin_start(struct fake_node *node, struct plugin *plugin,
					       const struct fake_plugin_options *options,
					       struct lyc_error *error);
void fake_plugin_stop(struct plugin *plugin);
/* Give the baton, once, to each that has something to do, and their frames to their daemons. False:
 * none had. */
bool fake_plugins_run(struct fake_world *world);
/* When the next has something to do if nothing comes before; UINT64_MAX: never. */
uint64_t fake_plugins_due(const struct fake_world *world);
/* The daemon has gone without a word: its plugins' threads end, and what they still say is lost. */
void fake_plugins_drop(struct fake_node *node);

#endif

/* Plugin instances: each with its folder, and a channel of its own by which it is known. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/instance.h"
#include "world/parts.h"
#include "world/plugin_check.h"

enum lyc_status running_make_folder(const char *path, struct lyc_error *error)
{
	if (mkdir(path, 0700) == 0 || errno == EEXIST)
		return LYC_OK;
	int code = errno;
	const char *slash = strrchr(path, '/');
	if (code == ENOENT && slash && slash != path)
		return error_set(error, LYC_NOT_FOUND,
				 "the folder %s cannot be made: there is no folder %.*s", path,
				 (int)(slash - path), path);
	return error_set(error, LYC_UNAVAILABLE, "the folder %s cannot be made: %s", path,
			 strerror(code));
}

/* A plugin instance and what it needs while it runs. */
struct running {
	struct world *world;
	/* May be gone before the instance is. */
	struct plugin *plugin;
	char identity[80];
	struct instance *instance;
	struct port *port;
};

static void running_free(struct running *running)
{
	port_close(running->port);
	policy_revoke(&running->world->daemon.policy, running->identity);
	free(running);
}

static void on_line(int level, const char *text, void *arg)
{
	struct running *running = arg;
	host_line(&running->world->daemon.host, running->plugin, level, text);
}

static void on_exit_of(bool clean, const char *text, void *arg)
{
	struct running *running = arg;
	/* What it said before its end counts; where the daemon ends, nobody listens any more. */
	channel_watch_drain(running->port->channel);
	bool is_given_up = instance_was_given_up(running->instance);
	bool is_final = is_given_up || instance_was_refused(running->instance);
	if (is_given_up)
		running->world->has_hung = true;
	(void)clean;
	daemon_instance_ended(&running->world->daemon, running->plugin, is_final, text);
	running_free(running);
}

enum lyc_status running_start(struct world *world, struct plugin *plugin, struct lyc_error *error)
{
	char folder[500];
	int plugin_fd = -1;
	struct running *running = mem_new(struct running);
	running->world = world;
	running->plugin = plugin;
	snprintf(running->identity, sizeof(running->identity), "%s", plugin->identity);
	snprintf(folder, sizeof(folder), "%s/plugins/%s", world->data, plugin->title);
	enum lyc_status status = running_make_folder(folder, error);
	if (status == LYC_OK)
		status = port_open_channel(world, plugin->identity, &running->port, &plugin_fd,
					   error);
	if (status == LYC_OK) {
		policy_grant(&world->daemon.policy, plugin->identity, "", ROLE_PLUGIN);
		struct instance_options options = {
			.name = plugin->name,
			.path = plugin->path,
			.data_folder = folder,
			.config_file = plugin->config_file,
			.memory_limit = plugin->memory_limit,
			.channel_fd = plugin_fd,
			.as_thread = plugin->in_thread,
			.runner = world->options->runner,
			.confine = plugin->confine,
			.reach = plugin->reach,
			.reach_count = plugin->reach_count,
			.on_line = on_line,
			.on_exit = on_exit_of,
			.arg = running,
		};
		status = instance_start(&world->loop, &options, &running->instance, error);
	}
	if (status != LYC_OK) {
		running_free(running);
		return status;
	}
	plugin->instance = running;
	plugin->stamp = plugin_check_stamp(plugin->path, plugin->config_file);
	plugin->pid = instance_pid(running->instance);
	return LYC_OK;
}

void running_stop(struct plugin *plugin, uint32_t grace_ms)
{
	struct running *running = plugin->instance;
	if (running)
		instance_stop(running->instance, grace_ms);
}

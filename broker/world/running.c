/* Plugin instances: each with its folder, and its own way in: a key for a process, a pipe for a
 * thread. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/instance.h"
#include "log.h"
#include "world/parts.h"
#include "world/plugin_check.h"

#define LOG_TOPIC "lyceumd"

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
	struct port *pipe;
	struct keypair keys;
};

static void running_free(struct running *running)
{
	struct world *world = running->world;
	struct lyc_error error;
	port_close(running->pipe);
	/* The key of an instance that has ended is worth nothing any more; it has no session. */
	policy_revoke(&world->daemon.policy, running->identity);
	if (running->keys.public_key[0] && identities_publish(world, &error) != LYC_OK)
		log_error("a plugin's key stays known", "reason", error.text);
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
	bool is_given_up = instance_was_given_up(running->instance);
	bool is_final = is_given_up || instance_was_refused(running->instance);
	if (is_given_up)
		running->world->has_hung = true;
	(void)clean;
	daemon_instance_ended(&running->world->daemon, running->plugin, is_final, text);
	running_free(running);
}

/* A thread has a pipe of its own; a process a key of its own. */
static enum lyc_status prepare_way_in(struct running *running, char *endpoint, size_t size,
				      struct lyc_error *error)
{
	struct world *world = running->world;
	struct plugin *plugin = running->plugin;
	if (!plugin->in_thread) {
		enum lyc_status status = keyfile_make(&running->keys, error);
		if (status != LYC_OK)
			return status;
		policy_grant(&world->daemon.policy, plugin->identity, running->keys.public_key,
			     ROLE_PLUGIN);
		snprintf(endpoint, size, "%s", world->plugin_endpoint);
		return identities_publish(world, error);
	}
	policy_grant(&world->daemon.policy, plugin->identity, "", ROLE_PLUGIN);
	snprintf(endpoint, size, "inproc://plugin.%s.%llu", plugin->identity,
		 (unsigned long long)plugin->restarts);
	running->pipe = port_new(world, plugin->identity);
	return port_bind_pipe(running->pipe, endpoint, error);
}

enum lyc_status running_start(struct world *world, struct plugin *plugin, struct lyc_error *error)
{
	char folder[500];
	char endpoint[440] = "";
	struct running *running = mem_new(struct running);
	running->world = world;
	running->plugin = plugin;
	snprintf(running->identity, sizeof(running->identity), "%s", plugin->identity);
	snprintf(folder, sizeof(folder), "%s/plugins/%s", world->data, plugin->title);
	enum lyc_status status = running_make_folder(folder, error);
	if (status == LYC_OK)
		status = prepare_way_in(running, endpoint, sizeof(endpoint), error);
	if (status == LYC_OK) {
		struct instance_options options = {
			.name = plugin->name,
			.path = plugin->path,
			.data_folder = folder,
			.config_file = plugin->config_file,
			.memory_limit = plugin->memory_limit,
			.as_thread = plugin->in_thread,
			.zmq_ctx = world->zmq,
			.runner = world->options->runner,
			.endpoint = endpoint,
			.keys = plugin->in_thread ? NULL : &running->keys,
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

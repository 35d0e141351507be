/* `lyceum-plugin --check` for each plugin, and what it says. */
#include "world/plugin_check.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/error.h"
#include "io/clock.h"

#define PATIENCE_MS 15000

extern char **environ;

static void path_of(const Lyceum__V1__PluginConfig *plugin, const struct world_options *options,
		    char *to, size_t size)
{
	if (plugin->path[0])
		snprintf(to, size, "%s", plugin->path);
	else
		snprintf(to, size, "%s/%s.so", options->plugin_folder, plugin->name);
}

static pid_t start(const char *runner, const Lyceum__V1__PluginConfig *plugin, const char *path,
		   int err_fd)
{
	pid_t pid = -1;
	char *args[10] = {(char *)(uintptr_t)runner,    (char *)(uintptr_t) "--check",
			  (char *)(uintptr_t) "--so",   (char *)(uintptr_t)path,
			  (char *)(uintptr_t) "--name", plugin->name};
	if (plugin->config_file[0]) {
		args[6] = (char *)(uintptr_t) "--config";
		args[7] = plugin->config_file;
	}
	posix_spawn_file_actions_t actions;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, err_fd, STDERR_FILENO);
	if (posix_spawn(&pid, runner, &actions, NULL, args, environ) != 0)
		pid = -1;
	posix_spawn_file_actions_destroy(&actions);
	return pid;
}

/* Until it closes its end. False: it does not. */
static bool listen_to(int fd, char *to, size_t size)
{
	uint64_t end = mono_ms() + PATIENCE_MS;
	size_t len = 0;
	for (;;) {
		char room[512];
		uint64_t now = mono_ms();
		struct pollfd item = {.fd = fd, .events = POLLIN};
		if (now >= end || poll(&item, 1, (int)(end - now)) == 0)
			return false;
		ssize_t got = read(fd, room, sizeof(room));
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		size_t used = (size_t)got < size - 1 - len ? (size_t)got : size - 1 - len;
		memcpy(to + len, room, used);
		len += used;
	}
	to[len] = '\0';
	return true;
}

/* Its last line, without the level: what is wrong. */
static const char *last_line(char *said)
{
	size_t len = strlen(said);
	while (len > 0 && said[len - 1] == '\n')
		said[--len] = '\0';
	char *line = strrchr(said, '\n');
	line = line ? line + 1 : said;
	return strncmp(line, "1 ", 2) == 0 ? line + 2 : line;
}

static enum lyc_status check_one(const Lyceum__V1__PluginConfig *plugin, size_t index,
				 const struct world_options *options, struct lyc_error *error)
{
	char path[PATH_MAX + 64];
	char field[40];
	char said[2000] = "";
	int ends[2];
	int code = 0;
	path_of(plugin, options, path, sizeof(path));
	snprintf(field, sizeof(field), "plugins[%zu].%s", index, plugin->path[0] ? "path" : "name");
	if (pipe2(ends, O_CLOEXEC) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no pipe: %s", strerror(errno));
	pid_t pid = start(options->runner, plugin, path, ends[1]);
	close(ends[1]);
	bool is_done = pid > 0 && listen_to(ends[0], said, sizeof(said));
	close(ends[0]);
	if (pid > 0 && !is_done)
		kill(pid, SIGKILL);
	while (pid > 0 && waitpid(pid, &code, 0) < 0 && errno == EINTR)
		continue;
	if (pid <= 0)
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be started: is it installed?",
				 options->runner);
	if (is_done && WIFEXITED(code) && WEXITSTATUS(code) == 0)
		return LYC_OK;
	const char *text = is_done && said[0] ? last_line(said) : "it cannot be looked at in time";
	/* Of the plugin's own file the sentence says where. */
	if (plugin->config_file[0] &&
	    strncmp(text, plugin->config_file, strlen(plugin->config_file)) == 0)
		return error_set(error, LYC_INVALID_ARGUMENT, "%s", text);
	return error_set_field(error, LYC_INVALID_ARGUMENT, field, "plugins[%zu]: %.180s", index,
			       text);
}

enum lyc_status plugin_check_all(const Lyceum__V1__Config *config,
				 const struct world_options *options, struct lyc_error *error)
{
	for (size_t i = 0; i < config->n_plugins; i++) {
		enum lyc_status status = check_one(config->plugins[i], i, options, error);
		if (status != LYC_OK)
			return status;
	}
	return LYC_OK;
}

static uint64_t add(uint64_t hash, uint64_t value)
{
	return (hash ^ value) * 0x100000001b3u;
}

uint64_t plugin_check_stamp(const char *path, const char *config_file)
{
	const char *const files[] = {path, config_file};
	uint64_t hash = 0xcbf29ce484222325u;
	for (size_t i = 0; i < 2; i++) {
		struct stat info;
		if (!files[i] || !files[i][0])
			continue;
		if (stat(files[i], &info) != 0)
			return 0;
		hash = add(hash, info.st_ino);
		hash = add(hash, (uint64_t)info.st_size);
		hash = add(hash, (uint64_t)info.st_mtim.tv_sec);
		hash = add(hash, (uint64_t)info.st_mtim.tv_nsec);
	}
	return hash ? hash : 1;
}

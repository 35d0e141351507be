/* `lyceum-plugin --check` for each plugin, and what it says. */
#include "world/plugin_check.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "io/program.h"

#define PATIENCE_MS 15000
#define MAX_SAID 2000

static void path_of(const Lyceum__V1__PluginConfig *plugin, const struct world_options *options,
		    char *to, size_t size)
{
	if (plugin->path[0])
		snprintf(to, size, "%s", plugin->path);
	else
		snprintf(to, size, "%s/%s.so", options->plugin_folder, plugin->name);
}

static enum lyc_status run(const struct world_options *options,
			   const Lyceum__V1__PluginConfig *plugin, const char *path,
			   struct buf *said, int *ret_code, struct lyc_error *error)
{
	char *words[10] = {(char *)(uintptr_t)options->runner, (char *)(uintptr_t) "--check",
			   (char *)(uintptr_t) "--so",         (char *)(uintptr_t)path,
			   (char *)(uintptr_t) "--name",       plugin->name};
	if (plugin->config_file[0]) {
		words[6] = (char *)(uintptr_t) "--config";
		words[7] = plugin->config_file;
	}
	const struct program program = {.path = options->runner,
					.words = words,
					.fd = STDERR_FILENO,
					.max_len = MAX_SAID,
					.timeout_ms = PATIENCE_MS};
	return program_run(&program, said, ret_code, error);
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
	struct buf said = {0};
	int code = 0;
	path_of(plugin, options, path, sizeof(path));
	snprintf(field, sizeof(field), "plugins[%zu].%s", index, plugin->path[0] ? "path" : "name");
	enum lyc_status status = run(options, plugin, path, &said, &code, error);
	bool is_done = status == LYC_OK;
	if (status != LYC_DEADLINE_EXCEEDED && (!is_done || code == 0))
		goto out;
	char *told = buf_text(&said);
	const char *text =
		is_done && told && told[0] ? last_line(told) : "it cannot be looked at in time";
	/* Of the plugin's own file the sentence says where. */
	if (plugin->config_file[0] &&
	    strncmp(text, plugin->config_file, strlen(plugin->config_file)) == 0)
		status = error_set(error, LYC_INVALID_ARGUMENT, "%s", text);
	else
		status = error_set_field(error, LYC_INVALID_ARGUMENT, field, "plugins[%zu]: %.180s",
					 index, text);
out:
	buf_fini(&said);
	return status;
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

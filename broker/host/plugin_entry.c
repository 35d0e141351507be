/* Entries of the host: made from the configuration or from each other. */
#include "host/plugin_entry.h"

#include <stdlib.h>

#include "base/mem.h"
#include "lyceum/v1/config.pb-c.h"

#define FIRST_BACKOFF_MS 250u
#define DEFAULT_HANG_MS 30000u

static const char *confine_word(Lyceum__V1__PluginConfig__Confinement confinement)
{
	switch (confinement) {
	case LYCEUM__V1__PLUGIN_CONFIG__CONFINEMENT__REQUIRED:
		return "required";
	case LYCEUM__V1__PLUGIN_CONFIG__CONFINEMENT__NONE:
		return "none";
	default:
		return "asked";
	}
}

static char *title_of(const char *name, uint32_t number)
{
	struct buf text = {0};
	buf_add_text(&text, name);
	if (number > 1)
		buf_add_format(&text, ".%u", number);
	return buf_text(&text);
}

static char *path_of(const Lyceum__V1__PluginConfig *config, const char *default_folder)
{
	struct buf text = {0};
	if (config->path[0])
		buf_add_text(&text, config->path);
	else
		buf_add_format(&text, "%s/%s.so", default_folder, config->name);
	return buf_text(&text);
}

static struct plugin *begin(const char *name, const char *title, char *const *reach,
			    size_t reach_count)
{
	struct plugin *plugin = mem_new(struct plugin);
	plugin->name = mem_dup(name);
	plugin->title = mem_dup(title);
	plugin->identity = mem_dup(title);
	plugin->reach = mem_get((reach_count + 1) * sizeof(*plugin->reach));
	for (size_t i = 0; i < reach_count; i++)
		plugin->reach[plugin->reach_count++] = mem_dup(reach[i]);
	plugin->state = PLUGIN_WAITING;
	plugin->backoff_ms = FIRST_BACKOFF_MS;
	list_init(&plugin->node);
	return plugin;
}

struct plugin *plugin_entry_new(const Lyceum__V1__PluginConfig *config, uint32_t number,
				const char *default_folder)
{
	char *title = title_of(config->name, number);
	struct plugin *plugin = begin(config->name, title, config->reach, config->n_reach);
	free(title);
	plugin->path = path_of(config, default_folder);
	plugin->config_file = config->config_file[0] ? mem_dup(config->config_file) : NULL;
	plugin->in_thread = config->host == LYCEUM__V1__PLUGIN_CONFIG__HOST__THREAD;
	plugin->confine = confine_word(config->confinement);
	plugin->memory_limit = config->memory_limit;
	plugin->hang_ms = config->hang_ms ? config->hang_ms : DEFAULT_HANG_MS;
	return plugin;
}

struct plugin *plugin_entry_like(const struct plugin *other)
{
	struct plugin *plugin = begin(other->name, other->title, other->reach, other->reach_count);
	plugin->path = mem_dup(other->path);
	plugin->config_file = mem_dup(other->config_file);
	plugin->in_thread = other->in_thread;
	plugin->confine = other->confine;
	plugin->memory_limit = other->memory_limit;
	plugin->hang_ms = other->hang_ms;
	return plugin;
}

void plugin_entry_free(struct plugin *plugin)
{
	list_remove(&plugin->node);
	free(plugin->name);
	free(plugin->title);
	free(plugin->identity);
	free(plugin->path);
	free(plugin->config_file);
	for (size_t i = 0; i < plugin->reach_count; i++)
		free(plugin->reach[i]);
	free(plugin->reach);
	buf_fini(&plugin->report);
	buf_fini(&plugin->pending);
	free(plugin);
}

bool plugin_entry_is_shown(const struct plugin *plugin)
{
	return !plugin->incumbent && !plugin->is_retiring;
}

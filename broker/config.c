/* The configuration file. Everything about single fields is checked by the schema's rules; here is
 * what concerns several of them, and paths. */
#include "config.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/mem.h"
#include "schema/core.h"

#define MAX_CONFIG_LEN (4u * 1024 * 1024)

static enum lyc_status read_file(const char *path, struct buf *to, struct lyc_error *error)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, LYC_NOT_FOUND, "%s: %s", path, strerror(errno));
	char chunk[16384];
	size_t len;
	while ((len = fread(chunk, 1, sizeof(chunk), file)) > 0 && to->len < MAX_CONFIG_LEN)
		buf_add(to, chunk, len);
	bool has_failed = ferror(file) != 0;
	fclose(file);
	if (has_failed || to->has_failed || to->len >= MAX_CONFIG_LEN)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "%s cannot be read as a configuration", path);
	return LYC_OK;
}

/* Make a path absolute: a relative one counts from the configuration's folder. */
static void resolve(char **path, const char *folder)
{
	if ((*path)[0] == '\0' || (*path)[0] == '/')
		return;
	struct buf text = {0};
	buf_add_format(&text, "%s/%s", folder, *path);
	char *whole = mem_dup(buf_text(&text));
	buf_fini(&text);
	free(*path);
	*path = whole;
}

static char *folder_of(const char *path)
{
	char *whole = realpath(path, NULL);
	if (!whole)
		return mem_dup(".");
	char *slash = strrchr(whole, '/');
	if (slash && slash != whole)
		*slash = '\0';
	return whole;
}

static bool is_port_of_loopback(const char *endpoint)
{
	return strncmp(endpoint, "tcp://127.0.0.1:", 16) == 0;
}

static enum lyc_status check(const Lyceum__V1__Config *config, struct lyc_error *error)
{
	for (size_t i = 0; i < config->n_listen; i++) {
		const Lyceum__V1__Listener *listener = config->listen[i];
		if (strncmp(listener->endpoint, "tcp://", 6) != 0 &&
		    strncmp(listener->endpoint, "ipc://", 6) != 0)
			return error_set_field(
				error, LYC_INVALID_ARGUMENT, "listen.endpoint",
				"listen: '%s' begins neither with tcp:// nor with ipc://",
				listener->endpoint);
		if (listener->plain && !is_port_of_loopback(listener->endpoint))
			return error_set_field(error, LYC_INVALID_ARGUMENT, "listen.plain",
					       "listen: '%s' may not be plain: peers without keys "
					       "are let in on tcp://127.0.0.1 only",
					       listener->endpoint);
	}
	for (size_t i = 0; i < config->n_plugins; i++) {
		for (size_t j = 0; j < i; j++) {
			if (strcmp(config->plugins[i]->name, config->plugins[j]->name) == 0)
				return error_set_field(error, LYC_INVALID_ARGUMENT, "plugins.name",
						       "plugins: '%s' is listed twice",
						       config->plugins[i]->name);
		}
	}
	if (config->uplink && strcmp(config->uplink->name, config->name) == 0)
		return error_set_field(error, LYC_INVALID_ARGUMENT, "uplink.name",
				       "uplink: '%s' cannot be its own hub", config->name);
	return LYC_OK;
}

static void resolve_all(Lyceum__V1__Config *config, const char *path)
{
	char *folder = folder_of(path);
	resolve(&config->data, folder);
	resolve(&config->key_file, folder);
	for (size_t i = 0; i < config->n_plugins; i++) {
		resolve(&config->plugins[i]->path, folder);
		resolve(&config->plugins[i]->config_file, folder);
	}
	free(folder);
}

enum lyc_status config_read(const char *path, Lyceum__V1__Config **ret_config,
			    struct lyc_error *error)
{
	struct buf text = {0};
	struct buf body = {0};
	struct schema *core = NULL;
	Lyceum__V1__Config *config = NULL;
	enum lyc_status status = read_file(path, &text, error);
	if (status != LYC_OK)
		goto out;
	status = core_schema_get(&core);
	if (status != LYC_OK) {
		error_set(error, status, "out of memory");
		goto out;
	}
	const struct schema_message *message = schema_find_message(core, "lyceum.v1.Config");
	struct lyc_error fault = {0};
	status = yaml_read(message, (const char *)text.data, text.len, &body, &fault);
	if (status == LYC_OK)
		status = schema_check(message, span_of(body.data, body.len), true, &fault);
	if (status == LYC_OK) {
		config = lyceum__v1__config__unpack(NULL, body.len, body.data);
		status = config ? check(config, &fault)
				: error_set(&fault, LYC_RESOURCE_EXHAUSTED, "out of memory");
	}
	if (status != LYC_OK) {
		/* YAML faults say their line themselves; the rules know only the field. */
		unsigned line = 0;
		if (fault.field[0] && strncmp(fault.text, "line ", 5) != 0)
			line = yaml_line(message, (const char *)text.data, text.len, fault.field);
		if (line > 0)
			error_set_field(error, status, fault.field, "%s: line %u: %.180s", path,
					line, fault.text);
		else
			error_set_field(error, status, fault.field, "%s: %.190s", path, fault.text);
		goto out;
	}
	resolve_all(config, path);
	*ret_config = config;
	config = NULL;
out:
	config_free(config);
	schema_unref(core);
	buf_fini(&text);
	buf_fini(&body);
	return status;
}

void config_free(Lyceum__V1__Config *config)
{
	if (config)
		lyceum__v1__config__free_unpacked(config, NULL);
}

enum lyc_status config_manual(char **ret_text)
{
	struct schema *core = NULL;
	struct buf text = {0};
	enum lyc_status status = core_schema_get(&core);
	if (status != LYC_OK)
		return status;
	status = describe_write(core, "lyceum.v1.Config", true, &text);
	schema_unref(core);
	if (status == LYC_OK)
		*ret_text = buf_text(&text);
	else
		buf_fini(&text);
	return status;
}

/* Reads a plugin's configuration. */
#include "client/plugin_config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/error.h"

#define MAX_CONFIG (1024 * 1024)

static enum lyc_status read_file(const char *path, struct buf *to, struct lyc_error *error)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return error_set(error, LYC_NOT_FOUND, "The configuration %s cannot be opened: %s.",
				 path, strerror(errno));
	enum lyc_status status = LYC_OK;
	char part[4096];
	size_t len;
	while ((len = fread(part, 1, sizeof(part), file)) > 0 && to->len <= MAX_CONFIG)
		buf_add(to, part, len);
	if (ferror(file))
		status = error_set(error, LYC_UNAVAILABLE, "The configuration %s cannot be read.",
				   path);
	else if (to->len > MAX_CONFIG)
		status = error_set(error, LYC_INVALID_ARGUMENT,
				   "The configuration %s is longer than 1 MiB.", path);
	else if (to->has_failed)
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for %s.", path);
	fclose(file);
	return status;
}

/* YAML faults say their line themselves; the rules know only the field. */
static void say_where(const struct schema_message *type, const char *path, const struct buf *yaml,
		      enum lyc_status status, const struct lyc_error *reason,
		      struct lyc_error *error)
{
	bool has_line = strncmp(reason->text, "line ", 5) == 0;
	unsigned line =
		path && reason->field[0] && !has_line
			? yaml_line(type, (const char *)yaml->data, yaml->len, reason->field)
			: 0;
	const char *name = path ? path : type->full_name;
	if (line > 0)
		error_set_field(error, status, reason->field, "%s: line %u: %s", name, line,
				reason->text);
	else
		error_set_field(error, status, reason->field, "%s: %s", name, reason->text);
}

enum lyc_status plugin_config_read(const struct schema_message *type, const char *path,
				   struct buf *to, struct lyc_error *error)
{
	struct buf yaml = {0};
	struct lyc_error reason = {0};
	enum lyc_status status = LYC_OK;
	if (path) {
		status = read_file(path, &yaml, error);
		if (status != LYC_OK)
			goto out;
		status = yaml_read(type, (const char *)yaml.data, yaml.len, to, &reason);
	}
	if (status == LYC_OK)
		status = schema_check(type, span_of(to->data, to->len), true, &reason);
	if (status != LYC_OK)
		say_where(type, path, &yaml, status, &reason, error);
out:
	buf_fini(&yaml);
	return status;
}

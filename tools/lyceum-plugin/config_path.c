/* The configuration as JSON, and a walk along the field's names. */
#include "config_path.h"

#include <jansson.h>
#include <string.h>

#include "base/error.h"
#include "client/plugin_config.h"

static enum lyc_status no_field(const Lyceum__V1__PluginDescription *description, const char *field,
				struct lyc_error *error)
{
	return error_set(error, LYC_INVALID_ARGUMENT,
			 "The plugin \"%s\" reaches for \"read config %.100s\", but %s has no such "
			 "text.",
			 description->name, field,
			 description->config_type[0] ? description->config_type
						     : "it takes no configuration and");
}

static json_t *walk(json_t *at, const char *field)
{
	char name[128];
	while (at && *field) {
		size_t len = strcspn(field, ".");
		if (len >= sizeof(name))
			return NULL;
		memcpy(name, field, len);
		name[len] = '\0';
		at = json_object_get(at, name);
		field += len + (field[len] == '.');
	}
	return at;
}

/* Does every part of the name stand for a field, and the last for one text? */
static bool is_text_field(const struct schema_message *type, const char *field)
{
	while (type) {
		size_t len = strcspn(field, ".");
		const struct schema_field *part = schema_field_by_name(type, field, len);
		if (!part || part->is_repeated)
			return false;
		if (field[len] == '\0')
			return part->type == SCHEMA_STRING;
		type = part->message;
		field += len + 1;
	}
	return false;
}

enum lyc_status config_path(const Lyceum__V1__PluginDescription *description,
			    const char *config_file, const char *field, char **ret_path,
			    struct lyc_error *error)
{
	struct schema *schema = NULL;
	struct buf bytes = {0};
	struct buf text = {0};
	json_t *root = NULL;
	const struct json_options options = {.use_proto_names = true};
	*ret_path = NULL;
	enum lyc_status status =
		schema_new(description->schema.data, description->schema.len, &schema, error);
	if (status != LYC_OK)
		return status;
	const struct schema_message *type = schema_find_message(schema, description->config_type);
	if (!type || !is_text_field(type, field)) {
		status = no_field(description, field, error);
		goto out;
	}
	status = plugin_config_read(type, config_file, &bytes, error);
	if (status == LYC_OK)
		status = json_write(type, span_of(bytes.data, bytes.len), &options, &text, error);
	if (status != LYC_OK)
		goto out;
	root = json_loadb((const char *)text.data, text.len, 0, NULL);
	const char *path = json_string_value(walk(root, field));
	if (path && path[0] && !(*ret_path = strdup(path)))
		status = error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for a path.");
out:
	json_decref(root);
	buf_fini(&text);
	buf_fini(&bytes);
	schema_unref(schema);
	return status;
}

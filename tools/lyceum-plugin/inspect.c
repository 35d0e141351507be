/* --inspect: the probe's answer as JSON. */
#include "inspect.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include <protobuf-c/protobuf-c.h>

#include "base/error.h"
#include "client/exit_code.h"
#include "probe.h"
#include "schema/core.h"
#include "schema/schema.h"

static enum lyc_status print(Lyceum__V1__PluginDescription *description, struct lyc_error *error)
{
	struct schema *schema = NULL;
	struct buf text = {0};
	const struct json_options options = {.use_proto_names = true};
	/* Its methods say what a reader wants of it; `lyceum schema describe` shows the rest. */
	description->schema.len = 0;
	size_t len = lyceum__v1__plugin_description__get_packed_size(description);
	uint8_t *bytes = malloc(len > 0 ? len : 1);
	if (!bytes)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "No memory for the description.");
	lyceum__v1__plugin_description__pack(description, bytes);
	enum lyc_status status = core_schema_get(&schema);
	if (status == LYC_OK)
		status = json_write(schema_find_message(schema, "lyceum.v1.PluginDescription"),
				    span_of(bytes, len), &options, &text, error);
	if (status == LYC_OK)
		puts(buf_text(&text));
	schema_unref(schema);
	buf_fini(&text);
	free(bytes);
	return status;
}

int inspect(const char *path)
{
	char whole[PATH_MAX];
	Lyceum__V1__PluginDescription *description = NULL;
	struct lyc_error error = {0};
	/* A plugin is opened by its whole path. */
	if (!realpath(path, whole))
		snprintf(whole, sizeof(whole), "%s", path);
	enum lyc_status status = probe(whole, NULL, &description, &error);
	if (status == LYC_OK)
		status = print(description, &error);
	if (description)
		lyceum__v1__plugin_description__free_unpacked(description, NULL);
	if (status != LYC_OK)
		fprintf(stderr, "lyceum-plugin: %s\n", error.text);
	return status == LYC_OK ? 0 : PLUGIN_EXIT_REFUSED;
}

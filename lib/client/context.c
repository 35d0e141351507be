/* What a plugin asks of its surroundings: names, configuration, log lines. */
#include "client/context.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"

#define MAX_CONFIG (1024 * 1024)
#define MAX_LINE 1024

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

enum lyc_status context_configure(struct lyc_plugin_context *context, const char *path,
				  struct lyc_error *error)
{
	const struct schema_message *type = context->image.config;
	struct buf *bytes = &context->config_bytes;
	struct buf yaml = {0};
	struct lyc_error reason = {0};
	enum lyc_status status = LYC_OK;
	if (!type) {
		if (path)
			status = error_set(
				error, LYC_INVALID_ARGUMENT,
				"The plugin \"%s\" takes no configuration, but %s is given.",
				context->image.plugin->name, path);
		return status;
	}
	if (path) {
		status = read_file(path, &yaml, error);
		if (status != LYC_OK)
			goto out;
		status = yaml_read(type, (const char *)yaml.data, yaml.len, bytes, &reason);
	}
	if (status == LYC_OK)
		status = schema_check(type, span_of(bytes->data, bytes->len), true, &reason);
	if (status != LYC_OK)
		error_set_field(error, status, reason.field, "%s: %s%s%s",
				path ? path : type->full_name, reason.field,
				reason.field[0] ? ": " : "", reason.text);
out:
	buf_fini(&yaml);
	return status;
}

void context_fini(struct lyc_plugin_context *context)
{
	if (context->config)
		protobuf_c_message_free_unpacked(context->config, NULL);
	buf_fini(&context->config_bytes);
	plugin_image_fini(&context->image);
	free(context->node_name);
	free(context->data_folder);
}

const char *lyc_node_name(const struct lyc_plugin_context *context)
{
	return context->node_name;
}

const char *lyc_data_folder(const struct lyc_plugin_context *context)
{
	return context->data_folder;
}

const ProtobufCMessage *lyc_config(const struct lyc_plugin_context *context,
				   const ProtobufCMessageDescriptor *descriptor)
{
	const struct schema_message *type = context->image.config;
	if (!type || strcmp(descriptor->name, type->full_name) != 0)
		return NULL;
	if (!context->config) {
		/* Kept at the first use: a plugin that does not ask pays nothing. */
		struct lyc_plugin_context *keeper = (struct lyc_plugin_context *)context;
		keeper->config = protobuf_c_message_unpack(
			descriptor, NULL, context->config_bytes.len,
			context->config_bytes.data ? context->config_bytes.data
						   : (const uint8_t *)"");
	}
	return context->config;
}

struct lyc_client *lyc_context_client(struct lyc_plugin_context *context)
{
	return context->client;
}

void *lyc_context_state(const struct lyc_plugin_context *context)
{
	return context->state;
}

void lyc_log(struct lyc_plugin_context *context, int level, const char *format, ...)
{
	char text[MAX_LINE];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* One line each, whatever the plugin says. */
	for (char *at = text; *at; at++) {
		if ((unsigned char)*at < ' ' || *at == 127)
			*at = ' ';
	}
	level = level < 1 ? 1 : level > 5 ? 5 : level;
	if (context->on_log)
		context->on_log(level, text, context->log_arg);
	else
		fprintf(stderr, "%d %s\n", level, text);
}

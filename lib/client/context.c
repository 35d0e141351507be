/* What a plugin asks of its surroundings: names, configuration, log lines. */
#include "client/context.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/plugin_config.h"
#include "io/clock.h"

#define MAX_LINE 1024

enum lyc_status context_configure(struct lyc_plugin_context *context, const char *path,
				  struct lyc_error *error)
{
	const struct schema_message *type = context->image.config;
	if (type)
		return plugin_config_read(type, path, &context->config_bytes, error);
	if (path)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "The plugin \"%s\" takes no configuration, but %s is given.",
				 context->image.plugin->name, path);
	return LYC_OK;
}

void context_fini(struct lyc_plugin_context *context)
{
	if (context->config)
		protobuf_c_message_free_unpacked(context->config, NULL);
	buf_fini(&context->config_bytes);
	table_free(context->view.table);
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

int64_t lyc_wall_ms(void)
{
	return (int64_t)wall_ms();
}

uint64_t lyc_mono_ms(void)
{
	return mono_ms();
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

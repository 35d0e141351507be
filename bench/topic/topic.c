/* A plugin that brings the type which the benches publish, and nothing else. */
#include <lyceum/plugin.h>

#include "topic_schema.h"

static ProtobufCService *const services[] = {NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	(void)context;
	(void)error;
	*ret_state = NULL;
	return LYC_OK;
}

static void stop(void *state)
{
	(void)state;
}

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "topic",
	.version = "0.1.0",
	.services = services,
	.schema = topic_schema,
	.schema_len = sizeof(topic_schema),
	.start = start,
	.stop = stop,
};

/* The front door: one enquiry to every plugin that answers enquiries. It knows none of them: who
 * has a method that takes an Enquiry takes part. */
#include <stdio.h>
#include <stdlib.h>

#include "ask_schema.h"
#include "gather.h"

static void ask_ask(Lyceum__Ask__V1__Ask_Service *service,
		    const Lyceum__Ask__V1__AskRequest *request,
		    Lyceum__Ask__V1__AskReply_Closure closure, void *closure_data)
{
	(void)service;
	gather_start(lyc_call_state(closure_data), closure_data, request, closure);
}

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	struct gathering *gathering = calloc(1, sizeof(*gathering));
	if (!gathering || lyc_types_new(lyc_context_client(context), &gathering->types) != LYC_OK) {
		free(gathering);
		snprintf(error->text, sizeof(error->text), "there is no memory to start");
		return LYC_RESOURCE_EXHAUSTED;
	}
	gathering->context = context;
	*ret_state = gathering;
	return LYC_OK;
}

static void stop(void *state)
{
	gathering_fini(state);
	free(state);
}

static Lyceum__Ask__V1__Ask_Service ask = LYCEUM__ASK__V1__ASK__INIT(ask_);
static ProtobufCService *const services[] = {&ask.base, NULL};

LYC_PLUGIN = {
	.abi = LYC_PLUGIN_ABI,
	.size = sizeof(struct lyc_plugin),
	.name = "ask",
	.version = "0.1.0",
	.services = services,
	.schema = ask_schema,
	.schema_len = sizeof(ask_schema),
	.start = start,
	.stop = stop,
};

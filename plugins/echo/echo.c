/* The sample plugin: says back what it is told, now or later, and counts. Start reading here. */
#include <stdlib.h>

#include <lyceum/plugin.h>

#include "echo_schema.h"
#include "lyceum/echo/v1/echo.pb-c.h"

/* An answer that is due later: the call has been deferred, its request stays valid. */
struct later {
	struct lyc_call *call;
	const Lyceum__Echo__V1__SayRequest *request;
	Lyceum__Echo__V1__SayReply_Closure closure;
};

static void say(void *state, void *arg)
{
	(void)state;
	struct later *later = arg;
	Lyceum__Echo__V1__SayReply reply = LYCEUM__ECHO__V1__SAY_REPLY__INIT;
	reply.text = later->request->text;
	reply.served_by = (char *)lyc_node_name(lyc_call_context(later->call));
	reply.principal = (char *)lyc_call_principal(later->call);
	later->closure(&reply, later->call);
}

static void say_later(void *state, void *arg)
{
	say(state, arg);
	free(arg);
}

static void echo_say(Lyceum__Echo__V1__Echo_Service *service,
		     const Lyceum__Echo__V1__SayRequest *request,
		     Lyceum__Echo__V1__SayReply_Closure closure, void *closure_data)
{
	(void)service;
	struct later now = {.call = closure_data, .request = request, .closure = closure};
	if (request->delay_ms == 0) {
		say(NULL, &now);
		return;
	}
	struct later *later = malloc(sizeof(*later));
	if (!later) {
		lyc_call_fail(now.call, LYC_RESOURCE_EXHAUSTED, "There is no memory to wait.");
		return;
	}
	*later = now;
	lyc_call_defer(now.call);
	if (lyc_timer(lyc_call_context(now.call), request->delay_ms, 0, say_later, later) != LYC_OK)
		say_later(NULL, later);
}

static void echo_count(Lyceum__Echo__V1__Echo_Service *service,
		       const Lyceum__Echo__V1__CountRequest *request,
		       Lyceum__Echo__V1__CountReply_Closure closure, void *closure_data)
{
	(void)service;
	(void)closure;
	Lyceum__Echo__V1__CountReply reply = LYCEUM__ECHO__V1__COUNT_REPLY__INIT;
	for (reply.number = 1; reply.number <= request->to; reply.number++) {
		if (lyc_call_send(closure_data, &reply.base) != LYC_OK)
			break;
	}
	lyc_call_end(closure_data);
}

static Lyceum__Echo__V1__Echo_Service echo = LYCEUM__ECHO__V1__ECHO__INIT(echo_);
static ProtobufCService *const services[] = {&echo.base, NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	(void)context;
	(void)error;
	/* Nothing to remember between calls. */
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
	.name = "echo",
	.version = "0.1.0",
	.services = services,
	.schema = echo_schema,
	.schema_len = sizeof(echo_schema),
	.start = start,
	.stop = stop,
};

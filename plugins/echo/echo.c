/* The sample plugin: says back what it is told, now or later, and counts. Start reading here. */
#include <stdlib.h>

#include <lyceum/plugin.h>

#include "echo_schema.h"
#include "lyceum/echo/v1/echo.pb-c.h"

/* At once, or from a timer: the call has been deferred then, and its request stays valid. */
static void say(void *state, void *arg)
{
	struct lyc_call *call = arg;
	const Lyceum__Echo__V1__SayRequest *request = (const void *)lyc_call_request(call);
	Lyceum__Echo__V1__SayReply reply = LYCEUM__ECHO__V1__SAY_REPLY__INIT;
	(void)state;
	reply.text = request->text;
	reply.served_by = (char *)lyc_node_name(lyc_call_context(call));
	reply.principal = (char *)lyc_call_principal(call);
	lyc_call_reply(call, &reply.base);
}

static void echo_say(Lyceum__Echo__V1__Echo_Service *service,
		     const Lyceum__Echo__V1__SayRequest *request,
		     Lyceum__Echo__V1__SayReply_Closure closure, void *closure_data)
{
	struct lyc_call *call = closure_data;
	(void)service;
	(void)closure;
	if (request->delay_ms > 0) {
		lyc_call_defer(call);
		if (lyc_timer(lyc_call_context(call), request->delay_ms, 0, say, call) == LYC_OK)
			return;
	}
	say(NULL, call);
}

/* How far a count has come. */
struct count {
	uint32_t next;
	uint32_t to;
};

/* As far as the caller takes it, and the rest when it takes more. */
static void count_on(struct lyc_call *call, void *arg)
{
	struct count *count = arg;
	enum lyc_status status = LYC_OK;
	while (count->next <= count->to && status == LYC_OK) {
		Lyceum__Echo__V1__CountReply reply = LYCEUM__ECHO__V1__COUNT_REPLY__INIT;
		reply.number = count->next;
		status = lyc_call_send(call, &reply.base);
		if (status == LYC_OK)
			count->next++;
	}
	if (status == LYC_RESOURCE_EXHAUSTED) {
		lyc_call_on_writable(call, count_on, count);
		return;
	}
	lyc_call_end(call);
	free(count);
}

static void echo_count(Lyceum__Echo__V1__Echo_Service *service,
		       const Lyceum__Echo__V1__CountRequest *request,
		       Lyceum__Echo__V1__CountReply_Closure closure, void *closure_data)
{
	(void)service;
	(void)closure;
	struct count *count = malloc(sizeof(*count));
	if (!count) {
		lyc_call_fail(closure_data, LYC_RESOURCE_EXHAUSTED, "There is no memory to count.");
		return;
	}
	*count = (struct count){.next = 1, .to = request->to};
	count_on(closure_data, count);
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

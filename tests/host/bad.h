/* A plugin that would be right, but for what the file that includes this defines before. */
#include <lyceum/plugin.h>

#include "echo_schema.h"
#include "lyceum/echo/v1/echo.pb-c.h"

#ifndef BAD_ABI
#define BAD_ABI LYC_PLUGIN_ABI
#endif
#ifndef BAD_SIZE
#define BAD_SIZE sizeof(struct lyc_plugin)
#endif
#ifndef BAD_NAME
#define BAD_NAME "bad"
#endif
#ifndef BAD_SLOT
#define BAD_SLOT count
#endif
#ifndef BAD_START
#define BAD_START
#endif
#ifndef BAD_SCHEMA_LEN
#define BAD_SCHEMA_LEN sizeof(echo_schema)
#endif
#ifndef BAD_SCHEMA
#define BAD_SCHEMA echo_schema
#endif
#ifndef BAD_PUBLISHES
#define BAD_PUBLISHES "lyceum.echo.v1.Note"
#endif
#ifndef BAD_STOP
#define BAD_STOP stop
#endif
#ifndef BAD_CONFIG
#define BAD_CONFIG NULL
#endif
#ifndef BAD_BUSY
#define BAD_BUSY NULL
#endif

static void say(Lyceum__Echo__V1__Echo_Service *service,
		const Lyceum__Echo__V1__SayRequest *request,
		Lyceum__Echo__V1__SayReply_Closure closure, void *closure_data)
{
	(void)service;
	(void)request;
	(void)closure;
	(void)closure_data;
}

static inline void count(Lyceum__Echo__V1__Echo_Service *service,
			 const Lyceum__Echo__V1__CountRequest *request,
			 Lyceum__Echo__V1__CountReply_Closure closure, void *closure_data)
{
	(void)service;
	(void)request;
	(void)closure;
	(void)closure_data;
}

static Lyceum__Echo__V1__Echo_Service echo = {
	.base = LYCEUM__ECHO__V1__ECHO__BASE_INIT,
	.say = say,
	.count = BAD_SLOT,
};
static ProtobufCService *const services[] = {&echo.base, NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	(void)context;
	(void)error;
	BAD_START;
	*ret_state = NULL;
	return LYC_OK;
}

static inline void stop(void *state)
{
	(void)state;
}

static const char *const publishes[] = {BAD_PUBLISHES, NULL};

LYC_PLUGIN = {
	.abi = BAD_ABI,
	.size = BAD_SIZE,
	.name = BAD_NAME,
	.version = "0",
	.config_type = BAD_CONFIG,
	.services = services,
	.schema = BAD_SCHEMA,
	.schema_len = BAD_SCHEMA_LEN,
	.publishes = publishes,
	.start = start,
	.stop = BAD_STOP,
	.speaks_for_people = true,
	.is_busy = BAD_BUSY,
};

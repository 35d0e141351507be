/* A plugin of 250 services that nobody calls. MANY is the number in its name; many.py writes its
 * schema. */
#include <lyceum/plugin.h>

#include MANY_PB_HEADER
#include MANY_SCHEMA_HEADER

#define JOIN_(a, b, c) a##b##c
#define JOIN(a, b, c) JOIN_(a, b, c)
#define NOTHING JOIN(Lyceum__Many, MANY, __V1__Nothing)
#define NOTHING_INIT JOIN(LYCEUM__MANY, MANY, __V1__NOTHING__INIT)
#define PREFIX JOIN(lyceum__many, MANY, __v1__s)
#define TEXT_(text) #text
#define TEXT(text) TEXT_(text)

#define ONE(number)                                                                                \
	{                                                                                          \
		.descriptor = &JOIN(PREFIX, number, __descriptor), .invoke = answer,               \
	}
#define TEN(n)                                                                                     \
	ONE(n##0), ONE(n##1), ONE(n##2), ONE(n##3), ONE(n##4), ONE(n##5), ONE(n##6), ONE(n##7),    \
		ONE(n##8), ONE(n##9)
#define POINT(at) &all[at]
#define POINT_FIVE(at) POINT(at), POINT(at + 1), POINT(at + 2), POINT(at + 3), POINT(at + 4)
#define POINT_FIFTY(at)                                                                            \
	POINT_FIVE(at), POINT_FIVE(at + 5), POINT_FIVE(at + 10), POINT_FIVE(at + 15),              \
		POINT_FIVE(at + 20), POINT_FIVE(at + 25), POINT_FIVE(at + 30),                     \
		POINT_FIVE(at + 35), POINT_FIVE(at + 40), POINT_FIVE(at + 45)

static void answer(ProtobufCService *service, unsigned method, const ProtobufCMessage *request,
		   ProtobufCClosure closure, void *call)
{
	NOTHING reply = NOTHING_INIT;
	(void)service;
	(void)method;
	(void)request;
	closure(&reply.base, call);
}

static ProtobufCService all[] = {
	TEN(0),  TEN(1),  TEN(2),  TEN(3),  TEN(4),  TEN(5),  TEN(6),  TEN(7),  TEN(8),
	TEN(9),  TEN(10), TEN(11), TEN(12), TEN(13), TEN(14), TEN(15), TEN(16), TEN(17),
	TEN(18), TEN(19), TEN(20), TEN(21), TEN(22), TEN(23), TEN(24),
};

static ProtobufCService *const services[] = {
	POINT_FIFTY(0), POINT_FIFTY(50), POINT_FIFTY(100), POINT_FIFTY(150), POINT_FIFTY(200), NULL,
};

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
	.name = "many" TEXT(MANY),
	.version = "0.1.0",
	.services = services,
	.schema = many_schema,
	.schema_len = sizeof(many_schema),
	.start = start,
	.stop = stop,
};

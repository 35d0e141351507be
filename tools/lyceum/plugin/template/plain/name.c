/* Says the length of a text. A method is a plain protoc-c function; its last argument is the call. */
#include <ctype.h>

#include <lyceum/plugin.h>

#include "@name@.pb-c.h"
#include "@name@_schema.h"

static void @name@_count(@Name@__V1__@Name@_Service *self, const @Name@__V1__CountRequest *request,
			 @Name@__V1__CountReply_Closure closure, void *call)
{
	@Name@__V1__CountReply reply = @NAME@__V1__COUNT_REPLY__INIT;
	(void)self;
	/* What breaks a rule of the .proto does not come this far. */
	for (const char *at = request->text; *at; at++)
		reply.letters += isalpha((unsigned char)*at) != 0;
	closure(&reply, call);
}

static @Name@__V1__@Name@_Service service = @NAME@__V1__@NAME@__INIT(@name@_);
static ProtobufCService *const services[] = {&service.base, NULL};

static enum lyc_status start(struct lyc_plugin_context *context, void **ret_state,
			     struct lyc_error *error)
{
	(void)error;
	lyc_log(context, 4, "@name@ begins at %s", lyc_node_name(context));
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
	.name = "@name@",
	.version = "0.1.0",
	.services = services,
	.schema = @name@_schema,
	.schema_len = sizeof(@name@_schema),
	.start = start,
	.stop = stop,
};

/* Calls of lyceum.v1, checked against the tables before protobuf-c unpacks them. */
#include "contract.h"

#include <stdlib.h>

#include "base/ensure.h"
#include "base/error.h"
#include "schema/core.h"

const struct schema *contract_schema(void)
{
	static struct schema *schema;
	if (!schema)
		ensure(core_schema_get(&schema) == LYC_OK);
	return schema;
}

enum lyc_status contract_call(struct session *session, const char *method,
			      const ProtobufCMessage *request,
			      const ProtobufCMessageDescriptor *reply_type,
			      ProtobufCMessage **ret_reply, struct buf *ret_json,
			      struct lyc_error *error)
{
	const struct schema_message *output =
		schema_find_message(contract_schema(), reply_type->name);
	ensure(output);
	struct session_reply reply = {0};
	size_t len = protobuf_c_message_get_packed_size(request);
	uint8_t *body = malloc(len + 1);
	ensure(body);
	protobuf_c_message_pack(request, body);
	enum lyc_status status = session_call(session, method, span_of(body, len), &reply, error);
	if (status != LYC_OK)
		goto out;
	struct span span = span_of(reply.body.data, reply.body.len);
	status = schema_check(output, span, false, error);
	if (status == LYC_OK && ret_json) {
		struct json_options options = {.is_pretty = session->output.width > 0};
		status = json_write(output, span, &options, ret_json, error);
	}
	if (status != LYC_OK)
		goto out;
	*ret_reply = protobuf_c_message_unpack(reply_type, NULL, span.len, span.data);
	if (!*ret_reply)
		status = error_set(error, LYC_INTERNAL, "the daemon's answer to %s is malformed",
				   method);
out:
	free(body);
	session_reply_fini(&reply);
	return status;
}

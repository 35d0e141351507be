/*
 * Calls of lyceum.v1, the core contract as it was when this command was built: what every daemon
 * answers about itself, so that `status` needs no schema from it.
 */
#ifndef LYC_TOOLS_CONTRACT_H
#define LYC_TOOLS_CONTRACT_H

#include <protobuf-c/protobuf-c.h>

#include "session.h"

/* The contract's tables. Valid for ever. */
const struct schema *contract_schema(void);
/* Call a method of lyceum.v1 and unpack its reply; ret_json (may be NULL) gets the reply as JSON.
 * The caller frees with protobuf_c_message_free_unpacked. */
LYC_MUST_USE enum lyc_status contract_call(struct session *session, const char *method,
					   const ProtobufCMessage *request,
					   const ProtobufCMessageDescriptor *reply_type,
					   ProtobufCMessage **ret_reply, struct buf *ret_json,
					   struct lyc_error *error);

#endif

/* Replies of lyceum.v1.Node, as protobuf-c wants them built. */
#ifndef LYC_NODE_REPLY_PACK_H
#define LYC_NODE_REPLY_PACK_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

#include "base/buf.h"

/* Append the message; nothing but the buffer's failure when there is no memory. */
void reply_pack(const ProtobufCMessage *message, struct buf *to);
/* Pointers to the elements of an array, as protobuf-c wants repeated messages. The caller frees
 * it. */
void *reply_point(void *items, size_t size, size_t count);

#endif

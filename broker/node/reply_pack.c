/* Messages into buffers, and arrays into what a message holds of them. */
#include "node/reply_pack.h"

#include "base/mem.h"

void reply_pack(const ProtobufCMessage *message, struct buf *to)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	if (buf_reserve(to, len)) {
		protobuf_c_message_pack(message, to->data + to->len);
		to->len += len;
	}
}

void *reply_point(void *items, size_t size, size_t count)
{
	char **pointers = mem_get((count + 1) * sizeof(char *));
	for (size_t i = 0; i < count; i++)
		pointers[i] = (char *)items + i * size;
	return pointers;
}

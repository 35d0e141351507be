/* Blocks in a list, each a page or what was asked for. */
#include "pad.h"

#include <stdarg.h>
#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BLOCK_LEN 4000

struct pad_block {
	struct pad_block *next;
	size_t used;
	size_t len;
	alignas(max_align_t) unsigned char bytes[];
};

void pad_fini(struct pad *pad)
{
	while (pad->blocks) {
		struct pad_block *next = pad->blocks->next;
		free(pad->blocks);
		pad->blocks = next;
	}
}

static void *take(struct pad *pad, size_t len)
{
	size_t aligned = (len + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
	struct pad_block *block = pad->blocks;

	if (!block || block->len - block->used < aligned) {
		size_t room = aligned > BLOCK_LEN ? aligned : BLOCK_LEN;
		block = aligned < len ? NULL : calloc(1, sizeof(*block) + room);
		if (!block) {
			fputs("investment: out of memory\n", stderr);
			abort();
		}
		block->len = room;
		block->next = pad->blocks;
		pad->blocks = block;
	}
	void *at = block->bytes + block->used;
	block->used += aligned;
	return at;
}

void *pad_new(struct pad *pad, size_t count, size_t size)
{
	size_t len;

	if (__builtin_mul_overflow(count ? count : 1, size, &len))
		len = SIZE_MAX;
	return take(pad, len);
}

char *pad_copy_bytes(struct pad *pad, const void *bytes, size_t len)
{
	char *copy = take(pad, len + 1);

	if (len > 0)
		memcpy(copy, bytes, len);
	copy[len] = '\0';
	return copy;
}

char *pad_copy(struct pad *pad, const char *text)
{
	return pad_copy_bytes(pad, text, strlen(text));
}

char *pad_print(struct pad *pad, const char *format, ...)
{
	char first[256];
	va_list args;

	if (!format)
		return pad_copy(pad, "");
	va_start(args, format);
	int len = vsnprintf(first, sizeof(first), format, args);
	va_end(args);
	if (len < (int)sizeof(first))
		return pad_copy(pad, len < 0 ? "" : first);
	char *text = take(pad, (size_t)len + 1);
	va_start(args, format);
	vsnprintf(text, (size_t)len + 1, format, args);
	va_end(args);
	return text;
}

void *pad_message(struct pad *pad, const ProtobufCMessageDescriptor *type)
{
	void *message = take(pad, type->sizeof_message);

	protobuf_c_message_init(type, message);
	return message;
}

static void *allocate(void *pad, size_t len)
{
	return take(pad, len);
}

static void forget(void *pad, void *pointer)
{
	(void)pad;
	(void)pointer;
}

void *pad_unpack(struct pad *pad, const ProtobufCMessageDescriptor *type, const void *bytes,
		 size_t len)
{
	ProtobufCAllocator allocator = {allocate, forget, pad};

	return protobuf_c_message_unpack(type, &allocator, len, bytes);
}

void *pad_copy_message(struct pad *pad, const ProtobufCMessage *message)
{
	size_t len = protobuf_c_message_get_packed_size(message);
	uint8_t *bytes = take(pad, len + 1);

	protobuf_c_message_pack(message, bytes);
	return pad_unpack(pad, message->descriptor, bytes, len);
}

void pad_push(struct pad *pad, void *list, size_t *count, void *item)
{
	void ***items = list;

	if ((*count & (*count - 1)) == 0) {
		void **more = pad_new(pad, *count ? *count * 2 : 1, sizeof(*more));
		if (*count > 0)
			memcpy(more, *items, *count * sizeof(*more));
		*items = more;
	}
	(*items)[(*count)++] = item;
}

char *pad_join(struct pad *pad, char *const *words, size_t count, const char *between)
{
	size_t len = 0;

	for (size_t i = 0; i < count; i++)
		len += strlen(words[i]) + strlen(between);
	char *text = take(pad, len + 1), *at = text;
	for (size_t i = 0; i < count; i++)
		at += sprintf(at, "%s%s", i ? between : "", words[i]);
	return text;
}

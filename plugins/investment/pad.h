/*
 * Memory for one piece of work: what a task or a reply is made of is taken from its pad and given
 * back all at once. Messages made here are never freed one by one. When the machine has no memory
 * left the plugin ends, and is started again.
 */
#ifndef INVESTMENT_PAD_H
#define INVESTMENT_PAD_H

#include <stddef.h>

#include <protobuf-c/protobuf-c.h>

struct pad_block;

/* Zeroed is empty. */
struct pad {
	struct pad_block *blocks;
};

void pad_fini(struct pad *pad);
/* Zeroed, aligned for anything, until pad_fini. */
void *pad_new(struct pad *pad, size_t count, size_t size);
char *pad_copy(struct pad *pad, const char *text);
char *pad_copy_bytes(struct pad *pad, const void *bytes, size_t len);
char *pad_print(struct pad *pad, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* An initialised message. */
void *pad_message(struct pad *pad, const ProtobufCMessageDescriptor *type);
/* A deep copy, from its packed bytes. NULL when they do not unpack. */
void *pad_unpack(struct pad *pad, const ProtobufCMessageDescriptor *type, const void *bytes,
		 size_t len);
void *pad_copy_message(struct pad *pad, const ProtobufCMessage *message);
/* One more at the end of a repeated field that was made on this pad: doubles at powers of two. */
void pad_push(struct pad *pad, void *list, size_t *count, void *item);
/* "a, b" */
char *pad_join(struct pad *pad, char *const *words, size_t count, const char *between);

#define PAD_NEW(pad, type) pad_message(pad, &lyceum__investment__v1__##type##__descriptor)

#endif

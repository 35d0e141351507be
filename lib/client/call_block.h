/*
 * The memory of one call that a plugin serves: its struct, its texts and its unpacked request in
 * one block, so that a call costs no malloc once the plugin is warm. What does not fit is
 * malloc'ed.
 */
#ifndef LYC_CLIENT_CALL_BLOCK_H
#define LYC_CLIENT_CALL_BLOCK_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sanitizer.h"

/* Holds a request of some hundred bytes. */
#define CALL_BLOCK_LEN 2048
/* Blocks kept for the next calls: none where the use of a call after its end is looked for. */
#if WITH_ADDRESS_SANITIZER
#define CALL_BLOCKS_KEPT 0
#else
#define CALL_BLOCKS_KEPT 64
#endif

struct call_block {
	struct call_block *next; /* among the kept */
	uint8_t *at;
	uint8_t *end;
	bool has_spilled;
};

struct call_blocks {
	struct call_block *kept;
	size_t kept_count;
};

/* A block with room for len bytes at least; NULL without memory. */
struct call_block *call_block_take(struct call_blocks *blocks, size_t len);
/* Bytes from the block, aligned for anything and not cleared. malloc'ed when it is full: NULL
 * without memory. Never NULL for the len of call_block_take. */
void *call_block_get(struct call_block *block, size_t len);
/* What call_block_get gave; only what was malloc'ed goes. */
void call_block_free(struct call_block *block, void *memory);
/* Keep it for another call, or free it. */
void call_block_give(struct call_blocks *blocks, struct call_block *block);
/* Free the kept. */
void call_blocks_fini(struct call_blocks *blocks);
/* protobuf-c's way to both; valid as long as the block. */
ProtobufCAllocator call_block_allocator(struct call_block *block);

#endif

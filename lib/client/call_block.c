/* A bump allocator over one block; freeing it frees all at once. */
#include "client/call_block.h"

#include <stdalign.h>
#include <stdlib.h>

#define ALIGNED(len) (((len) + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1))
#define HEAD_LEN ALIGNED(sizeof(struct call_block))

struct call_block *call_block_take(struct call_blocks *blocks, size_t len)
{
	struct call_block *block = blocks->kept;
	size_t room = CALL_BLOCK_LEN - HEAD_LEN;
	if (len > SIZE_MAX / 2)
		return NULL;
	if (block && ALIGNED(len) <= room) {
		blocks->kept = block->next;
		blocks->kept_count--;
	} else {
		if (ALIGNED(len) > room)
			room = ALIGNED(len);
		block = malloc(HEAD_LEN + room);
		if (!block)
			return NULL;
		block->end = (uint8_t *)block + HEAD_LEN + room;
	}
	block->next = NULL;
	block->at = (uint8_t *)block + HEAD_LEN;
	block->has_spilled = false;
	return block;
}

void *call_block_get(struct call_block *block, size_t len)
{
	if (len <= (size_t)(block->end - block->at)) {
		void *memory = block->at;
		size_t taken = ALIGNED(len);
		block->at =
			taken < (size_t)(block->end - block->at) ? block->at + taken : block->end;
		return memory;
	}
	block->has_spilled = true;
	return malloc(len);
}

void call_block_free(struct call_block *block, void *memory)
{
	uintptr_t place = (uintptr_t)memory;
	if (place < (uintptr_t)block || place >= (uintptr_t)block->end)
		free(memory);
}

void call_block_give(struct call_blocks *blocks, struct call_block *block)
{
	size_t len = (size_t)(block->end - (uint8_t *)block);
	if (blocks->kept_count == CALL_BLOCKS_KEPT || len > CALL_BLOCK_LEN) {
		free(block);
		return;
	}
	block->next = blocks->kept;
	blocks->kept = block;
	blocks->kept_count++;
}

void call_blocks_fini(struct call_blocks *blocks)
{
	while (blocks->kept) {
		struct call_block *block = blocks->kept;
		blocks->kept = block->next;
		free(block);
	}
	blocks->kept_count = 0;
}

static void *allocate(void *arg, size_t len)
{
	return call_block_get(arg, len);
}

static void release(void *arg, void *memory)
{
	call_block_free(arg, memory);
}

ProtobufCAllocator call_block_allocator(struct call_block *block)
{
	return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = block};
}

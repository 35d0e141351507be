/* malloc, over glibc's own. */
#include "short_memory.h"

#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);
void __libc_free(void *memory);

static _Thread_local bool is_armed;
static _Thread_local bool is_looking;
static _Thread_local bool is_for_good;
static _Thread_local bool has_failed;
static _Thread_local size_t left;

/* Of blocks that were made while armed: few at a time, so a table by address will do. */
#define TABLE_LEN (1u << 16)
static _Thread_local void *table[TABLE_LEN];
static _Thread_local long block_count;

static size_t place_of(const void *memory)
{
	return (size_t)(((uintptr_t)memory >> 4) * 0x9E3779B97F4A7C15u >> 48) & (TABLE_LEN - 1);
}

static char tombstone;
#define GONE ((void *)&tombstone)

static void note(void *memory)
{
	size_t at = place_of(memory);
	while (table[at] && table[at] != GONE)
		at = (at + 1) & (TABLE_LEN - 1);
	table[at] = memory;
	block_count++;
}

static void forget(void *memory)
{
	size_t at = place_of(memory);
	if (!memory || block_count == 0)
		return;
	for (size_t i = 0; i < TABLE_LEN && table[at]; i++) {
		if (table[at] == memory) {
			table[at] = GONE;
			block_count--;
			return;
		}
		at = (at + 1) & (TABLE_LEN - 1);
	}
}

/* Ours, or of a library whose failures we have to bear? */
static bool counts(void *caller)
{
	Dl_info info;
	is_looking = true;
	bool is_known = dladdr(caller, &info) != 0 && info.dli_fname;
	is_looking = false;
	if (!is_known)
		return false;
	const char *slash = strrchr(info.dli_fname, '/');
	const char *name = slash ? slash + 1 : info.dli_fname;
	return strncmp(name, "test_", 5) == 0 || strncmp(name, "libjansson", 10) == 0 ||
	       strncmp(name, "libyaml", 7) == 0 || strncmp(name, "libprotobuf-c", 13) == 0 ||
	       /* strdup and its like, for us. */
	       strncmp(name, "libc.", 5) == 0;
}

static bool refuses(void *caller)
{
	if (!is_armed || is_looking || !counts(caller))
		return false;
	if (left > 0) {
		left--;
		return false;
	}
	if (has_failed && !is_for_good)
		return false;
	has_failed = true;
	errno = ENOMEM;
	return true;
}

static void *noted(void *memory)
{
	if (memory && is_armed && !is_looking)
		note(memory);
	return memory;
}

void *malloc(size_t size)
{
	return refuses(__builtin_return_address(0)) ? NULL : noted(__libc_malloc(size));
}

void *calloc(size_t count, size_t size)
{
	return refuses(__builtin_return_address(0)) ? NULL : noted(__libc_calloc(count, size));
}

void *realloc(void *memory, size_t size)
{
	if (refuses(__builtin_return_address(0)))
		return NULL;
	bool was_noted = false;
	if (memory) {
		long before = block_count;
		forget(memory);
		was_noted = block_count < before;
	}
	void *moved = __libc_realloc(memory, size);
	if (!moved) {
		if (was_noted)
			note(memory);
		return NULL;
	}
	if (was_noted || (is_armed && !is_looking))
		note(moved);
	return moved;
}

void free(void *memory)
{
	forget(memory);
	__libc_free(memory);
}

void short_memory_arm(size_t nth, bool for_good)
{
	memset(table, 0, sizeof(table));
	block_count = 0;
	left = nth;
	is_for_good = for_good;
	has_failed = false;
	is_armed = true;
}

bool short_memory_disarm(void)
{
	is_armed = false;
	return has_failed;
}

long short_memory_blocks(void)
{
	return block_count;
}

/* malloc, over glibc's own; libraries find these, too. */
#include "counted_memory.h"

#include <stdlib.h>

#define FOR_ALL __attribute__((visibility("default")))

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *memory, size_t size);

static _Thread_local size_t allocation_count;
static _Thread_local bool is_off;

size_t counted_memory(void)
{
	return allocation_count;
}

void counted_memory_set(bool is_on)
{
	is_off = !is_on;
}

FOR_ALL void *malloc(size_t size)
{
	allocation_count += !is_off;
	return __libc_malloc(size);
}

FOR_ALL void *calloc(size_t count, size_t size)
{
	allocation_count += !is_off;
	return __libc_calloc(count, size);
}

FOR_ALL void *realloc(void *memory, size_t size)
{
	allocation_count += !is_off;
	return __libc_realloc(memory, size);
}

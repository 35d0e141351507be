/* Allocation with one policy for small things and one for what a peer chose. */
#include "base/mem.h"

#include <stdlib.h>
#include <string.h>

#include "base/ensure.h"

void *mem_try(size_t size)
{
	return calloc(1, size ? size : 1);
}

void *mem_get(size_t size)
{
	void *memory = mem_try(size);
	ensure(memory != NULL);
	return memory;
}

char *mem_dup_try(const char *text, size_t len)
{
	char *copy = malloc(len + 1);
	if (!copy)
		return NULL;
	if (len > 0)
		memcpy(copy, text, len);
	copy[len] = '\0';
	return copy;
}

char *mem_dup(const char *text)
{
	if (!text)
		return NULL;
	char *copy = mem_dup_try(text, strlen(text));
	ensure(copy != NULL);
	return copy;
}

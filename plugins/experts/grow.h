/*
 * Arrays that grow by doubling. The view's memory follows the log, which the daemon bounds; when
 * the machine has none left the view cannot be kept, and the plugin ends so that it is started
 * again.
 */
#ifndef EXPERTS_GROW_H
#define EXPERTS_GROW_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *grow_check(void *block)
{
	if (!block) {
		fputs("experts: out of memory\n", stderr);
		abort();
	}
	return block;
}

static inline void *grow_new(size_t count, size_t size)
{
	return grow_check(calloc(count ? count : 1, size));
}

/* `data` with room for `want` elements; the new ones are zero. */
static inline void *grow(void *data, size_t *capacity, size_t want, size_t size)
{
	if (want <= *capacity)
		return data;
	size_t next = *capacity ? *capacity : 16;
	while (next < want)
		next += next / 2 + 1;
	data = grow_check(realloc(data, next * size));
	memset((char *)data + *capacity * size, 0, (next - *capacity) * size);
	*capacity = next;
	return data;
}

static inline char *grow_copy(const char *text, size_t len)
{
	char *copy = grow_new(len + 1, 1);
	memcpy(copy, text, len);
	return copy;
}

#endif

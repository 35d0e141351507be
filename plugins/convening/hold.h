/*
 * Memory for the view. It follows the log, which the daemon bounds; when the machine has none left
 * the view cannot be kept, and the plugin ends so that it is started again.
 */
#ifndef CONVENING_HOLD_H
#define CONVENING_HOLD_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline void *hold_check(void *block)
{
	if (!block) {
		fputs("convening: out of memory\n", stderr);
		abort();
	}
	return block;
}

static inline void *hold_new(size_t count, size_t size)
{
	return hold_check(calloc(count ? count : 1, size));
}

/* `data` with room for `want` elements; the new ones are zero. */
static inline void *hold_grow(void *data, size_t *capacity, size_t want, size_t size)
{
	if (want <= *capacity)
		return data;
	size_t next = *capacity ? *capacity : 16;
	while (next < want)
		next += next / 2 + 1;
	data = hold_check(realloc(data, next * size));
	memset((char *)data + *capacity * size, 0, (next - *capacity) * size);
	*capacity = next;
	return data;
}

static inline char *hold_text(const char *text)
{
	return hold_check(strdup(text ? text : ""));
}

#endif

/*
 * Numbers in the files of a log: 1 to 8 bytes, little endian, whatever the machine is.
 */
#ifndef LYC_STORE_FIGURES_H
#define LYC_STORE_FIGURES_H

#include <stdint.h>

#include "base/buf.h"

/* Byte by byte, so that neither order nor alignment of the machine's own numbers matters; inline,
 * so that with a constant length it is one load or store where the machine's order is the same. */
static inline void figures_put(uint8_t *to, uint64_t value, int len)
{
	for (int i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

static inline uint64_t figures_get(const uint8_t *at, int len)
{
	uint64_t value = 0;
	for (int i = len - 1; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

/* Append one. */
void figures_add(struct buf *to, uint64_t value, int len);

/* One behind the other, of bytes of which is known that they hold so many. */
struct figures {
	const uint8_t *at;
};

uint64_t figures_next(struct figures *figures, int len);

#endif

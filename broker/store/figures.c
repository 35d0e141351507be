/* Byte by byte, so that neither order nor alignment of the machine's own numbers matters. */
#include "store/figures.h"

void figures_put(uint8_t *to, uint64_t value, int len)
{
	for (int i = 0; i < len; i++)
		to[i] = (uint8_t)(value >> (8 * i));
}

uint64_t figures_get(const uint8_t *at, int len)
{
	uint64_t value = 0;
	for (int i = len - 1; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

void figures_add(struct buf *to, uint64_t value, int len)
{
	uint8_t bytes[8];
	figures_put(bytes, value, len);
	buf_add(to, bytes, (size_t)len);
}

uint64_t figures_next(struct figures *figures, int len)
{
	uint64_t value = figures_get(figures->at, len);
	figures->at += len;
	return value;
}

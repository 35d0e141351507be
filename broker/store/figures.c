/* Those that go to a buffer or come one behind the other. */
#include "store/figures.h"

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

/*
 * Numbers in the files of a log: 1 to 8 bytes, little endian, whatever the machine is.
 */
#ifndef LYC_STORE_FIGURES_H
#define LYC_STORE_FIGURES_H

#include <stdint.h>

#include "base/buf.h"

void figures_put(uint8_t *to, uint64_t value, int len);
uint64_t figures_get(const uint8_t *at, int len);
/* Append one. */
void figures_add(struct buf *to, uint64_t value, int len);

/* One behind the other, of bytes of which is known that they hold so many. */
struct figures {
	const uint8_t *at;
};

uint64_t figures_next(struct figures *figures, int len);

#endif

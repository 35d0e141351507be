/* UTF-8: is it well-formed, and how many characters has it? Source: Unicode 15, table 3-7. */
#ifndef LYC_BASE_UTF8_H
#define LYC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Nothing but ASCII, and at most 64 bytes: short texts need no more than two loads. */
static inline bool utf8_is_short_plain(const uint8_t *at, size_t len)
{
	const uint64_t high = 0x8080808080808080u;
	if (len > 64)
		return false;
	if (len >= 8) {
		uint64_t any;
		memcpy(&any, at + len - 8, 8);
		for (size_t i = 0; i + 8 < len; i += 8) {
			uint64_t eight;
			memcpy(&eight, at + i, 8);
			any |= eight;
		}
		return (any & high) == 0;
	}
	if (len >= 4) {
		uint32_t first;
		uint32_t last;
		memcpy(&first, at, 4);
		memcpy(&last, at + len - 4, 4);
		return ((first | last) & (uint32_t)high) == 0;
	}
	uint8_t any = 0;
	for (size_t i = 0; i < len; i++)
		any |= at[i];
	return any < 0x80;
}

/* True when the bytes are well-formed; ret_count (may be NULL) is then the number of code points.
 */
bool utf8_check(const uint8_t *bytes, size_t len, size_t *ret_count);
/* The code point at *at, which moves behind it; 0xFFFD for a malformed byte, which is passed. Not
 * at the end. */
uint32_t utf8_next(const uint8_t **at, const uint8_t *end);
/* Copies as many whole characters as fit, with a final NUL; a malformed byte becomes `?`. `size` is
 * at least 1. */
void utf8_copy(char *to, size_t size, const uint8_t *bytes, size_t len);
/* Writes 1 to 4 bytes; returns how many. */
size_t utf8_put(uint8_t *to, uint32_t code);

#endif

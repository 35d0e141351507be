/* UTF-8, by table 3-7 of the Unicode standard. */
#include "base/utf8.h"

#include <endian.h>
#include <string.h>

/* Length of the sequence that starts at `at`, 0 when malformed. */
static size_t sequence_len(const uint8_t *at, size_t left)
{
	uint8_t first = at[0];
	if (first < 0x80)
		return 1;
	if (first < 0xc2 || first > 0xf4)
		return 0;
	size_t len = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
	if (left < len)
		return 0;
	uint8_t low = 0x80;
	uint8_t high = 0xbf;
	if (first == 0xe0)
		low = 0xa0;
	else if (first == 0xed)
		high = 0x9f;
	else if (first == 0xf0)
		low = 0x90;
	else if (first == 0xf4)
		high = 0x8f;
	if (at[1] < low || at[1] > high)
		return 0;
	for (size_t i = 2; i < len; i++) {
		if ((at[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

static inline uint64_t high_bits_of_eight(const uint8_t *bytes)
{
	uint64_t eight;
	memcpy(&eight, bytes, 8);
	return eight & 0x8080808080808080u;
}

bool utf8_check(const uint8_t *bytes, size_t len, size_t *ret_count)
{
	bool is_plain = utf8_is_short_plain(bytes, len);
	size_t count = is_plain ? len : 0;
	size_t i = count;
	while (i < len) {
		/* Plain ones: many at once, then up to the first that is not. */
		if (len - i >= 32 &&
		    (high_bits_of_eight(bytes + i) | high_bits_of_eight(bytes + i + 8) |
		     high_bits_of_eight(bytes + i + 16) | high_bits_of_eight(bytes + i + 24)) ==
			    0) {
			i += 32;
			count += 32;
			continue;
		}
		if (len - i >= 8) {
			uint64_t high = le64toh(high_bits_of_eight(bytes + i));
			size_t plain = high == 0 ? 8 : (size_t)__builtin_ctzll(high) >> 3;
			i += plain;
			count += plain;
			if (plain == 8)
				continue;
		}
		size_t step = sequence_len(bytes + i, len - i);
		if (step == 0)
			return false;
		i += step;
		count++;
	}
	if (ret_count)
		*ret_count = count;
	return true;
}

void utf8_copy(char *to, size_t size, const uint8_t *bytes, size_t len)
{
	size_t written = 0;
	size_t i = 0;
	while (i < len) {
		size_t step = sequence_len(bytes + i, len - i);
		if (written + (step ? step : 1) >= size)
			break;
		if (step > 0)
			memcpy(to + written, bytes + i, step);
		else
			to[written] = '?';
		written += step ? step : 1;
		i += step ? step : 1;
	}
	to[written] = '\0';
}

uint32_t utf8_next(const uint8_t **at, const uint8_t *end)
{
	const uint8_t *from = *at;
	size_t len = sequence_len(from, (size_t)(end - from));
	if (len == 0) {
		*at = from + 1;
		return 0xfffd;
	}
	*at = from + len;
	if (len == 1)
		return from[0];
	uint32_t code = from[0] & (0x7fu >> len);
	for (size_t i = 1; i < len; i++)
		code = code << 6 | (from[i] & 0x3f);
	return code;
}

size_t utf8_put(uint8_t *to, uint32_t code)
{
	if (code < 0x80) {
		to[0] = (uint8_t)code;
		return 1;
	}
	size_t len = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
	static const uint8_t lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
	for (size_t i = len; i-- > 1;) {
		to[i] = (uint8_t)(0x80 | (code & 0x3f));
		code >>= 6;
	}
	to[0] = (uint8_t)(lead[len] | code);
	return len;
}

/* Base64 both ways, three bytes at a time. */
#include "schema/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_write(struct buf *to, struct span bytes)
{
	for (size_t i = 0; i < bytes.len; i += 3) {
		size_t left = bytes.len - i;
		uint32_t bits = (uint32_t)bytes.data[i] << 16;
		if (left > 1)
			bits |= (uint32_t)bytes.data[i + 1] << 8;
		if (left > 2)
			bits |= bytes.data[i + 2];
		char four[4] = {alphabet[bits >> 18], alphabet[bits >> 12 & 63],
				left > 1 ? alphabet[bits >> 6 & 63] : '=',
				left > 2 ? alphabet[bits & 63] : '='};
		buf_add(to, four, sizeof(four));
	}
}

static int digit_of(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	if (c == '+' || c == '-')
		return 62;
	if (c == '/' || c == '_')
		return 63;
	return -1;
}

bool base64_read(struct buf *to, struct span text)
{
	size_t len = text.len;
	if (len > 0 && len % 4 == 0) {
		for (int i = 0; i < 2 && text.data[len - 1] == '='; i++)
			len--;
	}
	if (len % 4 == 1)
		return false;
	uint32_t bits = 0;
	unsigned held = 0;
	for (size_t i = 0; i < len; i++) {
		int digit = digit_of(text.data[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		held += 6;
		if (held < 8)
			continue;
		held -= 8;
		buf_add_byte(to, (uint8_t)(bits >> held));
	}
	return true;
}

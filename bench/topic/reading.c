/* Fields of fixed lengths, so that the number stands always in the same place. */
#include "topic/reading.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEN 5
#define NUMBER_AT (2 + NAME_LEN + 2 + NAME_LEN + 1)
/* Added, so that its varint always has five bytes. */
#define NUMBER_BASE ((uint64_t)1 << 28)
#define NUMBER_LEN 5
#define NOBODY READING_HOME "/nobody"

/* As in lyceum.v1.Visibility. */
enum { MEMBERS = 2, AUDIENCE = 3 };

static uint8_t *put_text(uint8_t *to, unsigned field, const char *text, size_t len)
{
	*to++ = (uint8_t)(field << 3 | 2);
	*to++ = (uint8_t)len;
	memcpy(to, text, len);
	return to + len;
}

void reading_set_number(uint8_t *body, uint64_t number)
{
	uint64_t rest = number + NUMBER_BASE;
	for (int i = 0; i < NUMBER_LEN; i++) {
		body[NUMBER_AT + i] = (uint8_t)((rest & 0x7f) | (i < NUMBER_LEN - 1 ? 0x80 : 0));
		rest >>= 7;
	}
}

uint64_t reading_number(const uint8_t *body, size_t len)
{
	uint64_t number = 0;
	if (len < READING_MIN_LEN || body[NUMBER_AT - 1] != (3 << 3))
		return UINT64_MAX;
	for (int i = 0; i < NUMBER_LEN; i++)
		number |= (uint64_t)(body[NUMBER_AT + i] & 0x7f) << (7 * i);
	return number - NUMBER_BASE;
}

static size_t write_label(uint8_t *to, bool is_hidden)
{
	uint8_t *end = put_text(to, 1, READING_HOME, strlen(READING_HOME));
	*end++ = 2 << 3;
	*end++ = is_hidden ? AUDIENCE : MEMBERS;
	if (is_hidden)
		end = put_text(end, 3, NOBODY, strlen(NOBODY));
	return (size_t)(end - to);
}

static void write_reading(uint8_t *to, size_t len, unsigned region, unsigned device,
			  uint64_t number, bool is_hidden)
{
	char name[8];
	uint8_t label[64];
	uint8_t *at = to;
	snprintf(name, sizeof(name), "r%04u", region % 10000);
	at = put_text(at, 1, name, NAME_LEN);
	snprintf(name, sizeof(name), "d%04u", device % 10000);
	at = put_text(at, 2, name, NAME_LEN);
	*at++ = 3 << 3;
	reading_set_number(to, number);
	at += NUMBER_LEN;
	size_t label_len = write_label(label, is_hidden);
	/* The text fills the rest: with one byte of length, or with two. */
	size_t left = len - (size_t)(at - to) - (2 + label_len);
	size_t text_len = left - (left - 2 < 128 ? 2 : 3);
	*at++ = 4 << 3 | 2;
	*at++ = (uint8_t)(text_len < 128 ? text_len : ((text_len & 0x7f) | 0x80));
	if (text_len >= 128)
		*at++ = (uint8_t)(text_len >> 7);
	memset(at, 'x', text_len);
	at += text_len;
	(void)put_text(at, 5, (const char *)label, label_len);
}

void reading_write(uint8_t *to, size_t len, unsigned region, unsigned device, uint64_t number)
{
	write_reading(to, len, region, device, number, false);
}

void reading_write_hidden(uint8_t *to, size_t len, unsigned region, unsigned device,
			  uint64_t number)
{
	write_reading(to, len, region, device, number, true);
}

void reading_subject(char *to, size_t size, unsigned region, unsigned device, char separator)
{
	snprintf(to, size, READING_TYPE ".r%04u.d%04u", region % 10000, device % 10000);
	for (char *at = to; *at; at++) {
		if (*at == '.')
			*at = separator;
	}
}

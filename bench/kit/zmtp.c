/* Greeting, READY, frames: https://rfc.zeromq.org/spec/23/ */
#include "kit/zmtp.h"

#include <stdlib.h>
#include <string.h>

#define GREETING_LEN 64
#define WAIT_MS 10000

enum flag { MORE = 1, LONG = 2, COMMAND = 4 };

/* The frame at `at`: its whole length, 0 while it has not come; and where its content begins. */
static size_t frame_len(const char *at, size_t len, size_t *ret_start)
{
	uint64_t size = 0;
	if (len < 2)
		return 0;
	if (!((uint8_t)at[0] & LONG)) {
		*ret_start = 2;
		size = (uint8_t)at[1];
	} else {
		if (len < 9)
			return 0;
		for (size_t i = 1; i < 9; i++)
			size = size << 8 | (uint8_t)at[i];
		*ret_start = 9;
	}
	return *ret_start + size <= len ? *ret_start + (size_t)size : 0;
}

static void put_frame(struct line *line, unsigned flags, const void *bytes, size_t len)
{
	uint8_t head[9] = {(uint8_t)(flags | (len > 255 ? LONG : 0))};
	if (len <= 255) {
		head[1] = (uint8_t)len;
		line_put(line, head, 2);
	} else {
		for (size_t i = 0; i < 8; i++)
			head[1 + i] = (uint8_t)((uint64_t)len >> (56 - 8 * i));
		line_put(line, head, sizeof(head));
	}
	line_put(line, bytes, len);
}

void zmtp_put(struct line *line, const void *frame, size_t len)
{
	put_frame(line, 0, frame, len);
}

bool zmtp_open(struct line *line, const char *endpoint, size_t size)
{
	static const char ready[] = "\5READY\13Socket-Type\0\0\0\6DEALER\10Identity\0\0\0\0";
	uint8_t greeting[GREETING_LEN] = {0xff, [9] = 0x7f, [10] = 3};
	size_t start;
	size_t len;
	const char *port = strrchr(endpoint, ':');
	memcpy(greeting + 12, "NULL", 4);
	if (!port || !line_open_small(line, (unsigned)atoi(port + 1), WAIT_MS, size))
		return false;
	line_put(line, greeting, sizeof(greeting));
	put_frame(line, COMMAND, ready, sizeof(ready) - 1);
	if (!line_flush(line))
		return false;
	while (line->in_len < GREETING_LEN) {
		if (!line_read(line))
			return false;
	}
	line_used(line, GREETING_LEN);
	/* Its READY. */
	while ((len = frame_len(line->in, line->in_len, &start)) == 0) {
		if (!line_read(line))
			return false;
	}
	line_used(line, len);
	return true;
}

/* PING is answered by PONG with its context, which stands behind name and time to live. */
static void answer(struct line *line, const uint8_t *command, size_t len)
{
	uint8_t pong[5 + 16] = {4, 'P', 'O', 'N', 'G'};
	if (len < 7 || len > 7 + 16 || memcmp(command, "\4PING", 5) != 0)
		return;
	memcpy(pong + 5, command + 7, len - 7);
	put_frame(line, COMMAND, pong, 5 + len - 7);
}

bool zmtp_turn(struct line *line, zmtp_frame_fn on_frame, void *arg)
{
	size_t at = 0;
	size_t start;
	size_t len;
	if (!line_read(line))
		return false;
	while ((len = frame_len(line->in + at, line->in_len - at, &start)) > 0) {
		const uint8_t *content = (const uint8_t *)line->in + at + start;
		if ((uint8_t)line->in[at] & COMMAND)
			answer(line, content, len - start);
		else
			on_frame(line, content, len - start, arg);
		at += len;
	}
	line_used(line, at);
	return line_flush(line);
}

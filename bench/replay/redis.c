/* Redis Streams: XRANGE from where the last one ended, a thousand at once, two requests on their
 * way. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/line.h"
#include "kit/process.h"
#include "kit/redis.h"
#include "replay/replay.h"
#include "replay/tape.h"

#define WAIT_MS 8000
#define OUTSTANDING 1024
#define AT_ONCE 1000
#define WAIT_S 60

bool redis_replay_start(struct contestant *self, const struct setting *setting)
{
	return redis_server_start(self, setting, "everysec");
}

void redis_replay_before(struct contestant *self, const struct setting *setting,
			 const struct workload *work)
{
	static bool is_filled;
	struct line line;
	struct tape tape;
	const uint8_t *body;
	const char *subject;
	uint64_t answers = 0;
	size_t len;
	bool is_fine = true;
	(void)setting;
	if (is_filled || !redis_open(&line, self))
		return;
	is_filled = true;
	tape_init(&tape, work);
	while (is_fine && answers < tape.count) {
		while (tape.written - answers < OUTSTANDING && tape_next(&tape, &body, &subject)) {
			/* Identifiers that tell their own number. */
			char id[32];
			snprintf(id, sizeof(id), "%llu-1", (unsigned long long)tape.written);
			redis_put_xadd(&line, "tape", id, body, tape.len);
		}
		is_fine = line_flush(&line) && line_read(&line);
		size_t at = 0;
		while ((len = redis_bulk_len(line.in + at, line.in_len - at)) > 0) {
			at += len;
			answers++;
		}
		line_used(&line, at);
	}
	line_close(&line);
}

/* "*2 $id *2 $1 b $len body" of each entry, behind "*count". Returns what was used; whole entries
 * only. */
static size_t take_entries(const char *at, size_t len, struct tape *tape)
{
	size_t used = 0;
	for (;;) {
		const char *from = at + used;
		size_t left = len - used;
		size_t head = redis_line_len(from, left);
		if (head == 0)
			return used;
		/* The head of a reply: how many entries follow. */
		if (from[0] == '*' && from[1] != '2') {
			used += head;
			continue;
		}
		size_t entry = head;
		size_t part = redis_bulk_len(from + entry, left - entry);
		if (part == 0)
			return used;
		entry += part;
		part = redis_line_len(from + entry, left - entry);
		if (part == 0)
			return used;
		entry += part;
		part = redis_bulk_len(from + entry, left - entry);
		if (part == 0)
			return used;
		entry += part;
		part = redis_bulk_len(from + entry, left - entry);
		if (part == 0)
			return used;
		tape_read(tape, (const uint8_t *)from + entry + redis_line_len(from + entry, part),
			  tape->len);
		used += entry + part;
	}
}

static void ask(struct line *line, uint64_t first)
{
	line_printf(line, "XRANGE tape %llu + COUNT %d\r\n", (unsigned long long)first, AT_ONCE);
}

void redis_replay_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	struct line line;
	struct tape tape;
	(void)setting;
	tape_init(&tape, work);
	if (!redis_open(&line, self)) {
		contest_fail(ret_measure, "no connection to redis-server");
		return;
	}
	tape_begin(&tape, self);
	uint64_t asked = 0;
	bool is_fine = true;
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_S * 1000000000;
	while (is_fine && !tape_is_read(&tape) && now_ns() < until_ns) {
		while (asked < tape.count && asked < tape.read + 2 * AT_ONCE) {
			ask(&line, asked + 1);
			asked += AT_ONCE;
		}
		is_fine = line_flush(&line) && line_read(&line);
		line_used(&line, take_entries(line.in, line.in_len, &tape));
	}
	if (!is_fine)
		contest_fail(ret_measure, "redis-server ended the connection");
	tape_end(&tape, self, ret_measure);
	line_close(&line);
}

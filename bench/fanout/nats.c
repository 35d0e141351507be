/* NATS: publisher and subscribers on bare sockets. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanout/fan.h"
#include "fanout/fanout.h"
#include "kit/nats.h"
#include "topic/reading.h"

bool nats_fanout_start(struct contestant *self, const struct setting *setting)
{
	return nats_server_start(self, setting, self->kind);
}

/* ---- subscribers ---- */

static void on_message(struct line *line, const struct nats_message *message, void *arg)
{
	struct fan_subscriber *subscriber = arg;
	(void)line;
	fan_received(subscriber->fan, subscriber->index, message->body, message->body_len);
}

static bool connect_one(struct fan_subscriber *subscriber, const struct contestant *self,
			const struct workload *work)
{
	char lines[2000] = "";
	for (unsigned i = 0; i < fan_pattern_count(work); i++) {
		char pattern[100];
		size_t len = strlen(lines);
		fan_pattern(pattern, sizeof(pattern), work, i, READING_TYPE, '.', "*", ">");
		snprintf(lines + len, sizeof(lines) - len, "SUB %s %u\r\n", pattern, i + 1);
	}
	return nats_open(&subscriber->line, self, lines);
}

static bool turn(struct fan_subscriber *subscriber)
{
	return nats_turn(&subscriber->line, on_message, subscriber);
}

static void subscribe(const struct contestant *self, struct fan *fan, unsigned first,
		      unsigned count, const struct workload *work)
{
	fan_subscribe_by_lines(self, fan, first, count, work, connect_one, turn);
}

/* ---- the publisher ---- */

static void *open_publisher(const struct contestant *self, struct measure *measure)
{
	struct line *line = malloc(sizeof(*line));
	if (line && nats_open(line, self, ""))
		return line;
	contest_fail(measure, "no connection to nats-server");
	free(line);
	return NULL;
}

static bool put(void *publisher, const char *subject, const uint8_t *body, size_t len)
{
	nats_put(publisher, subject, strlen(subject), NULL, body, len);
	return true;
}

/* It says PING from time to time. */
static bool flush(void *publisher)
{
	struct line *line = publisher;
	struct pollfd item = {.fd = line->fd, .events = POLLIN};
	if (poll(&item, 1, 0) > 0 && !nats_turn(line, NULL, NULL))
		return false;
	return line_flush(line);
}

static void close_publisher(void *publisher)
{
	line_close(publisher);
	free(publisher);
}

void nats_fanout_round(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure)
{
	static const struct fan_parts parts = {subscribe, open_publisher,  put,
					       flush,     close_publisher, '.'};
	fan_round(self, setting, work, &parts, ret_measure);
}

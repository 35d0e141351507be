/* Mosquitto: publisher and subscribers on bare sockets, QoS 0. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fanout/fan.h"
#include "fanout/fanout.h"
#include "kit/mqtt.h"
#include "topic/reading.h"

#define MAX_PATTERNS 10

/* ---- subscribers ---- */

static void on_message(struct line *line, const struct mqtt_message *message, void *arg)
{
	struct fan_subscriber *subscriber = arg;
	(void)line;
	fan_received(subscriber->fan, subscriber->index, message->body, message->body_len);
}

static bool connect_one(struct fan_subscriber *subscriber, const struct contestant *self,
			const struct workload *work)
{
	char type[] = READING_TYPE;
	char name[40];
	char patterns[MAX_PATTERNS][100];
	const char *topics[MAX_PATTERNS];
	for (char *at = type; *at; at++) {
		if (*at == '.')
			*at = '/';
	}
	for (unsigned i = 0; i < fan_pattern_count(work); i++) {
		fan_pattern(patterns[i], sizeof(patterns[i]), work, i, type, '/', "+", "#");
		topics[i] = patterns[i];
	}
	snprintf(name, sizeof(name), "subscriber-%u", subscriber->index);
	return mqtt_open(&subscriber->line, self, name, topics, fan_pattern_count(work));
}

static bool turn(struct fan_subscriber *subscriber)
{
	return mqtt_turn(&subscriber->line, on_message, subscriber);
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
	if (line && mqtt_open(line, self, "publisher", NULL, 0))
		return line;
	contest_fail(measure, "no connection to mosquitto");
	free(line);
	return NULL;
}

static bool put(void *publisher, const char *subject, const uint8_t *body, size_t len)
{
	mqtt_put(publisher, subject, strlen(subject), body, len);
	return true;
}

static bool flush(void *publisher)
{
	return line_flush(publisher);
}

static void close_publisher(void *publisher)
{
	line_close(publisher);
	free(publisher);
}

void mosquitto_fanout_round(const struct contestant *self, const struct setting *setting,
			    const struct workload *work, struct measure *ret_measure)
{
	static const struct fan_parts parts = {subscribe, open_publisher,  put,
					       flush,     close_publisher, '/'};
	fan_round(self, setting, work, &parts, ret_measure);
}

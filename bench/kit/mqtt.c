/* MQTT 3.1.1 as far as QoS 0 needs it. */
#include "kit/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/process.h"

#define WAIT_MS 8000
#define TURN_MS 100

enum kind { CONNECT = 0x10, CONNACK = 0x20, PUBLISH = 0x30, SUBSCRIBE = 0x82, SUBACK = 0x90 };

bool mosquitto_start(struct contestant *contestant, const struct setting *setting)
{
	char program[300];
	char config[300];
	char output[300];
	struct line line;
	if (!process_find("mosquitto", program, sizeof(program))) {
		snprintf(contestant->missing, sizeof(contestant->missing),
			 "mosquitto is not installed (Debian: mosquitto)");
		return false;
	}
	unsigned port = contest_find_port();
	snprintf(contestant->endpoint, sizeof(contestant->endpoint), "%u", port);
	snprintf(config, sizeof(config), "%s/mosquitto.conf", setting->folder);
	snprintf(output, sizeof(output), "%s/mosquitto.log", setting->folder);
	FILE *file = fopen(config, "we");
	if (!file)
		return false;
	fprintf(file,
		"listener %u 127.0.0.1\nallow_anonymous true\nmax_queued_messages 0\n"
		"max_queued_bytes 0\nmax_inflight_messages 0\nset_tcp_nodelay true\n"
		"log_dest stderr\nlog_type error\nlog_type warning\nuser root\n",
		port);
	fclose(file);
	char *argv[] = {program, "-c", config, NULL};
	contestant->broker = process_start(argv, output);
	bool is_up = mqtt_open(&line, contestant, "probe", NULL, 0);
	if (is_up)
		line_close(&line);
	else
		snprintf(contestant->missing, sizeof(contestant->missing),
			 "mosquitto did not start: see %.200s", output);
	return is_up;
}

/* ---- writing ---- */

static void put_head(struct line *line, enum kind kind, size_t len)
{
	uint8_t head[5] = {(uint8_t)kind};
	size_t at = 1;
	do {
		head[at] = (uint8_t)(len & 0x7f);
		len >>= 7;
		if (len > 0)
			head[at] |= 0x80;
		at++;
	} while (len > 0);
	line_put(line, head, at);
}

static void put_text(struct line *line, const char *text, size_t len)
{
	uint8_t head[2] = {(uint8_t)(len >> 8), (uint8_t)len};
	line_put(line, head, sizeof(head));
	line_put(line, text, len);
}

void mqtt_put(struct line *line, const char *topic, size_t topic_len, const uint8_t *body,
	      size_t body_len)
{
	put_head(line, PUBLISH, 2 + topic_len + body_len);
	put_text(line, topic, topic_len);
	line_put(line, body, body_len);
}

static void put_connect(struct line *line, const char *client)
{
	/* Level 4, a clean session, no keep-alive. */
	static const uint8_t rest[] = {4, 2, 0, 0};
	put_head(line, CONNECT, 6 + sizeof(rest) + 2 + strlen(client));
	put_text(line, "MQTT", 4);
	line_put(line, rest, sizeof(rest));
	put_text(line, client, strlen(client));
}

static void put_subscribe(struct line *line, const char *const *topics, size_t count)
{
	static const uint8_t id[2] = {0, 1};
	static const uint8_t qos = 0;
	size_t len = sizeof(id);
	for (size_t i = 0; i < count; i++)
		len += 2 + strlen(topics[i]) + 1;
	put_head(line, SUBSCRIBE, len);
	line_put(line, id, sizeof(id));
	for (size_t i = 0; i < count; i++) {
		put_text(line, topics[i], strlen(topics[i]));
		line_put(line, &qos, 1);
	}
}

/* ---- reading ---- */

/* The packet at `at`: its whole length, 0 while it has not come; and where its content begins. */
static size_t packet_len(const char *at, size_t len, size_t *ret_start)
{
	size_t value = 0;
	for (size_t i = 1; i < len && i < 5; i++) {
		value |= (size_t)((uint8_t)at[i] & 0x7f) << (7 * (i - 1));
		if ((uint8_t)at[i] & 0x80)
			continue;
		*ret_start = i + 1;
		return i + 1 + value <= len ? i + 1 + value : 0;
	}
	return 0;
}

static bool await(struct line *line, enum kind kind)
{
	for (;;) {
		size_t start;
		size_t len = packet_len(line->in, line->in_len, &start);
		if (len > 0) {
			bool is_kind = (uint8_t)line->in[0] == (uint8_t)kind;
			line_used(line, len);
			return is_kind;
		}
		if (!line_read(line))
			return false;
	}
}

bool mqtt_open(struct line *line, const struct contestant *contestant, const char *client,
	       const char *const *topics, size_t topic_count)
{
	if (!line_open(line, (unsigned)atoi(contestant->endpoint), WAIT_MS))
		return false;
	put_connect(line, client);
	if (!line_flush(line) || !await(line, CONNACK))
		return false;
	if (topic_count > 0) {
		put_subscribe(line, topics, topic_count);
		if (!line_flush(line) || !await(line, SUBACK))
			return false;
	}
	line_set_wait(line, TURN_MS);
	return true;
}

bool mqtt_turn(struct line *line, mqtt_message_fn on_message, void *arg)
{
	size_t at = 0;
	size_t start;
	size_t len;
	if (!line_read(line))
		return false;
	while ((len = packet_len(line->in + at, line->in_len - at, &start)) > 0) {
		const char *packet = line->in + at;
		if (((uint8_t)packet[0] & 0xf0) == PUBLISH) {
			size_t topic_len =
				(size_t)((uint8_t)packet[start] << 8 | (uint8_t)packet[start + 1]);
			const char *body = packet + start + 2 + topic_len;
			struct mqtt_message message = {
				.topic = packet + start + 2,
				.topic_len = topic_len,
				.body = (const uint8_t *)body,
				.body_len = (size_t)(packet + len - body),
			};
			on_message(line, &message, arg);
		}
		at += len;
	}
	line_used(line, at);
	return line_flush(line);
}

/* Mosquitto: the broker, started with its limits off, and MQTT 3.1.1 on a bare line. */
#ifndef LYC_BENCH_MQTT_H
#define LYC_BENCH_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "kit/contest.h"
#include "kit/line.h"

struct mqtt_message {
	const char *topic;
	size_t topic_len;
	const uint8_t *body;
	size_t body_len;
};

typedef void (*mqtt_message_fn)(struct line *line, const struct mqtt_message *message, void *arg);

/* contestant->endpoint is then the port as text. */
bool mosquitto_start(struct contestant *contestant, const struct setting *setting);
/* With subscriptions (QoS 0) that are known to the broker when it returns. `client` has to be
 * unique. Reads wait for a tenth of a second. */
bool mqtt_open(struct line *line, const struct contestant *contestant, const char *client,
	       const char *const *topics, size_t topic_count);
/* QoS 0. */
void mqtt_put(struct line *line, const char *topic, size_t topic_len, const uint8_t *body,
	      size_t body_len);
/* Read once, hand over all that is complete, send what that brought. False when the connection has
 * ended. */
bool mqtt_turn(struct line *line, mqtt_message_fn on_message, void *arg);

#endif

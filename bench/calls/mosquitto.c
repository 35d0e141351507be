/* Mosquitto: a responder and a client on bare sockets, QoS 0. MQTT 3.1.1 knows no reply subject: a
 * body names its slot. */
#include <stdio.h>
#include <unistd.h>

#include "calls/calls.h"
#include "calls/load.h"
#include "kit/mqtt.h"
#include "kit/process.h"

static const char *const say = "say";
static const char *const back = "back";

static void respond(struct line *line, const struct mqtt_message *message, void *arg)
{
	(void)arg;
	mqtt_put(line, back, 4, message->body, message->body_len);
}

static void serve(const struct contestant *self, int to)
{
	struct line line;
	if (!mqtt_open(&line, self, "echo", &say, 1) || write(to, "1", 1) != 1)
		return;
	while (mqtt_turn(&line, respond, NULL))
		;
}

bool mosquitto_calls_start(struct contestant *self, const struct setting *setting)
{
	return mosquitto_start(self, setting) && contest_start_other(self, serve);
}

static void on_reply(struct line *line, const struct mqtt_message *message, void *arg)
{
	struct load *load = arg;
	size_t slot = load_slot_of(load, message->body, message->body_len);
	if (load_received(load, slot, message->body, message->body_len))
		mqtt_put(line, say, 3, load_body(load, slot), load->body_len);
}

void mosquitto_calls_round(const struct contestant *self, const struct setting *setting,
			   const struct workload *work, struct measure *ret_measure)
{
	static struct load load;
	struct line line;
	load_init(&load, self, work, ret_measure);
	if (!mqtt_open(&line, self, "caller", &back, 1)) {
		contest_fail(ret_measure, "no connection to mosquitto");
		return;
	}
	load_begin(&load, setting);
	for (size_t slot = 0; slot < load.window; slot++) {
		load_sent(&load, slot);
		mqtt_put(&line, say, 3, load_body(&load, slot), load.body_len);
	}
	bool is_fine = line_flush(&line);
	while (is_fine && !load_is_over(&load))
		is_fine = mqtt_turn(&line, on_reply, &load);
	if (!is_fine)
		contest_fail(ret_measure, "mosquitto ended the connection");
	load_end(&load);
	line_close(&line);
}

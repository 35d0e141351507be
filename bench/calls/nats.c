/* NATS: a responder and a client on bare sockets. A reply subject names the slot. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "calls/calls.h"
#include "calls/load.h"
#include "kit/nats.h"
#include "kit/process.h"

/* ---- the responder ---- */

static void respond(struct line *line, const struct nats_message *message, void *arg)
{
	(void)arg;
	nats_put(line, message->reply, message->reply_len, NULL, message->body, message->body_len);
}

static void serve(const struct contestant *self, int to)
{
	struct line line;
	if (!nats_open(&line, self, "SUB say 1\r\n") || write(to, "1", 1) != 1)
		return;
	while (nats_turn(&line, respond, NULL))
		;
}

bool nats_calls_start(struct contestant *self, const struct setting *setting)
{
	return nats_server_start(self, setting, self->kind) && contest_start_other(self, serve);
}

/* ---- the client ---- */

static void put_call(struct line *line, const struct load *load, size_t slot)
{
	char reply[32];
	snprintf(reply, sizeof(reply), "back.%zu", slot);
	nats_put(line, "say", 3, reply, load_body(load, slot), load->body_len);
}

static void on_reply(struct line *line, const struct nats_message *message, void *arg)
{
	struct load *load = arg;
	size_t slot = nats_number(message->subject + 5, message->subject + message->subject_len);
	if (load_received(load, slot, message->body, message->body_len))
		put_call(line, load, slot);
}

void nats_calls_round(const struct contestant *self, const struct setting *setting,
		      const struct workload *work, struct measure *ret_measure)
{
	static struct load load;
	struct line line;
	load_init(&load, self, work, ret_measure);
	if (!nats_open(&line, self, "SUB back.* 1\r\n")) {
		contest_fail(ret_measure, "no connection to nats-server");
		return;
	}
	load_begin(&load, setting);
	for (size_t slot = 0; slot < load.window; slot++) {
		load_sent(&load, slot);
		put_call(&line, &load, slot);
	}
	bool is_fine = line_flush(&line);
	while (is_fine && !load_is_over(&load))
		is_fine = nats_turn(&line, on_reply, &load);
	if (!is_fine)
		contest_fail(ret_measure, "nats-server ended the connection");
	load_end(&load);
	line_close(&line);
}

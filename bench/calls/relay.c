/*
 * The limit of any broker: a relay that copies bytes between two connections, as many at once as
 * there are, and looks at none. A body is a length of four bytes and the bytes.
 */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calls/calls.h"
#include "calls/load.h"
#include "kit/line.h"
#include "kit/process.h"

#define RELAY_LEN (256 * 1024)
#define WAIT_MS 5000

/* All that is there goes on at once. False at the end of a connection. */
static bool copy(int from, int to)
{
	static char bytes[RELAY_LEN];
	ssize_t len = read(from, bytes, sizeof(bytes));
	for (ssize_t done = 0; done < len;) {
		ssize_t written = write(to, bytes + done, (size_t)(len - done));
		if (written < 0)
			return false;
		done += written;
	}
	return len > 0;
}

/* One client at a time; the echo stays. */
static void relay(unsigned port, unsigned echo_port)
{
	int clients = line_listen(port);
	int echoes = line_listen(echo_port);
	int echo = line_accept(echoes);
	while (clients >= 0 && echo >= 0) {
		int client = line_accept(clients);
		struct pollfd items[2] = {{.fd = client, .events = POLLIN},
					  {.fd = echo, .events = POLLIN}};
		bool is_there = true;
		while (is_there && poll(items, 2, -1) > 0) {
			if (items[1].revents)
				is_there = copy(echo, client);
			if (is_there && items[0].revents)
				is_there = copy(client, echo);
		}
		close(client);
	}
}

static void serve(unsigned port)
{
	struct line line;
	if (!line_open(&line, port, WAIT_MS))
		return;
	while (copy(line.fd, line.fd))
		;
}

bool relay_calls_start(struct contestant *self, const struct setting *setting)
{
	(void)setting;
	unsigned port = contest_find_port();
	unsigned echo_port = contest_find_port();
	snprintf(self->endpoint, sizeof(self->endpoint), "%u", port);
	self->broker = process_fork();
	if (self->broker == 0) {
		relay(port, echo_port);
		_exit(1);
	}
	self->others[0] = process_fork();
	if (self->others[0] == 0) {
		serve(echo_port);
		_exit(1);
	}
	return true;
}

static void put_call(struct line *line, const struct load *load, size_t slot)
{
	uint32_t len = (uint32_t)load->body_len;
	line_put(line, &len, sizeof(len));
	line_put(line, load_body(load, slot), load->body_len);
}

/* All replies that are complete. */
static void take_replies(struct line *line, struct load *load)
{
	size_t whole = sizeof(uint32_t) + load->body_len;
	size_t at = 0;
	for (; line->in_len - at >= whole; at += whole) {
		const uint8_t *body = (const uint8_t *)line->in + at + sizeof(uint32_t);
		size_t slot = load_slot_of(load, body, load->body_len);
		if (load_received(load, slot, body, load->body_len))
			put_call(line, load, slot);
	}
	line_used(line, at);
}

void relay_calls_round(const struct contestant *self, const struct setting *setting,
		       const struct workload *work, struct measure *ret_measure)
{
	static struct load load;
	struct line line;
	load_init(&load, self, work, ret_measure);
	if (!line_open(&line, (unsigned)atoi(self->endpoint), WAIT_MS)) {
		contest_fail(ret_measure, "no connection to the relay");
		return;
	}
	line_set_wait(&line, 100);
	load_begin(&load, setting);
	for (size_t slot = 0; slot < load.window; slot++) {
		load_sent(&load, slot);
		put_call(&line, &load, slot);
	}
	bool is_fine = line_flush(&line);
	while (is_fine && !load_is_over(&load)) {
		is_fine = line_read(&line);
		take_replies(&line, &load);
		is_fine = is_fine && line_flush(&line);
	}
	if (!is_fine)
		contest_fail(ret_measure, "the relay ended the connection");
	load_end(&load);
	line_close(&line);
}

/* The limit of any broker: a relay that writes all that the publisher sent to everybody else, as
 * many bytes at once as there are. A message is a length of four bytes and the body. */
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fanout/fan.h"
#include "fanout/fanout.h"
#include "kit/line.h"
#include "kit/process.h"

#define RELAY_LEN (256 * 1024)
#define WAIT_MS 5000

static bool write_all(int fd, const char *bytes, size_t len)
{
	for (size_t done = 0; done < len;) {
		ssize_t written = write(fd, bytes + done, len - done);
		if (written < 0)
			return false;
		done += (size_t)written;
	}
	return true;
}

/* FAN_MAX_PROCESSES subscribers, then a publisher; when that goes, all go, and the next come. */
static void relay(unsigned port)
{
	static char bytes[RELAY_LEN];
	int listener = line_listen(port);
	while (listener >= 0) {
		int fds[FAN_MAX_PROCESSES + 1];
		for (int i = 0; i <= FAN_MAX_PROCESSES; i++) {
			fds[i] = line_accept(listener);
			/* Each is told that it is known. */
			(void)!write(fds[i], "!", 1);
		}
		ssize_t len;
		while ((len = read(fds[FAN_MAX_PROCESSES], bytes, sizeof(bytes))) > 0) {
			for (int i = 0; i < FAN_MAX_PROCESSES; i++)
				(void)write_all(fds[i], bytes, (size_t)len);
		}
		for (int i = 0; i <= FAN_MAX_PROCESSES; i++)
			close(fds[i]);
	}
}

bool relay_fanout_start(struct contestant *self, const struct setting *setting)
{
	(void)setting;
	unsigned port = contest_find_port();
	snprintf(self->endpoint, sizeof(self->endpoint), "%u", port);
	self->broker = process_fork();
	if (self->broker == 0) {
		relay(port);
		_exit(1);
	}
	return true;
}

bool relay_fanout_can(const struct contestant *self, const struct workload *work)
{
	(void)self;
	return work->count == FAN_MAX_PROCESSES;
}

static void subscribe(const struct contestant *self, struct fan *fan, unsigned first,
		      unsigned count, const struct workload *work)
{
	struct line line;
	size_t whole = sizeof(uint32_t) + work->size;
	(void)count;
	if (!line_open(&line, (unsigned)atoi(self->endpoint), WAIT_MS) || !line_await(&line, "!"))
		return;
	line_set_wait(&line, 100);
	fan_is_ready(fan);
	while (!atomic_load_explicit(&fan->stop, memory_order_relaxed) && line_read(&line)) {
		size_t at = 0;
		for (; line.in_len - at >= whole; at += whole)
			fan_received(fan, first, (const uint8_t *)line.in + at + sizeof(uint32_t),
				     work->size);
		line_used(&line, at);
	}
}

static void *open_publisher(const struct contestant *self, struct measure *measure)
{
	struct line *line = malloc(sizeof(*line));
	if (line && line_open(line, (unsigned)atoi(self->endpoint), WAIT_MS) &&
	    line_await(line, "!"))
		return line;
	contest_fail(measure, "no connection to the relay");
	free(line);
	return NULL;
}

static bool put(void *publisher, const char *subject, const uint8_t *body, size_t len)
{
	uint32_t head = (uint32_t)len;
	(void)subject;
	line_put(publisher, &head, sizeof(head));
	line_put(publisher, body, len);
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

void relay_fanout_round(const struct contestant *self, const struct setting *setting,
			const struct workload *work, struct measure *ret_measure)
{
	static const struct fan_parts parts = {subscribe, open_publisher,  put,
					       flush,     close_publisher, '.'};
	fan_round(self, setting, work, &parts, ret_measure);
}

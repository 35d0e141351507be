/* Redis Streams on bare sockets: pipelined XADD, one stream a subject. Replies come in order. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "durable/durable.h"
#include "durable/writers.h"
#include "kit/line.h"
#include "kit/process.h"

#define WAIT_MS 8000
#define TURN_MS 100

bool redis_start(struct contestant *self, const struct setting *setting)
{
	char program[300];
	char folder[300];
	char config[320];
	char output[320];
	struct line line;
	const char *when = self->kind;
	if (!process_find("redis-server", program, sizeof(program))) {
		snprintf(self->missing, sizeof(self->missing),
			 "redis-server is not installed (Debian: redis-server)");
		return false;
	}
	unsigned port = contest_find_port();
	snprintf(self->endpoint, sizeof(self->endpoint), "%u", port);
	snprintf(folder, sizeof(folder), "%s/redis-%s", setting->folder, when);
	snprintf(config, sizeof(config), "%s.conf", folder);
	snprintf(output, sizeof(output), "%s.log", folder);
	FILE *file = mkdir(folder, 0700) == 0 ? fopen(config, "we") : NULL;
	if (!file)
		return false;
	fprintf(file,
		"bind 127.0.0.1\nport %u\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync %s\n"
		"auto-aof-rewrite-percentage 0\ndir %s\n",
		port, when, folder);
	fclose(file);
	char *argv[] = {program, config, NULL};
	self->broker = process_start(argv, output);
	if (line_open(&line, port, WAIT_MS)) {
		line_close(&line);
		return true;
	}
	snprintf(self->missing, sizeof(self->missing), "redis-server did not start: see %.200s",
		 output);
	return false;
}

void redis_before(struct contestant *self, const struct setting *setting,
		  const struct workload *work)
{
	struct line line;
	(void)setting;
	(void)work;
	if (!line_open(&line, (unsigned)atoi(self->endpoint), WAIT_MS))
		return;
	line_put_text(&line, "FLUSHALL\r\n");
	if (line_flush(&line))
		(void)line_await(&line, "+OK\r\n");
	line_close(&line);
}

/* ---- a publisher ---- */

struct connection {
	struct line line;
	struct writer *writer;
	/* The slots whose replies are to come, in their order. */
	size_t waiting[WRITERS_MAX_OUTSTANDING];
	size_t first;
	size_t next;
};

static void *open_connection(const struct contestant *self, struct measure *measure,
			     struct writer *writer)
{
	struct connection *connection = calloc(1, sizeof(*connection));
	connection->writer = writer;
	if (line_open(&connection->line, (unsigned)atoi(self->endpoint), WAIT_MS)) {
		line_set_wait(&connection->line, TURN_MS);
		return connection;
	}
	contest_fail(measure, "no connection to redis-server");
	free(connection);
	return NULL;
}

static bool put(void *arg, size_t slot, const char *subject, const uint8_t *body, size_t len)
{
	struct connection *connection = arg;
	connection->waiting[connection->next++ % WRITERS_MAX_OUTSTANDING] = slot;
	line_printf(&connection->line,
		    "*5\r\n$4\r\nXADD\r\n$%zu\r\n%s\r\n$1\r\n*\r\n$1\r\nb\r\n$%zu\r\n",
		    strlen(subject), subject, len);
	line_put(&connection->line, body, len);
	line_put(&connection->line, "\r\n", 2);
	return true;
}

/* "$15\r\n1795000000000-0\r\n": its length, 0 while it has not come. */
static size_t reply_len(const char *at, size_t len)
{
	const char *head_end = memchr(at, '\n', len);
	if (!head_end)
		return 0;
	const char *end = memchr(head_end + 1, '\n', len - (size_t)(head_end + 1 - at));
	return end ? (size_t)(end + 1 - at) : 0;
}

static bool turn(void *arg)
{
	struct connection *connection = arg;
	struct line *line = &connection->line;
	size_t at = 0;
	size_t len;
	if (!line_flush(line) || !line_read(line))
		return false;
	while ((len = reply_len(line->in + at, line->in_len - at)) > 0) {
		size_t slot = connection->waiting[connection->first++ % WRITERS_MAX_OUTSTANDING];
		if (line->in[at] != '$') {
			writer_refused(connection->writer, "Redis has refused a message");
			return false;
		}
		at += len;
		writer_acked(connection->writer, slot);
	}
	line_used(line, at);
	return true;
}

static void close_connection(void *arg)
{
	struct connection *connection = arg;
	line_close(&connection->line);
	free(connection);
}

void redis_round(const struct contestant *self, const struct setting *setting,
		 const struct workload *work, struct measure *ret_measure)
{
	static const struct writer_parts parts = {open_connection, put, turn, close_connection};
	writers_round(self, setting, work, &parts, ret_measure);
}

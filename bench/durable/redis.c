/* Redis Streams on bare sockets: pipelined XADD, one stream a subject. Replies come in order. */
#include <stdlib.h>

#include "durable/durable.h"
#include "durable/writers.h"
#include "kit/redis.h"

bool redis_start(struct contestant *self, const struct setting *setting)
{
	return redis_server_start(self, setting, self->kind);
}

void redis_before(struct contestant *self, const struct setting *setting,
		  const struct workload *work)
{
	struct line line;
	(void)setting;
	(void)work;
	if (!redis_open(&line, self))
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
	if (redis_open(&connection->line, self))
		return connection;
	contest_fail(measure, "no connection to redis-server");
	free(connection);
	return NULL;
}

static bool put(void *arg, size_t slot, const char *subject, const uint8_t *body, size_t len)
{
	struct connection *connection = arg;
	connection->waiting[connection->next++ % WRITERS_MAX_OUTSTANDING] = slot;
	redis_put_xadd(&connection->line, subject, "*", body, len);
	return true;
}

static bool turn(void *arg)
{
	struct connection *connection = arg;
	struct line *line = &connection->line;
	size_t at = 0;
	size_t len;
	if (!line_flush(line) || !line_read(line))
		return false;
	while ((len = redis_bulk_len(line->in + at, line->in_len - at)) > 0) {
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

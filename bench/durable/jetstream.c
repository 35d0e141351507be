/* JetStream on bare sockets. Its acknowledgement comes to a subject that names the slot. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "durable/durable.h"
#include "durable/writers.h"
#include "kit/nats.h"
#include "topic/reading.h"

#define STREAM "BENCH"

static const struct nats_server server = {.has_jetstream = true};

bool jetstream_start(struct contestant *self, const struct setting *setting)
{
	return nats_server_start(self, setting, &server);
}

static void on_answer(struct line *line, const struct nats_message *message, void *arg)
{
	bool *has_come = arg;
	(void)line;
	(void)message;
	*has_come = true;
}

static bool ask(struct line *line, const char *subject, const char *text)
{
	bool has_come = false;
	nats_put(line, subject, strlen(subject), "answer", (const uint8_t *)text, strlen(text));
	bool is_fine = line_flush(line);
	for (int i = 0; is_fine && !has_come && i < 100; i++)
		is_fine = nats_turn(line, on_answer, &has_come);
	return is_fine && has_come;
}

/* A new stream for each round: the last one's files go. */
void jetstream_before(struct contestant *self, const struct setting *setting,
		      const struct workload *work)
{
	struct line line;
	(void)setting;
	(void)work;
	if (!nats_open(&line, self, "SUB answer 1\r\n"))
		return;
	(void)ask(&line, "$JS.API.STREAM.DELETE." STREAM, "");
	(void)ask(&line, "$JS.API.STREAM.CREATE." STREAM,
		  "{\"name\":\"" STREAM "\",\"subjects\":[\"" READING_TYPE ".>\"],"
		  "\"storage\":\"file\",\"retention\":\"limits\",\"max_msgs\":-1,\"max_bytes\":-1,"
		  "\"max_age\":0,\"num_replicas\":1,\"discard\":\"old\",\"max_consumers\":-1}");
	line_close(&line);
}

/* ---- a publisher ---- */

struct connection {
	struct line line;
	struct writer *writer;
	char prefix[32];
};

static void on_message(struct line *line, const struct nats_message *message, void *arg)
{
	struct connection *connection = arg;
	(void)line;
	if (!memmem(message->body, message->body_len, "\"seq\"", 5)) {
		writer_refused(connection->writer, "JetStream has refused a message");
		return;
	}
	writer_acked(connection->writer, nats_number(message->subject + strlen(connection->prefix),
						     message->subject + message->subject_len));
}

static void *open_connection(const struct contestant *self, struct measure *measure,
			     struct writer *writer)
{
	char subscription[64];
	struct connection *connection = calloc(1, sizeof(*connection));
	connection->writer = writer;
	snprintf(connection->prefix, sizeof(connection->prefix), "ack%u.", writer_index(writer));
	snprintf(subscription, sizeof(subscription), "SUB %s* 1\r\n", connection->prefix);
	if (nats_open(&connection->line, self, subscription))
		return connection;
	contest_fail(measure, "no connection to nats-server");
	free(connection);
	return NULL;
}

static bool put(void *arg, size_t slot, const char *subject, const uint8_t *body, size_t len)
{
	struct connection *connection = arg;
	char reply[64];
	snprintf(reply, sizeof(reply), "%s%zu", connection->prefix, slot);
	nats_put(&connection->line, subject, strlen(subject), reply, body, len);
	return true;
}

static bool turn(void *arg)
{
	struct connection *connection = arg;
	return line_flush(&connection->line) &&
	       nats_turn(&connection->line, on_message, connection);
}

static void close_connection(void *arg)
{
	struct connection *connection = arg;
	line_close(&connection->line);
	free(connection);
}

void jetstream_round(const struct contestant *self, const struct setting *setting,
		     const struct workload *work, struct measure *ret_measure)
{
	static const struct writer_parts parts = {open_connection, put, turn, close_connection};
	writers_round(self, setting, work, &parts, ret_measure);
}

/* JetStream: a push consumer that acknowledges nothing and starts with the first message. */
#include <stdio.h>
#include <string.h>

#include "kit/nats.h"
#include "kit/process.h"
#include "replay/replay.h"
#include "replay/tape.h"
#include "topic/reading.h"

#define STREAM "TAPE"
#define OUTSTANDING 1024
#define WAIT_S 60

static const struct nats_server server = {.has_jetstream = true};

bool jetstream_replay_start(struct contestant *self, const struct setting *setting)
{
	return nats_server_start(self, setting, &server);
}

static void on_answer(struct line *line, const struct nats_message *message, void *arg)
{
	size_t *answers = arg;
	(void)line;
	(void)message;
	(*answers)++;
}

static bool ask(struct line *line, const char *subject, const char *text)
{
	size_t answers = 0;
	nats_put(line, subject, strlen(subject), "answer", (const uint8_t *)text, strlen(text));
	bool is_fine = line_flush(line);
	for (int i = 0; is_fine && answers == 0 && i < 100; i++)
		is_fine = nats_turn(line, on_answer, &answers);
	return is_fine && answers > 0;
}

void jetstream_replay_before(struct contestant *self, const struct setting *setting,
			     const struct workload *work)
{
	static bool is_filled;
	struct line line;
	struct tape tape;
	const uint8_t *body;
	const char *subject;
	size_t answers = 0;
	bool is_fine = true;
	(void)setting;
	if (is_filled || !nats_open(&line, self, "SUB answer 1\r\n"))
		return;
	is_filled = true;
	tape_init(&tape, work);
	(void)ask(&line, "$JS.API.STREAM.CREATE." STREAM,
		  "{\"name\":\"" STREAM "\",\"subjects\":[\"" READING_TYPE ".>\"],"
		  "\"storage\":\"file\",\"retention\":\"limits\",\"max_msgs\":-1,\"max_bytes\":-1,"
		  "\"max_age\":0,\"num_replicas\":1,\"discard\":\"old\",\"max_consumers\":-1}");
	while (is_fine && answers < tape.count) {
		while (tape.written - answers < OUTSTANDING && tape_next(&tape, &body, &subject))
			nats_put(&line, subject, strlen(subject), "answer", body, tape.len);
		is_fine = line_flush(&line) && nats_turn(&line, on_answer, &answers);
	}
	line_close(&line);
}

static void on_message(struct line *line, const struct nats_message *message, void *arg)
{
	(void)line;
	/* The answer to the consumer's creation is JSON. */
	if (message->body_len > 0 && message->body[0] != '{')
		tape_read(arg, message->body, message->body_len);
}

void jetstream_replay_round(const struct contestant *self, const struct setting *setting,
			    const struct workload *work, struct measure *ret_measure)
{
	static const char consumer[] =
		"{\"stream_name\":\"" STREAM "\",\"config\":{\"deliver_subject\":\"tape\","
		"\"deliver_policy\":\"all\",\"ack_policy\":\"none\",\"replay_policy\":\"instant\"}"
		"}";
	struct line line;
	struct tape tape;
	(void)setting;
	tape_init(&tape, work);
	if (!nats_open(&line, self, "SUB tape 1\r\nSUB answer 2\r\n")) {
		contest_fail(ret_measure, "no connection to nats-server");
		return;
	}
	tape_begin(&tape, self);
	nats_put(&line, "$JS.API.CONSUMER.CREATE." STREAM, 24 + strlen(STREAM), "answer",
		 (const uint8_t *)consumer, strlen(consumer));
	bool is_fine = line_flush(&line);
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_S * 1000000000;
	while (is_fine && !tape_is_read(&tape) && now_ns() < until_ns)
		is_fine = nats_turn(&line, on_message, &tape);
	if (!is_fine)
		contest_fail(ret_measure, "nats-server ended the connection");
	tape_end(&tape, self, ret_measure);
	line_close(&line);
}

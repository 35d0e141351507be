/* JetStream: a stream that mirrors the one of the bench of replays, made anew for each round, and a
 * push consumer of it. */
#include <stdio.h>
#include <string.h>

#include "catchup/catchup.h"
#include "kit/nats.h"
#include "kit/process.h"
#include "replay/tape.h"

#define STREAM "TAPE"
#define MIRROR "MIRROR"
#define WAIT_S 55

static void ask(struct line *line, const char *subject, const char *text)
{
	nats_put(line, subject, strlen(subject), "answer", (const uint8_t *)text, strlen(text));
}

/* The answers are JSON. */
static void on_message(struct line *line, const struct nats_message *message, void *arg)
{
	(void)line;
	if (message->body_len > 0 && message->body[0] != '{')
		tape_read(arg, message->body, message->body_len);
}

void jetstream_catchup_round(const struct contestant *self, const struct setting *setting,
			     const struct workload *work, struct measure *ret_measure)
{
	struct line line;
	struct tape tape;
	(void)setting;
	tape_init(&tape, work);
	if (!nats_open(&line, self->needs, "SUB mirrored 1\r\nSUB answer 2\r\n")) {
		contest_fail(ret_measure, "no connection to nats-server");
		return;
	}
	tape_begin(&tape, self);
	ask(&line, "$JS.API.STREAM.CREATE." MIRROR,
	    "{\"name\":\"" MIRROR "\",\"mirror\":{\"name\":\"" STREAM "\"},"
	    "\"storage\":\"file\",\"retention\":\"limits\",\"max_msgs\":-1,\"max_bytes\":-1,"
	    "\"max_age\":0,\"num_replicas\":1,\"discard\":\"old\",\"max_consumers\":-1}");
	ask(&line, "$JS.API.CONSUMER.CREATE." MIRROR,
	    "{\"stream_name\":\"" MIRROR "\",\"config\":{\"deliver_subject\":\"mirrored\","
	    "\"deliver_policy\":\"all\",\"ack_policy\":\"none\",\"replay_policy\":\"instant\"}}");
	bool is_fine = line_flush(&line);
	uint64_t until_ns = now_ns() + (uint64_t)WAIT_S * 1000000000;
	while (is_fine && !tape_is_read(&tape) && now_ns() < until_ns)
		is_fine = nats_turn(&line, on_message, &tape);
	if (!is_fine)
		contest_fail(ret_measure, "nats-server ended the connection");
	tape_end(&tape, self, ret_measure);
	ask(&line, "$JS.API.STREAM.DELETE." MIRROR, "");
	(void)line_flush(&line);
	(void)nats_turn(&line, on_message, &tape);
	line_close(&line);
}

/*
 * `lyceum subscribe` and `lyceum log`: deliveries as lines. What arrives is queued by the callback
 * and printed from the loop, because printing a type that is new may need a call for its schema.
 */
#include "commands.h"

#include <inttypes.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "age.h"
#include "base/error.h"
#include "base/list.h"
#include "base/mem.h"
#include "cell.h"
#include "outcome.h"
#include "paint.h"
#include "resolve.h"
#include "schema/timestamp.h"

struct arrival {
	struct list node;
	struct lyc_delivery delivery;
	struct buf body;
};

struct watch {
	struct session *session;
	bool is_log;
	bool is_follow;
	/* 0: no end. */
	uint64_t limit;
	bool is_manual;
	/* Schemas are kept as records, which nobody asks for who does not name them. */
	bool hides_schemas;
	bool has_hidden;

	struct list queue;
	uint64_t id;
	uint64_t count;
	bool has_caught_up;
	/* The daemon refuses the subscription, or has ended it. */
	struct lyc_error refusal;
	/* The schema id that a reload did not bring. */
	uint64_t unknown_schema;
};

static volatile sig_atomic_t is_interrupted;

static void on_signal(int number)
{
	(void)number;
	is_interrupted = 1;
}

static uint64_t clock_ms(clockid_t clock)
{
	struct timespec now;
	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void on_delivery(const struct lyc_delivery *delivery, void *arg)
{
	struct watch *watch = arg;
	if (delivery->status != LYC_OK) {
		error_set(&watch->refusal, delivery->status, "%s", delivery->text);
		watch->session->refusal = delivery->refusal;
		return;
	}
	struct arrival *arrival = mem_new(struct arrival);
	arrival->delivery = *delivery;
	arrival->delivery.subject = mem_dup(delivery->subject);
	arrival->delivery.origin = mem_dup(delivery->origin);
	arrival->delivery.principal = mem_dup(delivery->principal);
	buf_add(&arrival->body, delivery->body, delivery->body_len);
	arrival->delivery.body = arrival->body.data;
	list_add_last(&watch->queue, &arrival->node);
}

static void free_arrival(struct arrival *arrival)
{
	list_remove(&arrival->node);
	free((char *)arrival->delivery.subject);
	free((char *)arrival->delivery.origin);
	free((char *)arrival->delivery.principal);
	buf_fini(&arrival->body);
	free(arrival);
}

/* ---- One delivery as text ---- */

static const struct schema_message *type_of(struct watch *watch,
					    const struct lyc_delivery *delivery)
{
	struct session *session = watch->session;
	const struct schema_message *message =
		resolve_subject(session, delivery->subject, delivery->schema);
	bool is_known =
		message && (!delivery->schema || schema_id(message->schema) == delivery->schema);
	if (is_known || delivery->schema == watch->unknown_schema)
		return message;
	/* The daemon has learnt a schema since it was asked, or this one was not held. */
	struct lyc_error error = {0};
	if (session_reload(session, &error) != LYC_OK)
		return resolve_subject(session, delivery->subject, delivery->schema);
	message = resolve_subject(session, delivery->subject, delivery->schema);
	if (!message || schema_id(message->schema) != delivery->schema)
		watch->unknown_schema = delivery->schema;
	return message;
}

/* Append the body as JSON on one line; null for a withdrawal or an unknown type. */
static void write_body(struct watch *watch, const struct lyc_delivery *delivery, struct buf *to)
{
	const struct schema_message *message = delivery->removed ? NULL : type_of(watch, delivery);
	struct lyc_error error = {0};
	size_t len = to->len;
	if (message && json_write(message, span_of(delivery->body, delivery->body_len), NULL, to,
				  &error) == LYC_OK)
		return;
	to->len = len;
	buf_add_text(to, "null");
}

static void write_string(const char *key, const char *text, struct buf *to)
{
	json_t *string = json_string(text);
	char *quoted = string ? json_dumps(string, JSON_ENCODE_ANY) : NULL;
	buf_add_format(to, ",\"%s\":%s", key, quoted ? quoted : "null");
	free(quoted);
	json_decref(string);
}

static void write_json(struct watch *watch, const struct lyc_delivery *delivery, struct buf *to)
{
	char moment[48];
	time_t seconds = (time_t)(delivery->time_ms / 1000);
	struct tm parts;
	buf_add_format(to, "{\"seq\":\"%" PRIu64 "\"", delivery->seq);
	if (delivery->time_ms && gmtime_r(&seconds, &parts) &&
	    strftime(moment, sizeof(moment), "%Y-%m-%dT%H:%M:%S", &parts))
		buf_add_format(to, ",\"time\":\"%s.%03uZ\"", moment,
			       (unsigned)(delivery->time_ms % 1000));
	if (delivery->origin && *delivery->origin) {
		write_string("origin", delivery->origin, to);
		buf_add_format(to, ",\"epoch\":\"%" PRIu64 "\",\"originSeq\":\"%" PRIu64 "\"",
			       delivery->epoch, delivery->origin_seq);
	}
	write_string("subject", delivery->subject, to);
	if (delivery->principal && *delivery->principal)
		write_string("principal", delivery->principal, to);
	if (delivery->removed)
		buf_add_text(to, ",\"removed\":true");
	buf_add_text(to, ",\"body\":");
	write_body(watch, delivery, to);
	buf_add_byte(to, '}');
}

static void write_line(struct watch *watch, const struct lyc_delivery *delivery, struct buf *to)
{
	const struct session_output *output = &watch->session->output;
	struct buf plain = {0};
	struct buf line = {0};
	struct buf clean = {0};
	uint64_t time_ms = delivery->time_ms ? delivery->time_ms : clock_ms(CLOCK_REALTIME);
	if (watch->is_log)
		buf_add_format(&plain, "%6" PRIu64 "  ", delivery->seq);
	age_write_moment(&plain, time_ms);
	if (watch->is_log)
		buf_add_format(&plain, "  %-10s", delivery->origin ? delivery->origin : "");
	size_t dim_len = plain.len;
	buf_add_format(&plain, "  %s  ", delivery->subject);
	if (delivery->removed)
		buf_add_text(&plain, "(withdrawn)");
	else
		write_body(watch, delivery, &plain);
	/* The front is ours and has no wide characters but in an origin's name. */
	cell_clean(&clean, buf_text(&plain), plain.len);
	if (output->width > 0)
		cell_cut(&line, buf_text(&clean), clean.len, output->width);
	else
		buf_add(&line, clean.data, clean.len);
	if (dim_len > line.len)
		dim_len = line.len;
	buf_add_text(to, paint(output->has_colour, PAINT_DIM));
	buf_add(to, line.data, dim_len);
	buf_add_text(to, paint(output->has_colour, PAINT_PLAIN));
	buf_add(to, line.data + dim_len, line.len - dim_len);
	buf_fini(&plain);
	buf_fini(&clean);
	buf_fini(&line);
}

static void print_delivery(struct watch *watch, const struct lyc_delivery *delivery)
{
	const struct session_output *output = &watch->session->output;
	struct buf text = {0};
	if (output->is_json || (watch->is_log && output->width == 0))
		write_json(watch, delivery, &text);
	else
		write_line(watch, delivery, &text);
	buf_add_byte(&text, '\n');
	fwrite(text.data, 1, text.len, stdout);
	buf_fini(&text);
}

/* ---- The loop ---- */

/* Has the reader of our pipe gone, as in `lyceum subscribe x | head`? */
static bool is_unread(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};
	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLNVAL));
}

static bool is_finished(const struct watch *watch)
{
	return is_interrupted || watch->refusal.status != LYC_OK ||
	       (watch->limit && watch->count >= watch->limit) ||
	       (watch->is_log && !watch->is_follow && watch->has_caught_up);
}

static bool hides(struct watch *watch, const struct lyc_delivery *delivery)
{
	static const char type[] = "lyceum.v1.SchemaVersion";
	if (!watch->hides_schemas || strncmp(delivery->subject, type, sizeof(type) - 1) != 0)
		return false;
	if (!watch->has_hidden)
		outcome_say(OUTCOME_OK,
			    "records of schemas are left out; lyceum log '%s.>' shows them", type);
	watch->has_hidden = true;
	return true;
}

static void print_queue(struct watch *watch)
{
	while (!list_is_empty(&watch->queue) && !is_finished(watch)) {
		struct arrival *arrival = list_entry(watch->queue.next, struct arrival, node);
		const struct lyc_delivery *delivery = &arrival->delivery;
		if (delivery->missed > 0)
			outcome_say(OUTCOME_OK,
				    "%" PRIu64
				    " messages were missed here: this reader was too slow",
				    delivery->missed);
		if (delivery->caught_up)
			watch->has_caught_up = true;
		if (delivery->subject && !hides(watch, delivery)) {
			print_delivery(watch, delivery);
			watch->count++;
		}
		if (watch->is_manual && delivery->seq > 0) {
			fflush(stdout);
			lyc_client_consumed(watch->session->client, watch->id, delivery->seq);
		}
		free_arrival(arrival);
	}
	fflush(stdout);
}

static int run(struct watch *watch, const char *pattern, struct lyc_subscribe_options *options)
{
	struct session *session = watch->session;
	struct lyc_error error = {0};
	struct sigaction action = {.sa_handler = on_signal};
	list_init(&watch->queue);
	watch->is_manual = options->manual = options->durable != NULL;
	enum lyc_status status = session_load(session, &error);
	if (status == LYC_OK)
		status = lyc_client_subscribe(session->client, pattern, options, on_delivery, watch,
					      &watch->id, &error);
	if (status != LYC_OK)
		return session_fail(session, &error);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	uint64_t start_ms = clock_ms(CLOCK_MONOTONIC);
	uint32_t timeout_ms = session->options.timeout_ms;
	bool is_late = false;
	while (!is_finished(watch) && !is_late && !is_unread()) {
		uint64_t passed_ms = clock_ms(CLOCK_MONOTONIC) - start_ms;
		int wait_ms = 500;
		if (timeout_ms && passed_ms >= timeout_ms)
			is_late = true;
		else if (timeout_ms && timeout_ms - passed_ms < 500)
			wait_ms = (int)(timeout_ms - passed_ms);
		if (list_is_empty(&watch->queue))
			(void)lyc_client_run(session->client, is_late ? 0 : wait_ms);
		print_queue(watch);
	}
	/* What was consumed is told from the loop: without this turn a durable name would stay
	 * behind. */
	(void)lyc_client_run(session->client, 0);
	lyc_client_unsubscribe(session->client, watch->id, false);
	while (!list_is_empty(&watch->queue))
		free_arrival(list_entry(watch->queue.next, struct arrival, node));
	if (watch->refusal.status != LYC_OK)
		return session_fail(session, &watch->refusal);
	if (is_late && (watch->limit || watch->is_log) && !is_finished(watch))
		return outcome_say(OUTCOME_DEADLINE, "the time was up after %" PRIu64 " messages",
				   watch->count);
	return OUTCOME_OK;
}

/* A span of time before now, or a moment; a day alone begins at midnight, UTC. */
static bool read_since(const char *text, struct lyc_subscribe_options *subscribe)
{
	uint64_t ago_ms;
	uint64_t now_ms = clock_ms(CLOCK_REALTIME);
	char moment[60];
	int64_t seconds;
	int32_t nanos;
	subscribe->start = LYC_START_TIME;
	if (age_read(text, &ago_ms)) {
		subscribe->from = ago_ms < now_ms ? now_ms - ago_ms : 0;
		return true;
	}
	size_t len = strlen(text);
	if (len > 40)
		return false;
	memcpy(moment, text, len + 1);
	if (len == 10)
		strcat(moment, "T00:00:00Z");
	if (!timestamp_read(span_of(moment, strlen(moment)), &seconds, &nanos) || seconds < 0)
		return false;
	subscribe->from = (uint64_t)seconds * 1000 + (uint64_t)nanos / 1000000;
	return true;
}

static int say_since(const char *text)
{
	return outcome_say(OUTCOME_USAGE,
			   "--since takes a span such as 30min, 2h or 3d, or a time such as "
			   "2026-03-01T14:05:00Z or 2026-03-01, not \"%s\"",
			   text);
}

int subscribe_run(struct session *session, const struct command *command, int argc, char **argv)
{
	struct watch watch = {.session = session};
	struct lyc_subscribe_options subscribe = {0};
	bool is_all = false, is_last = false;
	uint64_t from = 0;
	const char *since = NULL;
	const struct option options[] = {
		{"from", OPTION_NUMBER, &from, "SEQ", "records from this one of the log on first"},
		{"since", OPTION_TEXT, &since, "TIME",
		 "records of this time first: 2h (ago), 2026-03-01T14:05:00Z, 2026-03-01"},
		{"all", OPTION_FLAG, &is_all, NULL, "every record of the log first"},
		{"last", OPTION_FLAG, &is_last, NULL, "the last record of each subject first"},
		{"durable", OPTION_TEXT, &subscribe.durable, "NAME",
		 "the daemon keeps the position under this name"},
		{"group", OPTION_TEXT, &subscribe.group, "NAME",
		 "share with the other subscribers of this group"},
		{"count", OPTION_NUMBER, &watch.limit, "N", "end after so many messages"},
		{0},
	};
	int code = command_read(session, command, options, 1, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	if (is_all + is_last + (from > 0) + (since != NULL) > 1)
		return outcome_say(OUTCOME_USAGE,
				   "--from, --since, --all and --last exclude each other");
	if (since) {
		if (!read_since(since, &subscribe))
			return say_since(since);
	} else if (is_last) {
		subscribe.start = LYC_START_LAST;
	} else if (is_all || from > 0) {
		subscribe.start = LYC_START_SEQ;
		subscribe.from = from ? from : 1;
	}
	return run(&watch, argv[0], &subscribe);
}

int log_run(struct session *session, const struct command *command, int argc, char **argv)
{
	struct watch watch = {.session = session, .is_log = true};
	struct lyc_subscribe_options subscribe = {.start = LYC_START_SEQ, .records_only = true};
	uint64_t from = 1;
	const char *since = NULL;
	const struct option options[] = {
		{"since", OPTION_TEXT, &since, "TIME",
		 "records of this time on: 2h (ago), 2026-03-01T14:05:00Z, 2026-03-01"},
		{"from", OPTION_NUMBER, &from, "SEQ",
		 "records from this one on; all when left out"},
		{"limit", OPTION_NUMBER, &watch.limit, "N", "end after so many records"},
		{"follow", OPTION_FLAG, &watch.is_follow, NULL,
		 "do not end at the log's end: wait for more"},
		{0},
	};
	int code = command_read(session, command, options, 0, 1, &argc, argv);
	if (code != COMMAND_GO_ON)
		return code;
	subscribe.from = from ? from : 1;
	if (since && from > 1)
		return outcome_say(OUTCOME_USAGE, "--from and --since exclude each other");
	if (since && !read_since(since, &subscribe))
		return say_since(since);
	watch.hides_schemas = argc == 0;
	return run(&watch, argc > 0 ? argv[0] : ">", &subscribe);
}

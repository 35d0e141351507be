/*
 * Calls with an idempotency key that run: the mark before, the run, the reply behind it, and who
 * waits. What is remembered of them lies in remembered.c.
 */
#include "host/once.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/destination.h"
#include "host/reply.h"
#include "host/router.h"
#include "log.h"
#include "lyceum/v1/keyed_call.pb-c.h"
#include "route/log_read.h"
#include "stream/erasure.h"

#define LOG_TOPIC "once"

/* What is under way for a call that is remembered. */
struct once_run {
	struct router *router;
	struct remembered_call *entry;
	enum {
		MARKING, /* its start is on its way to the disk */
		RUNNING, /* it has been given to a plugin */
		KEEPING, /* its reply is on its way to the disk */
		READING, /* its reply is on its way back from there */
	} state;
	struct call *call;   /* NULL: it has ended */
	uint64_t erased_seq; /* of the last erasure when it was given to somebody */
	struct buf packet;   /* the Call, then the Reply */
	struct list waiters;
	bool is_cancelled; /* before it was given to anybody */
};

void once_init(struct router *router)
{
	struct once *once = &router->once;
	list_init(&once->keeper.calls_made);
	list_init(&once->keeper.turns);
	list_init(&once->keeper.calls_given);
	once->keeper.kind = SESSION_CLIENT;
	once->keeper.fd = -1;
	snprintf(once->keeper.identity, sizeof(once->keeper.identity), "%s", router->name);
}

/* ---- what is remembered ---- */

static uint64_t wall_of(const struct router *router)
{
	return router->env->wall_ms(router->env->world);
}

static void run_free(struct once_run *run)
{
	if (run) {
		run->entry->run = NULL;
		buf_fini(&run->packet);
	}
	free(run);
}

static void forget(struct once *once, struct remembered_call *entry)
{
	run_free(entry->run);
	remembered_remove(&once->remembered, entry);
}

void once_fini(struct router *router)
{
	while (router->once.remembered.calls)
		forget(&router->once, router->once.remembered.calls);
}

void once_prune(struct router *router)
{
	remembered_prune(&router->once.remembered, wall_of(router));
}

void once_replay(struct router *router, uint64_t seq, const struct record *record)
{
	remembered_replay(&router->once.remembered, wall_of(router), seq, record);
}

static void append(struct once_run *run, const char *principal, const char *method,
		   Lyceum__V1__KeyedCall__State state, struct span reply, stream_done_fn on_done)
{
	struct router *router = run->router;
	struct buf subject = {0};
	struct buf body = {0};
	const struct keyed_call call = {
		.key = span_of(run->entry->key, KEYED_CALL_HASH_LEN),
		.call = span_of(run->entry->call, KEYED_CALL_HASH_LEN),
		.principal = span_of(principal, strlen(principal)),
		.method = span_of(method, strlen(method)),
		.state = (uint64_t)state,
		.reply = reply,
	};
	keyed_call_write_subject(router->name, &subject);
	keyed_call_write(&call, router->name, &body);
	remembered_grow(&router->once.remembered, run->entry, body.len);
	stream_append_private(router->stream, span_of(subject.data, subject.len),
			      span_of(body.data, body.len), on_done, run);
	buf_fini(&subject);
	buf_fini(&body);
}

/* ---- those who wait ---- */

static void wait_for(struct once_run *run, struct call *call)
{
	call->once = run;
	call->ends_here = true;
	run->is_cancelled = false;
	list_add_last(&run->waiters, &call->of_waiting);
}

static void tell_all(struct once_run *run, const struct packet_reply *reply)
{
	while (!list_is_empty(&run->waiters)) {
		struct call *call = list_entry(run->waiters.next, struct call, of_waiting);
		struct lyc_error error;
		list_remove(&call->of_waiting);
		if (reply->body.len > call->max_reply)
			error_set(&error, LYC_RESOURCE_EXHAUSTED,
				  "the reply has %zu bytes, the caller takes %u", reply->body.len,
				  call->max_reply);
		else
			error.status = LYC_OK;
		if (error.status == LYC_OK)
			reply_pass(run->router, call, reply);
		else
			router_refuse(run->router, call, &error, reply->remembered);
	}
}

/* `is_remembered`: whoever asks again hears the same. */
static void tell_error(struct once_run *run, const struct lyc_error *error, bool is_remembered)
{
	const struct packet_reply reply = {
		.status = (uint32_t)error->status,
		.text = span_of(error->text, strlen(error->text)),
		.field = span_of(error->field, strlen(error->field)),
		.remembered = is_remembered,
	};
	tell_all(run, &reply);
}

/* A kept frame with the Reply; false when it cannot be read. */
static bool tell_kept(struct once_run *run, struct span frame, bool is_remembered)
{
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, frame);
	bool is_read = frame_next(reader, &packet) == FRAME_PACKET && packet.kind == PACKET_REPLY;
	if (is_read) {
		packet.reply.remembered = is_remembered;
		tell_all(run, &packet.reply);
	}
	free(reader);
	return is_read;
}

static void set_unknown(struct lyc_error *error)
{
	error_set(error, LYC_UNKNOWN,
		  "the call with this idempotency key was started and its reply is not known: see "
		  "whether it had its effect, and call with a new key if not; with this one it is "
		  "not run again");
}

static void set_erased(struct lyc_error *error)
{
	error_set(error, LYC_UNKNOWN,
		  "the call with this idempotency key has run, and its reply was taken away when "
		  "records were erased: see whether it had its effect, and call with a new key if "
		  "not; with this one it is not run again");
}

/* ---- the run ---- */

/* It was never given to anybody: the key is free. */
static void not_run(struct once_run *run, const struct lyc_error *error)
{
	struct remembered_call *entry = run->entry;
	struct router *router = run->router;
	tell_error(run, error, false);
	if (run->call)
		call_end(&router->calls, run->call);
	run->call = NULL;
	append(run, entry->owner->principal, "", LYCEUM__V1__KEYED_CALL__STATE__NOT_RUN,
	       span_of(NULL, 0), NULL);
	forget(&router->once, entry);
}

static enum lyc_status give(struct once_run *run, const struct packet_call *packet,
			    struct lyc_error *error)
{
	struct router *router = run->router;
	struct session *callee = NULL;
	const char *method = run->call->method->full_name;
	enum lyc_status status =
		destination_find(router, &router->once.keeper, packet, method,
				 types_method(router->types, packet->method), &callee, error);
	if (status == LYC_OK && (!callee || session_is_link(callee)))
		status =
			error_set(error, LYC_UNAVAILABLE, "nobody here serves %s any more", method);
	if (status == LYC_OK)
		status = router_give(router, run->call, callee, packet, error);
	return status;
}

static void on_marked(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct once_run *run = arg;
	struct router *router = run->router;
	struct lyc_error error;
	error_clear(&error);
	(void)seq;
	if (status != LYC_OK) {
		error_set(&error, status == LYC_RESOURCE_EXHAUSTED ? status : LYC_UNAVAILABLE,
			  "the call has not run, because its idempotency key cannot be kept: %s",
			  text);
		tell_error(run, &error, false);
		if (run->call)
			call_end(&router->calls, run->call);
		forget(&router->once, run->entry);
		return;
	}
	if (!run->call || run->is_cancelled) {
		error_set(&error, LYC_UNAVAILABLE, "the call was not started in time; try again");
		not_run(run, &error);
		return;
	}
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, span_of(run->packet.data, run->packet.len));
	run->state = RUNNING;
	if (router->stream->erasures)
		run->erased_seq = erasures_last_seq(router->stream->erasures);
	if (frame_next(reader, &packet) != FRAME_PACKET || packet.kind != PACKET_CALL)
		error_set(&error, LYC_INTERNAL, "the call was not kept");
	else
		error.status = give(run, &packet.call, &error);
	free(reader);
	buf_fini(&run->packet);
	if (error.status != LYC_OK)
		not_run(run, &error);
}

/* What it says may have been erased since the call began, or is being erased. */
static bool may_be_erased(const struct once_run *run)
{
	const struct erasures *erasures = run->router->stream->erasures;
	return erasures &&
	       (erasures_are_due(erasures) || erasures_last_seq(erasures) != run->erased_seq);
}

static void on_kept(enum lyc_status status, uint64_t seq, const char *text, void *arg)
{
	struct once_run *run = arg;
	if (run->router->stream->erasures)
		erasures_keep_reply(run->router->stream->erasures, true);
	if (status == LYC_OK)
		run->entry->seq = seq;
	else
		log_warning("a reply is not remembered for its idempotency key", "reason", text);
	tell_kept(run, span_of(run->packet.data, run->packet.len), status == LYC_OK);
	run_free(run);
}

void once_reply(struct router *router, struct call *call, const struct packet_reply *reply)
{
	struct once_run *run = call->once;
	struct packet packet = {.kind = PACKET_REPLY};
	const char *method = call->method->full_name;
	packet.reply = *reply;
	packet.reply.id = 0;
	packet.reply.more = false;
	packet_write(&run->packet, &packet);
	run->state = KEEPING;
	run->call = NULL;
	if (may_be_erased(run)) {
		/* Whoever waits hears it; whoever asks again, that it has run. */
		tell_kept(run, span_of(run->packet.data, run->packet.len), false);
		run_free(run);
		call_end(&router->calls, call);
		return;
	}
	if (router->stream->erasures)
		erasures_keep_reply(router->stream->erasures, false);
	append(run, run->entry->owner->principal, method, LYCEUM__V1__KEYED_CALL__STATE__ANSWERED,
	       span_of(run->packet.data, run->packet.len), on_kept);
	call_end(&router->calls, call);
}

void once_failed(struct router *router, struct call *call, const struct lyc_error *error)
{
	struct once_run *run = call->once;
	if (run->state != RUNNING || router->once.is_closed) {
		/* What becomes of it is found out when its mark is on the disk, or after the next
		 * start. */
		run->call = NULL;
		call_end(&router->calls, call);
		return;
	}
	char text[2 * sizeof(error->text)];
	snprintf(text, sizeof(text), "%s; with this idempotency key it is not run again",
		 error->text);
	struct packet_reply reply = {
		.status =
			(uint32_t)(error->status == LYC_UNAVAILABLE ? LYC_UNKNOWN : error->status),
		.text = span_of(text, strlen(text)),
		.field = span_of(error->field, strlen(error->field)),
	};
	once_reply(router, call, &reply);
}

void once_cancelled(struct router *router, struct once_run *run)
{
	if (!list_is_empty(&run->waiters))
		return;
	if (run->state == MARKING)
		run->is_cancelled = true;
	else if (run->state == RUNNING)
		reply_tell_cancelled(router, run->call);
}

/* ---- a call comes ---- */

static struct once_run *run_new(struct router *router, struct remembered_call *entry)
{
	struct once_run *run = mem_new(struct once_run);
	run->router = router;
	run->entry = entry;
	entry->run = run;
	list_init(&run->waiters);
	return run;
}

struct once_read {
	struct log_read base;
	struct once_run *run;
};

static bool tell_read(struct once_run *run, const struct log_read *read)
{
	struct span at = log_read_begin(&read->records);
	struct span bytes;
	uint64_t seq;
	struct record record;
	struct keyed_call kept;
	if (read->status != LYC_OK || !log_read_next(&at, &seq, &bytes))
		return false;
	return seq == run->entry->seq && record_read(bytes, &record) == LYC_OK &&
	       keyed_call_read(record.body, &kept) && tell_kept(run, kept.reply, true);
}

static void on_read(struct log_read *base)
{
	struct once_read *read = (struct once_read *)base;
	struct once_run *run = read->run;
	struct lyc_error error;
	if (base->status == LYC_UNAVAILABLE) {
		error_set(&error, LYC_UNAVAILABLE, "%s", base->text);
		tell_error(run, &error, false);
	} else if (!tell_read(run, base)) {
		run->entry->seq = 0;
		set_unknown(&error);
		tell_error(run, &error, true);
	}
	run_free(run);
	buf_fini(&base->records);
	free(read);
}

static void read_reply(struct router *router, struct remembered_call *entry, struct call *call)
{
	struct once_read *read = mem_new(struct once_read);
	read->run = run_new(router, entry);
	read->run->state = READING;
	wait_for(read->run, call);
	read->base.from = entry->seq;
	read->base.max_bytes = 1;
	read->base.on_done = on_read;
	router->env->read(router->env->world, &read->base);
}

/* The call that runs: the keeper's, with everything that the first caller's has. */
static struct call *make_run(struct router *router, const struct call *call)
{
	struct once *once = &router->once;
	struct call *run = call_add(&router->calls, &once->keeper, ++once->last_run, call->len,
				    call->deadline_ms);
	if (!run)
		return NULL;
	run->method = call->method;
	run->max_reply = call->max_reply;
	run->is_traced = call->is_traced;
	run->trace = call->trace;
	run->parent_span = call->parent_span;
	run->by_operator = call->caller->grants->role == ROLE_OPERATOR;
	memcpy(run->principal, call->principal, strlen(call->principal) + 1);
	struct span groups[CALL_MAX_GROUPS];
	for (size_t i = 0; i < call->group_count; i++)
		groups[i] = span_of(call->groups[i], strlen(call->groups[i]));
	call_take_groups(run, groups, call->group_count);
	return run;
}

static enum lyc_status begin(struct router *router, struct call *call,
			     const struct packet_call *packet,
			     const uint8_t key[KEYED_CALL_HASH_LEN],
			     const uint8_t digest[KEYED_CALL_HASH_LEN], struct lyc_error *error)
{
	struct once *once = &router->once;
	once_prune(router);
	enum lyc_status status = remembered_check_room(&once->remembered, call->principal, error);
	if (status != LYC_OK)
		return status;
	struct call *made = make_run(router, call);
	if (!made)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "too many calls are outstanding here");
	struct remembered_call *entry =
		remembered_add(&once->remembered, key, digest, call->principal, wall_of(router));
	struct once_run *run = run_new(router, entry);
	run->call = made;
	made->once = run;
	struct packet whole = {.kind = PACKET_CALL};
	whole.call = *packet;
	packet_write(&run->packet, &whole);
	wait_for(run, call);
	append(run, call->principal, call->method->full_name,
	       LYCEUM__V1__KEYED_CALL__STATE__STARTED, span_of(NULL, 0), on_marked);
	return LYC_OK;
}

static bool is_erased(const struct router *router, const struct remembered_call *entry)
{
	return router->stream->erasures && entry->seq < erasures_last_seq(router->stream->erasures);
}

bool once_knows(const struct router *router, const struct call *call,
		const struct packet_call *packet)
{
	uint8_t key[KEYED_CALL_HASH_LEN];
	keyed_call_hash(span_of(call->principal, strlen(call->principal)), packet->idempotency_key,
			key);
	return remembered_find(&router->once.remembered, key) != NULL;
}

void once_take(struct router *router, struct call *call, const struct packet_call *packet)
{
	static const char field[] = "idempotency_key";
	uint8_t key[KEYED_CALL_HASH_LEN];
	uint8_t digest[KEYED_CALL_HASH_LEN];
	struct lyc_error error;
	error_clear(&error);
	keyed_call_hash(span_of(call->principal, strlen(call->principal)), packet->idempotency_key,
			key);
	keyed_call_hash(packet->method, packet->body, digest);
	struct remembered_call *entry = remembered_find(&router->once.remembered, key);
	if (entry && remembered_is_over(&router->once.remembered, entry, wall_of(router))) {
		forget(&router->once, entry);
		entry = NULL;
	}
	if (packet->idempotency_key.len > ONCE_MAX_KEY)
		error_set_field(&error, LYC_INVALID_ARGUMENT, field,
				"an idempotency key has at most %d bytes", ONCE_MAX_KEY);
	else if (call->method->is_server_streaming)
		error_set_field(&error, LYC_INVALID_ARGUMENT, field,
				"%s streams its replies, which are not remembered: call it without "
				"an idempotency key",
				call->method->full_name);
	else if (!entry)
		error.status = begin(router, call, packet, key, digest, &error);
	else if (memcmp(entry->call, digest, KEYED_CALL_HASH_LEN) != 0)
		error_set_field(&error, LYC_INVALID_ARGUMENT, field,
				"this idempotency key was used for a call with another method or "
				"request: give each call a key of its own");
	else if (entry->run)
		wait_for(entry->run, call);
	else if (entry->seq > 0 && is_erased(router, entry))
		set_erased(&error);
	else if (entry->seq > 0)
		read_reply(router, entry, call);
	else
		set_unknown(&error);
	if (error.status != LYC_OK)
		router_refuse(router, call, &error, error.status == LYC_UNKNOWN);
}

/*
 * Calls: starting them within the daemon's credit, and handing replies to those who wait. Every
 * call ends once: by its last reply, by its deadline here (a little after the daemon's own), by
 * loss of the session, or by closing.
 */
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/chain.h"
#include "io/clock.h"

/* The daemon answers at the deadline; its answer needs some time. */
#define GRACE_MS 250
/* For the last reply to a cancelled call. */
#define CANCEL_MS 5000
/* How long a waiting call without a timeout waits for a session. */
#define SESSION_WAIT_MS 5000

static void end_here(struct lyc_client *client, const struct pending *call, enum lyc_status status,
		     const char *text)
{
	struct lyc_reply reply = {.status = status,
				  .text = text,
				  .field = "",
				  .served_by = "",
				  .position = {.origin = ""}};
	client->handled_count++;
	client->depth++;
	const struct trace *outer = chain_enter(client, false, call);
	call->on_reply(&reply, call->arg);
	chain_leave(client, outer, false, call, true);
	client->depth--;
}

void calls_end(struct lyc_client *client, struct pending_table *calls, enum lyc_status status,
	       const char *text)
{
	for (size_t i = 0; i < calls->cap; i++) {
		if (calls->places[i].id)
			end_here(client, &calls->places[i], status, text);
	}
	pending_fini(calls);
}

void calls_expire(struct lyc_client *client)
{
	struct pending call;
	size_t at = 0;
	while (pending_take_expired(&client->calls, client->now_ms, &at, &call)) {
		struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = call.id}};
		if (call.is_cancelled) {
			end_here(client, &call, LYC_CANCELLED, "the call was cancelled");
			continue;
		}
		attachment_put(client, &cancel);
		end_here(client, &call, LYC_DEADLINE_EXCEEDED,
			 "the daemon did not answer within the call's timeout");
	}
}

static struct lyc_position level_position(struct level *level, const struct wire_position *position)
{
	return (struct lyc_position){.origin = level_text(level, position->origin),
				     .epoch = position->epoch,
				     .seq = position->seq,
				     .age_ms = position->age_ms};
}

/* The reply as callbacks get it, its strings in the level's room. */
static bool fill_reply(struct level *level, const struct packet_reply *from,
		       struct lyc_reply *reply)
{
	size_t len = from->text.len + from->field.len + from->served_by.len +
		     from->position.origin.len + 4 + from->as_of_count;
	for (size_t i = 0; i < from->as_of_count; i++)
		len += from->as_of[i].origin.len;
	if (!level_reserve(level, len))
		return false;
	for (size_t i = 0; i < from->as_of_count; i++)
		level->positions[i] = level_position(level, &from->as_of[i]);
	*reply = (struct lyc_reply){.status = (enum lyc_status)from->status,
				    .text = level_text(level, from->text),
				    .field = level_text(level, from->field),
				    .body = from->body.data,
				    .body_len = from->body.len,
				    .more = from->more,
				    .position = level_position(level, &from->position),
				    .as_of = level->positions,
				    .as_of_count = from->as_of_count,
				    .served_by = level_text(level, from->served_by),
				    .remembered = from->remembered,
				    .refusal = from->refusal};
	return true;
}

/* The caller has handled so much of a stream: the credit goes back in batches. */
static void return_credit(struct lyc_client *client, struct pending *call, uint32_t bytes)
{
	call->owed += bytes;
	if (call->owed < call->credit / 2 || client->state != ATTACHMENT_OPEN)
		return;
	struct packet packet = {.kind = PACKET_CREDIT,
				.credit = {.call = call->id, .value = call->owed}};
	call->owed = 0;
	attachment_put(client, &packet);
	attachment_wrote(client);
}

void lyc_client_call_handled(struct lyc_client *client, uint64_t id, size_t body_len)
{
	struct pending *call = pending_find(&client->calls, id);
	if (call && call->is_manual && body_len <= WIRE_MAX_BODY)
		return_credit(client, call, (uint32_t)wire_reply_cost(body_len));
}

void calls_reply(struct lyc_client *client, struct level *level, const struct packet_reply *from)
{
	struct pending *found = pending_find(&client->calls, from->id);
	if (!found)
		return;
	struct pending call = *found;
	if (!from->more)
		pending_remove(&client->calls, found);
	struct lyc_reply reply;
	if (!fill_reply(level, from, &reply))
		reply = (struct lyc_reply){.status = LYC_RESOURCE_EXHAUSTED,
					   .text = "no memory for a reply",
					   .field = "",
					   .served_by = "",
					   .position = {.origin = ""},
					   .more = from->more};
	client->depth++;
	const struct trace *outer = chain_enter(client, false, &call);
	call.on_reply(&reply, call.arg);
	chain_leave(client, outer, false, &call, !from->more);
	client->depth--;
	if (!from->more || call.is_manual)
		return;
	/* The table may have changed meanwhile. */
	found = pending_find(&client->calls, from->id);
	if (found)
		return_credit(client, found, (uint32_t)wire_reply_cost(from->body.len));
}

/* What a packet points to while it is written. */
struct call_room {
	struct wire_position positions[WIRE_MAX_POSITIONS];
	struct span groups[WIRE_MAX_GROUPS];
	char trace[TRACE_TEXT_LEN + 1];
};

static enum lyc_status fill_groups(const struct lyc_call_options *options, struct call_room *room,
				   struct packet_call *call, struct lyc_error *error)
{
	if (options->group_count > WIRE_MAX_GROUPS)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a call names at most %d groups, not %zu", WIRE_MAX_GROUPS,
				 options->group_count);
	for (size_t i = 0; i < options->group_count; i++) {
		if (!attachment_text(options->groups[i], &room->groups[i]))
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "the name of a group is not well-formed UTF-8");
	}
	call->groups = room->groups;
	call->group_count = options->group_count;
	return LYC_OK;
}

static enum lyc_status fill_call(const struct lyc_client *client, const char *method,
				 struct span body, const struct lyc_call_options *options,
				 struct call_room *room, struct packet_call *call,
				 struct lyc_error *error)
{
	static const struct lyc_call_options none;
	if (!options)
		options = &none;
	if (!method || !strchr(method, '/') || !attachment_text(method, &call->method))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a method is named \"package.Service/Method\", not \"%s\"",
				 method ? method : "");
	if (body.len > WIRE_MAX_BODY ||
	    (client->welcome.max_body && body.len > client->welcome.max_body))
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the request has %zu bytes, the daemon takes at most %u", body.len,
				 client->welcome.max_body ? client->welcome.max_body
							  : WIRE_MAX_BODY);
	if (!attachment_text(options->at, &call->at) ||
	    !attachment_text(options->principal, &call->principal) ||
	    !attachment_text(options->idempotency_key, &call->idempotency_key))
		return error_set(
			error, LYC_INVALID_ARGUMENT,
			"the call's at, principal or idempotency_key is not well-formed UTF-8");
	if (options->after_count > WIRE_MAX_POSITIONS)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "a call may wait for %d positions, not %zu", WIRE_MAX_POSITIONS,
				 options->after_count);
	for (size_t i = 0; i < options->after_count; i++) {
		const struct lyc_position *after = &options->after[i];
		room->positions[i] =
			(struct wire_position){.epoch = after->epoch, .seq = after->seq};
		if (!attachment_text(after->origin, &room->positions[i].origin))
			return error_set(error, LYC_INVALID_ARGUMENT,
					 "the origin of a position is not well-formed UTF-8");
	}
	call->body = body;
	call->trace = chain_of(client, options->trace, room->trace);
	call->timeout_ms = options->timeout_ms;
	call->want_as_of = options->want_as_of;
	call->credit = options->credit;
	call->after = room->positions;
	call->after_count = options->after_count;
	return fill_groups(options, room, call, error);
}

static bool has_credit(const struct lyc_client *client, size_t len)
{
	return client->calls.len + len <= client->call_credit;
}

static enum lyc_status out_of_credit(const struct lyc_client *client, size_t len,
				     struct lyc_error *error)
{
	if (len > client->call_credit)
		return error_set(error, LYC_INVALID_ARGUMENT,
				 "the call has %zu bytes, the daemon's credit is %llu", len,
				 (unsigned long long)client->call_credit);
	return error_set(error, LYC_RESOURCE_EXHAUSTED,
			 "the daemon's credit for calls is used up; run, then try again");
}

enum lyc_status calls_send(struct lyc_client *client, struct packet *packet, lyc_reply_fn on_reply,
			   void *arg, uint64_t *ret_id, struct lyc_error *error)
{
	size_t body_len = packet->call.body.len;
	if (!has_credit(client, body_len) ||
	    connection_unsent(client->connection) > CONNECTION_MAX_UNSENT)
		return out_of_credit(client, body_len, error);
	struct pending *call = pending_add(&client->calls);
	if (!call)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "no memory for a call, or %u are outstanding", PENDING_MAX);
	packet->call.id = call->id;
	size_t len = attachment_put(client, packet);
	if (len == 0 || !has_credit(client, len)) {
		client->connection->out.len -= len;
		pending_remove(&client->calls, call);
		return len ? out_of_credit(client, len, error)
			   : error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for a call");
	}
	call->on_reply = on_reply;
	call->arg = arg;
	call->credit = (uint32_t)wire_stream_credit(packet->call.credit);
	pending_set_len(&client->calls, call, len);
	if (packet->call.timeout_ms)
		pending_set_deadline(&client->calls, call,
				     mono_ms() + packet->call.timeout_ms + GRACE_MS);
	if (packet->call.trace.len > 0)
		chain_keep(client, false, call, packet->call.trace);
	*ret_id = packet->call.id;
	attachment_wrote_call(client);
	return LYC_OK;
}

static enum lyc_status start(struct lyc_client *client, const char *method, struct span body,
			     const struct lyc_call_options *options, lyc_reply_fn on_reply,
			     void *arg, uint64_t *ret_id, struct lyc_error *error)
{
	struct call_room room;
	struct packet packet;
	memset(&packet.call, 0, sizeof(packet.call));
	packet.kind = PACKET_CALL;
	enum lyc_status status = attachment_check(client, error);
	if (!status)
		status = fill_call(client, method, body, options, &room, &packet.call, error);
	if (status)
		return status;
	return packet.call.idempotency_key.len > 0
		       ? keyed_start(client, &packet, on_reply, arg, ret_id, error)
		       : calls_send(client, &packet, on_reply, arg, ret_id, error);
}

enum lyc_status lyc_client_call_start(struct lyc_client *client, const char *method,
				      const void *body, size_t body_len,
				      const struct lyc_call_options *options, lyc_reply_fn on_reply,
				      void *arg, uint64_t *ret_id)
{
	uint64_t id;
	enum lyc_status status =
		start(client, method, span_of(body, body_len), options, on_reply, arg, &id, NULL);
	if (status)
		return status;
	if (options && options->manual)
		pending_find(&client->calls, id)->is_manual = true;
	if (ret_id)
		*ret_id = id;
	return LYC_OK;
}

void lyc_client_cancel(struct lyc_client *client, uint64_t id)
{
	(void)keyed_cancel(client, id, &id);
	struct pending *call = pending_find(&client->calls, id);
	if (!call || call->is_cancelled)
		return;
	struct packet cancel = {.kind = PACKET_CANCEL, .cancel = {.id = id}};
	call->is_cancelled = true;
	attachment_put(client, &cancel);
	uint64_t deadline_ms = mono_ms() + CANCEL_MS;
	if (deadline_ms < call->deadline_ms)
		pending_set_deadline(&client->calls, call, deadline_ms);
}

/* One who waits for one reply. */
struct call_wait {
	bool is_done;
	bool is_stream;
	bool has_no_memory;
	struct lyc_error error;
	uint8_t *body;
	size_t body_len;
};

static void take_reply(const struct lyc_reply *reply, void *arg)
{
	struct call_wait *wait = arg;
	wait->is_done = true;
	wait->is_stream = reply->more;
	if (reply->status) {
		error_set_field(&wait->error, reply->status, reply->field, "%s", reply->text);
		return;
	}
	wait->error = (struct lyc_error){.status = LYC_OK};
	wait->body = (uint8_t *)mem_dup_try((const char *)reply->body, reply->body_len);
	wait->body_len = reply->body_len;
	wait->has_no_memory = wait->body == NULL;
}

/* Drop a call whose waiter leaves. */
static void forget(struct lyc_client *client, uint64_t id)
{
	lyc_client_cancel(client, id);
	keyed_forget(client, id);
	struct pending *call = pending_find(&client->calls, id);
	if (!call)
		return;
	chain_forget(client, false, call);
	pending_remove(&client->calls, call);
}

/* Until there is a session and credit, at most until the call's own deadline. */
static enum lyc_status start_waiting(struct lyc_client *client, const char *method,
				     struct span body, struct lyc_call_options *options,
				     struct call_wait *wait, uint64_t *ret_id,
				     struct lyc_error *error)
{
	uint32_t timeout_ms = options->timeout_ms;
	uint64_t begun_ms = mono_ms();
	uint64_t until_ms = begun_ms + (timeout_ms ? timeout_ms : SESSION_WAIT_MS);
	for (;;) {
		enum lyc_status status =
			start(client, method, body, options, take_reply, wait, ret_id, error);
		if (status != LYC_UNAVAILABLE && status != LYC_RESOURCE_EXHAUSTED)
			return status;
		if (client->is_closing || mono_ms() >= until_ms)
			return status;
		if (attachment_pump(client, until_ms))
			return error_set(error, LYC_RESOURCE_EXHAUSTED,
					 "callbacks wait within callbacks too deep");
		if (timeout_ms) {
			uint64_t passed_ms = mono_ms() - begun_ms;
			options->timeout_ms =
				passed_ms < timeout_ms ? timeout_ms - (uint32_t)passed_ms : 1;
		}
	}
}

enum lyc_status lyc_client_call(struct lyc_client *client, const char *method, const void *body,
				size_t body_len, const struct lyc_call_options *options,
				uint8_t **ret_body, size_t *ret_body_len, struct lyc_error *error)
{
	struct lyc_call_options with_rest = options ? *options : (struct lyc_call_options){0};
	struct call_wait wait = {0};
	uint64_t id;
	enum lyc_status status = start_waiting(client, method, span_of(body, body_len), &with_rest,
					       &wait, &id, error);
	if (status)
		return status;
	while (!wait.is_done) {
		if (attachment_pump(client, UINT64_MAX)) {
			forget(client, id);
			return error_set(error, LYC_RESOURCE_EXHAUSTED,
					 "callbacks wait within callbacks too deep");
		}
	}
	if (wait.is_stream) {
		forget(client, id);
		free(wait.body);
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "%s streams its replies: use lyc_client_call_start", method);
	}
	if (wait.error.status) {
		if (error)
			*error = wait.error;
		return wait.error.status;
	}
	if (wait.has_no_memory)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "no memory for the reply");
	*ret_body = wait.body;
	*ret_body_len = wait.body_len;
	return LYC_OK;
}

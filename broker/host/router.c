/*
 * The way of a call in: who asks, whether it may, what it asks for, and to whom it is given.
 * Whoever it is that ends it without a reply of its own does so here, with router_end.
 */
#include "host/router.h"

#include <string.h>

#include "base/error.h"
#include "host/behalf.h"
#include "host/call_journal.h"
#include "host/destination.h"
#include "host/reply.h"

#define MAX_HOPS 4
#define MAX_TIMEOUT_MS (60u * 60 * 1000)
#define MAX_METHOD 240

void router_init(struct router *router)
{
	call_table_init(&router->calls, router->env->now_ms(router->env->world),
			router->env->random(router->env->world));
	waiting_init(&router->waiting);
	turns_init(&router->turns);
	once_init(router);
}

void router_fini(struct router *router)
{
	call_table_fini(&router->calls);
	turns_fini(&router->turns);
	once_fini(router);
	buf_fini(&router->cut_room);
}

/* ---- its end here ---- */

static void answer_as(struct router *router, struct session *session, uint64_t id,
		      const struct lyc_error *error, bool is_remembered)
{
	struct packet packet = {.kind = PACKET_REPLY};
	packet.reply = (struct packet_reply){
		.id = id,
		.status = (uint32_t)error->status,
		.text = span_of(error->text, strlen(error->text)),
		.field = span_of(error->field, strlen(error->field)),
		.served_by = span_of(router->name, strlen(router->name)),
		.remembered = is_remembered,
		.refusal = call_journal_refused(router, session,
						call_find_made(&router->calls, session, id), error),
	};
	router->counters.refused++;
	session_send(router->sessions, session, &packet);
}

static void answer(struct router *router, struct session *session, uint64_t id,
		   const struct lyc_error *error)
{
	answer_as(router, session, id, error, false);
}

void router_end(struct router *router, struct call *call, const struct lyc_error *error)
{
	if (once_is_run(&router->once, call)) {
		once_failed(router, call, error);
		return;
	}
	answer(router, call->caller, call->caller_id, error);
	call_end(&router->calls, call);
}

void router_refuse(struct router *router, struct call *call, const struct lyc_error *error,
		   bool is_remembered)
{
	answer_as(router, call->caller, call->caller_id, error, is_remembered);
	call_end(&router->calls, call);
}

/* ---- in ---- */

static void give(struct router *router, struct call *call, struct session *callee,
		 const struct packet_call *original)
{
	uint64_t now = router->env->now_ms(router->env->world);
	struct packet packet = {.kind = PACKET_CALL};
	packet.call = *original;
	packet.call.id = call_id(call);
	packet.call.principal = span_of(call->principal, strlen(call->principal));
	packet.call.timeout_ms = call->deadline_ms > now ? (uint32_t)(call->deadline_ms - now) : 1;
	packet.call.hops = original->hops + 1;
	packet.call.by_operator = false;
	char trace[TRACE_TEXT_LEN + 1];
	packet.call.trace = call->is_traced ? trace_write(&call->trace, trace) : span_of(NULL, 0);
	struct span groups[CALL_MAX_GROUPS];
	for (size_t i = 0; i < call->group_count; i++)
		groups[i] = span_of(call->groups[i], strlen(call->groups[i]));
	packet.call.groups = groups;
	packet.call.group_count = call->group_count;
	struct wire_position here = {.origin = span_of(router->name, strlen(router->name)),
				     .epoch = router->stream->epoch,
				     .seq = router->stream->last_seq};
	if (!session_is_link(callee)) {
		call->ends_here = true;
		packet.call.by_operator = once_is_run(&router->once, call)
						  ? call->by_operator
						  : call->caller->grants->role == ROLE_OPERATOR;
		packet.call.at = span_of(NULL, 0);
		packet.call.want_as_of = false;
		packet.call.after = &here;
		packet.call.after_count = original->after_count > 0 ? 1 : 0;
	}
	call_give(call, callee);
	if (call->is_traced)
		call_journal_given(router, call, original, callee);
	session_send(router->sessions, callee, &packet);
}

void router_builtin_later(struct router *router)
{
	router->is_builtin_later = true;
}

void router_builtin_done(struct router *router, uint64_t id, struct span body,
			 const struct lyc_error *error)
{
	struct call *call = call_find(&router->calls, id);
	if (call && error->status != LYC_OK)
		router_end(router, call, error);
	else if (call)
		reply_own(router, call, body);
}

static void answer_builtin(struct router *router, struct call *call, const char *method,
			   const struct packet_call *packet)
{
	struct buf reply = {0};
	struct lyc_error error = {0};
	if (call->is_traced)
		call_journal_given(router, call, packet, NULL);
	router->is_builtin_later = false;
	uint64_t id = call_id(call);
	error.status =
		router->builtin(method, call, packet->body, &reply, &error, router->builtin_arg);
	/* It may have been answered by now. */
	if (error.status != LYC_OK || !router->is_builtin_later)
		router_builtin_done(router, id, span_of(reply.data, reply.len), &error);
	buf_fini(&reply);
}

static enum lyc_status check_body(const struct method_entry *entry,
				  const struct packet_call *packet, struct lyc_error *error)
{
	if (packet->body.len > WIRE_MAX_BODY)
		return error_set(error, LYC_INVALID_ARGUMENT, "a body has at most %d bytes",
				 WIRE_MAX_BODY);
	return entry ? schema_check(entry->method->input, packet->body, true, error) : LYC_OK;
}

enum lyc_status router_give(struct router *router, struct call *call, struct session *callee,
			    const struct packet_call *packet, struct lyc_error *error)
{
	if (turns_must_wait(router, call, callee))
		return turns_hold(router, call, packet, error);
	if (callee->calls_given_len + call->len > callee->call_credit) {
		journal_because(router->journal, RULE_CREDIT);
		return error_set(error, LYC_UNAVAILABLE,
				 "%.*s is busy: '%s' has %llu bytes of calls that it has not "
				 "answered, and takes no more before that; try again later",
				 (int)packet->method.len, (const char *)packet->method.data,
				 callee->identity, (unsigned long long)callee->calls_given_len);
	}
	if (waiting_must_hand_over(router, call, callee))
		return waiting_for_handover(router, call, packet, error);
	give(router, call, callee, packet);
	return LYC_OK;
}

/* With an idempotency key: what is remembered here is said also while nobody serves the method. */
static bool is_known(struct router *router, const struct call *call,
		     const struct packet_call *packet)
{
	return packet->idempotency_key.len > 0 && call->method &&
	       destination_is_here(router, packet, call->method) &&
	       once_knows(router, call, packet);
}

/* Everything between a call and its callee. `call` has its principal already when it comes back
 * from waiting. */
static void send_on(struct router *router, struct call *call, const char *method,
		    struct method_entry *entry, const struct packet_call *packet)
{
	struct lyc_error error;
	struct session *callee = NULL;
	error_clear(&error);
	call->method = entry ? entry->method : NULL;
	error.status =
		destination_find(router, call->caller, packet, method, entry, &callee, &error);
	if (error.status != LYC_OK) {
		if (is_known(router, call, packet))
			once_take(router, call, packet);
		else
			router_end(router, call, &error);
		return;
	}
	bool is_here = !callee || !session_is_link(callee);
	if (is_here && !waiting_is_far_enough(router, call, packet))
		return;
	if (packet->idempotency_key.len > 0 && is_here && callee) {
		once_take(router, call, packet);
		return;
	}
	if (!callee && packet->idempotency_key.len > 0)
		error_set_field(&error, LYC_INVALID_ARGUMENT, "idempotency_key",
				"the daemon's own methods take no idempotency key");
	else if (!callee)
		answer_builtin(router, call, method, packet);
	else
		error.status = router_give(router, call, callee, packet, &error);
	if (error.status != LYC_OK)
		router_end(router, call, &error);
}

/* Of a packet whose method is known to fit. */
static const char *method_text(const struct packet_call *packet, char to[MAX_METHOD])
{
	memcpy(to, packet->method.data, packet->method.len);
	to[packet->method.len] = '\0';
	return to;
}

void router_send_on(struct router *router, struct call *call, const struct packet_call *packet)
{
	char text[MAX_METHOD];
	send_on(router, call, method_text(packet, text),
		types_method(router->types, packet->method), packet);
}

static bool may_call(struct router *router, const struct session *session,
		     const struct method_entry *entry, const char *method)
{
	return entry ? policy_may_call_known(router->policy, session->grants, entry)
		     : policy_may_call(session->grants, method);
}

static void take_in(struct router *router, struct session *session,
		    const struct packet_call *packet, size_t packet_len)
{
	struct lyc_error error;
	struct method_entry *entry = NULL;
	error_clear(&error);
	router->counters.calls++;
	if (router->is_stopping && session->kind != SESSION_PLUGIN) {
		error_set(&error, LYC_UNAVAILABLE, "the daemon is stopping");
		answer(router, session, packet->id, &error);
		return;
	}
	uint32_t timeout = packet->timeout_ms ? packet->timeout_ms : router->default_timeout_ms;
	if (timeout > MAX_TIMEOUT_MS)
		timeout = MAX_TIMEOUT_MS;
	uint64_t now = router->env->now_ms(router->env->world);
	struct call *call =
		call_add(&router->calls, session, packet->id, (uint32_t)packet_len, now + timeout);
	if (!call) {
		error_set(&error, LYC_RESOURCE_EXHAUSTED, "too many calls are outstanding here");
		answer(router, session, packet->id, &error);
		return;
	}
	call->begun_ms = now;
	call->want_as_of = packet->want_as_of;
	call->stream_credit = wire_stream_credit(packet->credit);
	call->max_reply = packet->max_reply ? packet->max_reply : WIRE_MAX_BODY;
	if (packet->trace.len > 0)
		call_journal_begin(router, call, packet->trace);
	char text[MAX_METHOD];
	const char *method = text;
	if (packet->method.len == 0 || packet->method.len >= sizeof(text))
		error_set(&error, LYC_INVALID_ARGUMENT, "the method's name is empty or too long");
	else if (packet->hops >= MAX_HOPS)
		error_set(&error, LYC_FAILED_PRECONDITION, "the call has passed too many daemons");
	else
		error.status = behalf_take(router->policy, session, packet, call, &error);
	if (error.status == LYC_OK) {
		entry = recent_methods_find(&router->recent_methods, router->types, packet->method);
		method = entry ? entry->name : method_text(packet, text);
		if (!may_call(router, session, entry, method))
			error_set(&error, LYC_PERMISSION_DENIED,
				  "'%s' may not call %s: its key's `call` list does not have it",
				  session->identity, method);
		else
			error.status = check_body(entry, packet, &error);
	}
	if (error.status == LYC_OK)
		send_on(router, call, method, entry, packet);
	else
		router_end(router, call, &error);
}

void router_call(struct router *router, struct session *session, const struct packet_call *packet,
		 size_t packet_len)
{
	const struct packet_call *outer = router->asked;
	router->asked = packet;
	router->journal->rule = RULE_NONE;
	take_in(router, session, packet, packet_len);
	router->asked = outer;
}

void router_cancel(struct router *router, struct session *session, uint64_t caller_id)
{
	struct call *call = call_find_made(&router->calls, session, caller_id);
	if (!call)
		return;
	struct lyc_error error;
	struct once_run *run = call->once;
	error_set(&error, LYC_CANCELLED, "the caller has cancelled the call");
	reply_tell_cancelled(router, call);
	router_end(router, call, &error);
	if (run)
		once_cancelled(router, run);
}

void router_leave(struct router *router, struct session *session)
{
	list_each_safe (made, &session->calls_made) {
		struct call *call = list_entry(made, struct call, of_caller);
		reply_tell_cancelled(router, call);
		call_end(&router->calls, call);
	}
	struct lyc_error error;
	error_set(&error, LYC_UNAVAILABLE,
		  "'%s' went away before it answered; whether the call ran is not known",
		  session->identity);
	list_each_safe (given, &session->calls_given)
		router_end(router, list_entry(given, struct call, of_callee), &error);
}

static void expire(struct call *call, void *arg)
{
	struct router *router = arg;
	struct lyc_error error;
	router->counters.expired++;
	if (call->awaits_handover)
		error_set(&error, LYC_UNAVAILABLE,
			  "%s: the instance of the plugin that is being replaced appends for so "
			  "long; the call did not run",
			  call->method->full_name);
	else if (call->awaits_turn)
		error_set(&error, LYC_DEADLINE_EXCEEDED,
			  "%.*s was busy all the time with what others and this caller had asked "
			  "before; the call did not run",
			  call->method ? (int)strlen(call->method->full_name) : 10,
			  call->method ? call->method->full_name : "the callee");
	else if (!list_is_empty(&call->of_waiting) && !call->once)
		error_set(&error, LYC_FAILED_PRECONDITION,
			  "'%s' has not come as far as the call asks for", router->name);
	else
		error_set(&error, LYC_DEADLINE_EXCEEDED, "%s: '%s' did not answer in time",
			  call->method ? call->method->full_name : "the call",
			  call->callee ? call->callee->identity : router->name);
	reply_tell_cancelled(router, call);
	router_end(router, call, &error);
}

void router_tick(struct router *router)
{
	call_tick(&router->calls, router->env->now_ms(router->env->world), expire, router);
	turns_tick(router);
}

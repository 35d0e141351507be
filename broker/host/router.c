/* The way of a call. */
#include "host/router.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/after.h"
#include "host/call_journal.h"
#include "host/destination.h"
#include "host/upgrade.h"

#define MAX_HOPS 4
#define MAX_TIMEOUT_MS (60u * 60 * 1000)
#define MAX_METHOD 240
/* Bytes of calls that wait for a position, all callers together. */
#define MAX_HELD (64u * 1024 * 1024)

void router_init(struct router *router)
{
	call_table_init(&router->calls, router->env->now_ms(router->env->world),
			router->env->random(router->env->world));
	list_init(&router->waiting);
	list_init(&router->handover);
	list_init(&router->mark);
	router->max_held = MAX_HELD;
	once_init(router);
}

void router_fini(struct router *router)
{
	call_table_fini(&router->calls);
	once_fini(router);
}

/* ---- answers ---- */

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

static void end_with(struct router *router, struct call *call, const struct lyc_error *error)
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

/* At most WIRE_MAX_POSITIONS origins, this daemon first. */
static size_t list_as_of(struct router *router, struct wire_position *to)
{
	struct stream *stream = router->stream;
	uint64_t now = router->env->now_ms(router->env->world);
	uint64_t wall = router->env->wall_ms(router->env->world);
	size_t count = 0;
	to[count++] = (struct wire_position){.origin = span_of(stream->name, strlen(stream->name)),
					     .epoch = stream->epoch,
					     .seq = stream->last_seq};
	for (size_t i = 0; i < stream->origins.count && count < WIRE_MAX_POSITIONS; i++) {
		const struct origin *origin = &stream->origins.items[i];
		if (strcmp(origin->name, stream->name) == 0)
			continue;
		to[count++] = (struct wire_position){
			.origin = span_of(origin->name, strlen(origin->name)),
			.epoch = origin->epoch,
			.seq = origin->seq,
			.age_ms = origin_age_ms(origin, now, wall),
		};
	}
	return count;
}

/* ---- in ---- */

/* A plugin that calls on for somebody whose call it serves calls with that call's groups: it need
 * not know them. Of several such calls nobody can tell which one is meant: with what all have. */
static void take_served_groups(const struct session *plugin, struct call *call)
{
	const struct call *served =
		policy_served_call(plugin, span_of(call->principal, strlen(call->principal)));
	if (!served || served->group_count == 0)
		return;
	call->groups = mem_get(served->group_count * sizeof(char *));
	for (size_t i = 0; i < served->group_count; i++) {
		const char *group = served->groups[i];
		if (policy_all_served_have(plugin, call->principal, group))
			call->groups[call->group_count++] = mem_dup_try(group, strlen(group));
	}
}

static enum lyc_status take_principal(struct router *router, struct session *session,
				      const struct packet_call *packet, struct call *call,
				      struct lyc_error *error)
{
	enum lyc_status status = policy_principal(router->policy, session, packet->principal,
						  call->principal, error);
	if (status != LYC_OK)
		return status;
	bool is_person = session->grants->role == ROLE_PERSON;
	if (session->grants->role == ROLE_PLUGIN && packet->group_count == 0) {
		take_served_groups(session, call);
		return LYC_OK;
	}
	size_t count = is_person ? session->grants->group_count : packet->group_count;
	if (count > CALL_MAX_GROUPS)
		return error_set(error, LYC_INVALID_ARGUMENT, "a call carries at most %d groups",
				 CALL_MAX_GROUPS);
	if (count == 0)
		return LYC_OK;
	call->groups = mem_get(count * sizeof(char *));
	for (size_t i = 0; i < count; i++) {
		struct span group = is_person ? span_of(session->grants->groups[i],
							strlen(session->grants->groups[i]))
					      : packet->groups[i];
		if (!is_person && !policy_vouches_for_group(router->policy, session, group))
			return error_set(error, LYC_PERMISSION_DENIED,
					 "'%s' may not speak for the group '%.*s'",
					 session->identity, (int)(group.len < 64 ? group.len : 64),
					 (const char *)group.data);
		call->groups[i] = mem_dup_try((const char *)group.data, group.len);
		call->group_count++;
	}
	return LYC_OK;
}

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

static void end_builtin(struct router *router, struct call *call, struct span body,
			const struct lyc_error *error)
{
	if (error->status != LYC_OK) {
		end_with(router, call, error);
		return;
	}
	struct wire_position as_of[WIRE_MAX_POSITIONS];
	struct packet out = {.kind = PACKET_REPLY};
	out.reply = (struct packet_reply){
		.id = call->caller_id,
		.body = body,
		.served_by = span_of(router->name, strlen(router->name)),
		.as_of = as_of,
		.as_of_count = call->want_as_of ? list_as_of(router, as_of) : 0,
	};
	session_send(router->sessions, call->caller, &out);
	if (call->is_traced)
		call_journal_answered(router, call, LYC_OK, NULL, 0);
	call_end(&router->calls, call);
}

void router_builtin_later(struct router *router)
{
	router->is_builtin_later = true;
}

void router_builtin_done(struct router *router, uint64_t id, struct span body,
			 const struct lyc_error *error)
{
	struct call *call = call_find(&router->calls, id);
	if (call)
		end_builtin(router, call, body, error);
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

/* Keep the call in this list, until the log has come far enough or somebody may have it. */
static enum lyc_status hold(struct router *router, struct call *call, struct list *list,
			    const struct packet_call *packet, struct lyc_error *error)
{
	if (router->calls.held_len + call->len > router->max_held)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "as many calls wait at '%s' as may: try again later",
				 router->name);
	struct packet whole = {.kind = PACKET_CALL};
	whole.call = *packet;
	packet_write(&call->held, &whole);
	if (call->held.has_failed)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	router->calls.held_len += call->held.len;
	if (call->is_traced)
		call_journal_queued(router, call, packet);
	list_add_last(list, &call->of_waiting);
	return LYC_OK;
}

/* True when the call goes on now; else it waits, or has ended. */
static bool is_far_enough(struct router *router, struct call *call,
			  const struct packet_call *packet)
{
	struct lyc_error error;
	error_clear(&error);
	enum after after = after_look(router->stream, packet, call);
	if (after == AFTER_REACHED)
		return true;
	if (after == AFTER_NEVER)
		error_set(&error, LYC_FAILED_PRECONDITION,
			  "the log of '%s' has begun anew: the position of `after` is of a former "
			  "one",
			  router->name);
	else
		error.status = hold(router, call, &router->waiting, packet, &error);
	if (error.status != LYC_OK)
		end_with(router, call, &error);
	return false;
}

/* What appends never runs in two instances at the same time: the call waits while one that retires
 * still has such a call. */
static bool must_wait_for_handover(struct router *router, const struct call *call,
				   const struct session *callee)
{
	const struct plugin *plugin =
		callee->kind == SESSION_PLUGIN && call->method && call->method->appends
			? host_find(router->host, callee->identity)
			: NULL;
	return plugin && upgrade_may_append(router->host, plugin->name);
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
	if (callee->calls_given_len + call->len > callee->call_credit) {
		journal_because(router->journal, RULE_CREDIT);
		return error_set(error, LYC_UNAVAILABLE,
				 "%.*s is busy: '%s' has %llu bytes of calls outstanding",
				 (int)packet->method.len, (const char *)packet->method.data,
				 callee->identity, (unsigned long long)callee->calls_given_len);
	}
	if (must_wait_for_handover(router, call, callee)) {
		call->awaits_handover = true;
		return hold(router, call, &router->handover, packet, error);
	}
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
			end_with(router, call, &error);
		return;
	}
	bool is_here = !callee || !session_is_link(callee);
	if (is_here && !is_far_enough(router, call, packet))
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
		end_with(router, call, &error);
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
	char method[MAX_METHOD];
	if (packet->method.len == 0 || packet->method.len >= sizeof(method))
		error_set(&error, LYC_INVALID_ARGUMENT, "the method's name is empty or too long");
	else if (packet->hops >= MAX_HOPS)
		error_set(&error, LYC_FAILED_PRECONDITION, "the call has passed too many daemons");
	else
		error.status = take_principal(router, session, packet, call, &error);
	if (error.status == LYC_OK) {
		memcpy(method, packet->method.data, packet->method.len);
		method[packet->method.len] = '\0';
		if (!policy_may_call(session->grants, method))
			error_set(&error, LYC_PERMISSION_DENIED,
				  "'%s' may not call %s: its key's `call` list does not have it",
				  session->identity, method);
		else {
			entry = types_method(router->types, packet->method);
			error.status = check_body(entry, packet, &error);
		}
	}
	if (error.status == LYC_OK)
		send_on(router, call, method, entry, packet);
	else
		end_with(router, call, &error);
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

/* ---- back ---- */

void router_tell_cancelled(struct router *router, struct call *call)
{
	if (!call->callee)
		return;
	struct packet packet = {.kind = PACKET_CANCEL};
	packet.cancel.id = call_id(call);
	session_send(router->sessions, call->callee, &packet);
}

/* A reply of a plugin of this daemon is checked like everything that enters. */
static enum lyc_status check_reply(struct router *router, struct call *call,
				   const struct packet_reply *reply, struct lyc_error *error)
{
	if (reply->status != LYC_OK || !call->method)
		return LYC_OK;
	if (reply->body.len > call->max_reply)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "the reply of %s has %zu bytes, the caller takes %u",
				 call->method->full_name, reply->body.len, call->max_reply);
	/* What another daemon has checked against its rules is checked for its structure here:
	 * nothing unchecked reaches an unpacker. */
	struct lyc_error fault;
	error_clear(&fault);
	if (schema_check(call->method->output, reply->body, call->ends_here, &fault) == LYC_OK)
		return LYC_OK;
	router->counters.bad_replies++;
	return error_set(error, LYC_INTERNAL,
			 "%s answered with a message that its schema refuses: %.120s",
			 call->method->full_name, fault.text);
}

/* The labelled parts that the caller may not see are left out; a plugin should not have sent them.
 */
static enum lyc_status cut_reply(struct router *router, struct call *call, struct buf *cut,
				 struct span *ret_body, struct lyc_error *error)
{
	if (!call->method || !call->method->output->has_label_below || ret_body->len == 0)
		return LYC_OK;
	char node[CALL_MAX_PRINCIPAL];
	struct readers readers =
		policy_readers(call->principal, call->groups, call->group_count, node);
	struct label members = policy_members_label();
	enum egress egress = policy_outgoing(router->policy, call->method->output, *ret_body,
					     &members, router->name, &readers, false, cut);
	if (egress == EGRESS_NOTHING)
		return error_set(error, LYC_INTERNAL,
				 "the labels in the reply of %s cannot be read",
				 call->method->full_name);
	if (egress == EGRESS_CUT) {
		router->counters.cut_parts++;
		*ret_body = span_of(cut->data, cut->len);
	}
	return LYC_OK;
}

/* What a plugin of this daemon should not have answered; not what a slow caller brought about. */
static void note_fault(struct router *router, const struct session *session,
		       const struct call *call, const struct lyc_error *error, bool is_cut)
{
	char text[200];
	if (session->kind != SESSION_PLUGIN)
		return;
	if (is_cut)
		snprintf(text, sizeof(text),
			 "%.100s answered with labelled parts that its caller may not see: they "
			 "were "
			 "left out",
			 call->method->full_name);
	else
		snprintf(text, sizeof(text), "%.199s", error->text);
	if (is_cut || error->status == LYC_INTERNAL)
		host_fault(router->host, session, text);
}

static void grant(struct router *router, const struct call *call, uint64_t bytes)
{
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.call = call_id(call), .value = bytes};
	session_send(router->sessions, call->callee, &packet);
}

void router_pass(struct router *router, struct call *call, const struct packet_reply *reply)
{
	struct wire_position as_of[WIRE_MAX_POSITIONS];
	struct packet packet = {.kind = PACKET_REPLY};
	struct lyc_error error;
	struct buf cut = {0};
	struct span body = reply->body;
	error_clear(&error);
	error.status = cut_reply(router, call, &cut, &body, &error);
	if (call->callee)
		note_fault(router, call->callee, call, &error, body.data != reply->body.data);
	if (error.status != LYC_OK) {
		if (reply->more)
			router_tell_cancelled(router, call);
		end_with(router, call, &error);
		buf_fini(&cut);
		return;
	}
	if (reply->more) {
		call->stream_credit -= wire_reply_cost(body.len);
		/* What was cut the caller never sees, and never returns. */
		if (body.len < reply->body.len)
			grant(router, call, reply->body.len - body.len);
	}
	packet.reply = *reply;
	packet.reply.id = call->caller_id;
	packet.reply.body = body;
	if (call->ends_here) {
		packet.reply.refusal = 0; /* daemons remember refusals, and a plugin is none */
		packet.reply.served_by = span_of(router->name, strlen(router->name));
		packet.reply.as_of = as_of;
		packet.reply.as_of_count = call->want_as_of ? list_as_of(router, as_of) : 0;
	}
	router->counters.replies++;
	session_send(router->sessions, call->caller, &packet);
	buf_fini(&cut);
	if (!reply->more && call->is_traced)
		call_journal_answered(router, call, (enum lyc_status)reply->status,
				      (const char *)reply->field.data, reply->field.len);
	if (!reply->more)
		call_end(&router->calls, call);
}

/* Whatever it promises: a failure is the end, and so is the only reply of a method that does not
 * stream. */
static bool is_last(const struct call *call, const struct packet_reply *reply)
{
	return reply->status != LYC_OK ||
	       (call->ends_here && call->method && !call->method->is_server_streaming);
}

void router_reply(struct router *router, struct session *session, const struct packet_reply *reply)
{
	struct call *call = call_find(&router->calls, reply->id);
	if (!call || call->callee != session) {
		router->counters.late_replies++;
		return;
	}
	struct lyc_error error;
	struct packet_reply last;
	error_clear(&error);
	if (reply->more && is_last(call, reply)) {
		router_tell_cancelled(router, call);
		last = *reply;
		last.more = false;
		reply = &last;
	}
	error.status = check_reply(router, call, reply, &error);
	if (error.status == LYC_OK && reply->more && call->stream_credit <= 0) {
		router->counters.bad_replies++;
		error_set(&error, LYC_INTERNAL,
			  "'%s' sent more of its stream than the caller gave credit for",
			  session->identity);
	}
	if (error.status == LYC_OK && !once_is_run(&router->once, call)) {
		router_pass(router, call, reply);
		return;
	}
	note_fault(router, session, call, &error, false);
	if (reply->more)
		router_tell_cancelled(router, call);
	if (error.status != LYC_OK)
		end_with(router, call, &error);
	else
		once_reply(router, call, reply);
}

void router_credit(struct router *router, struct session *session, uint64_t caller_id,
		   uint64_t bytes)
{
	struct call *call = call_find_made(&router->calls, session, caller_id);
	if (!call || !call->callee || call->stream_credit >= WIRE_MAX_CREDIT)
		return;
	uint64_t room = (uint64_t)(WIRE_MAX_CREDIT - call->stream_credit);
	if (bytes > room)
		bytes = room;
	call->stream_credit += (int64_t)bytes;
	grant(router, call, bytes);
}

void router_cancel(struct router *router, struct session *session, uint64_t caller_id)
{
	struct call *call = call_find_made(&router->calls, session, caller_id);
	if (!call)
		return;
	struct lyc_error error;
	struct once_run *run = call->once;
	error_set(&error, LYC_CANCELLED, "the caller has cancelled the call");
	router_tell_cancelled(router, call);
	end_with(router, call, &error);
	if (run)
		once_cancelled(router, run);
}

void router_leave(struct router *router, struct session *session)
{
	list_each_safe (made, &session->calls_made) {
		struct call *call = list_entry(made, struct call, of_caller);
		router_tell_cancelled(router, call);
		call_end(&router->calls, call);
	}
	struct lyc_error error;
	error_set(&error, LYC_UNAVAILABLE,
		  "'%s' went away before it answered; whether the call ran is not known",
		  session->identity);
	list_each_safe (given, &session->calls_given)
		end_with(router, list_entry(given, struct call, of_callee), &error);
}

static void release(struct router *router, struct call *call)
{
	/* The packet lies in the call's own buffer, which has to outlive the reading of it. */
	struct buf held = call->held;
	call->held = (struct buf){0};
	router->calls.held_len -= held.len;
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	frame_start(reader, span_of(held.data, held.len));
	list_remove(&call->of_waiting);
	if (frame_next(reader, &packet) == FRAME_PACKET && packet.kind == PACKET_CALL) {
		char method[MAX_METHOD];
		snprintf(method, sizeof(method), "%.*s", (int)packet.call.method.len,
			 (const char *)packet.call.method.data);
		send_on(router, call, method, types_method(router->types, packet.call.method),
			&packet.call);
	}
	free(reader);
	buf_fini(&held);
}

void router_advance(struct router *router)
{
	router->has_advanced = true;
}

/* To whoever serves it now. */
static void give_again(struct router *router, struct call *call)
{
	struct lyc_error error;
	struct session *callee = NULL;
	struct buf held = call->held;
	struct frame_reader *reader = mem_new(struct frame_reader);
	struct packet packet;
	error_clear(&error);
	call->held = (struct buf){0};
	router->calls.held_len -= held.len;
	list_remove(&call->of_waiting);
	call->awaits_handover = false;
	frame_start(reader, span_of(held.data, held.len));
	if (frame_next(reader, &packet) == FRAME_PACKET && packet.kind == PACKET_CALL) {
		error.status = destination_find(
			router, call->caller, &packet.call, call->method->full_name,
			types_method(router->types, packet.call.method), &callee, &error);
		if (error.status == LYC_OK && !callee)
			error_set(&error, LYC_UNAVAILABLE, "nobody serves %s any more",
				  call->method->full_name);
		if (error.status == LYC_OK)
			error.status = router_give(router, call, callee, &packet.call, &error);
		if (error.status != LYC_OK)
			end_with(router, call, &error);
	}
	free(reader);
	buf_fini(&held);
}

static void end_handover(struct router *router)
{
	struct list ready;
	list_init(&ready);
	list_each_safe (node, &router->handover) {
		list_remove(node);
		list_add_last(&ready, node);
	}
	while (!list_is_empty(&ready))
		give_again(router, list_entry(ready.next, struct call, of_waiting));
}

void router_turn(struct router *router)
{
	if (!list_is_empty(&router->handover) && !upgrade_may_append(router->host, NULL))
		end_handover(router);
	if (!router->has_advanced)
		return;
	router->has_advanced = false;
	/* Only those that wait now: what is held again comes behind the mark. */
	list_add_last(&router->waiting, &router->mark);
	struct list *node = router->waiting.next;
	while (node != &router->mark) {
		struct call *call = list_entry(node, struct call, of_waiting);
		node = node->next;
		/* Nothing but this call leaves the list meanwhile. */
		if (!after_is_missing(router->stream, call))
			release(router, call);
	}
	list_remove(&router->mark);
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
	else if (!list_is_empty(&call->of_waiting) && !call->once)
		error_set(&error, LYC_FAILED_PRECONDITION,
			  "'%s' has not come as far as the call asks for", router->name);
	else
		error_set(&error, LYC_DEADLINE_EXCEEDED, "%s: '%s' did not answer in time",
			  call->method ? call->method->full_name : "the call",
			  call->callee ? call->callee->identity : router->name);
	router_tell_cancelled(router, call);
	end_with(router, call, &error);
}

void router_tick(struct router *router)
{
	call_tick(&router->calls, router->env->now_ms(router->env->world), expire, router);
}

/*
 * Replies on their way back: checked by the method's schema, cut to what the caller may see, and
 * told with the positions that the daemon had come to.
 */
#include "host/reply.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "host/call_journal.h"

/* Bytes that are kept for the next reply that is cut. */
#define CUT_ROOM_KEPT 65536

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

void reply_tell_cancelled(struct router *router, struct call *call)
{
	if (!call->callee)
		return;
	struct packet packet = {.kind = PACKET_CANCEL};
	packet.cancel.id = call_id(call);
	session_send(router->sessions, call->callee, &packet);
}

void reply_own(struct router *router, struct call *call, struct span body)
{
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
static enum lyc_status cut_reply(struct router *router, struct call *call, struct span *ret_body,
				 struct lyc_error *error)
{
	struct buf *cut = &router->cut_room;
	if (!call->method || ret_body->len == 0 ||
	    !policy_has_parts(router->policy, call->method->output))
		return LYC_OK;
	char node[CALL_MAX_PRINCIPAL];
	struct readers readers =
		policy_readers(call->principal, call->groups, call->group_count, node);
	struct label members = policy_members_label();
	if (cut->cap > CUT_ROOM_KEPT)
		buf_fini(cut);
	buf_clear(cut);
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
	if (session->kind != SESSION_PLUGIN || (!is_cut && error->status != LYC_INTERNAL))
		return;
	if (is_cut)
		snprintf(text, sizeof(text),
			 "%.100s answered with labelled parts that its caller may not see: they "
			 "were "
			 "left out",
			 call->method->full_name);
	else
		snprintf(text, sizeof(text), "%.199s", error->text);
	host_fault(router->host, session, text);
}

static void grant(struct router *router, const struct call *call, uint64_t bytes)
{
	struct packet packet = {.kind = PACKET_CREDIT};
	packet.credit = (struct packet_credit){.call = call_id(call), .value = bytes};
	session_send(router->sessions, call->callee, &packet);
}

void reply_pass(struct router *router, struct call *call, const struct packet_reply *reply)
{
	struct wire_position as_of[WIRE_MAX_POSITIONS];
	struct packet packet = {.kind = PACKET_REPLY};
	struct lyc_error error;
	struct span body = reply->body;
	error_clear(&error);
	error.status = cut_reply(router, call, &body, &error);
	if (call->callee)
		note_fault(router, call->callee, call, &error, body.data != reply->body.data);
	if (error.status != LYC_OK) {
		if (reply->more)
			reply_tell_cancelled(router, call);
		router_end(router, call, &error);
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

void reply_take(struct router *router, struct session *session, const struct packet_reply *reply)
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
		reply_tell_cancelled(router, call);
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
		reply_pass(router, call, reply);
		return;
	}
	note_fault(router, session, call, &error, false);
	if (reply->more)
		reply_tell_cancelled(router, call);
	if (error.status != LYC_OK)
		router_end(router, call, &error);
	else
		once_reply(router, call, reply);
}

void reply_grant(struct router *router, struct session *session, uint64_t caller_id, uint64_t bytes)
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

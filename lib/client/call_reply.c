/*
 * What a plugin does with a call: reply, stream, fail, keep, and ask about it. A call that it ends
 * twice, or uses after its end, is noticed, said in the log, and does no harm.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "client/served_call.h"
#include "io/clock.h"
#include "lyceum/v1/label.pb-c.h"

#define SEND_WAIT_MS 20

static struct wire_position position_of(const struct lyc_call *call)
{
	const struct lyc_plugin_context *context = call->context;
	return (struct wire_position){
		.origin = span_of(context->node_name, strlen(context->node_name)),
		.epoch = context->epoch,
		.seq = call->has_position ? call->position_seq : context->view.seq,
	};
}

static enum lyc_status send_reply(struct lyc_call *call, enum lyc_status status, const char *text,
				  const char *field, struct span body, bool more)
{
	struct packet_reply reply = {
		.id = call->id,
		.status = status,
		.text = span_of(text, strlen(text)),
		.field = span_of(field, strlen(field)),
		.body = body,
		.more = more,
		.has_position = call->has_position || call->context->view.is_followed,
	};
	if (reply.has_position)
		reply.position = position_of(call);
	/* Its id may mean another call by now. */
	if (call->session != call->context->served.session)
		return LYC_UNAVAILABLE;
	return client_reply(call->context->client, &reply);
}

void served_answer(struct lyc_call *call, enum lyc_status status, const char *text,
		   const char *field, struct span body)
{
	if (call->is_answered)
		return;
	call->is_answered = true;
	/* Without a session nobody waits for it. */
	(void)!send_reply(call, status, text, field, body, false);
}

void served_end(struct lyc_call *call)
{
	call->has_ended = true;
	if (!call->is_running)
		served_release(call);
}

void served_refuse(struct lyc_call *call, enum lyc_status status, const char *field,
		   const char *format, ...)
{
	struct lyc_error error;
	va_list args;
	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	served_answer(call, status, error.text, field, span_of(NULL, 0));
	served_end(call);
}

/* ---- Replies ---- */

/* The message, packed and of a size that the caller takes. */
static bool pack_reply(struct lyc_call *call, const ProtobufCMessage *message,
		       struct span *ret_body)
{
	struct buf *scratch = &call->context->served.scratch;
	if (message->descriptor != call->method->output) {
		served_refuse(call, LYC_INTERNAL, "", "%s answered with a %s.", call->method->name,
			      message->descriptor->name);
		return false;
	}
	size_t len = protobuf_c_message_get_packed_size(message);
	if (len > call->max_reply) {
		served_refuse(call, LYC_RESOURCE_EXHAUSTED, "",
			      "The reply of %s has %zu bytes; the caller takes %u: ask for less.",
			      call->method->name, len, call->max_reply);
		return false;
	}
	buf_clear(scratch);
	if (!buf_reserve(scratch, len + 1)) {
		served_refuse(call, LYC_RESOURCE_EXHAUSTED, "", "No memory for the reply.");
		return false;
	}
	*ret_body = span_of(scratch->data, protobuf_c_message_pack(message, scratch->data));
	return true;
}

/* NULL when the plugin may no longer do this. */
static struct lyc_call *open_call(const struct lyc_call *call)
{
	struct lyc_call *found = served_live(call);
	if (found && !found->has_ended)
		return found;
	if (served_here())
		lyc_log(served_here(), 1, "%s",
			found ? "a method ended its call twice"
			      : "the plugin used a call that had ended");
	return NULL;
}

void served_reply_once(const ProtobufCMessage *message, void *closure_data)
{
	struct lyc_call *call = open_call(closure_data);
	struct span body;
	if (!call)
		return;
	if (!message) {
		served_refuse(call, LYC_INTERNAL, "", "%s has no such method.", call->method->name);
		return;
	}
	if (!call->is_answered) {
		if (!pack_reply(call, message, &body))
			return;
		served_answer(call, LYC_OK, "", "", body);
	}
	served_end(call);
}

void lyc_call_reply(struct lyc_call *call, const ProtobufCMessage *reply)
{
	served_reply_once(reply, call);
}

enum lyc_status lyc_call_send(struct lyc_call *handle, const ProtobufCMessage *reply)
{
	struct lyc_call *call = open_call(handle);
	struct span body;
	if (!call || call->is_answered)
		return LYC_CANCELLED;
	if (!call->method->schema->is_server_streaming) {
		lyc_log(call->context, 1, "%s does not stream: it can only reply once",
			call->method->name);
		return LYC_FAILED_PRECONDITION;
	}
	if (mono_ms() > client_now_ms(call->context->client) + SEND_WAIT_MS ||
	    call->stream_credit <= 0) {
		/* What has come meanwhile: credit, or that the caller has gone. */
		(void)lyc_client_run(call->context->client, 0);
		call = served_live(handle);
		if (!call || call->has_ended || call->is_answered)
			return LYC_CANCELLED;
	}
	if (call->stream_credit <= 0)
		return LYC_RESOURCE_EXHAUSTED;
	/* While the daemon does not keep up, wait for it: within a callback a run handles replies
	 * only, so no other method begins here. What they do may touch this call and the packed
	 * reply: look again each time. */
	while (call && !call->has_ended && lyc_call_time_left_ms(call) > 0) {
		if (!pack_reply(call, reply, &body))
			break;
		enum lyc_status status = send_reply(call, LYC_OK, "", "", body, true);
		if (status == LYC_OK) {
			call->stream_credit -= wire_reply_cost(body.len);
			return LYC_OK;
		}
		if (status != LYC_RESOURCE_EXHAUSTED ||
		    lyc_client_run(call->context->client, SEND_WAIT_MS) != LYC_OK)
			break;
		call = served_live(handle);
	}
	return LYC_CANCELLED;
}

void lyc_call_on_writable(struct lyc_call *handle, lyc_call_fn fn, void *arg)
{
	struct lyc_call *call = open_call(handle);
	if (!call)
		return;
	lyc_call_defer(call);
	call = served_live(handle);
	if (!call || call->has_ended)
		return;
	call->on_writable = fn;
	call->writable_arg = arg;
	if (call->stream_credit > 0 || call->is_answered)
		served_wake_writer(call);
}

void lyc_call_end(struct lyc_call *handle)
{
	struct lyc_call *call = open_call(handle);
	if (!call)
		return;
	if (!call->method->schema->is_server_streaming) {
		served_refuse(call, LYC_INTERNAL, "", "%s ended without a reply.",
			      call->method->name);
		return;
	}
	served_answer(call, LYC_OK, "", "", span_of(NULL, 0));
	served_end(call);
}

void lyc_call_fail_field(struct lyc_call *handle, enum lyc_status status, const char *field,
			 const char *format, ...)
{
	struct lyc_call *call = open_call(handle);
	struct lyc_error error;
	if (!call)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	/* A failure that says OK would be taken for an empty reply. */
	served_answer(call, status == LYC_OK ? LYC_UNKNOWN : status, error.text, field ? field : "",
		      span_of(NULL, 0));
	served_end(call);
}

void lyc_call_fail(struct lyc_call *handle, enum lyc_status status, const char *format, ...)
{
	char text[sizeof(((struct lyc_error *)0)->text)];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	lyc_call_fail_field(handle, status, NULL, "%s", text);
}

void lyc_call_fail_append(struct lyc_call *call, const ProtobufCMessageDescriptor *type,
			  const struct lyc_ack *ack)
{
	enum lyc_status status = ack->status;
	if (status == LYC_INVALID_ARGUMENT)
		status = LYC_INTERNAL;
	else if (status == LYC_FAILED_PRECONDITION)
		status = LYC_ABORTED;
	lyc_call_fail(call, status, "The record %s was not appended: %s%s%s", type->name,
		      ack->field ? ack->field : "", ack->field && ack->field[0] ? ": " : "",
		      ack->text ? ack->text : "");
}

void lyc_call_defer(struct lyc_call *handle)
{
	struct lyc_call *call = open_call(handle);
	if (!call)
		return;
	if (served_keep(call))
		call->is_deferred = true;
	else
		served_refuse(call, LYC_RESOURCE_EXHAUSTED, "", "No memory for a call that waits.");
}

void lyc_call_set_position(struct lyc_call *handle, uint64_t seq)
{
	struct lyc_call *call = served_live(handle);
	if (!call)
		return;
	call->has_position = true;
	call->position_seq = seq;
}

/* ---- What a method asks ---- */

void *lyc_call_state(const struct lyc_call *call)
{
	(void)call;
	return served_here()->state;
}

struct lyc_plugin_context *lyc_call_context(const struct lyc_call *call)
{
	(void)call;
	return served_here();
}

const ProtobufCMessage *lyc_call_request(const struct lyc_call *handle)
{
	const struct lyc_call *call = served_live(handle);
	return call ? call->request : NULL;
}

bool lyc_call_is_operator(const struct lyc_call *call)
{
	const struct lyc_call *live = served_live(call);
	return live && live->is_by_operator;
}

const char *lyc_call_principal(const struct lyc_call *handle)
{
	const struct lyc_call *call = served_live(handle);
	return call ? call->principal : "";
}

const char *lyc_call_trace(const struct lyc_call *handle)
{
	const struct lyc_call *call = served_live(handle);
	return call ? call->trace_text : "";
}

uint32_t lyc_call_time_left_ms(const struct lyc_call *handle)
{
	const struct lyc_call *call = served_live(handle);
	uint64_t now = mono_ms();
	if (!call || lyc_call_is_cancelled(call) || call->is_answered || now >= call->deadline_ms)
		return 0;
	return (uint32_t)(call->deadline_ms - now);
}

bool lyc_call_is_cancelled(const struct lyc_call *handle)
{
	const struct lyc_call *call = served_live(handle);
	return !call || call->is_cancelled || call->session != call->context->served.session;
}

bool lyc_call_may_see(const struct lyc_call *handle, const struct Lyceum__V1__Label *message)
{
	const struct lyc_call *call = served_live(handle);
	struct label label = {.is_present = message != NULL};
	if (!call)
		return false;
	if (message) {
		label.visibility = (int)message->visibility;
		if (message->n_audience > LABEL_MAX_AUDIENCE)
			return false;
		label.home = span_of(message->home, strlen(message->home));
		label.audience_count = message->n_audience;
		for (size_t i = 0; i < message->n_audience; i++)
			label.audience[i] =
				span_of(message->audience[i], strlen(message->audience[i]));
	}
	const char *at = strchr(call->principal, '@');
	struct readers readers = {
		.node = at ? at + 1 : call->principal,
		.person = at ? call->principal : "",
		.groups = call->groups,
		.group_count = call->group_count,
	};
	return label_may_see(&label, call->context->node_name, &readers);
}

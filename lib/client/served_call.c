/*
 * A call on its way through a plugin: from the packet to the method's function, and from whatever
 * the plugin does with it to exactly one last reply. A call whose caller has gone (deadline,
 * cancel, lost session) is answered at once but stays valid until the plugin has ended it. A call
 * that the plugin ends twice is noticed, said in the log, and does no harm.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_NONFATAL_OOM 1
#define uthash_nonfatal_oom(element) (void)(element)
#include <uthash.h>

#include "base/error.h"
#include "base/mem.h"
#include "client/context.h"
#include "io/clock.h"
#include "lyceum/v1/label.pb-c.h"

#define MAX_SERVED 4096
#define DEFAULT_TIMEOUT_MS 30000
/* A call that waits for the view is refused this much before its deadline, so that its caller hears
 * the reason. */
#define VIEW_MARGIN_MS 50
#define SEND_WAIT_MS 20

struct lyc_call {
	struct lyc_plugin_context *context;
	const struct plugin_method *method;
	uint64_t id;
	uint64_t deadline_ms;
	uint32_t max_reply;
	ProtobufCMessage *request;

	/* One block, which begins with the array, holds it all. */
	const char **groups;
	const char *principal;
	size_t group_count;

	/* While it waits for the view. */
	uint64_t after_seq;
	struct buf held;

	bool is_running;
	bool is_deferred;
	bool is_waiting;
	bool is_cancelled;
	/* The plugin has ended it. */
	bool has_ended;
	/* The last reply has gone, or nobody waits for one. */
	bool is_answered;

	bool has_position;
	uint64_t position_seq;

	struct list of_deadline;
	struct list of_view;
	struct lyc_call *self;
	UT_hash_handle by_pointer;
};

/* The plugin's thread knows its calls: a pointer that it kept too long is looked up, not followed.
 */
static _Thread_local struct lyc_plugin_context *here;

static struct lyc_call *live(const struct lyc_call *call)
{
	struct lyc_call *found = NULL;
	if (!here)
		return NULL;
	if (here->served.current && here->served.current == call)
		return here->served.current;
	HASH_FIND(by_pointer, here->served.by_pointer, &call, sizeof(call), found);
	return found;
}

void served_init(struct served *served)
{
	list_init(&served->by_deadline);
}

/* ---- Beginning and end ---- */

static void call_free(struct lyc_call *call)
{
	if (call->request)
		protobuf_c_message_free_unpacked(call->request, NULL);
	buf_fini(&call->held);
	free(call->groups);
	free(call);
}

/* From here on it outlives its function; false when there is no memory for that. */
static bool keep(struct lyc_call *call)
{
	struct served *served = &call->context->served;
	if (call->self)
		return true;
	unsigned count = HASH_CNT(by_pointer, served->by_pointer);
	call->self = call;
	HASH_ADD(by_pointer, served->by_pointer, self, sizeof(call->self), call);
	if (HASH_CNT(by_pointer, served->by_pointer) == count) {
		call->self = NULL;
		return false;
	}
	struct list *before = served->by_deadline.prev;
	while (before != &served->by_deadline &&
	       list_entry(before, struct lyc_call, of_deadline)->deadline_ms > call->deadline_ms)
		before = before->prev;
	list_add_last(before->next, &call->of_deadline);
	return true;
}

static void release(struct lyc_call *call)
{
	struct served *served = &call->context->served;
	if (call->self)
		HASH_DELETE(by_pointer, served->by_pointer, call);
	list_remove(&call->of_deadline);
	list_remove(&call->of_view);
	served->count--;
	call_free(call);
}

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
		.position = position_of(call),
	};
	return client_reply(call->context->client, &reply);
}

/* The last reply, unless it has gone already. */
static void answer(struct lyc_call *call, enum lyc_status status, const char *text,
		   const char *field, struct span body)
{
	if (call->is_answered)
		return;
	call->is_answered = true;
	/* Without a session nobody waits for it. */
	(void)!send_reply(call, status, text, field, body, false);
}

static void end(struct lyc_call *call)
{
	call->has_ended = true;
	if (!call->is_running)
		release(call);
}

static void refuse(struct lyc_call *call, enum lyc_status status, const char *field,
		   const char *format, ...) LYC_PRINTF(4, 5);
static void refuse(struct lyc_call *call, enum lyc_status status, const char *field,
		   const char *format, ...)
{
	struct lyc_error error;
	va_list args;
	va_start(args, format);
	vsnprintf(error.text, sizeof(error.text), format, args);
	va_end(args);
	answer(call, status, error.text, field, span_of(NULL, 0));
	end(call);
}

/* ---- Replies ---- */

/* The message, packed and of a size that the caller takes. */
static bool pack_reply(struct lyc_call *call, const ProtobufCMessage *message,
		       struct span *ret_body)
{
	struct buf *scratch = &call->context->served.scratch;
	if (message->descriptor != call->method->output) {
		refuse(call, LYC_INTERNAL, "", "%s answered with a %s.", call->method->name,
		       message->descriptor->name);
		return false;
	}
	size_t len = protobuf_c_message_get_packed_size(message);
	if (len > call->max_reply) {
		refuse(call, LYC_RESOURCE_EXHAUSTED, "",
		       "The reply of %s has %zu bytes; the caller takes %u: ask for less.",
		       call->method->name, len, call->max_reply);
		return false;
	}
	buf_clear(scratch);
	if (!buf_reserve(scratch, len + 1)) {
		refuse(call, LYC_RESOURCE_EXHAUSTED, "", "No memory for the reply.");
		return false;
	}
	*ret_body = span_of(scratch->data, protobuf_c_message_pack(message, scratch->data));
	return true;
}

/* NULL when the plugin may no longer do this. */
static struct lyc_call *open_call(const struct lyc_call *call)
{
	struct lyc_call *found = live(call);
	if (found && !found->has_ended)
		return found;
	if (here)
		lyc_log(here, 1, "%s",
			found ? "a method ended its call twice"
			      : "the plugin used a call that had ended");
	return NULL;
}

static void reply_once(const ProtobufCMessage *message, void *closure_data)
{
	struct lyc_call *call = open_call(closure_data);
	struct span body;
	if (!call)
		return;
	if (!message) {
		refuse(call, LYC_INTERNAL, "", "%s has no such method.", call->method->name);
		return;
	}
	if (!call->is_answered) {
		if (!pack_reply(call, message, &body))
			return;
		answer(call, LYC_OK, "", "", body);
	}
	end(call);
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
	/* While the daemon does not keep up, wait for it: within a callback a run handles replies
	 * only, so no other method begins here. They may pack replies of their own, so pack anew. */
	while (mono_ms() < call->deadline_ms && !call->is_answered) {
		if (!pack_reply(call, reply, &body))
			break;
		enum lyc_status status = send_reply(call, LYC_OK, "", "", body, true);
		if (status == LYC_OK)
			return LYC_OK;
		if (status != LYC_RESOURCE_EXHAUSTED ||
		    lyc_client_run(call->context->client, SEND_WAIT_MS) != LYC_OK)
			break;
	}
	return LYC_CANCELLED;
}

void lyc_call_end(struct lyc_call *handle)
{
	struct lyc_call *call = open_call(handle);
	if (!call)
		return;
	if (!call->method->schema->is_server_streaming) {
		refuse(call, LYC_INTERNAL, "", "%s ended without a reply.", call->method->name);
		return;
	}
	answer(call, LYC_OK, "", "", span_of(NULL, 0));
	end(call);
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
	answer(call, status == LYC_OK ? LYC_UNKNOWN : status, error.text, field ? field : "",
	       span_of(NULL, 0));
	end(call);
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

void lyc_call_defer(struct lyc_call *handle)
{
	struct lyc_call *call = open_call(handle);
	if (!call)
		return;
	if (keep(call))
		call->is_deferred = true;
	else
		refuse(call, LYC_RESOURCE_EXHAUSTED, "", "No memory for a call that waits.");
}

void lyc_call_set_position(struct lyc_call *handle, uint64_t seq)
{
	struct lyc_call *call = live(handle);
	if (!call)
		return;
	call->has_position = true;
	call->position_seq = seq;
}

/* ---- What a method asks ---- */

void *lyc_call_state(const struct lyc_call *call)
{
	return here ? here->state : call->context->state;
}

struct lyc_plugin_context *lyc_call_context(const struct lyc_call *call)
{
	return here ? here : call->context;
}

const char *lyc_call_principal(const struct lyc_call *handle)
{
	const struct lyc_call *call = live(handle);
	return call ? call->principal : "";
}

uint32_t lyc_call_time_left_ms(const struct lyc_call *handle)
{
	const struct lyc_call *call = live(handle);
	uint64_t now = mono_ms();
	if (!call || call->is_cancelled || call->is_answered || now >= call->deadline_ms)
		return 0;
	return (uint32_t)(call->deadline_ms - now);
}

bool lyc_call_is_cancelled(const struct lyc_call *handle)
{
	const struct lyc_call *call = live(handle);
	return !call || call->is_cancelled;
}

bool lyc_call_may_see(const struct lyc_call *handle, const struct Lyceum__V1__Label *message)
{
	const struct lyc_call *call = live(handle);
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

/* ---- Serving ---- */

static void run_method(struct lyc_call *call, struct span body)
{
	struct served *served = &call->context->served;
	const struct plugin_method *method = call->method;
	call->request = protobuf_c_message_unpack(method->input, NULL, body.len,
						  body.data ? body.data : (const uint8_t *)"");
	if (!call->request) {
		refuse(call, LYC_INVALID_ARGUMENT, "", "The request is not a %s.",
		       method->input->name);
		return;
	}
	struct lyc_call *outer = served->current;
	served->current = call;
	call->is_running = true;
	method->service->invoke(method->service, method->index, call->request, reply_once, call);
	call->is_running = false;
	served->current = outer;
	if (call->has_ended) {
		release(call);
	} else if (!call->is_deferred) {
		lyc_log(call->context, 1, "%s returned without a reply", method->name);
		refuse(call, LYC_INTERNAL, "", "%s returned without a reply.", method->name);
	}
}

static struct lyc_call *call_new(struct lyc_plugin_context *context,
				 const struct packet_call *packet)
{
	struct lyc_call *call = mem_try(sizeof(*call));
	size_t len = packet->group_count * sizeof(char *) + packet->principal.len + 1;
	for (size_t i = 0; i < packet->group_count; i++)
		len += packet->groups[i].len + 1;
	char *block = call ? mem_try(len) : NULL;
	if (!block) {
		free(call);
		return NULL;
	}
	call->groups = (const char **)(void *)block;
	char *text = block + packet->group_count * sizeof(char *);
	for (size_t i = 0; i < packet->group_count; i++) {
		memcpy(text, packet->groups[i].data, packet->groups[i].len);
		call->groups[i] = text;
		text += packet->groups[i].len + 1;
	}
	call->group_count = packet->group_count;
	if (packet->principal.len > 0)
		memcpy(text, packet->principal.data, packet->principal.len);
	call->principal = text;
	call->context = context;
	call->id = packet->id;
	call->deadline_ms =
		mono_ms() + (packet->timeout_ms ? packet->timeout_ms : DEFAULT_TIMEOUT_MS);
	uint32_t most = lyc_client_welcome(context->client)->max_body;
	most = most > 0 && most < WIRE_MAX_BODY ? most : WIRE_MAX_BODY;
	call->max_reply =
		packet->max_reply > 0 && packet->max_reply < most ? packet->max_reply : most;
	list_init(&call->of_deadline);
	list_init(&call->of_view);
	return call;
}

/* How far the view has to be; false, with the call refused, when it never will. */
static bool wanted_seq(struct lyc_call *call, const struct packet_call *packet, uint64_t *ret_seq)
{
	const struct lyc_plugin_context *context = call->context;
	*ret_seq = 0;
	for (size_t i = 0; i < packet->after_count; i++) {
		const struct wire_position *after = &packet->after[i];
		if (!span_is(after->origin, context->node_name))
			continue;
		if (after->epoch != 0 && context->epoch != 0 && after->epoch != context->epoch) {
			refuse(call, LYC_FAILED_PRECONDITION, "after",
			       "The position is of epoch %llu of %s, whose log is now in epoch "
			       "%llu.",
			       (unsigned long long)after->epoch, context->node_name,
			       (unsigned long long)context->epoch);
			return false;
		}
		if (after->seq > *ret_seq)
			*ret_seq = after->seq;
	}
	return true;
}

static void wait_for_view(struct lyc_call *call, const struct packet_call *packet, uint64_t seq)
{
	uint64_t margin = packet->timeout_ms / 10;
	call->deadline_ms -= margin < VIEW_MARGIN_MS ? margin : VIEW_MARGIN_MS;
	call->after_seq = seq;
	call->is_waiting = true;
	buf_add(&call->held, packet->body.data, packet->body.len);
	if (call->held.has_failed || !keep(call)) {
		refuse(call, LYC_RESOURCE_EXHAUSTED, "", "No memory for a call that waits.");
		return;
	}
	list_add_last(&call->context->view.waiting, &call->of_view);
}

static void refuse_packet(struct lyc_plugin_context *context, uint64_t id, enum lyc_status status,
			  const char *text)
{
	struct packet_reply reply = {
		.id = id, .status = status, .text = span_of(text, strlen(text))};
	(void)!client_reply(context->client, &reply);
}

void served_receive(struct lyc_plugin_context *context, const struct packet_call *packet)
{
	const struct plugin_method *method = plugin_find_method(&context->image, packet->method);
	uint64_t seq;
	here = context;
	if (!method || !context->is_started) {
		refuse_packet(context, packet->id, LYC_UNIMPLEMENTED,
			      "This plugin does not serve that method.");
		return;
	}
	struct lyc_call *call =
		context->served.count < MAX_SERVED ? call_new(context, packet) : NULL;
	if (!call) {
		refuse_packet(context, packet->id, LYC_RESOURCE_EXHAUSTED,
			      "The plugin has too many calls at once; try again later.");
		return;
	}
	call->method = method;
	context->served.count++;
	if (!wanted_seq(call, packet, &seq))
		return;
	if (context->view.is_followed && seq > context->view.seq)
		wait_for_view(call, packet, seq);
	else
		run_method(call, packet->body);
}

void served_wake(struct lyc_plugin_context *context)
{
	struct list *waiting = &context->view.waiting;
	struct list ready;
	list_init(&ready);
	list_each_safe (node, waiting) {
		if (list_entry(node, struct lyc_call, of_view)->after_seq > context->view.seq)
			continue;
		list_remove(node);
		list_add_last(&ready, node);
	}
	while (!list_is_empty(&ready)) {
		struct lyc_call *call = list_entry(ready.next, struct lyc_call, of_view);
		list_remove(&call->of_view);
		call->is_waiting = false;
		if (call->is_answered)
			release(call);
		else
			run_method(call, span_of(call->held.data, call->held.len));
	}
}

/* Nobody waits any more. What the plugin has not begun, or has not kept, is over. */
static void abandon(struct lyc_call *call, enum lyc_status status, const char *text)
{
	answer(call, status, text, "", span_of(NULL, 0));
	if (call->is_waiting)
		release(call);
}

void served_cancel(struct lyc_plugin_context *context, uint64_t id)
{
	list_each_safe (node, &context->served.by_deadline) {
		struct lyc_call *call = list_entry(node, struct lyc_call, of_deadline);
		if (call->id != id || call->is_answered)
			continue;
		call->is_cancelled = true;
		abandon(call, LYC_CANCELLED, "The caller has cancelled.");
		return;
	}
}

void served_forget(struct lyc_plugin_context *context)
{
	list_each_safe (node, &context->served.by_deadline) {
		struct lyc_call *call = list_entry(node, struct lyc_call, of_deadline);
		call->is_cancelled = true;
		call->is_answered = true;
		if (call->is_waiting)
			release(call);
	}
}

uint64_t served_next(const struct lyc_plugin_context *context)
{
	const struct list *calls = &context->served.by_deadline;
	return list_is_empty(calls)
		       ? UINT64_MAX
		       : list_entry(calls->next, struct lyc_call, of_deadline)->deadline_ms;
}

void served_expire(struct lyc_plugin_context *context, uint64_t now_ms)
{
	list_each_safe (node, &context->served.by_deadline) {
		struct lyc_call *call = list_entry(node, struct lyc_call, of_deadline);
		if (call->deadline_ms > now_ms)
			return;
		list_remove(node);
		if (call->is_waiting) {
			refuse(call, LYC_FAILED_PRECONDITION, "after",
			       "The view has come to %llu, not yet to %llu.",
			       (unsigned long long)context->view.seq,
			       (unsigned long long)call->after_seq);
			continue;
		}
		abandon(call, LYC_DEADLINE_EXCEEDED, "The plugin has not answered in time.");
	}
}

void served_fini(struct lyc_plugin_context *context)
{
	struct lyc_call *call, *next;
	HASH_ITER (by_pointer, context->served.by_pointer, call, next) {
		release(call);
	}
	buf_fini(&context->served.scratch);
	here = NULL;
}

/*
 * A call on its way through a plugin: from the packet to the method's function, and on to exactly
 * one last reply. A call whose caller has gone (deadline, cancel, lost session) is answered at once
 * but stays valid until the plugin has ended it.
 */
#include "client/served_call.h"

#include <stdlib.h>
#include <string.h>

#include "base/error.h"

#define MAX_SERVED 4096
#define DEFAULT_TIMEOUT_MS 30000
/* A call that waits for the view is refused this much before its deadline, so that its caller hears
 * the reason. */
#define VIEW_MARGIN_MS 50

/* The plugin's thread knows its calls: a pointer that it kept too long is looked up, not followed.
 */
static _Thread_local struct lyc_plugin_context *here;

struct lyc_call *served_live(const struct lyc_call *call)
{
	struct lyc_call *found = NULL;
	if (!here)
		return NULL;
	if (here->served.current && here->served.current == call)
		return here->served.current;
	HASH_FIND(by_pointer, here->served.by_pointer, &call, sizeof(call), found);
	return found;
}

struct lyc_plugin_context *served_here(void)
{
	return here;
}

void served_init(struct served *served)
{
	list_init(&served->by_deadline);
	list_init(&served->writable);
}

/* ---- Beginning and end ---- */

static void call_free(struct lyc_call *call)
{
	struct call_block *block = call->block;
	if (call->request && block->has_spilled) {
		ProtobufCAllocator allocator = call_block_allocator(block);
		protobuf_c_message_free_unpacked(call->request, &allocator);
	}
	buf_fini(&call->held);
	call_block_give(&call->context->served.blocks, block);
}

/* A number may come again in the next session, while its call of before is still kept. */
static bool keep_id(struct served *served, struct lyc_call *call)
{
	struct lyc_call *former;
	HASH_FIND(by_id, served->by_id, &call->id, sizeof(call->id), former);
	if (former) {
		HASH_DELETE(by_id, served->by_id, former);
		former->has_id = false;
	}
	unsigned count = HASH_CNT(by_id, served->by_id);
	HASH_ADD(by_id, served->by_id, id, sizeof(call->id), call);
	call->has_id = HASH_CNT(by_id, served->by_id) > count;
	return call->has_id;
}

bool served_keep(struct lyc_call *call)
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
	if (call->method->schema->is_server_streaming && !keep_id(served, call)) {
		HASH_DELETE(by_pointer, served->by_pointer, call);
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

void served_release(struct lyc_call *call)
{
	struct served *served = &call->context->served;
	if (call->self)
		HASH_DELETE(by_pointer, served->by_pointer, call);
	if (call->has_id)
		HASH_DELETE(by_id, served->by_id, call);
	list_remove(&call->of_deadline);
	list_remove(&call->of_view);
	list_remove(&call->of_writable);
	served->count--;
	call_free(call);
}

/* ---- Serving ---- */

static void run_method(struct lyc_call *call, struct span body)
{
	const struct plugin_method *method = call->method;
	ProtobufCAllocator allocator = call_block_allocator(call->block);
	call->request = protobuf_c_message_unpack(method->input, &allocator, body.len,
						  body.data ? body.data : (const uint8_t *)"");
	if (!call->request) {
		served_refuse(call, LYC_INVALID_ARGUMENT, "", "The request is not a %s.",
			      method->input->name);
		return;
	}
	served_run_again(call);
}

void served_run_again(struct lyc_call *call)
{
	struct served *served = &call->context->served;
	const struct plugin_method *method = call->method;
	struct lyc_call *outer = served->current;
	struct lyc_client *client = call->context->client;
	const struct trace *outer_chain =
		client_work_in(client, call->is_traced ? &call->trace : NULL);
	served->current = call;
	call->is_running = true;
	method->service->invoke(method->service, method->index, call->request, served_reply_once,
				call);
	call->is_running = false;
	served->current = outer;
	client_work_in(client, outer_chain);
	if (call->has_ended) {
		served_release(call);
	} else if (!call->is_deferred) {
		lyc_log(call->context, 1, "%s returned without a reply", method->name);
		served_refuse(call, LYC_INTERNAL, "", "%s returned without a reply.", method->name);
	}
}

static struct lyc_call *call_new(struct lyc_plugin_context *context,
				 const struct packet_call *packet)
{
	size_t len = packet->group_count * sizeof(char *) + packet->principal.len +
		     packet->trace.len + 2;
	for (size_t i = 0; i < packet->group_count; i++)
		len += packet->groups[i].len + 1;
	len += sizeof(struct lyc_call);
	struct call_block *block = call_block_take(&context->served.blocks, len);
	if (!block)
		return NULL;
	struct lyc_call *call = call_block_get(block, len);
	memset(call, 0, len);
	call->block = block;
	call->groups = (const char **)(void *)(call + 1);
	char *text = (char *)(call->groups + packet->group_count);
	for (size_t i = 0; i < packet->group_count; i++) {
		memcpy(text, packet->groups[i].data, packet->groups[i].len);
		call->groups[i] = text;
		text += packet->groups[i].len + 1;
	}
	call->group_count = packet->group_count;
	if (packet->principal.len > 0)
		memcpy(text, packet->principal.data, packet->principal.len);
	call->principal = text;
	text += packet->principal.len + 1;
	call->trace_text = text;
	call->is_traced = packet->trace.len > 0 && trace_read(packet->trace, &call->trace);
	if (call->is_traced)
		memcpy(text, packet->trace.data, packet->trace.len);
	call->context = context;
	call->id = packet->id;
	call->session = context->served.session;
	call->is_by_operator = packet->by_operator;
	call->deadline_ms = client_now_ms(context->client) +
			    (packet->timeout_ms ? packet->timeout_ms : DEFAULT_TIMEOUT_MS);
	uint32_t most = lyc_client_welcome(context->client)->max_body;
	most = most > 0 && most < WIRE_MAX_BODY ? most : WIRE_MAX_BODY;
	call->max_reply =
		packet->max_reply > 0 && packet->max_reply < most ? packet->max_reply : most;
	call->stream_credit = wire_stream_credit(packet->credit);
	list_init(&call->of_deadline);
	list_init(&call->of_view);
	list_init(&call->of_writable);
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
			served_refuse(
				call, LYC_FAILED_PRECONDITION, "after",
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
	if (call->held.has_failed || !served_keep(call)) {
		served_refuse(call, LYC_RESOURCE_EXHAUSTED, "", "No memory for a call that waits.");
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
		if (call->seen_fn)
			served_go_on(call);
		else if (call->is_answered)
			served_release(call);
		else
			run_method(call, span_of(call->held.data, call->held.len));
	}
}

/* The call may end meanwhile. */
static void run_later(struct lyc_call *call, lyc_call_fn fn, void *arg)
{
	struct lyc_client *client = call->context->client;
	struct trace chain = call->is_traced ? call->trace : (struct trace){0};
	const struct trace *outer = client_work_in(client, call->is_traced ? &chain : NULL);
	fn(call, arg);
	client_work_in(client, outer);
}

void served_go_on(struct lyc_call *call)
{
	lyc_call_fn fn = call->seen_fn;
	list_remove(&call->of_view);
	call->seen_fn = NULL;
	run_later(call, fn, call->seen_arg);
}

void served_wake_writer(struct lyc_call *call)
{
	if (call->on_writable && list_is_empty(&call->of_writable))
		list_add_last(&call->context->served.writable, &call->of_writable);
}

void served_write(struct lyc_plugin_context *context)
{
	struct list due;
	list_init(&due);
	while (!list_is_empty(&context->served.writable)) {
		struct list *node = context->served.writable.next;
		list_remove(node);
		list_add_last(&due, node);
	}
	while (!list_is_empty(&due)) {
		struct lyc_call *call = list_entry(due.next, struct lyc_call, of_writable);
		lyc_call_fn fn = call->on_writable;
		list_remove(&call->of_writable);
		call->on_writable = NULL;
		run_later(call, fn, call->writable_arg);
	}
}

/* Those that wait to go on do so now; what they do may let others wait. */
static void go_on_all(struct lyc_plugin_context *context)
{
	struct list *waiting = &context->view.waiting;
	for (struct list *node = waiting->next; node != waiting;) {
		struct lyc_call *call = list_entry(node, struct lyc_call, of_view);
		node = node->next;
		if (!call->seen_fn)
			continue;
		served_go_on(call);
		node = waiting->next;
	}
}

/* Nobody waits any more. What the plugin has not begun, or has not kept, is over. */
static void abandon(struct lyc_call *call, enum lyc_status status, const char *text)
{
	served_answer(call, status, text, "", span_of(NULL, 0));
	served_wake_writer(call);
	if (call->is_waiting)
		served_release(call);
	else if (call->seen_fn)
		served_go_on(call);
}

static struct lyc_call *find_call(struct lyc_plugin_context *context, uint64_t id)
{
	struct lyc_call *current = context->served.current;
	if (current && current->id == id && current->session == context->served.session)
		return current;
	list_each (node, &context->served.by_deadline) {
		struct lyc_call *call = list_entry(node, struct lyc_call, of_deadline);
		if (call->id == id && call->session == context->served.session)
			return call;
	}
	return NULL;
}

bool served_cancel(struct lyc_plugin_context *context, uint64_t id)
{
	struct lyc_call *call = find_call(context, id);
	/* Nothing of the plugin runs within a method that waits. */
	if (!call || (call->seen_fn && context->served.current))
		return false;
	if (!call->is_answered) {
		call->is_cancelled = true;
		abandon(call, LYC_CANCELLED, "The caller has cancelled.");
	}
	return true;
}

void served_credit(struct lyc_plugin_context *context, uint64_t id, uint64_t bytes)
{
	struct lyc_call *call = context->served.current;
	if (!call || call->id != id)
		HASH_FIND(by_id, context->served.by_id, &id, sizeof(id), call);
	if (!call || call->session != context->served.session || call->is_answered)
		return;
	int64_t room = WIRE_MAX_CREDIT - call->stream_credit;
	call->stream_credit += bytes < (uint64_t)room ? (int64_t)bytes : room;
	if (call->stream_credit > 0)
		served_wake_writer(call);
}

void served_forget(struct lyc_plugin_context *context)
{
	/* Also for the one whose function is waiting right now. */
	context->served.session++;
	list_each_safe (node, &context->served.by_deadline) {
		struct lyc_call *call = list_entry(node, struct lyc_call, of_deadline);
		call->is_cancelled = true;
		call->is_answered = true;
		served_wake_writer(call);
		if (call->is_waiting)
			served_release(call);
	}
	go_on_all(context);
}

bool served_is_waited_for(const struct lyc_plugin_context *context)
{
	list_each (node, &context->served.by_deadline) {
		if (!list_entry(node, struct lyc_call, of_deadline)->is_answered)
			return true;
	}
	return false;
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
	const struct list *calls = &context->served.by_deadline;
	while (!list_is_empty(calls)) {
		struct lyc_call *call = list_entry(calls->next, struct lyc_call, of_deadline);
		if (call->deadline_ms > now_ms)
			return;
		list_remove(&call->of_deadline);
		if (call->is_waiting) {
			served_refuse(call, LYC_FAILED_PRECONDITION, "after",
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
	list_each (node, &context->served.by_deadline) {
		call = list_entry(node, struct lyc_call, of_deadline);
		call->is_cancelled = true;
		served_wake_writer(call);
	}
	go_on_all(context);
	served_write(context);
	HASH_ITER (by_pointer, context->served.by_pointer, call, next) {
		served_release(call);
	}
	buf_fini(&context->served.scratch);
	call_blocks_fini(&context->served.blocks);
	here = NULL;
}

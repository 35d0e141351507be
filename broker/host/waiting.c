/*
 * Calls that wait lie in a list, each with its packet. What they wait for is looked at with a
 * turn's end; a call that is released goes the way of one that has just come.
 */
#include "host/waiting.h"

#include <stdlib.h>

#include "base/error.h"
#include "base/mem.h"
#include "host/after.h"
#include "host/call_journal.h"
#include "host/destination.h"
#include "host/router.h"
#include "host/upgrade.h"

/* Bytes of calls that wait, all callers together, where the configuration says nothing. */
#define MAX_HELD (64u * 1024 * 1024)

void waiting_init(struct waiting_calls *waiting)
{
	list_init(&waiting->for_position);
	list_init(&waiting->for_handover);
	list_init(&waiting->mark);
	waiting->max_held = MAX_HELD;
}

enum lyc_status waiting_hold(struct router *router, struct call *call, struct list *list,
			     const struct packet_call *packet, struct lyc_error *error)
{
	if (router->calls.held_len + call->len > router->waiting.max_held)
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

bool waiting_is_far_enough(struct router *router, struct call *call,
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
		error.status =
			waiting_hold(router, call, &router->waiting.for_position, packet, &error);
	if (error.status != LYC_OK)
		router_end(router, call, &error);
	return false;
}

enum lyc_status waiting_for_handover(struct router *router, struct call *call,
				     const struct packet_call *packet, struct lyc_error *error)
{
	call->awaits_handover = true;
	return waiting_hold(router, call, &router->waiting.for_handover, packet, error);
}

/* What appends never runs in two instances at the same time: the call waits while one that retires
 * still has such a call. */
bool waiting_must_hand_over(struct router *router, const struct call *call,
			    const struct session *callee)
{
	const struct plugin *plugin =
		callee->kind == SESSION_PLUGIN && call->method && call->method->appends
			? host_find(router->host, callee->identity)
			: NULL;
	return plugin && upgrade_may_append(router->host, plugin->name);
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
	if (frame_next(reader, &packet) == FRAME_PACKET && packet.kind == PACKET_CALL)
		router_send_on(router, call, &packet.call);
	free(reader);
	buf_fini(&held);
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
			router_end(router, call, &error);
	}
	free(reader);
	buf_fini(&held);
}

static void end_handover(struct router *router)
{
	struct list ready;
	list_init(&ready);
	list_each_safe (node, &router->waiting.for_handover) {
		list_remove(node);
		list_add_last(&ready, node);
	}
	while (!list_is_empty(&ready))
		give_again(router, list_entry(ready.next, struct call, of_waiting));
}

void waiting_turn(struct router *router)
{
	if (!list_is_empty(&router->waiting.for_handover) &&
	    !upgrade_may_append(router->host, NULL))
		end_handover(router);
	if (!router->waiting.has_advanced)
		return;
	router->waiting.has_advanced = false;
	/* Only those that wait now: what is held again comes behind the mark. */
	list_add_last(&router->waiting.for_position, &router->waiting.mark);
	struct list *node = router->waiting.for_position.next;
	while (node != &router->waiting.mark) {
		struct call *call = list_entry(node, struct call, of_waiting);
		node = node->next;
		/* Nothing but this call leaves the list meanwhile. */
		if (!after_is_missing(router->stream, call))
			release(router, call);
	}
	list_remove(&router->waiting.mark);
}

/* Calls that wait for their turn lie with their caller, whose session is in one list of all such.
 */
#include "host/turns.h"

#include <stdlib.h>

#include "base/mem.h"
#include "host/router.h"

/* So long after a change of callers a callee counts as shared. */
#define SHARED_MS 1000
/* For those who call on behalf of many. */
#define MANY 4

void turns_init(struct turns *turns)
{
	list_init(&turns->callers);
	turns->reader = NULL;
}

void turns_fini(struct turns *turns)
{
	free(turns->reader);
	turns->reader = NULL;
}

static uint64_t least_window(const struct session *caller)
{
	bool is_many = session_is_link(caller) || caller->kind == SESSION_PLUGIN;
	return TURNS_WINDOW * (is_many ? MANY : 1);
}

static uint64_t window_of(const struct session *caller)
{
	return caller->calls_window ? caller->calls_window : least_window(caller);
}

/* One call is always let through, however long it is. */
static bool has_window(const struct session *caller, const struct call *call)
{
	return caller->calls_out_len == 0 || caller->calls_out_len + call->len <= window_of(caller);
}

static bool has_room(const struct session *callee, const struct call *call)
{
	return callee->calls_given_len + call->len <= callee->call_credit;
}

static bool is_shared(struct router *router, const struct call *call, struct session *callee)
{
	uint64_t now = router->env->now_ms(router->env->world);
	if (callee->last_caller != call->caller->serial) {
		/* One who has gone shares nothing. */
		if (session_by_serial(router->sessions, callee->last_caller))
			callee->shared_until_ms = now + SHARED_MS;
		callee->last_caller = call->caller->serial;
	}
	return now < callee->shared_until_ms;
}

bool turns_must_wait(struct router *router, struct call *call, struct session *callee)
{
	const struct session *caller = call->caller;
	/* Behind a link are many callees, and the daemon there looks after them. */
	if (call->once || call->turn_at || caller->is_inner || session_is_link(callee))
		return false;
	bool is_of_several = is_shared(router, call, callee);
	/* What never has room there is refused. */
	if (call->len > callee->call_credit)
		return false;
	if (!list_is_empty(&caller->calls_held))
		return true;
	/* It is full, and not with this caller's calls. */
	if (!has_room(callee, call))
		return is_of_several && caller->calls_out_len + call->len <= least_window(caller);
	return is_of_several && !has_window(caller, call);
}

enum lyc_status turns_hold(struct router *router, struct call *call, struct session *callee,
			   const struct packet_call *packet, struct lyc_error *error)
{
	struct session *caller = call->caller;
	enum lyc_status status = waiting_hold(router, call, &caller->calls_held, packet, error);
	if (status != LYC_OK)
		return status;
	call->turn_at = callee->serial;
	call->awaits_turn = true;
	if (list_is_empty(&caller->of_turns)) {
		caller->calls_done_len = 0;
		list_add_last(&router->turns.callers, &caller->of_turns);
	}
	return LYC_OK;
}

void turns_leave(struct session *session)
{
	list_remove(&session->of_turns);
}

/* One whose callee has ended goes on, too: to another one, or it is refused. */
static bool may_go(struct router *router, const struct session *caller, const struct call *call)
{
	const struct session *callee = session_by_serial(router->sessions, call->turn_at);
	return !callee || (has_window(caller, call) && has_room(callee, call));
}

static void give_on(struct router *router, struct call *call)
{
	/* The packet lies in the call's own buffer, which has to outlive the reading of it. */
	struct buf held = call->held;
	struct packet packet;
	call->held = (struct buf){0};
	router->calls.held_len -= held.len;
	list_remove(&call->of_waiting);
	call->awaits_turn = false;
	if (!router->turns.reader)
		router->turns.reader = mem_new(struct frame_reader);
	frame_start(router->turns.reader, span_of(held.data, held.len));
	if (frame_next(router->turns.reader, &packet) == FRAME_PACKET && packet.kind == PACKET_CALL)
		router_send_on(router, call, &packet.call);
	buf_fini(&held);
}

void turns_turn(struct router *router)
{
	list_each_safe (node, &router->turns.callers) {
		struct session *caller = list_entry(node, struct session, of_turns);
		while (!list_is_empty(&caller->calls_held)) {
			struct call *first =
				list_entry(caller->calls_held.next, struct call, of_waiting);
			if (!may_go(router, caller, first))
				break;
			give_on(router, first);
		}
		if (list_is_empty(&caller->calls_held)) {
			caller->calls_window = 0;
			list_remove(&caller->of_turns);
		}
	}
}

void turns_tick(struct router *router)
{
	list_each (node, &router->turns.callers) {
		struct session *caller = list_entry(node, struct session, of_turns);
		uint64_t window = window_of(caller);
		if (caller->calls_done_len < least_window(caller) / 16)
			window = window < WIRE_MAX_CREDIT ? window * 2 : window;
		else if (window > least_window(caller))
			window /= 2;
		caller->calls_window = window;
		caller->calls_done_len = 0;
	}
}

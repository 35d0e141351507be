/* Calls that wait for their turn lie with it, and all turns where calls wait are in one list. */
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
	list_init(&turns->waiting);
	turns->reader = NULL;
}

void turns_fini(struct turns *turns)
{
	free(turns->reader);
	turns->reader = NULL;
}

/* Of a callee that has gone, and that no call names any more. */
static bool is_over(const struct router *router, const struct turn *turn)
{
	return turn->out_len == 0 && list_is_empty(&turn->of_waiting) &&
	       !session_by_serial(router->sessions, turn->callee);
}

static struct turn *make_turn(struct router *router, struct session *caller, uint64_t callee)
{
	list_each_safe (node, &caller->turns) {
		struct turn *turn = list_entry(node, struct turn, of_caller);
		if (!is_over(router, turn))
			continue;
		list_remove(&turn->of_caller);
		free(turn);
	}
	struct turn *turn = mem_new(struct turn);
	turn->caller = caller;
	turn->callee = callee;
	list_init(&turn->of_waiting);
	list_init(&turn->held);
	list_init(&turn->of_caller);
	list_add_last(&caller->turns, &turn->of_caller);
	return turn;
}

/* A caller has few callees. */
static struct turn *get_turn(struct router *router, struct session *caller, uint64_t callee)
{
	list_each (node, &caller->turns) {
		struct turn *turn = list_entry(node, struct turn, of_caller);
		if (turn->callee == callee)
			return turn;
	}
	return make_turn(router, caller, callee);
}

static uint64_t times_of(const struct session *caller)
{
	return session_is_link(caller) || caller->kind == SESSION_PLUGIN ? MANY : 1;
}

static uint64_t least_window(const struct session *caller)
{
	return TURNS_WINDOW * times_of(caller);
}

static uint64_t window_of(const struct turn *turn)
{
	return turn->window ? turn->window : least_window(turn->caller);
}

/* A few that are longer fit, too, so that whoever answers is not kept waiting for the next; and one
 * is always let through, however long it is. */
static bool has_window(const struct turn *turn, const struct call *call)
{
	uint64_t times = turn->out_count < TURNS_FEW_CALLS ? TURNS_FEW_TIMES : 1;
	return turn->out_len == 0 || turn->out_len + call->len <= window_of(turn) * times;
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
	struct session *caller = call->caller;
	/* Behind a link are many callees, and the daemon there looks after them. */
	if (call->once || caller->is_inner || session_is_link(callee))
		return false;
	struct turn *turn = get_turn(router, caller, callee->serial);
	call->turn = turn;
	if (call->has_had_turn)
		return false;
	bool is_of_several = is_shared(router, call, callee);
	bool has_waiting = !list_is_empty(&turn->held);
	/* What never has room there is refused. */
	if (call->len > callee->call_credit)
		return false;
	if (!has_room(callee, call)) {
		/* It is full, and not with this caller's calls. */
		bool is_others = is_of_several && turn->out_len + call->len <= least_window(caller);
		return (has_waiting || is_others) &&
		       turn->held_len + call->len <= TURNS_MAX_HELD * times_of(caller);
	}
	return has_waiting || (is_of_several && !has_window(turn, call));
}

enum lyc_status turns_hold(struct router *router, struct call *call,
			   const struct packet_call *packet, struct lyc_error *error)
{
	struct turn *turn = call->turn;
	enum lyc_status status = waiting_hold(router, call, &turn->held, packet, error);
	if (status != LYC_OK)
		return status;
	call->awaits_turn = true;
	turn->held_len += call->len;
	if (list_is_empty(&turn->of_waiting)) {
		turn->done_len = 0;
		list_add_last(&router->turns.waiting, &turn->of_waiting);
	}
	return LYC_OK;
}

/* One whose callee has ended goes on, too: to another one, or it is refused. */
static bool may_go(struct router *router, const struct turn *turn, const struct call *call)
{
	const struct session *callee = session_by_serial(router->sessions, turn->callee);
	return !callee || (has_window(turn, call) && has_room(callee, call));
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
	call->turn->held_len -= call->len;
	call->has_had_turn = true;
	if (!router->turns.reader)
		router->turns.reader = mem_new(struct frame_reader);
	frame_start(router->turns.reader, span_of(held.data, held.len));
	if (frame_next(router->turns.reader, &packet) == FRAME_PACKET && packet.kind == PACKET_CALL)
		router_send_on(router, call, &packet.call);
	buf_fini(&held);
}

void turns_turn(struct router *router)
{
	list_each_safe (node, &router->turns.waiting) {
		struct turn *turn = list_entry(node, struct turn, of_waiting);
		while (!list_is_empty(&turn->held)) {
			struct call *first = list_entry(turn->held.next, struct call, of_waiting);
			if (!may_go(router, turn, first))
				break;
			give_on(router, first);
		}
		if (list_is_empty(&turn->held)) {
			turn->window = 0;
			list_remove(&turn->of_waiting);
		}
	}
}

void turns_tick(struct router *router)
{
	list_each (node, &router->turns.waiting) {
		struct turn *turn = list_entry(node, struct turn, of_waiting);
		uint64_t least = least_window(turn->caller);
		uint64_t window = window_of(turn);
		if (turn->done_len < least / 16)
			window = window < WIRE_MAX_CREDIT ? window * 2 : window;
		else if (window > least)
			window /= 2;
		turn->window = window;
		turn->done_len = 0;
	}
}

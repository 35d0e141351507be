/*
 * The way of a call: who it is for, whether its caller may make it, what its body has to look like,
 * and who runs it; reply.h is its way back. A call ends in exactly one last reply by its deadline,
 * and is tried once; one with an idempotency key goes through once.h, one that may not go on yet
 * through waiting.h.
 */
#ifndef LYC_HOST_ROUTER_H
#define LYC_HOST_ROUTER_H

#include <stdbool.h>
#include <stdint.h>

#include "host/host.h"
#include "host/once.h"
#include "host/turns.h"
#include "host/waiting.h"
#include "policy/policy.h"
#include "route/call.h"
#include "route/env.h"
#include "route/recent_methods.h"
#include "route/service.h"
#include "route/session.h"
#include "route/types.h"
#include "stream/stream.h"

/* The daemon's own service answers at once, the operator more than others. `ret_reply` is appended
 * to. */
typedef enum lyc_status (*router_builtin_fn)(const char *method, const struct call *call,
					     struct span body, struct buf *ret_reply,
					     struct lyc_error *error, void *arg);

struct router_counters {
	uint64_t calls;
	uint64_t replies;
	uint64_t refused;
	uint64_t expired;
	uint64_t late_replies;
	uint64_t bad_replies;
	uint64_t cut_parts;
};

struct router {
	const struct env *env;
	struct policy *policy;
	struct types *types;
	struct recent_methods recent_methods;
	struct services *services;
	struct session_table *sessions;
	struct stream *stream;
	struct journal *journal;
	/* The call that is being taken in; NULL. */
	const struct packet_call *asked;
	/* The plugins of this daemon, running or not. */
	struct host *host;

	char name[64];
	uint32_t default_timeout_ms;
	struct call_table calls;
	struct once once;
	/* Only plugins may still call: to finish what they were given. */
	bool is_stopping;
	struct waiting_calls waiting;
	struct turns turns;
	/* What is left of a reply that is cut, from one to the next. */
	struct buf cut_room;

	/* The hub of this daemon: its name ("" without one) and its session while the link is up.
	 */
	char hub_name[64];
	struct session *hub;

	router_builtin_fn builtin;
	void *builtin_arg;
	bool is_builtin_later;
	struct router_counters counters;
};

void router_init(struct router *router);
void router_fini(struct router *router);

/* From within the daemon's own service: the answer comes with router_builtin_done, by this number
 * of the call (route/call.h). Nothing happens where the call has ended meanwhile. */
void router_builtin_later(struct router *router);
void router_builtin_done(struct router *router, uint64_t id, struct span body,
			 const struct lyc_error *error);

/* Packets from a session. packet_len is what credit counts. */
void router_call(struct router *router, struct session *session, const struct packet_call *call,
		 size_t packet_len);
void router_cancel(struct router *router, struct session *session, uint64_t caller_id);
/* The session has ended: its calls are cancelled, those given to it end with UNAVAILABLE. */
void router_leave(struct router *router, struct session *session);
/* Calls past their deadline end. */
void router_tick(struct router *router);

/* ---- for the files beside it: once.c, reply.c, waiting.c ---- */

/* Hand a call to a callee of this daemon; UNAVAILABLE when that one is busy. */
LYC_MUST_USE enum lyc_status router_give(struct router *router, struct call *call,
					 struct session *callee, const struct packet_call *packet,
					 struct lyc_error *error);
/* A call that waited goes on: everything between it and its callee. */
void router_send_on(struct router *router, struct call *call, const struct packet_call *packet);
/* End a call with a status that was found here. */
void router_end(struct router *router, struct call *call, const struct lyc_error *error);
/* The same for a call that waits for a run; is_remembered: the same call gets it again. */
void router_refuse(struct router *router, struct call *call, const struct lyc_error *error,
		   bool is_remembered);
/* The session of a node that has this daemon as its hub; NULL. */
struct session *router_node(struct router *router, struct span name);

#endif

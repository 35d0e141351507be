/*
 * Outstanding calls: a slab of entries that a number finds, and a wheel of deadlines. The number
 * given to the callee carries a generation, so that a late reply to a finished call is recognised.
 */
#ifndef LYC_ROUTE_CALL_H
#define LYC_ROUTE_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "route/session.h"
#include "route/types.h"
#include "wire/trace.h"

#define CALL_MAX_GROUPS 16
#define CALL_MAX_PRINCIPAL 136

struct call {
	/* index and generation make the id that the callee sees. */
	uint32_t index;
	uint32_t generation;
	bool is_used;

	struct session *caller;
	uint64_t caller_id;
	struct session *callee; /* NULL: not given to anybody yet */
	struct list of_caller;
	struct call *next_made; /* in its place of call_table.made */
	struct list of_callee;

	const struct schema_method *method; /* NULL: passes through without being known here */
	bool ends_here;                     /* the callee is a plugin or peer of this daemon */
	bool want_as_of;
	bool is_traced;        /* trace and parent_span, below */
	bool by_operator;      /* a run's: its first caller is an operator of this daemon */
	struct once_run *once; /* with an idempotency key: what it waits for, or is the run of */
	uint32_t len;          /* bytes of the Call packet: what credit counts */
	uint32_t max_reply;
	int64_t stream_credit; /* what the caller takes of its stream's replies now */
	uint64_t begun_ms;
	uint64_t deadline_ms;
	struct list of_slot;

	/* On whose behalf: who may see what comes back (principal and groups, below). */
	size_t group_count;

	/* The Call packet's bytes while it waits for `after`, and what is missing: see
	 * host/after.h. */
	struct buf held;
	uint32_t wait_origin;
	uint64_t wait_epoch;
	uint64_t wait_seq;
	/* It waits until another instance has let go. */
	bool awaits_handover;
	/* Its caller's at its callee; NULL: such a call never waits for one. */
	struct turn *turn;
	bool awaits_turn;
	bool has_had_turn;
	struct list of_waiting;

	uint32_t next_free;
	/* Last, so that a new entry is made without clearing all of it. */
	char principal[CALL_MAX_PRINCIPAL];
	/* The chain that it belongs to, with this daemon's own span, and the span of who gave it.
	 */
	struct trace trace;
	uint64_t parent_span;
	/* Texts in group_texts, whose memory the entry's next call has again. */
	char *groups[CALL_MAX_GROUPS];
	struct buf group_texts;
};

/* Outstanding at once, where memory is not limited further. */
#define CALL_MAX_COUNT 262144u
#define CALL_SLOTS 1024
#define CALL_SLOT_MS 16

struct call_table {
	struct call **chunks;
	uint32_t chunk_count;
	uint32_t first_free;
	size_t count;
	size_t max_count;
	size_t held_len; /* bytes of calls that wait */
	/* By caller and its number; the seed is nobody's guess. */
	struct call **made;
	size_t made_count; /* a power of two */
	uint64_t seed;
	struct list slots[CALL_SLOTS];
	uint64_t last_tick_ms;
};

/* `seed` is random: which calls share a place of the table by number. */
void call_table_init(struct call_table *table, uint64_t now_ms, uint64_t seed);
void call_table_fini(struct call_table *table);

/* A new entry, linked to its caller and its deadline; NULL when there are max_count. */
struct call *call_add(struct call_table *table, struct session *caller, uint64_t caller_id,
		      uint32_t len, uint64_t deadline_ms);
/* The groups that it is made with, at most CALL_MAX_GROUPS; copies. */
void call_take_groups(struct call *call, const struct span *groups, size_t count);
/* Hand it to a callee. */
void call_give(struct call *call, struct session *callee);
uint64_t call_id(const struct call *call);
/* NULL when it has ended. */
struct call *call_find(struct call_table *table, uint64_t id);
/* The call that this session made under this number; NULL. */
struct call *call_find_made(const struct call_table *table, const struct session *caller,
			    uint64_t caller_id);
/* Unlink and free, credit given back on both sides. */
void call_end(struct call_table *table, struct call *call);

/* Runs on_expired for each call whose deadline has passed; it has to end the call. */
typedef void (*call_fn)(struct call *call, void *arg);
void call_tick(struct call_table *table, uint64_t now_ms, call_fn on_expired, void *arg);

#endif

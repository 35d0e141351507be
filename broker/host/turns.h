/*
 * Callers take turns at a callee that several of them call: none has more than a window of bytes of
 * calls with it, and what is beyond that waits here, in order. So a caller who floods waits for its
 * own calls, and another's are never behind more than a window of them. A callee that has one
 * caller only gets all that its credit allows. What waits at one callee holds up no call to
 * another.
 *
 * Who is slow by nature, because it answers later, must not be taken for one that is flooded: where
 * little has ended since the last tick the window doubles, and where much has it shrinks again.
 *
 * So one that stands still is full within a second. Then a caller's calls wait for it up to a
 * bound, and what is beyond that is refused at once: a deadline that is far away is nobody's way
 * to learn of it.
 */
#ifndef LYC_HOST_TURNS_H
#define LYC_HOST_TURNS_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/list.h"
#include "route/call.h"

/* Bytes of calls of one caller; of a link and a plugin, which call for many, four times that. */
#define TURNS_WINDOW (8u * 1024)
/* As long as there are fewer calls than these they may take so many times their window. */
#define TURNS_FEW_CALLS 8
#define TURNS_FEW_TIMES 4

/* Of one caller, what may wait at a callee that is full; the same four times. */
#define TURNS_MAX_HELD (128u * 1024)

struct router;

struct turns {
	struct list waiting; /* turns where calls wait */
	struct frame_reader *reader;
};

void turns_init(struct turns *turns);
void turns_fini(struct turns *turns);
/* Is it not its turn at this callee yet? A call with an idempotency key never waits. */
bool turns_must_wait(struct router *router, struct call *call, struct session *callee);
/* One that must wait. */
LYC_MUST_USE enum lyc_status turns_hold(struct router *router, struct call *call,
					const struct packet_call *packet, struct lyc_error *error);
/* At the end of a turn of the loop: give what may go now. */
void turns_turn(struct router *router);
void turns_tick(struct router *router);

#endif

/*
 * Credit for transient publishes. Nobody keeps them, so what they took of a session's credit is
 * given back with a Credit packet as soon as they have gone to their subscribers: at once as a
 * rule, and at a pace while calls and replies come, to one session after the other. So who
 * publishes without end has little under way, here and in its socket, and callers do not wait
 * behind it. What comes by a link is not counted: it was let in, and paced where there were
 * callers, at the daemon where it was published.
 */
#ifndef LYC_NODE_PACE_H
#define LYC_NODE_PACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "route/session.h"

/* At a pace: bytes a millisecond, of all publishes together and of what went to their subscribers.
 */
#define PACE_LEN (64u * 1024)
/* So long after the last call or reply. */
#define PACE_CALLS_MS 200

struct pace {
	struct list owed;   /* sessions, in the order in which they are given something */
	uint64_t called_ms; /* when the last call or reply came */
	uint64_t given_ms;  /* in this millisecond so much was given: */
	uint64_t given_len;
};

void pace_init(struct pace *pace);
/* A call or a reply came in. */
void pace_call(struct pace *pace, uint64_t now_ms);
/* A transient publish of `len` bytes is done with, or refused; to its subscribers went so many. */
void pace_publish(struct pace *pace, struct session *session, size_t len, uint64_t fanned_len);
/* The end of a turn: give back what may be. */
void pace_turn(struct pace *pace, struct session_table *sessions, uint64_t now_ms);
/* Is a turn wanted in the next millisecond? */
bool pace_is_holding(const struct pace *pace);

#endif

/*
 * Records what somebody of this node has answered, and waits a moment for what the event's home
 * says of it. The answer is a record of this node, so it is not lost when the home cannot be
 * reached: it is decided later, then.
 */
#ifndef CONVENING_ANSWERING_H
#define CONVENING_ANSWERING_H

#include "convening.h"

struct waiter;

/* Answers the call, with how the person stands; `closure` is the method's. */
typedef void (*answering_fn)(struct lyc_call *call, void (*closure)(void), struct entry *entry,
			     const struct seats_standing *standing);

/* Takes the call over: it is ended by `finish`, or fails. The same answer again appends nothing.
 * With is_anonymous the record is written in the name of the node, not of the caller. */
void answering_start(struct convening *state, struct lyc_call *call, struct entry *entry,
		     const char *person, Lyceum__Convening__V1__Choice choice, const char *group,
		     bool is_anonymous, void (*closure)(void), answering_fn finish);
/* Something was decided, or time has passed. */
void answering_advance(struct convening *state);
void answering_fini(struct convening *state);

#endif

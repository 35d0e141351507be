/*
 * Reminders of the meetings that come: when one is due, a record says so and to whom, and only then
 * are its mails made. The record is appended where there is none, so each fires once, whenever the
 * node was down meanwhile; a meeting that has begun is not reminded of any more.
 */
#ifndef CONVENING_REMINDERS_H
#define CONVENING_REMINDERS_H

#include "convening.h"

/* Once a second or so. */
void reminders_tick(struct convening *state);

#endif

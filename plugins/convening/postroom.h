/*
 * What has to be mailed by this node, and how it gets there. What is wanted is computed from the
 * view: an invitation without a mail, a change that nobody was told of, a seat that became free.
 * Each becomes a QUEUED note in the log, where there is none; the rest is outbox and post.
 */
#ifndef CONVENING_POSTROOM_H
#define CONVENING_POSTROOM_H

#include "convening.h"

/* Starts the post where a relay is configured. */
LYC_MUST_USE enum lyc_status postroom_start(struct convening *state, struct lyc_error *error);
void postroom_stop(struct convening *state);
/* The entry has changed: take up its invitations, queue what is missing. */
void postroom_review(struct convening *state, struct entry *entry);
/* Once a second or so. */
void postroom_tick(struct convening *state);
/* The mail that would invite somebody; the caller frees. `address` "": another node knows it. */
char *postroom_preview(struct convening *state, struct entry *entry, const char *name,
		       const char *address, const char *message);
/* "sent", "waiting", ...; "" where this node sends none. Valid until the next record. */
const char *postroom_tell(const struct convening *state, const struct entry *entry,
			  const struct invited *invited);

#endif

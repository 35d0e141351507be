/*
 * Is what a queued mail would say still so, and not said already? A relay may have been down for
 * days: this is asked when the mail is written, of the view and its outbox. Pure.
 */
#ifndef CONVENING_STALE_H
#define CONVENING_STALE_H

#include "view.h"

/* Why a mail of this kind ("seat-2", "change") and sequence is not to be sent any more; NULL: it
 * is. */
const char *stale_why(const struct view *view, const struct entry *entry,
		      const struct invited *invited, const char *kind, uint32_t sequence);
/* A mail of this kind is written with the event as it is now. */
void stale_note_written(const struct entry *entry, struct invited *invited, const char *kind);

#endif

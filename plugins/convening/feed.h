/*
 * A whole calendar of several events as one text that calendar programs subscribe to (.ics over
 * http): no METHOD, events sorted, so that the same events give the same bytes.
 */
#ifndef CONVENING_FEED_H
#define CONVENING_FEED_H

#include "ics.h"

struct feed {
	const char *name;               /* what the calendar program shows; NULL: none */
	const char *description;        /* NULL: none */
	uint32_t refresh_s;             /* how often a program should ask again; 0: it decides */
	const struct ics_event *events; /* in any order; not changed */
	size_t event_count;
};

/* The feed's text. The caller frees. An attendee's address does not belong in a feed that anybody
 * may read: give events without people. As ics_write. */
LYC_MUST_USE enum lyc_status feed_write(const struct feed *feed, struct zones *zones,
					char **ret_text, size_t *ret_len, struct lyc_error *error);

#endif

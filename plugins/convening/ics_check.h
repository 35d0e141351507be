/* A calendar before it is written: what is wrong with it, and the zones that it needs. */
#ifndef CONVENING_ICS_CHECK_H
#define CONVENING_ICS_CHECK_H

#include "ics.h"

#define ICS_MAX_ADDRESS 320
#define ICS_MAX_ZONES 200 /* in one calendar */

struct ics_check {
	struct zones *zones;
	struct lyc_error *error;

	const struct zone *used[ICS_MAX_ZONES];
	size_t used_count;
	int64_t from_utc; /* the earliest time of all */
	size_t event_at;  /* the number of the event at hand */
};

/* zones and error are set, the rest is zeroed. As ics_write says. */
LYC_MUST_USE enum lyc_status ics_check(struct ics_check *check,
				       const struct ics_calendar *calendar);

#endif

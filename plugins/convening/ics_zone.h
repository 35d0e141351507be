/*
 * Zones in calendars: which IANA zone a TZID means, and the VTIMEZONE of a zone as its changes are
 * listed and as its rule goes on.
 */
#ifndef CONVENING_ICS_ZONE_H
#define CONVENING_ICS_ZONE_H

#include <libical/ical.h>

#include "zone.h"

/* The IANA zone of this machine that a TZID of `calendar` names: itself, its end
 * ("/vendor/2026/Europe/London"), its VTIMEZONE's X-LIC-LOCATION, or Windows' name for it. NULL:
 * none. Valid as long as the zones. */
const char *ics_zone_resolve(struct zones *zones, icalcomponent *calendar, const char *tzid);
/* A VTIMEZONE that holds from the year before `from_utc` on. NULL when there is no memory. The
 * caller frees or adds it. */
icalcomponent *ics_zone_component(const struct zone *zone, int64_t from_utc);

#endif

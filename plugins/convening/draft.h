/* An event before it is a record: made from a request, changed by another. Pure. */
#ifndef CONVENING_DRAFT_H
#define CONVENING_DRAFT_H

#include "messages.h"
#include "zone.h"

/* A copy that owns everything; free with lyceum__convening__v1__event__free_unpacked. */
event_msg *draft_copy(const event_msg *event);
/* What a request wants, at this home; without an id when the request has none. NULL: error says
 * why. */
event_msg *draft_of(const Lyceum__Convening__V1__CreateRequest *request, const char *home,
		    const char *organiser_zone, struct zones *zones, struct lyc_error *error);
/* The held event with what the request says. NULL: error says why. */
event_msg *draft_change(const event_msg *held, const Lyceum__Convening__V1__UpdateRequest *request,
			struct zones *zones, struct lyc_error *error);
bool draft_is_equal(const event_msg *one, const event_msg *two);
/* "Cell therapy: who pays?" becomes "cell-therapy-who-pays"; from the second on with a number. */
#define DRAFT_ID_SIZE 80
void draft_id(const char *title, unsigned number, char to[DRAFT_ID_SIZE]);

#endif

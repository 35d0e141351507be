/* How somebody stands, in a sentence. Pure. */
#ifndef CONVENING_STANDING_H
#define CONVENING_STANDING_H

#include "messages.h"
#include "seats.h"

#define STANDING_TEXT_SIZE 200

void standing_tell(const struct seats_standing *standing, const event_msg *event,
		   char to[STANDING_TEXT_SIZE]);
/* Fill a message; its texts are `because` and those of the standing: the message borrows. */
void standing_fill(const struct seats_standing *standing, const event_msg *event,
		   char because[STANDING_TEXT_SIZE], standing_msg *to);

#endif

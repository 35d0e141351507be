/* Periods in which nothing is convened without a stated reason. */
#ifndef CONVENING_BLACKOUTS_H
#define CONVENING_BLACKOUTS_H

#include "convening.h"

/* The methods AddBlackout and RemoveBlackout, by one of this node's people, and ListBlackouts: take
 * the call over. */
void blackouts_add(struct convening *state, struct lyc_call *call,
		   const Lyceum__Convening__V1__AddBlackoutRequest *request,
		   Lyceum__Convening__V1__AddBlackoutReply_Closure closure);
void blackouts_remove(struct convening *state, struct lyc_call *call,
		      const Lyceum__Convening__V1__RemoveBlackoutRequest *request,
		      Lyceum__Convening__V1__RemoveBlackoutReply_Closure closure);
void blackouts_list(struct convening *state, struct lyc_call *call,
		    Lyceum__Convening__V1__ListBlackoutsReply_Closure closure);
/* Does a meeting of the event fall into one, or is one on now (for what is sent now)? Writes a
 * sentence. */
bool blackouts_meets(struct convening *state, const event_msg *event, char *to, size_t size);
bool blackouts_is_on(struct convening *state, int64_t now_ms, char *to, size_t size);

#endif

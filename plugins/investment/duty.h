/*
 * Duties: what has to follow from the records that there are, without anybody asking. They are
 * worked out from the view each time anew, so a restart in the middle, or a message that comes
 * twice, leads to the same records and to none twice.
 *
 *	our public key is not shown              -> NodeKey
 *	a party's blind form is not its profile  -> VentureProfile, InvestorProfile, or withdrawn
 *	a conflict that a home was not told      -> ConflictNotice
 *	a side of ours that may not meet         -> Answer NOT_POSSIBLE
 *	our yes and the other's, in time         -> Answer AGREED
 *	both agreed, nothing given yet           -> Reveal; withdrawn when it is not possible any
 *more an interest that came                    -> passed on; fits; both withdrawn with it
 */
#ifndef INVESTMENT_DUTY_H
#define INVESTMENT_DUTY_H

#include "desk.h"

/* Add the wishes that are due to the task. */
void duty_collect(struct task *task);
/* Has the other home got every notice that it needs before our side may say yes? It reads our yes
 * after them. */
bool duty_has_told(const struct desk *desk, const struct party *party, const char *home);
/* The same for the answers and identities of introductions alone. */
void duty_collect_introductions(struct task *task, int64_t now_ms);

#endif

/*
 * Who will see a record: what an entry says of it, laid over what is held. Never wider than before
 * unless the entry says so.
 */
#ifndef EXPERTS_AUDIENCE_H
#define EXPERTS_AUDIENCE_H

#include <lyceum/status.h>
#include <lyceum/v1/label.pb-c.h>

#define AUDIENCE_TEXT_SIZE 200

/* Complete an entry's label in place. `held` is NULL where nobody is held yet. An audience alone
 * means AUDIENCE; without either, the held label stays, and a first one is for MEMBERS.
 * INVALID_ARGUMENT: an audience beside another visibility, or AUDIENCE without one. */
LYC_MUST_USE enum lyc_status
audience_settle(Lyceum__V1__Label *label, const Lyceum__V1__Label *held, struct lyc_error *error);
/* "seen by all members", "seen by wales only", "seen by wales, nhsa and bob@medcity". */
void audience_tell(const Lyceum__V1__Label *label, char to[AUDIENCE_TEXT_SIZE]);

#endif

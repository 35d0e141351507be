/* Whom an invitation is for, and what it becomes as a record. */
#ifndef CONVENING_INVITE_H
#define CONVENING_INVITE_H

#include "convening.h"

/* The method Invite: takes the call over. */
void invite_start(struct convening *state, struct lyc_call *call,
		  const Lyceum__Convening__V1__InviteRequest *request,
		  Lyceum__Convening__V1__InviteReply_Closure closure);

#endif

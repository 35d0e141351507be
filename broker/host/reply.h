/*
 * The way back of a call: what whoever runs it answers, checked and cut for its caller; the credit
 * of a stream of replies, and the word that nobody waits for it any more.
 */
#ifndef LYC_HOST_REPLY_H
#define LYC_HOST_REPLY_H

#include "host/router.h"

/* A packet from the session that was given the call. */
void reply_take(struct router *router, struct session *session, const struct packet_reply *reply);
/* The caller takes more of a stream's replies. */
void reply_grant(struct router *router, struct session *session, uint64_t caller_id,
		 uint64_t bytes);

/* A reply that has been checked, cut for this caller; the last one ends the call. */
void reply_pass(struct router *router, struct call *call, const struct packet_reply *reply);
/* The daemon's own answer, which ends the call. */
void reply_own(struct router *router, struct call *call, struct span body);
/* Whoever runs the call, if anybody does, hears that it is not wanted any more. */
void reply_tell_cancelled(struct router *router, struct call *call);

#endif

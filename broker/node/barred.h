/*
 * Connections whose key was taken back or changed: their session has ended, and whatever they send
 * is not read. The key check lets no new ones in; these are cut on their next message, like those
 * that flood.
 */
#ifndef LYC_NODE_BARRED_H
#define LYC_NODE_BARRED_H

#include "node/daemon.h"

/* End the session with a Goodbye, and its connection as soon as that can have arrived. */
void barred_add(struct daemon *daemon, struct session *session, const char *text);
/* Is this frame from one of them? Then it has been dealt with. */
bool barred_ignore(struct daemon *daemon, uint32_t port, struct span routing_id, int fd);
void barred_fini(struct daemon *daemon);

#endif

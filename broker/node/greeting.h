/* How sessions begin. */
#ifndef LYC_NODE_GREETING_H
#define LYC_NODE_GREETING_H

#include "node/daemon.h"

/* A packet of a connection that has no session: Hello begins one, and so does the hub's Welcome;
 * any other is answered with a Goodbye. `identity` is who the transport says it is. */
void greeting_take(struct daemon *daemon, uint32_t port, struct span routing_id,
		   const char *identity, const struct packet *packet);
/* Goodbye to somebody without a session. */
void greeting_refuse(struct daemon *daemon, uint32_t port, struct span routing_id,
		     enum goodbye_reason reason, const char *text);

#endif

/* Register: what a plugin of this daemon, or its operator, serves and publishes. */
#ifndef LYC_NODE_REGISTRATION_H
#define LYC_NODE_REGISTRATION_H

#include "node/daemon.h"

/* Checked, taken and answered; one that has to wait for a handover is answered when that has ended
 * (handover.h). */
void registration_take(struct daemon *daemon, struct session *session,
		       const struct packet_register *reg);

#endif

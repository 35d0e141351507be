/*
 * The moment at which one instance of a plugin takes over from another: no service is without
 * somebody in between, and no two append at the same time. The entries are host/upgrade.h's.
 */
#ifndef LYC_NODE_HANDOVER_H
#define LYC_NODE_HANDOVER_H

#include "node/daemon.h"

/* A successor could serve. True: its Register is kept until the incumbent, which is asked now, lets
 * go. */
bool handover_waits(struct daemon *daemon, struct plugin *next, const struct packet_register *reg);
/* An instance says that it takes no more calls: it is given none from here on, and its successor,
 * if it has one that waits, takes over. */
void handover_let_go(struct daemon *daemon, struct plugin *plugin);
/* What is kept of successors whose incumbent has no session any more, or is not to be waited for
 * any longer. */
void handover_tick(struct daemon *daemon);

#endif

/* Plugins that keep a view: which pattern each follows, and that no stream loses state of it. */
#ifndef LYC_NODE_VIEWS_H
#define LYC_NODE_VIEWS_H

#include "node/daemon.h"

/* Keeps the pattern that a plugin follows, for the next start's check. */
#define VIEWS_KEY_PREFIX "follows."

/* May this subscription be? True for all but a plugin's view of a stream that would lose state of
 * it: then the subscription is refused, and the plugin with it. */
bool views_admit(struct daemon *daemon, struct session *session,
		 const struct packet_subscribe *subscribe);

#endif

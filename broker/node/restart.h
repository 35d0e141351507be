/* Node/RestartPlugin: each instance of a plugin is replaced by a new one while calls go on. The
 * call is answered when all of them have been, or one has not. */
#ifndef LYC_NODE_RESTART_H
#define LYC_NODE_RESTART_H

#include "node/daemon.h"

/* OK: the answer comes later. */
LYC_MUST_USE enum lyc_status restart_call(struct daemon *daemon, const struct call *call,
					  struct span body, struct lyc_error *error);
/* What host->on_upgraded says. */
void restart_heard(struct daemon *daemon, const struct plugin *plugin, bool is_good,
		   const char *text);
void restart_fini(struct daemon *daemon);

#endif

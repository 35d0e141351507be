/*
 * A configuration that was read anew, applied to the daemon while it runs. What cannot be changed
 * is refused before anything is; the files, sockets and keys of it are the world's.
 */
#ifndef LYC_NODE_RELOAD_H
#define LYC_NODE_RELOAD_H

#include "node/daemon.h"

struct Lyceum__V1__Limits;

/* May the one take the other's place? FAILED_PRECONDITION names the setting that takes a restart.
 */
LYC_MUST_USE enum lyc_status reload_check(const struct Lyceum__V1__Config *old,
					  const struct Lyceum__V1__Config *config,
					  struct lyc_error *error);
/* Apply it. `stamps`, one for each of its plugins, say what their files are like (0: not known): a
 * plugin whose files are not as they were when it was started is replaced. Appends what was changed
 * to ret_changes, a line each. */
void reload_apply(struct daemon *daemon, const struct Lyceum__V1__Config *old,
		  const struct Lyceum__V1__Config *config, const char *plugin_folder,
		  const uint64_t *stamps, struct buf *ret_changes);
/* The part that a start has, too. */
void reload_limits(struct daemon *daemon, const struct Lyceum__V1__Limits *limits);

#endif

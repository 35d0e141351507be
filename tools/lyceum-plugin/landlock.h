/*
 * Landlock: a process says which files it will open from now on, and which TCP it will do. The
 * numbers are the kernel's (include/uapi/linux/landlock.h); Debian 12's header is older than they.
 */
#ifndef LYC_LYCEUM_PLUGIN_LANDLOCK_H
#define LYC_LYCEUM_PLUGIN_LANDLOCK_H

#include <stdbool.h>

#include "confine.h"

/* The version that this kernel has; 0: none, or not switched on. */
int landlock_version(void);
/* From this version on TCP can be refused, and signals to others. */
#define LANDLOCK_HAS_TCP 4
#define LANDLOCK_HAS_SCOPES 6

/* Restrict this thread; no_new_privs is set. */
LYC_MUST_USE enum lyc_status landlock_restrict(const struct confinement *confinement, int version,
					       struct lyc_error *error);

#endif

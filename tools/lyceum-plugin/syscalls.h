/*
 * The calls into the kernel that a confined process is refused, by seccomp: what Landlock cannot
 * say (kinds of sockets, new processes, signals where the kernel is old), and what no plugin needs
 * and kernels have had faults in. The rest is allowed: a list of what any library may ever call
 * would be wrong tomorrow.
 */
#ifndef LYC_LYCEUM_PLUGIN_SYSCALLS_H
#define LYC_LYCEUM_PLUGIN_SYSCALLS_H

#include <stdbool.h>

#include <lyceum/status.h>

#include "base/sanitizer.h"

/* The leak check of a sanitizer's build looks at its own process from a clone of it: there a fork
 * and tracing are let through. */
#define SYSCALLS_LOOK_AT_SELF WITH_ADDRESS_SANITIZER

struct syscalls_allowed {
	bool connect;
	bool listen;
	bool run;
};

/* For this thread and what it starts. UNAVAILABLE: the kernel has no seccomp filter, or refuses. */
LYC_MUST_USE enum lyc_status syscalls_restrict(const struct syscalls_allowed *allowed,
					       struct lyc_error *error);

#endif

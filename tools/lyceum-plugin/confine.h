/*
 * Gives up, for good, what this process does not need: files and TCP by Landlock, kinds of sockets,
 * new processes and the kernel's odd corners by seccomp. Neither needs a right, neither can be
 * taken back, and whatever runs here later, threads and started programs included, is held to it.
 */
#ifndef LYC_LYCEUM_PLUGIN_CONFINE_H
#define LYC_LYCEUM_PLUGIN_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include <lyceum/status.h>

#include "base/buf.h"
#include "client/reach.h"

/* What may be reached beyond system libraries and time zones. Strings are borrowed; NULL: none. */
struct confinement {
	const char *plugin_file; /* read, and run as a library */
	const char *data_folder; /* everything below it */
	const char *config_file; /* read */
	const struct reach *reach;
	size_t reach_count;
	/* Fail where the kernel cannot do all of it. */
	bool is_required;
};

/* Before any other thread is started. ret_text, appended: what is reached and what holds it, one
 * line. FAILED_PRECONDITION: required, and the kernel cannot. UNAVAILABLE: the kernel can, and
 * failed. A path that does not exist is left out. */
LYC_MUST_USE enum lyc_status confine(const struct confinement *confinement, struct buf *ret_text,
				     struct lyc_error *error);

#endif

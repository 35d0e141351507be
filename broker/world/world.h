/*
 * The world of one daemon: loop, sockets, keys, files, processes and clocks, joined to the state
 * machine of node/daemon.h through struct env.
 */
#ifndef LYC_WORLD_WORLD_H
#define LYC_WORLD_WORLD_H

#include <lyceum/status.h>

#include "lyceum/v1/config.pb-c.h"

struct world_options {
	const Lyceum__V1__Config *config; /* borrowed until world_run has returned */
	/* The lyceum-plugin executable, and where plugins without a path lie. */
	const char *runner;
	const char *plugin_folder;
};

/* What a start would refuse of the configuration before it touches anything; for config_read. */
LYC_MUST_USE enum lyc_status world_check(const Lyceum__V1__Config *config, struct lyc_error *error);
/* Open everything, serve until SIGTERM or SIGINT, close. The reason of a failure is in error. */
LYC_MUST_USE enum lyc_status world_run(const struct world_options *options,
				       struct lyc_error *error);

#endif

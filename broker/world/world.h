/*
 * The world of one daemon: loop, sockets, keys, files, processes and clocks, joined to the state
 * machine of node/daemon.h through struct env.
 */
#ifndef LYC_WORLD_WORLD_H
#define LYC_WORLD_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include <lyceum/status.h>

#include "lyceum/v1/config.pb-c.h"

struct world_options {
	/* The configuration's file, read anew and checked with world_check_all, on a thread of its
	 * own; freed with lyceum__v1__config__free_unpacked. */
	enum lyc_status (*read_again)(const struct world_options *options,
				      Lyceum__V1__Config **ret_config, struct lyc_error *error);
	const Lyceum__V1__Config *config; /* borrowed until world_run has returned */
	const char *config_path;          /* of its file, which goes into backups */
	/* The lyceum-plugin executable, and where plugins without a path lie. */
	const char *runner;
	const char *plugin_folder;
	/* A restored node does not wait for its hub any longer. */
	bool is_alone;
};

/* What a start would refuse of the configuration before it touches anything; for config_read. `arg`
 * is not used. */
LYC_MUST_USE enum lyc_status world_check(const Lyceum__V1__Config *config, const void *arg,
					 struct lyc_error *error);
/* The same, and what its plugins would refuse: loads them in processes of their own. `arg` is a
 * struct world_options, of which runner and plugin_folder count. */
LYC_MUST_USE enum lyc_status world_check_all(const Lyceum__V1__Config *config, const void *arg,
					     struct lyc_error *error);
/* Level and format of the log, as configured. */
void world_configure_log(const Lyceum__V1__Config *config);
/* Open everything, serve until SIGTERM or SIGINT, close. The reason of a failure is in error. */
LYC_MUST_USE enum lyc_status world_run(const struct world_options *options,
				       struct lyc_error *error);

/* Make the configuration's data folder from a backup, without running. Says what was restored, for
 * people, in ret_text. `is_alone`: it does not wait for its hub to give back what that one has. */
LYC_MUST_USE enum lyc_status world_restore(const Lyceum__V1__Config *config, const char *folder,
					   bool is_alone, char *ret_text, size_t size,
					   struct lyc_error *error);
/* Read a whole backup; what it holds, for people. */
LYC_MUST_USE enum lyc_status world_check_backup(const char *folder, char *ret_text, size_t size,
						struct lyc_error *error);

#endif

/* Looks at the plugins of a configuration as their start would: the file, its descriptor, and their
 * own configuration against its type. Each is loaded by lyceum-plugin in a process that reaches
 * nothing. Blocks for as long as that takes. */
#ifndef LYC_WORLD_PLUGIN_CHECK_H
#define LYC_WORLD_PLUGIN_CHECK_H

#include "world/world.h"

/* The first that would not start: error->field is its place in the configuration, or empty where
 * the sentence names a file and line of the plugin's own. */
LYC_MUST_USE enum lyc_status plugin_check_all(const Lyceum__V1__Config *config,
					      const struct world_options *options,
					      struct lyc_error *error);
/* What a plugin's files are like: another number when one of them has changed; 0: not there. */
uint64_t plugin_check_stamp(const char *path, const char *config_file);

#endif

/* Paths that a plugin's configuration holds: for "read config FIELD". */
#ifndef LYC_LYCEUM_PLUGIN_CONFIG_PATH_H
#define LYC_LYCEUM_PLUGIN_CONFIG_PATH_H

#include <lyceum/status.h>

#include "lyceum/v1/node.pb-c.h"

/* The text of a field like "relay.ca_file" in that file; NULL when it is empty or not there.
 * ret_path is the caller's. NOT_FOUND: its configuration has no such field. */
LYC_MUST_USE enum lyc_status config_path(const Lyceum__V1__PluginDescription *description,
					 const char *config_file, const char *field,
					 char **ret_path, struct lyc_error *error);

#endif

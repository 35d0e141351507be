/* A plugin's own configuration: a YAML file with one message of its config type. */
#ifndef LYC_CLIENT_PLUGIN_CONFIG_H
#define LYC_CLIENT_PLUGIN_CONFIG_H

#include <lyceum/status.h>

#include "base/buf.h"
#include "schema/schema.h"

/* Read and check it; path NULL: every value is its default. Appends the message's wire bytes. The
 * sentence names the file and, where there is one, the line or field. */
LYC_MUST_USE enum lyc_status plugin_config_read(const struct schema_message *type, const char *path,
						struct buf *to, struct lyc_error *error);

#endif

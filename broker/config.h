/* The daemon's configuration: YAML read as a typed message, with paths made absolute. */
#ifndef LYC_BROKER_CONFIG_H
#define LYC_BROKER_CONFIG_H

#include <lyceum/status.h>

#include "lyceum/v1/config.pb-c.h"

/* A check of what only others know of a configuration; the error's field finds the line. A sentence
 * that begins with another file's path stays as it is. */
typedef enum lyc_status (*config_check_fn)(const Lyceum__V1__Config *config, const void *arg,
					   struct lyc_error *error);

/* Read and check, with `also` (may be NULL) at the end. INVALID_ARGUMENT says which line and field.
 * ret_config is the caller's: config_free. */
LYC_MUST_USE enum lyc_status config_read(const char *path, config_check_fn also, const void *arg,
					 Lyceum__V1__Config **ret_config, struct lyc_error *error);
void config_free(Lyceum__V1__Config *config);
/* The manual: the schema of lyceum.v1.Config with its comments. The caller frees. */
LYC_MUST_USE enum lyc_status config_manual(char **ret_text);

#endif

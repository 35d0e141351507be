/* What the plugins of the last start followed, held against a configuration before it is used. */
#ifndef LYC_WORLD_SAVED_VIEWS_H
#define LYC_WORLD_SAVED_VIEWS_H

#include "lyceum/v1/config.pb-c.h"
#include "stream/retention_rule.h"

/* FAILED_PRECONDITION when a stream would lose state of a plugin's view. Reads the data folder,
 * whether a daemon has it open or not. */
LYC_MUST_USE enum lyc_status saved_views_check(const Lyceum__V1__Config *config,
					       const struct retention_rules *rules,
					       struct lyc_error *error);

#endif

/* A message from pairs of field and text, as a query or a form has them. */
#ifndef LYC_SCHEMA_PAIRS_H
#define LYC_SCHEMA_PAIRS_H

#include <lyceum/msg.h>

#include "schema/schema.h"

/* As lyc_pairs_to_json. */
LYC_MUST_USE enum lyc_status pairs_write_json(const struct schema_message *message,
					      const struct lyc_pair *pairs, size_t pair_count,
					      char **ret_json, struct lyc_error *error);

#endif

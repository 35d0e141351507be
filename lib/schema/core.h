/* The schema of lyceum.v1 itself, which every daemon and tool carries. */
#ifndef LYC_SCHEMA_CORE_H
#define LYC_SCHEMA_CORE_H

#include "schema/schema.h"

/* Compiled at the first call in the process, on any thread. ret_schema has one reference:
 * schema_unref. RESOURCE_EXHAUSTED when there is no memory; a later call tries again. */
LYC_MUST_USE enum lyc_status core_schema_get(struct schema **ret_schema);

#endif

/* Loads the tests' schema. */
#ifndef LYC_TESTS_ROSTER_H
#define LYC_TESTS_ROSTER_H

#include "schema/schema.h"

/* Fails the test when it does not compile. The caller: schema_unref. */
struct schema *roster_load(void);
const struct schema_field *roster_field(const struct schema *schema, const char *name);

#endif

/* The name that somebody probably meant. */
#ifndef LYC_SCHEMA_NEAR_NAME_H
#define LYC_SCHEMA_NEAR_NAME_H

#include <stddef.h>

#include "schema/schema.h"

/* The name of the field, or value, whose spelling is at most two edits away (one for names of up to
 * four letters); NULL when there is none. Valid as long as the schema. */
const char *near_field_name(const struct schema_message *message, const char *name, size_t len);
const char *near_value_name(const struct schema_enum *enumeration, const char *name, size_t len);

#endif

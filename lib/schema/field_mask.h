/* The paths of a google.protobuf.FieldMask as JSON spells them: "expert.orcidId,name". */
#ifndef LYC_SCHEMA_FIELD_MASK_H
#define LYC_SCHEMA_FIELD_MASK_H

#include <stdbool.h>

#include "base/buf.h"

/* Append one path in lowerCamelCase. False when it would not read back the same. */
bool field_mask_write_path(struct buf *to, struct span path);
/* Append one lowerCamelCase path with underscores. False when it has an underscore itself. */
bool field_mask_read_path(struct buf *to, struct span path);

#endif

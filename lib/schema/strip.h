/* What a schema carries need not hold the comments of Google's own files: 45 KB in each. */
#ifndef LYC_SCHEMA_STRIP_H
#define LYC_SCHEMA_STRIP_H

#include <lyceum/status.h>

#include "base/buf.h"

/* Append the FileDescriptorSet without the source info of the files under google/protobuf/; nothing
 * else changes. INVALID_ARGUMENT when the bytes are no FileDescriptorSet. */
LYC_MUST_USE enum lyc_status strip_google_comments(struct span set, struct buf *to,
						   struct lyc_error *error);

#endif

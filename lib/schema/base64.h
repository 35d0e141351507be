/* Base64, as JSON carries bytes. Source: RFC 4648, sections 4 and 5. */
#ifndef LYC_SCHEMA_BASE64_H
#define LYC_SCHEMA_BASE64_H

#include <stdbool.h>

#include "base/buf.h"

/* Append the standard alphabet, padded. */
void base64_write(struct buf *to, struct span bytes);
/* Append the bytes of a text in the standard or the URL-safe alphabet, padded or not. False when
 * it is no base64; `to` may then hold a part. */
bool base64_read(struct buf *to, struct span text);

#endif

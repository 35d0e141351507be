/*
 * Points in time and spans of time as text, as JSON carries google.protobuf.Timestamp ("2026-05-01T
 * 09:30:00Z", RFC 3339) and Duration ("1.5s"). Pure arithmetic: no clock, no time zone of the
 * machine.
 */
#ifndef LYC_SCHEMA_TIMESTAMP_H
#define LYC_SCHEMA_TIMESTAMP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define TIMESTAMP_MIN_SECONDS (-62135596800LL) /* 0001-01-01T00:00:00Z */
#define TIMESTAMP_MAX_SECONDS 253402300799LL   /* 9999-12-31T23:59:59Z */
#define DURATION_MAX_SECONDS 315576000000LL    /* 10,000 years */

/* Append without quotes, with 0, 3, 6 or 9 digits of fraction. False, with nothing appended, when
 * out of range. */
bool timestamp_write(struct buf *to, int64_t seconds, int32_t nanos);
bool duration_write(struct buf *to, int64_t seconds, int32_t nanos);
/* False when the text is no such time or out of range. A timestamp may have an offset; up to 9
 * digits of fraction. */
bool timestamp_read(struct span text, int64_t *ret_seconds, int32_t *ret_nanos);
bool duration_read(struct span text, int64_t *ret_seconds, int32_t *ret_nanos);

#endif

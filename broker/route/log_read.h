/*
 * The records that a read of the log brings (struct log_read in route/env.h): one run of bytes,
 * which the world fills and whoever has asked goes through. Lost ones are among them, as entries
 * that only say so (record_lost).
 */
#ifndef LYC_ROUTE_LOG_READ_H
#define LYC_ROUTE_LOG_READ_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

struct log_read;

/* Append one. */
void log_read_add(struct buf *records, uint64_t seq, struct span record);

/* From the first one on: a span that log_read_next moves. */
static inline struct span log_read_begin(const struct buf *records)
{
	return span_of(records->data, records->len);
}

/* The next one, borrowed from the run; false at the end. */
bool log_read_next(struct span *at, uint64_t *ret_seq, struct span *ret_record);

/* Leave out what comes behind last_seq. The files may be further than what the core has been told
 * of: it does not know yet what those records mean, or the schemas among them. */
void log_read_clip(struct log_read *read, uint64_t last_seq);

#endif

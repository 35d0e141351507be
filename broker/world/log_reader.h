/*
 * The thread that reads the log for followers and links, writes small values, puts healed records
 * back and, while there is nothing else to do, looks for damage. What is done comes back on the
 * loop, which is woken by the handle that all of the log's threads share.
 */
#ifndef LYC_WORLD_LOG_READER_H
#define LYC_WORLD_LOG_READER_H

#include <uv.h>

#include "route/env.h"
#include "store/store.h"

struct log_reader;

LYC_MUST_USE enum lyc_status log_reader_start(struct store *store, uv_async_t *async,
					      struct log_reader **ret_reader,
					      struct lyc_error *error);
void log_reader_read(struct log_reader *reader, struct log_read *read);
/* Copies the value; an empty one removes what was saved. */
void log_reader_save(struct log_reader *reader, const char *key, struct span value);
/* Is a value of this key on its way to the disk, and which? */
bool log_reader_saved(struct log_reader *reader, const char *key, struct buf *ret_value);
/* Check about so many bytes of the log in a second; on_damage is called on the loop. */
void log_reader_scrub(struct log_reader *reader, size_t bytes_per_second,
		      void (*on_damage)(void *arg), void *arg);
/* Borrows the record until it is answered. */
void log_reader_heal(struct log_reader *reader, struct log_heal *heal);
/* Answer what is done. */
void log_reader_deliver(struct log_reader *reader);
/* Write the values that are left and join; reads that are left end with UNAVAILABLE. The answers
 * are still to be delivered. */
void log_reader_stop(struct log_reader *reader);
/* Accepts NULL. */
void log_reader_free(struct log_reader *reader);

#endif

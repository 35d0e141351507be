/*
 * The thread that appends: it takes whatever waits as one group and syncs once. What is done comes
 * back on the loop, in order, which is woken by the handle that all of the log's threads share.
 */
#ifndef LYC_WORLD_LOG_WRITER_H
#define LYC_WORLD_LOG_WRITER_H

#include <uv.h>

#include "route/env.h"
#include "store/store.h"

struct log_writer;

LYC_MUST_USE enum lyc_status log_writer_start(struct store *store, uv_async_t *async,
					      struct log_writer **ret_writer,
					      struct lyc_error *error);
/* Appends are collected, and handed over together: by a flush, or when they are worth a group and
 * the thread waits for one. */
void log_writer_append(struct log_writer *writer, struct append *append);
void log_writer_flush(struct log_writer *writer);
/* Answer what is done; say, once, that the machine refuses records, or takes them again. */
void log_writer_deliver(struct log_writer *writer);
/* Write what is queued and join; the answers are still to be delivered. */
void log_writer_stop(struct log_writer *writer);
/* Accepts NULL. */
void log_writer_free(struct log_writer *writer);

#endif

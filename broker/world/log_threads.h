/*
 * The log's files and their two threads: the writer takes whatever appends are waiting as one group
 * and syncs once; the reader serves followers, links and small values, so that a node which catches
 * up a week never delays a commit. Answers come back on the loop, appends in order.
 */
#ifndef LYC_WORLD_LOG_THREADS_H
#define LYC_WORLD_LOG_THREADS_H

#include <uv.h>

#include "route/env.h"
#include "store/store.h"

struct log_threads;

LYC_MUST_USE enum lyc_status log_threads_start(uv_loop_t *loop, struct store *store,
					       struct log_threads **ret_threads,
					       struct lyc_error *error);
/* Hand over the appends that were collected, and answer those that are done. Call it once per turn
 * of the loop at least: a few that find the writer with nothing to do go without it. */
void log_threads_flush(struct log_threads *threads);
void log_threads_append(struct log_threads *threads, struct append *append);
void log_threads_read(struct log_threads *threads, struct log_read *read);
/* Copies the value; an empty one removes what was saved. */
void log_threads_save(struct log_threads *threads, const char *key, struct span value);
/* Is a value of this key on its way to the disk, and which? */
bool log_threads_saved(struct log_threads *threads, const char *key, struct buf *ret_value);
/* Have about so many bytes of the log checked in a second, while there is nothing else to read; and
 * be told, on the loop, when damage was found and what is left was put into its place. */
void log_threads_scrub(struct log_threads *threads, size_t bytes_per_second,
		       void (*on_damage)(void *arg), void *arg);
/* Put a record that was lost back, which is borrowed until it is answered. */
void log_threads_heal(struct log_threads *threads, struct log_heal *heal);
/* Finish the appends and values that are queued, join, free. Answers that are left are delivered
 * before it returns; reads that are left are answered with UNAVAILABLE. */
void log_threads_stop(struct log_threads *threads);

#endif

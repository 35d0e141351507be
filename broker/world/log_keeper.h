/*
 * The thread that takes records out of the log's files: one removal after the other, so that
 * neither an append nor a reader waits for a segment to be copied. Answers come back on the loop.
 */
#ifndef LYC_WORLD_LOG_KEEPER_H
#define LYC_WORLD_LOG_KEEPER_H

#include <uv.h>

#include "route/env.h"
#include "store/store.h"

struct log_keeper;

LYC_MUST_USE enum lyc_status log_keeper_start(uv_loop_t *loop, struct store *store,
					      struct log_keeper **ret_keeper,
					      struct lyc_error *error);
/* Borrows the removal until it is answered. */
void log_keeper_remove(struct log_keeper *keeper, struct log_removal *removal);
/* Finish the removal that is under way, answer it, join, free. Accepts NULL. */
void log_keeper_stop(struct log_keeper *keeper);

#endif

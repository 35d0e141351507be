/* One removal at a time; what the thread and the loop share is behind one mutex. */
#include "world/log_keeper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"

struct log_keeper {
	struct store *store;
	uv_async_t async;
	bool is_closed;

	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t due;
	struct log_removal *asked;
	struct log_removal *done;
	bool is_stopping;
};

static void serve(struct log_keeper *keeper, struct log_removal *removal)
{
	struct lyc_error error = {0};
	removal->status = LYC_OK;
	if (removal->key)
		removal->status =
			store_put_vital_meta(keeper->store, removal->key, removal->value, &error);
	if (removal->status == LYC_OK)
		removal->status =
			store_remove(keeper->store, removal->seqs, removal->seq_count, &error);
	if (removal->status == LYC_OK && removal->forgets_damaged)
		removal->status = store_forget_damaged(keeper->store, &error);
	if (removal->status != LYC_OK)
		snprintf(removal->text, sizeof(removal->text), "%.*s",
			 (int)sizeof(removal->text) - 1, error.text);
}

static void *keep(void *arg)
{
	struct log_keeper *keeper = arg;
	pthread_mutex_lock(&keeper->lock);
	for (;;) {
		while (!keeper->asked && !keeper->is_stopping)
			pthread_cond_wait(&keeper->due, &keeper->lock);
		struct log_removal *removal = keeper->asked;
		if (!removal)
			break;
		pthread_mutex_unlock(&keeper->lock);
		serve(keeper, removal);
		pthread_mutex_lock(&keeper->lock);
		keeper->asked = NULL;
		keeper->done = removal;
		uv_async_send(&keeper->async);
	}
	pthread_mutex_unlock(&keeper->lock);
	return NULL;
}

static void deliver(struct log_keeper *keeper)
{
	pthread_mutex_lock(&keeper->lock);
	struct log_removal *done = keeper->done;
	keeper->done = NULL;
	pthread_mutex_unlock(&keeper->lock);
	if (done)
		done->on_done(done);
}

static void on_async(uv_async_t *async)
{
	deliver(async->data);
}

enum lyc_status log_keeper_start(uv_loop_t *loop, struct store *store,
				 struct log_keeper **ret_keeper, struct lyc_error *error)
{
	struct log_keeper *keeper = mem_new(struct log_keeper);
	keeper->store = store;
	pthread_mutex_init(&keeper->lock, NULL);
	pthread_cond_init(&keeper->due, NULL);
	ensure(uv_async_init(loop, &keeper->async, on_async) == 0);
	keeper->async.data = keeper;
	if (pthread_create(&keeper->thread, NULL, keep, keeper) != 0)
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "the thread that removes records cannot be started");
	*ret_keeper = keeper;
	return LYC_OK;
}

void log_keeper_remove(struct log_keeper *keeper, struct log_removal *removal)
{
	pthread_mutex_lock(&keeper->lock);
	ensure(!keeper->asked && !keeper->done);
	keeper->asked = removal;
	pthread_cond_signal(&keeper->due);
	pthread_mutex_unlock(&keeper->lock);
}

static void on_closed(uv_handle_t *handle)
{
	struct log_keeper *keeper = handle->data;
	keeper->is_closed = true;
}

void log_keeper_stop(struct log_keeper *keeper)
{
	if (!keeper)
		return;
	pthread_mutex_lock(&keeper->lock);
	keeper->is_stopping = true;
	pthread_cond_signal(&keeper->due);
	pthread_mutex_unlock(&keeper->lock);
	pthread_join(keeper->thread, NULL);
	deliver(keeper);
	uv_close((uv_handle_t *)&keeper->async, on_closed);
	while (!keeper->is_closed)
		uv_run(keeper->async.loop, UV_RUN_ONCE);
	pthread_mutex_destroy(&keeper->lock);
	pthread_cond_destroy(&keeper->due);
	free(keeper);
}

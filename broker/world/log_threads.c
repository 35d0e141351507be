/* A writer, a reader, and the handle with which either wakes the loop. */
#include "world/log_threads.h"

#include <stdlib.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "world/log_reader.h"
#include "world/log_writer.h"

struct log_threads {
	uv_async_t async;
	bool is_closed;
	struct log_writer *writer;
	struct log_reader *reader;
};

static void deliver(struct log_threads *threads)
{
	log_writer_deliver(threads->writer);
	log_reader_deliver(threads->reader);
}

static void on_async(uv_async_t *async)
{
	deliver(async->data);
}

static void on_closed(uv_handle_t *handle)
{
	struct log_threads *threads = handle->data;
	threads->is_closed = true;
}

static void threads_free(struct log_threads *threads)
{
	uv_close((uv_handle_t *)&threads->async, on_closed);
	while (!threads->is_closed)
		uv_run(threads->async.loop, UV_RUN_ONCE);
	log_writer_free(threads->writer);
	log_reader_free(threads->reader);
	free(threads);
}

enum lyc_status log_threads_start(uv_loop_t *loop, struct store *store,
				  struct log_threads **ret_threads, struct lyc_error *error)
{
	struct log_threads *threads = mem_new(struct log_threads);
	ensure(uv_async_init(loop, &threads->async, on_async) == 0);
	threads->async.data = threads;
	enum lyc_status status = log_writer_start(store, &threads->async, &threads->writer, error);
	if (status == LYC_OK) {
		status = log_reader_start(store, &threads->async, &threads->reader, error);
		if (status != LYC_OK)
			log_writer_stop(threads->writer);
	}
	if (status != LYC_OK) {
		threads_free(threads);
		return status;
	}
	*ret_threads = threads;
	return LYC_OK;
}

void log_threads_append(struct log_threads *threads, struct append *append)
{
	log_writer_append(threads->writer, append);
}

void log_threads_flush(struct log_threads *threads)
{
	log_writer_flush(threads->writer);
	log_writer_deliver(threads->writer);
}

void log_threads_scrub(struct log_threads *threads, size_t bytes_per_second,
		       void (*on_damage)(void *arg), void *arg)
{
	log_reader_scrub(threads->reader, bytes_per_second, on_damage, arg);
}

void log_threads_heal(struct log_threads *threads, struct log_heal *heal)
{
	log_reader_heal(threads->reader, heal);
}

void log_threads_read(struct log_threads *threads, struct log_read *read)
{
	log_reader_read(threads->reader, read);
}

void log_threads_save(struct log_threads *threads, const char *key, struct span value)
{
	log_reader_save(threads->reader, key, value);
}

bool log_threads_saved(struct log_threads *threads, const char *key, struct buf *ret_value)
{
	return log_reader_saved(threads->reader, key, ret_value);
}

void log_threads_stop(struct log_threads *threads)
{
	if (!threads)
		return;
	log_writer_stop(threads->writer);
	log_reader_stop(threads->reader);
	deliver(threads);
	threads_free(threads);
}

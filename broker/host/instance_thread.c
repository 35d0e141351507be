/*
 * An instance as a thread of the daemon. Lines and the end come through a bounded queue and one
 * uv_async. A thread that does not stop is left behind with what the two sides share, which is
 * freed by whoever lets go of it last.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/error.h"
#include "base/list.h"
#include "base/mem.h"
#include "client/runner.h"
#include "host/instance_kind.h"

#define MAX_LINES 1024

struct line {
	struct list of_shared;
	int level;
	char text[];
};

/* Under its mutex, but for what never changes. */
struct shared {
	pthread_mutex_t mutex;
	int owner_count;
	/* NULL: the loop has given up. */
	uv_async_t *async;
	struct list lines;
	size_t line_count;
	size_t dropped_count;
	bool has_ended;
	enum lyc_status status;
	struct lyc_error error;

	int stop_fd;
	struct runner_options options;
	char *strings[4];
};

struct thread_instance {
	struct instance base;
	uv_async_t async;
	pthread_t thread;
	struct shared *shared;
};

static struct thread_instance *thread_of(struct instance *instance)
{
	return (struct thread_instance *)(void *)instance;
}

/* ---- Shared ---- */

static void free_lines(struct list *lines)
{
	list_each_safe (node, lines)
		free(list_entry(node, struct line, of_shared));
	list_init(lines);
}

static void let_go(struct shared *shared)
{
	pthread_mutex_lock(&shared->mutex);
	bool is_last = --shared->owner_count == 0;
	pthread_mutex_unlock(&shared->mutex);
	if (!is_last)
		return;
	free_lines(&shared->lines);
	for (size_t i = 0; i < sizeof(shared->strings) / sizeof(shared->strings[0]); i++)
		free(shared->strings[i]);
	if (shared->stop_fd >= 0)
		close(shared->stop_fd);
	pthread_mutex_destroy(&shared->mutex);
	free(shared);
}

static void wake_loop(struct shared *shared)
{
	if (shared->async)
		uv_async_send(shared->async);
}

/* ---- On the thread ---- */

static void queue_line(int level, const char *text, void *arg)
{
	struct shared *shared = arg;
	size_t len = strlen(text);
	struct line *line = mem_try(sizeof(*line) + len + 1);
	if (line) {
		line->level = level;
		memcpy(line->text, text, len + 1);
	}
	pthread_mutex_lock(&shared->mutex);
	if (line && shared->line_count < MAX_LINES) {
		list_add_last(&shared->lines, &line->of_shared);
		shared->line_count++;
		line = NULL;
	} else {
		shared->dropped_count++;
	}
	wake_loop(shared);
	pthread_mutex_unlock(&shared->mutex);
	free(line);
}

static void *run(void *arg)
{
	struct shared *shared = arg;
	struct lyc_error error = {0};
	enum lyc_status status = runner_run(&shared->options, &error);
	pthread_mutex_lock(&shared->mutex);
	shared->has_ended = true;
	shared->status = status;
	shared->error = error;
	wake_loop(shared);
	pthread_mutex_unlock(&shared->mutex);
	let_go(shared);
	return NULL;
}

/* ---- On the loop ---- */

static void close_all(struct thread_instance *thread)
{
	struct shared *shared = thread->shared;
	pthread_mutex_lock(&shared->mutex);
	shared->async = NULL;
	pthread_mutex_unlock(&shared->mutex);
	instance_close((uv_handle_t *)&thread->async);
	instance_close_base(&thread->base);
}

static void pass_lines(struct thread_instance *thread)
{
	struct shared *shared = thread->shared;
	struct list lines;
	list_init(&lines);
	pthread_mutex_lock(&shared->mutex);
	size_t dropped_count = shared->dropped_count;
	list_each_safe (node, &shared->lines) {
		list_remove(node);
		list_add_last(&lines, node);
	}
	shared->line_count = 0;
	shared->dropped_count = 0;
	pthread_mutex_unlock(&shared->mutex);
	list_each (node, &lines) {
		struct line *line = list_entry(node, struct line, of_shared);
		instance_say(&thread->base, line->level, line->text);
	}
	free_lines(&lines);
	if (dropped_count > 0) {
		char text[64];
		snprintf(text, sizeof(text), "%zu lines were dropped", dropped_count);
		instance_say(&thread->base, 2, text);
	}
}

static bool is_refusal(enum lyc_status status)
{
	return status != LYC_OK && status != LYC_UNAVAILABLE && status != LYC_RESOURCE_EXHAUSTED &&
	       status != LYC_DEADLINE_EXCEEDED && status != LYC_ABORTED;
}

static void has_news(uv_async_t *async)
{
	struct instance *base = async->data;
	struct thread_instance *thread = thread_of(base);
	struct shared *shared = thread->shared;
	pass_lines(thread);
	pthread_mutex_lock(&shared->mutex);
	bool has_ended = shared->has_ended;
	pthread_mutex_unlock(&shared->mutex);
	if (!has_ended || uv_is_closing((uv_handle_t *)&thread->async))
		return;
	/* It has let go, or is about to: this does not wait. */
	pthread_join(thread->thread, NULL);
	/* What it said between the two looks. */
	pass_lines(thread);
	base->is_refused = is_refusal(shared->status);
	if (shared->status == LYC_OK)
		instance_end(base, true, "it has stopped");
	else
		instance_end(base, false, "%s", shared->error.text);
	close_all(thread);
}

static void ask(struct instance *instance)
{
	uint64_t one = 1;
	/* An eventfd that was never read takes one more. */
	if (write(thread_of(instance)->shared->stop_fd, &one, sizeof(one)) < 0)
		return;
}

static void give_up(struct instance *instance)
{
	struct thread_instance *thread = thread_of(instance);
	struct shared *shared = thread->shared;
	pthread_mutex_lock(&shared->mutex);
	bool has_ended = shared->has_ended;
	pthread_mutex_unlock(&shared->mutex);
	if (has_ended)
		return;
	pthread_detach(thread->thread);
	instance->is_given_up = true;
	instance_end(instance, false, "it hangs: its thread did not stop within %u ms",
		     instance->grace_ms);
	close_all(thread);
}

static void thread_free(struct instance *instance)
{
	struct thread_instance *thread = thread_of(instance);
	let_go(thread->shared);
	free(thread);
}

static struct shared *shared_new(const struct instance_options *options, uv_async_t *async)
{
	struct shared *shared = mem_new(struct shared);
	pthread_mutex_init(&shared->mutex, NULL);
	shared->owner_count = 2;
	shared->async = async;
	list_init(&shared->lines);
	shared->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	shared->strings[0] = mem_dup(options->path);
	shared->strings[1] = mem_dup(options->name);
	shared->strings[2] = mem_dup(options->data_folder);
	shared->strings[3] = mem_dup(options->config_file);
	shared->options = (struct runner_options){
		.path = shared->strings[0],
		.name = shared->strings[1],
		.channel_fd = options->channel_fd,
		.data_folder = shared->strings[2],
		.config_file = shared->strings[3],
		.on_log = queue_line,
		.log_arg = shared,
		.stop_fd = shared->stop_fd,
	};
	return shared;
}

static const struct instance_kind kind = {.ask = ask, .give_up = give_up, .free = thread_free};

enum lyc_status instance_start_thread(uv_loop_t *loop, const struct instance_options *options,
				      struct instance **ret_instance, struct lyc_error *error)
{
	struct thread_instance *thread = mem_new(struct thread_instance);
	struct instance *base = &thread->base;
	instance_init(base, loop, &kind, options->arg);
	thread->shared = shared_new(options, &thread->async);
	uv_async_init(loop, &thread->async, has_news);
	instance_handle(base, (uv_handle_t *)&thread->async);
	if (thread->shared->stop_fd < 0 ||
	    pthread_create(&thread->thread, NULL, run, thread->shared) != 0) {
		thread->shared->owner_count = 1;
		close(options->channel_fd);
		close_all(thread);
		return error_set(error, LYC_RESOURCE_EXHAUSTED,
				 "There is no thread for the plugin \"%s\".", options->name);
	}
	base->on_line = options->on_line;
	base->on_exit = options->on_exit;
	*ret_instance = base;
	return LYC_OK;
}

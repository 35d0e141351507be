/* Backups are made on a thread of libuv's pool: the log's own threads go on meanwhile. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "store/backup.h"
#include "world/parts.h"

struct backup_work {
	uv_work_t base;
	struct world *world;
	struct backup_job *job;
	atomic_bool is_stopping;
	struct backup_summary summary;
};

static void make(uv_work_t *base)
{
	struct backup_work *work = base->data;
	const struct world_options *world = work->world->options;
	struct backup_job *job = work->job;
	struct lyc_error error = {0};
	char own_key[460];
	char operator_key[460];
	struct backup_extra extras[3];
	size_t count = 0;
	snprintf(own_key, sizeof(own_key), "%s/daemon.key", work->world->data);
	snprintf(operator_key, sizeof(operator_key), "%s/operator.key", work->world->data);
	if (world->config_path)
		extras[count++] =
			(struct backup_extra){.path = world->config_path, .name = "config.yaml"};
	if (job->with_keys) {
		const char *configured = world->config->key_file;
		extras[count++] =
			(struct backup_extra){.path = configured[0] ? configured : own_key,
					      .name = "daemon.key",
					      .is_key = true};
		extras[count++] = (struct backup_extra){
			.path = operator_key, .name = "operator.key", .is_key = true};
	}
	const struct backup_options options = {
		.folder = job->folder,
		.earlier = job->earlier,
		.daemon = world->config->name,
		.time_ms = job->time_ms,
		.extras = extras,
		.extra_count = count,
		.is_stopping = &work->is_stopping,
	};
	job->status = backup_make(work->world->store, &options, &work->summary, &error);
	snprintf(job->text, sizeof(job->text), "%.*s", (int)sizeof(job->text) - 1, error.text);
}

static void after(uv_work_t *base, int status)
{
	struct backup_work *work = base->data;
	struct backup_job *job = work->job;
	(void)status;
	job->record_count = work->summary.record_count;
	job->bytes = work->summary.bytes;
	job->shared_bytes = work->summary.linked_bytes;
	job->last_seq = work->summary.last_seq;
	job->epoch = work->summary.epoch;
	work->world->backup = NULL;
	job->on_done(job);
	free(work);
}

void backup_thread_start(void *arg, struct backup_job *job)
{
	struct world *world = arg;
	ensure(!world->backup);
	struct backup_work *work = mem_new(struct backup_work);
	work->base.data = work;
	work->world = world;
	work->job = job;
	world->backup = work;
	ensure(uv_queue_work(&world->loop, &work->base, make, after) == 0);
}

void backup_thread_stop(struct world *world)
{
	if (world->backup)
		world->backup->is_stopping = true;
	while (world->backup)
		uv_run(&world->loop, UV_RUN_ONCE);
}

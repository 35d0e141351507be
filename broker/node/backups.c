/* Backups as the operator sees them. The files are the world's business. */
#include "node/backups.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/error.h"
#include "base/mem.h"
#include "base/pb.h"
#include "log.h"
#include "lyceum/v1/node.pb-c.h"
#include "node/daemon.h"
#include "store/backup.h"

#define LOG_TOPIC "backups"
#define LAST_KEY "backed-up"

struct job {
	struct backup_job base;
	struct daemon *daemon;
	uint64_t call_id;
};

static void job_free(struct job *job)
{
	free(job->base.folder);
	free(job->base.earlier);
	free(job);
}

static void reply_to(struct daemon *daemon, const struct job *job)
{
	Lyceum__V1__BackupReply reply = LYCEUM__V1__BACKUP_REPLY__INIT;
	struct lyc_error error = {0};
	struct buf body = {0};
	if (job->base.status != LYC_OK)
		error_set(&error, job->base.status, "%s", job->base.text);
	reply.folder = job->base.folder;
	reply.record_count = job->base.record_count;
	reply.bytes = job->base.bytes;
	reply.shared_bytes = job->base.shared_bytes;
	reply.last_seq = job->base.last_seq;
	reply.epoch = job->base.epoch;
	reply.time_ms = job->base.time_ms;
	reply.has_keys = job->base.with_keys;
	size_t len = lyceum__v1__backup_reply__get_packed_size(&reply);
	if (buf_reserve(&body, len))
		body.len = lyceum__v1__backup_reply__pack(&reply, body.data);
	router_builtin_done(&daemon->router, job->call_id, span_of(body.data, body.len), &error);
	buf_fini(&body);
}

static void job_done(struct backup_job *base)
{
	struct job *job = (struct job *)base;
	struct daemon *daemon = job->daemon;
	struct backups *backups = &daemon->backups;
	backups->is_running = false;
	if (base->status == LYC_OK) {
		struct buf saved = {0};
		backups->last_ms = base->time_ms;
		snprintf(backups->folder, sizeof(backups->folder), "%s", base->folder);
		pb_write_uint(&saved, 1, backups->last_ms);
		pb_write_text(&saved, 2, backups->folder);
		daemon->env.save(daemon->env.world, LAST_KEY, span_of(saved.data, saved.len));
		buf_fini(&saved);
		log_notice("backup made", "folder", base->folder, "records",
			   log_number(base->record_count));
	} else {
		log_warning("a backup was not made", "folder", base->folder, "reason", base->text);
	}
	reply_to(daemon, job);
	job_free(job);
}

static enum lyc_status check(const struct daemon *daemon, const struct call *call,
			     const Lyceum__V1__BackupRequest *request, struct lyc_error *error)
{
	if (call->caller->grants->role != ROLE_OPERATOR)
		return error_set(error, LYC_PERMISSION_DENIED,
				 "only the operator of '%s' makes a backup of it", daemon->name);
	if (!daemon->env.backup)
		return error_set(error, LYC_UNIMPLEMENTED, "'%s' has no files", daemon->name);
	if (daemon->backups.is_running)
		return error_set(error, LYC_FAILED_PRECONDITION,
				 "a backup is under way: ask again when it is done");
	if (request->folder[0] != '/' || (request->earlier[0] && request->earlier[0] != '/')) {
		error_set(error, LYC_INVALID_ARGUMENT,
			  "'%.100s' is not an absolute path: the daemon writes the backup, from "
			  "where it runs",
			  request->folder[0] != '/' ? request->folder : request->earlier);
		snprintf(error->field, sizeof(error->field), "%s",
			 request->folder[0] != '/' ? "folder" : "earlier");
		return LYC_INVALID_ARGUMENT;
	}
	return LYC_OK;
}

enum lyc_status backups_call(struct daemon *daemon, const struct call *call, struct span body,
			     struct lyc_error *error)
{
	const struct env *env = &daemon->env;
	Lyceum__V1__BackupRequest *request =
		lyceum__v1__backup_request__unpack(NULL, body.len, body.data);
	if (!request)
		return error_set(error, LYC_RESOURCE_EXHAUSTED, "out of memory");
	enum lyc_status status = check(daemon, call, request, error);
	if (status == LYC_OK) {
		struct job *job = mem_new(struct job);
		job->daemon = daemon;
		job->call_id = call_id(call);
		job->base.folder = mem_dup(request->folder);
		job->base.earlier = request->earlier[0] ? mem_dup(request->earlier) : NULL;
		job->base.with_keys = request->with_keys;
		job->base.time_ms = env->wall_ms(env->world);
		job->base.on_done = job_done;
		daemon->backups.is_running = true;
		router_builtin_later(&daemon->router);
		env->backup(env->world, &job->base);
	}
	lyceum__v1__backup_request__free_unpacked(request, NULL);
	return status;
}

static void load(const struct daemon *daemon, const char *key, uint64_t *const numbers[],
		 size_t count, char *text, size_t size)
{
	struct buf saved = {0};
	daemon->env.load(daemon->env.world, key, &saved);
	struct pb_reader reader = pb_reader_of(span_of(saved.data, saved.len));
	struct pb_field field;
	while (pb_read_field(&reader, &field)) {
		if (field.wire == PB_LEN && text)
			snprintf(text, size, "%.*s", (int)field.bytes.len,
				 (const char *)field.bytes.data);
		else if (field.wire == PB_VARINT && field.number <= count)
			*numbers[field.number - 1] = field.value;
	}
	buf_fini(&saved);
}

void backups_load(struct daemon *daemon)
{
	struct backups *backups = &daemon->backups;
	uint64_t *const made[] = {&backups->last_ms};
	uint64_t *const restored[] = {&backups->restored_ms, &backups->restored_from_ms,
				      &backups->restored_seq, &backups->restored_count};
	load(daemon, LAST_KEY, made, 1, backups->folder, sizeof(backups->folder));
	load(daemon, BACKUP_RESTORED_KEY, restored, 4, NULL, 0);
}

static void write_moment(char to[32], uint64_t ms)
{
	time_t seconds = (time_t)(ms / 1000);
	struct tm moment;
	gmtime_r(&seconds, &moment);
	strftime(to, 32, "%Y-%m-%d %H:%M:%S UTC", &moment);
}

void backups_state(struct daemon *daemon, bool is_operator, char *restored, size_t size,
		   Lyceum__V1__BackupState *ret_state)
{
	struct backups *backups = &daemon->backups;
	char then[32];
	char from[32];
	lyceum__v1__backup_state__init(ret_state);
	ret_state->last_ms = backups->last_ms;
	if (is_operator)
		ret_state->folder = backups->folder;
	ret_state->waits_for_hub = daemon->stream.is_waiting;
	ret_state->taken_back = daemon->stream.taken_back_count;
	ret_state->not_taken_back = daemon->stream.not_taken_back_count;
	stream_count_partial(&daemon->stream, &ret_state->taken_back_cut,
			     &ret_state->taken_back_withdrawn);
	if (backups->restored_ms == 0)
		return;
	write_moment(then, backups->restored_ms);
	write_moment(from, backups->restored_from_ms);
	snprintf(restored, size, "restored %s from %s%s, %llu records up to %llu", then,
		 backups->restored_from_ms ? "the backup of " : "a copied folder",
		 backups->restored_from_ms ? from : "", (unsigned long long)backups->restored_count,
		 (unsigned long long)backups->restored_seq);
	ret_state->restored = restored;
}

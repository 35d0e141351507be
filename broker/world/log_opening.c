/*
 * From the files of the log to a daemon that knows what is in it: the store is opened, its threads
 * are started, and what the summary does not say is replayed.
 */
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>

#include "base/error.h"
#include "log.h"
#include "store/backup.h"
#include "world/parts.h"

#define LOG_TOPIC "lyceumd"
/* Of the log, checked in a second. */
#define SCRUB_MIB 8

static void storage(void *arg, struct store_stats *ret_stats, const char **ret_folder,
		    uint64_t *ret_free_bytes)
{
	struct world *world = arg;
	struct statvfs info;
	store_stats(world->store, ret_stats);
	*ret_folder = world->data;
	*ret_free_bytes = statvfs(world->data, &info) == 0
				  ? (uint64_t)info.f_bavail * (uint64_t)info.f_frsize
				  : 0;
}

static void on_damage(void *arg)
{
	struct world *world = arg;
	daemon_damaged(&world->daemon);
}

static bool replay(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct world *world = arg;
	(void)subject;
	daemon_replay(&world->daemon, seq, record);
	return true;
}

struct stretch {
	summary_record_fn on_record;
	void *arg;
};

static bool pass_on(uint64_t seq, struct span subject, struct span record, void *arg)
{
	const struct stretch *stretch = arg;
	(void)subject;
	return stretch->on_record(seq, record, stretch->arg);
}

/* A damaged record hides those behind it until it is named as lost. */
static void read_stretch(uint64_t from, summary_record_fn on_record, void *on_arg, void *arg)
{
	struct world *world = arg;
	struct stretch stretch = {on_record, on_arg};
	enum lyc_status status;
	bool was_damaged;
	do {
		uint64_t next = from;
		was_damaged = false;
		status = store_read(world->store, from, 65536, 16u * 1024 * 1024, pass_on, &stretch,
				    &next, NULL);
		if (status == LYC_DATA_LOSS &&
		    store_mend(world->store, next, next, &was_damaged, NULL) != LYC_OK)
			was_damaged = false;
		from = next;
	} while (was_damaged);
	if (status != LYC_OK)
		log_warning("a record of the daemon's own cannot be read", "seq", log_number(from));
}

static enum lyc_status replay_all(struct world *world, struct lyc_error *error)
{
	struct store_stats stats;
	store_stats(world->store, &stats);
	uint64_t from = summary_restore(&world->daemon, stats.last_seq, read_stretch, world);
	while (from <= stats.last_seq) {
		uint64_t next = from;
		bool was_damaged = false;
		enum lyc_status status = store_read(world->store, from, 65536, 16u * 1024 * 1024,
						    replay, world, &next, error);
		if (status == LYC_DATA_LOSS &&
		    store_mend(world->store, next, next, &was_damaged, error) == LYC_OK &&
		    was_damaged) {
			from = next;
			continue;
		}
		if (status != LYC_OK)
			return status;
		if (next <= from)
			break;
		from = next;
	}
	daemon_replayed(&world->daemon, stats.last_seq);
	if (stats.truncated_bytes > 0)
		log_warning("a torn tail of the log was cut off", "bytes",
			    log_number(stats.truncated_bytes));
	return LYC_OK;
}

/* A log belongs to one name: its records' home. */
static enum lyc_status check_name(struct world *world, struct lyc_error *error)
{
	const char *name = world->config->name;
	struct buf saved = {0};
	enum lyc_status status = LYC_OK;
	if (store_get_meta(world->store, "name", &saved) != LYC_OK || saved.len == 0)
		status = store_put_meta(world->store, "name", span_of(name, strlen(name)), error);
	else if (!span_is(span_of(saved.data, saved.len), name))
		status = error_set(error, LYC_FAILED_PRECONDITION,
				   "the log in %s is that of '%.*s', and the configuration's name "
				   "is '%s': give a new name a new data folder",
				   world->data, (int)saved.len, (const char *)saved.data, name);
	buf_fini(&saved);
	return status;
}

/* Also when the configuration says nothing of it. */
static void start_scrub(struct world *world)
{
	const Lyceum__V1__StoreConfig *config = world->options->config->store;
	size_t mib = config && config->scrub_mib ? config->scrub_mib : SCRUB_MIB;
	log_threads_scrub(world->log_threads, mib << 20, on_damage, world);
	daemon_damaged(&world->daemon);
}

enum lyc_status log_opening_run(struct world *world, struct lyc_error *error)
{
	char folder[460];
	snprintf(folder, sizeof(folder), "%s/log", world->data);
	const Lyceum__V1__StoreConfig *config = world->config->store;
	struct store_options options = {
		.folder = folder,
		.segment_len = config ? (uint64_t)config->segment_mib << 20 : 0,
	};
	enum lyc_status status = store_open(&options, &world->store, error);
	if (status != LYC_OK)
		return status;
	store_check_meta(world->store);
	struct store_stats stats;
	store_stats(world->store, &stats);
	struct env env = daemon_env(world);
	status = check_name(world, error);
	if (status == LYC_OK && world->options->is_alone)
		status = store_remove_meta(world->store, BACKUP_WAITS_KEY, error);
	if (status != LYC_OK)
		return status;
	status = log_threads_start(&world->loop, world->store, &world->log_threads, error);
	if (status == LYC_OK)
		status = log_keeper_start(&world->loop, world->store, &world->log_keeper, error);
	if (status == LYC_OK)
		status = daemon_init(&world->daemon, world->config, &env, stats.epoch,
				     world->options->plugin_folder, error);
	if (status != LYC_OK)
		return status;
	world->daemon.storage = storage;
	world->daemon.reload = world_reload;
	status = replay_all(world, error);
	if (status == LYC_OK)
		start_scrub(world);
	return status;
}

/* One daemon in the world: opens the log, the keys and the sockets, runs the loop, and closes
 * everything in order. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/statvfs.h>

#include <sodium.h>
#include <zmq.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "io/clock.h"
#include "log.h"
#include "store/backup.h"
#include "stream/retention_rule.h"
#include "world/parts.h"
#include "world/saved_views.h"
#include "world/plugin_check.h"

#define LOG_TOPIC "lyceumd"
#define TICK_MS 20
#define STOP_MS 4000
/* Of the log, checked in a second. */
#define SCRUB_MIB 8
#define MAX_SOCKETS 8192

/* ---- struct env ---- */

static uint64_t env_now_ms(void *arg)
{
	struct world *world = arg;
	return uv_now(&world->loop);
}

static uint64_t env_wall_ms(void *arg)
{
	(void)arg;
	return wall_ms();
}

static enum lyc_status env_send(void *arg, uint32_t number, struct span routing_id,
				struct buf *frame)
{
	struct world *world = arg;
	struct port *port = &world->uplink;
	if (number != PORT_UPLINK)
		port = number <= world->port_count ? world->ports[number - 1] : NULL;
	if (!port || !port->zsock)
		return LYC_UNAVAILABLE;
	return zsock_send(port->zsock, routing_id, frame);
}

static void env_cut(void *arg, int fd)
{
	(void)arg;
	zsock_cut(fd);
}

static void env_append(void *arg, struct append *append)
{
	struct world *world = arg;
	if (world->log_threads) {
		log_threads_append(world->log_threads, append);
		return;
	}
	append->status = LYC_UNAVAILABLE;
	snprintf(append->text, sizeof(append->text), "the daemon is stopping");
	append->on_done(append);
}

static void env_read(void *arg, struct log_read *read)
{
	struct world *world = arg;
	if (world->log_threads) {
		log_threads_read(world->log_threads, read);
		return;
	}
	read->status = LYC_UNAVAILABLE;
	snprintf(read->text, sizeof(read->text), "the daemon is stopping");
	read->on_done(read);
}

static void env_remove(void *arg, struct log_removal *removal)
{
	struct world *world = arg;
	if (world->log_keeper) {
		log_keeper_remove(world->log_keeper, removal);
		return;
	}
	removal->status = LYC_UNAVAILABLE;
	snprintf(removal->text, sizeof(removal->text), "the daemon is stopping");
	removal->on_done(removal);
}

static uint64_t env_last_of(void *arg, struct span subject)
{
	struct world *world = arg;
	return store_last_of(world->store, subject);
}

static void env_save(void *arg, const char *key, struct span value)
{
	struct world *world = arg;
	if (world->log_threads)
		log_threads_save(world->log_threads, key, value);
}

static void env_load(void *arg, const char *key, struct buf *ret_value)
{
	struct world *world = arg;
	if (world->log_threads && log_threads_saved(world->log_threads, key, ret_value))
		return;
	if (store_get_meta(world->store, key, ret_value) != LYC_OK)
		buf_clear(ret_value);
}

static size_t env_saved_count(void *arg, const char *prefix)
{
	struct world *world = arg;
	return store_count_meta(world->store, prefix);
}

static void env_heal(void *arg, struct log_heal *heal)
{
	struct world *world = arg;
	if (world->log_threads) {
		log_threads_heal(world->log_threads, heal);
		return;
	}
	heal->status = LYC_UNAVAILABLE;
	heal->on_done(heal);
}

static void env_lost(void *arg, log_lost_fn on_lost, void *lost_arg)
{
	struct world *world = arg;
	store_lost(world->store, on_lost, lost_arg);
}

static void on_damage(void *arg)
{
	struct world *world = arg;
	daemon_damaged(&world->daemon);
}

static uint64_t env_random(void *arg)
{
	(void)arg;
	uint64_t bits;
	randombytes_buf(&bits, sizeof(bits));
	return bits;
}

static enum lyc_status env_uplink_open(void *arg, struct lyc_error *error)
{
	return port_open_uplink(arg, error);
}

static void env_uplink_close(void *arg)
{
	struct world *world = arg;
	port_close(&world->uplink);
}

static bool env_uplink_failed(void *arg, char *ret_text, size_t size)
{
	return port_uplink_failed(arg, ret_text, size);
}

static enum lyc_status env_plugin_start(void *arg, struct plugin *plugin, struct lyc_error *error)
{
	return running_start(arg, plugin, error);
}

static void env_plugin_stop(void *arg, struct plugin *plugin, uint32_t grace_ms)
{
	(void)arg;
	running_stop(plugin, grace_ms);
}

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

/* ---- the log ---- */

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

/* What cannot be read is found again by whoever follows it. */
static void read_stretch(uint64_t from, summary_record_fn on_record, void *on_arg, void *arg)
{
	struct world *world = arg;
	struct stretch stretch = {on_record, on_arg};
	uint64_t next;
	if (store_read(world->store, from, 65536, 16u * 1024 * 1024, pass_on, &stretch, &next,
		       NULL) != LYC_OK)
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

static enum lyc_status open_log(struct world *world, struct lyc_error *error)
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
	struct store_stats stats;
	store_stats(world->store, &stats);
	struct env env = {
		.world = world,
		.now_ms = env_now_ms,
		.wall_ms = env_wall_ms,
		.send = env_send,
		.cut = env_cut,
		.append = env_append,
		.read = env_read,
		.remove = env_remove,
		.last_of = env_last_of,
		.save = env_save,
		.load = env_load,
		.saved_count = env_saved_count,
		.backup = backup_thread_start,
		.heal = env_heal,
		.lost = env_lost,
		.random = env_random,
		.uplink_open = env_uplink_open,
		.uplink_close = env_uplink_close,
		.uplink_failed = env_uplink_failed,
		.plugin_start = env_plugin_start,
		.plugin_stop = env_plugin_stop,
	};
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

/* ---- start and stop ---- */

enum lyc_status world_open_plugin_port(struct world *world, struct lyc_error *error)
{
	if (world->has_plugin_port)
		return LYC_OK;
	enum lyc_status status = port_listen(world, world->plugin_endpoint, WAY_SECRETS, error);
	world->has_plugin_port = status == LYC_OK;
	return status;
}

static enum lyc_status open_listeners(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Config *config = world->config;
	enum lyc_status status = LYC_OK;
	char endpoint[440];
	for (size_t i = 0; i < config->n_listen && status == LYC_OK; i++)
		status = port_listen(world, config->listen[i]->endpoint,
				     config->listen[i]->plain ? WAY_PLAIN : WAY_CURVE, error);
	if (status == LYC_OK && config->n_listen == 0) {
		snprintf(endpoint, sizeof(endpoint), "ipc://%s/lyceum.sock", world->data);
		status = port_listen(world, endpoint, WAY_CURVE, error);
	}
	snprintf(world->plugin_endpoint, sizeof(world->plugin_endpoint), "ipc://%s/plugins.sock",
		 world->data);
	if (status == LYC_OK && config->n_plugins > 0)
		status = world_open_plugin_port(world, error);
	return status == LYC_OK ? ports_write_endpoints(world, error) : status;
}

static void begin_stop(struct world *world)
{
	if (world->stop_at_ms)
		return;
	world->stop_at_ms = uv_now(&world->loop) + STOP_MS;
	daemon_stop(&world->daemon);
}

static void on_tick(uv_timer_t *timer)
{
	struct world *world = timer->data;
	if (world->uplink.zsock && zsock_was_lost(world->uplink.zsock))
		daemon_uplink_cut(&world->daemon);
	identities_report_refused(world);
	daemon_tick(&world->daemon);
	if (!world->stop_at_ms)
		return;
	if (daemon_is_quiet(&world->daemon) || uv_now(&world->loop) >= world->stop_at_ms)
		uv_stop(&world->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct world *world = handle->data;
	struct lyc_error error;
	if (number != SIGHUP)
		begin_stop(world);
	else if (!world->stop_at_ms && world_reload(world, 0, false, &error) != LYC_OK)
		log_error("the configuration was not taken", "reason", error.text);
}

static void start_handles(struct world *world)
{
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	uv_timer_init(&world->loop, &world->ticks);
	world->ticks.data = world;
	uv_timer_start(&world->ticks, on_tick, TICK_MS, TICK_MS);
	for (int i = 0; i < 3; i++) {
		uv_signal_init(&world->loop, &world->signals[i]);
		world->signals[i].data = world;
		uv_signal_start(&world->signals[i], on_signal, numbers[i]);
	}
}

static enum lyc_status open_all(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Config *config = world->config;
	char folder[500];
	snprintf(world->data, sizeof(world->data), "%s", config->data);
	enum lyc_status status = running_make_folder(world->data, error);
	snprintf(folder, sizeof(folder), "%s/plugins", world->data);
	if (status == LYC_OK)
		status = running_make_folder(folder, error);
	if (status == LYC_OK)
		status = identities_open(world, error);
	if (status == LYC_OK)
		status = open_log(world, error);
	if (status == LYC_OK)
		status = identities_admit_operator(world, error);
	/* The handler before the first server socket: without it libzmq lets every key in. A plain
	 * listener may come with a reload. */
	if (status == LYC_OK)
		status = zap_start(world->zmq, PLAIN_DOMAIN, &world->zap, error);
	if (status == LYC_OK)
		status = identities_publish(world, error);
	if (status == LYC_OK)
		status = open_listeners(world, error);
	return status;
}

static void close_handle(uv_handle_t *handle, void *arg)
{
	(void)arg;
	if (!uv_is_closing(handle))
		uv_close(handle, NULL);
}

static void close_all(struct world *world)
{
	backup_thread_stop(world);
	if (world->daemon.env.world) {
		daemon_turn(&world->daemon);
		for (uint32_t i = 0; i < world->port_count; i++)
			port_close(world->ports[i]);
		env_uplink_close(world);
	}
	/* Answers to what was still under way go to sessions that are there; so the daemon ends
	 * after the threads. */
	struct log_keeper *keeper = world->log_keeper;
	world->log_keeper = NULL;
	log_keeper_stop(keeper);
	struct log_threads *threads = world->log_threads;
	world->log_threads = NULL;
	log_threads_stop(threads);
	if (world->daemon.env.world)
		daemon_fini(&world->daemon);
	uv_walk(&world->loop, close_handle, NULL);
	while (uv_run(&world->loop, UV_RUN_NOWAIT) != 0)
		;
	for (uint32_t i = 0; i < world->port_count; i++) {
		free(world->ports[i]->identity);
		free(world->ports[i]->configured);
		free(world->ports[i]);
	}
	free(world->ports);
	zap_stop(world->zap);
	store_close(world->store);
	if (world->has_hung) {
		/* The log is closed. The thread holds a socket, for which libzmq would wait, and
		 * may run in whatever a return from main would take down. */
		log_warning("a plugin's thread hangs and ends with the process");
		_exit(EXIT_SUCCESS);
	}
	zmq_ctx_term(world->zmq);
	uv_loop_close(&world->loop);
}

enum lyc_status world_check(const Lyceum__V1__Config *config, const void *arg,
			    struct lyc_error *error)
{
	(void)arg;
	struct retention_rules rules = {0};
	enum lyc_status status = policy_check(config, error);
	if (status == LYC_OK)
		status = retention_rules_read(config, &rules, error);
	if (status == LYC_OK)
		status = saved_views_check(config, &rules, error);
	retention_rules_fini(&rules);
	return status;
}

void world_free_config(Lyceum__V1__Config *config)
{
	if (config)
		lyceum__v1__config__free_unpacked(config, NULL);
}

enum lyc_status world_check_all(const Lyceum__V1__Config *config, const void *arg,
				struct lyc_error *error)
{
	enum lyc_status status = world_check(config, NULL, error);
	return status == LYC_OK ? plugin_check_all(config, arg, error) : status;
}

enum lyc_status world_run(const struct world_options *options, struct lyc_error *error)
{
	struct world *world = mem_new(struct world);
	world->options = options;
	world->config = options->config;
	ensure(uv_loop_init(&world->loop) == 0);
	world->zmq = zmq_ctx_new();
	ensure(world->zmq != NULL);
	zmq_ctx_set(world->zmq, ZMQ_MAX_SOCKETS, MAX_SOCKETS);
	enum lyc_status status = open_all(world, error);
	if (status == LYC_OK) {
		start_handles(world);
		daemon_start(&world->daemon);
		log_notice("ready", "name", options->config->name);
		uv_run(&world->loop, UV_RUN_DEFAULT);
		log_notice("stopped");
	}
	close_all(world);
	world_free_config(world->config_read_anew);
	free(world);
	return status;
}

/* One daemon in the world: opens the log, the keys and the sockets, runs the loop, and closes
 * everything in order. What the core asks for meanwhile is in daemon_env.c. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <zmq.h>

#include "base/ensure.h"
#include "base/mem.h"
#include "log.h"
#include "stream/retention_rule.h"
#include "world/parts.h"
#include "world/plugin_check.h"
#include "world/saved_views.h"

#define LOG_TOPIC "lyceumd"
#define TICK_MS 20
#define STOP_MS 4000
#define MAX_SOCKETS 8192

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
	if (!world->stop_at_ms) {
		spare_memory_tick(&world->spare_memory, world->daemon.sessions.count);
		return;
	}
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
	spare_memory_init(&world->spare_memory, &world->loop);
	static const int numbers[] = {SIGTERM, SIGINT, SIGHUP};
	uv_timer_init(&world->loop, &world->held);
	world->daemon.sessions.may_hold = true;
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
		status = log_opening_run(world, error);
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
		port_close(&world->uplink);
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
		/* The log is closed. The thread may run in whatever a return from main would take
		 * down. */
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

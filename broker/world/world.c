/* One daemon in the world: opens the log, the keys and the sockets, runs the loop, and closes everything in order. */
#include "world/world.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>
#include <uv.h>
#include <zmq.h>

#include "base/ensure.h"
#include "base/error.h"
#include "base/mem.h"
#include "host/instance.h"
#include "io/clock.h"
#include "io/keyfile.h"
#include "io/zap.h"
#include "io/zsock.h"
#include "log.h"
#include "node/daemon.h"
#include "world/log_threads.h"

#define LOG_TOPIC "lyceumd"
#define TICK_MS 20
#define STOP_MS 4000
#define MAX_SOCKETS 8192
#define NETWORK_DOMAIN "lyceum"
#define PLAIN_DOMAIN "plain"

/* A listener or the pipe of a plugin in a thread. */
struct port {
	struct world *world;
	uint32_t number;
	struct zsock *zsock;
	/* Of a pipe's only peer; NULL: ask the transport. */
	char *identity;
	bool is_gone;
};

struct world {
	const struct world_options *options;
	uv_loop_t loop;
	uv_timer_t ticks;
	uv_signal_t signals[2];
	void *zmq;
	struct zap *zap;

	struct store *store;
	struct log_threads *log_threads;
	struct daemon daemon;

	struct keypair keys;
	char data[400];
	char plugin_endpoint[440];

	struct port **ports;
	uint32_t port_count;
	struct port uplink;

	uint64_t stop_at_ms;
};

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
	if (store_get_meta(world->store, key, ret_value) != LYC_OK)
		buf_clear(ret_value);
}

static uint64_t env_random(void *arg)
{
	(void)arg;
	uint64_t bits;
	randombytes_buf(&bits, sizeof(bits));
	return bits;
}

static void storage(void *arg, struct store_stats *ret_stats, const char **ret_folder)
{
	struct world *world = arg;
	store_stats(world->store, ret_stats);
	*ret_folder = world->data;
}

/* ---- sockets ---- */

static void on_frame(struct zsock *zsock, struct span routing_id, const char *user_id, int fd,
		     struct span frame, void *arg)
{
	struct port *port = arg;
	(void)zsock;
	daemon_frame(&port->world->daemon, port->number, routing_id,
		     port->identity ? port->identity : user_id, fd, frame);
}

static void on_turn(struct zsock *zsock, void *arg)
{
	struct port *port = arg;
	(void)zsock;
	if (port->world->log_threads)
		log_threads_flush(port->world->log_threads);
	daemon_turn(&port->world->daemon);
}

static struct port *port_new(struct world *world, const char *identity)
{
	struct port **ports = realloc(world->ports, (world->port_count + 1) * sizeof(*ports));
	ensure(ports != NULL);
	world->ports = ports;
	struct port *port = mem_new(struct port);
	port->world = world;
	port->identity = mem_dup(identity);
	port->number = ++world->port_count;
	ports[port->number - 1] = port;
	return port;
}

static void port_closed(void *arg)
{
	struct port *port = arg;
	port->is_gone = true;
}

static void port_close(struct port *port)
{
	if (!port || !port->zsock)
		return;
	zsock_close(port->zsock, port_closed, port);
	port->zsock = NULL;
}

static enum lyc_status listen_at(struct world *world, const char *endpoint, bool is_plain,
				 struct lyc_error *error)
{
	struct port *port = port_new(world, NULL);
	struct zsock_options options = {
		.type = ZMQ_ROUTER,
		.endpoint = endpoint,
		.bind = true,
		.zap_domain = is_plain ? PLAIN_DOMAIN : NETWORK_DOMAIN,
		.secret_key = is_plain ? NULL : world->keys.secret_key,
		.is_server = true,
		.max_msg = WIRE_MAX_PACKET + WIRE_FRAME_LEN,
		.on_frame = on_frame,
		.on_turn = on_turn,
		.arg = port,
	};
	enum lyc_status status =
		zsock_open(&world->loop, world->zmq, &options, &port->zsock, error);
	if (status == LYC_OK)
		log_notice("listening", "endpoint", zsock_endpoint(port->zsock));
	return status;
}

static enum lyc_status env_uplink_open(void *arg, struct lyc_error *error)
{
	struct world *world = arg;
	const Lyceum__V1__Uplink *uplink = world->options->config->uplink;
	world->uplink.world = world;
	world->uplink.number = PORT_UPLINK;
	if (world->uplink.zsock)
		return LYC_OK;
	struct zsock_options options = {
		.type = ZMQ_DEALER,
		.endpoint = uplink->endpoint,
		.public_key = world->keys.public_key,
		.secret_key = world->keys.secret_key,
		.server_key = uplink->server_key,
		.max_msg = WIRE_MAX_PACKET + WIRE_FRAME_LEN,
		.on_frame = on_frame,
		.on_turn = on_turn,
		.arg = &world->uplink,
	};
	return zsock_open(&world->loop, world->zmq, &options, &world->uplink.zsock, error);
}

static void env_uplink_close(void *arg)
{
	struct world *world = arg;
	port_close(&world->uplink);
}

/* ---- plugins ---- */

/* A plugin instance and what it needs while it runs. */
struct running {
	struct world *world;
	struct plugin *plugin;
	struct instance *instance;
	struct port *pipe;
	struct keypair keys;
};

static enum lyc_status set_keys(struct world *world, struct lyc_error *error)
{
	size_t count = HASH_CNT(by_name, world->daemon.policy.by_name);
	struct zap_key *keys = mem_get((count + 1) * sizeof(*keys));
	size_t used = 0;
	struct grants *grants;
	struct grants *next;
	HASH_ITER(by_name, world->daemon.policy.by_name, grants, next) {
		if (grants->public_key[0] && grants->role != ROLE_HUB)
			keys[used++] = (struct zap_key){ .name = grants->name,
							 .public_key = grants->public_key };
	}
	enum lyc_status status = zap_set_keys(world->zap, keys, used, error);
	free(keys);
	return status;
}

static void running_free(struct running *running)
{
	struct world *world = running->world;
	struct lyc_error error;
	port_close(running->pipe);
	/* The key of an instance that has ended is worth nothing any more. */
	if (running->keys.public_key[0]) {
		policy_grant(&world->daemon.policy, running->plugin->identity, "", ROLE_PLUGIN);
		if (set_keys(world, &error) != LYC_OK)
			log_error("a plugin's key stays known", "reason", error.text);
	}
	free(running);
}

static void on_line(int level, const char *text, void *arg)
{
	struct running *running = arg;
	host_line(&running->world->daemon.host, running->plugin, level, text);
}

static void on_exit_of(bool clean, const char *text, void *arg)
{
	struct running *running = arg;
	bool is_refused = instance_was_refused(running->instance);
	(void)clean;
	host_exited(&running->world->daemon.host, running->plugin, is_refused, text);
	running_free(running);
}

static enum lyc_status make_folder(const char *path, struct lyc_error *error)
{
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return error_set(error, LYC_UNAVAILABLE, "the folder %s cannot be made: %s", path,
				 strerror(errno));
	return LYC_OK;
}

/* A thread has a pipe of its own; a process a key of its own. */
static enum lyc_status prepare_way_in(struct running *running, char *endpoint, size_t size,
				      struct lyc_error *error)
{
	struct world *world = running->world;
	struct plugin *plugin = running->plugin;
	if (!plugin->in_thread) {
		enum lyc_status status = keyfile_make(&running->keys, error);
		if (status != LYC_OK)
			return status;
		policy_grant(&world->daemon.policy, plugin->identity, running->keys.public_key,
			     ROLE_PLUGIN);
		snprintf(endpoint, size, "%s", world->plugin_endpoint);
		return set_keys(world, error);
	}
	policy_grant(&world->daemon.policy, plugin->identity, "", ROLE_PLUGIN);
	snprintf(endpoint, size, "inproc://plugin.%s.%llu", plugin->identity,
		 (unsigned long long)plugin->restarts);
	running->pipe = port_new(world, plugin->identity);
	struct zsock_options options = { .type = ZMQ_PAIR,
					 .endpoint = endpoint,
					 .bind = true,
					 .max_msg = WIRE_MAX_PACKET + WIRE_FRAME_LEN,
					 .on_frame = on_frame,
					 .on_turn = on_turn,
					 .arg = running->pipe };
	return zsock_open(&world->loop, world->zmq, &options, &running->pipe->zsock, error);
}

static enum lyc_status env_plugin_start(void *arg, struct plugin *plugin, struct lyc_error *error)
{
	struct world *world = arg;
	char folder[500];
	char endpoint[440] = "";
	struct running *running = mem_new(struct running);
	running->world = world;
	running->plugin = plugin;
	snprintf(folder, sizeof(folder), "%s/plugins/%s", world->data, plugin->identity);
	enum lyc_status status = make_folder(folder, error);
	if (status == LYC_OK)
		status = prepare_way_in(running, endpoint, sizeof(endpoint), error);
	if (status == LYC_OK) {
		struct instance_options options = {
			.name = plugin->name,
			.path = plugin->path,
			.data_folder = folder,
			.config_file = plugin->config_file,
			.as_thread = plugin->in_thread,
			.zmq_ctx = world->zmq,
			.runner = world->options->runner,
			.endpoint = endpoint,
			.server_key = world->keys.public_key,
			.keys = plugin->in_thread ? NULL : &running->keys,
			.on_line = on_line,
			.on_exit = on_exit_of,
			.arg = running,
		};
		status = instance_start(&world->loop, &options, &running->instance, error);
	}
	if (status != LYC_OK) {
		running_free(running);
		return status;
	}
	plugin->instance = running;
	plugin->pid = instance_pid(running->instance);
	return LYC_OK;
}

static void env_plugin_stop(void *arg, struct plugin *plugin, uint32_t grace_ms)
{
	struct running *running = plugin->instance;
	(void)arg;
	if (running)
		instance_stop(running->instance, grace_ms);
}

/* ---- keys and the log ---- */

/* The key pair of a file; made, with its public half beside it, when there is none. */
static enum lyc_status get_key(const char *path, const char *public_path, struct keypair *ret_keys,
			       struct lyc_error *error)
{
	enum lyc_status status = LYC_OK;
	if (access(path, F_OK) != 0) {
		status = keyfile_make(ret_keys, error);
		if (status == LYC_OK)
			status = keyfile_write(path, ret_keys, error);
	} else {
		status = keyfile_read(path, ret_keys, error);
	}
	if (status != LYC_OK || !public_path)
		return status;
	FILE *file = fopen(public_path, "we");
	if (!file)
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", public_path,
				 strerror(errno));
	fprintf(file, "%s\n", ret_keys->public_key);
	return fclose(file) == 0 ? LYC_OK
				 : error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s",
					     public_path, strerror(errno));
}

static enum lyc_status open_keys(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Config *config = world->options->config;
	char path[460];
	char public_path[460];
	snprintf(path, sizeof(path), "%s/daemon.key", world->data);
	snprintf(public_path, sizeof(public_path), "%s/daemon.pub", world->data);
	return get_key(config->key_file[0] ? config->key_file : path, public_path, &world->keys,
		       error);
}

/* Whoever may read the operator's key file is the operator. */
static enum lyc_status admit_operator(struct world *world, struct lyc_error *error)
{
	struct keypair keys;
	char path[460];
	snprintf(path, sizeof(path), "%s/operator.key", world->data);
	enum lyc_status status = get_key(path, NULL, &keys, error);
	if (status == LYC_OK)
		policy_grant(&world->daemon.policy, "operator", keys.public_key, ROLE_OPERATOR);
	return status;
}

static bool replay(uint64_t seq, struct span subject, struct span record, void *arg)
{
	struct world *world = arg;
	(void)subject;
	daemon_replay(&world->daemon, seq, record);
	return true;
}

static enum lyc_status replay_all(struct world *world, struct lyc_error *error)
{
	uint64_t from = 1;
	struct store_stats stats;
	store_stats(world->store, &stats);
	while (from <= stats.last_seq) {
		uint64_t next = from;
		enum lyc_status status = store_read(world->store, from, 65536, 16u * 1024 * 1024,
						    replay, world, &next, error);
		if (status != LYC_OK)
			return status;
		if (next <= from)
			break;
		from = next;
	}
	if (stats.truncated_bytes > 0)
		log_warning("a torn tail of the log was cut off", "bytes",
			    log_number(stats.truncated_bytes));
	return LYC_OK;
}

static enum lyc_status open_log(struct world *world, struct lyc_error *error)
{
	char folder[460];
	snprintf(folder, sizeof(folder), "%s/log", world->data);
	struct store_options options = { .folder = folder };
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
		.last_of = env_last_of,
		.save = env_save,
		.load = env_load,
		.random = env_random,
		.uplink_open = env_uplink_open,
		.uplink_close = env_uplink_close,
		.plugin_start = env_plugin_start,
		.plugin_stop = env_plugin_stop,
	};
	status = log_threads_start(&world->loop, world->store, &world->log_threads, error);
	if (status == LYC_OK)
		status = daemon_init(&world->daemon, world->options->config, &env, stats.epoch,
				     world->options->plugin_folder, error);
	if (status != LYC_OK)
		return status;
	world->daemon.storage = storage;
	return replay_all(world, error);
}

/* ---- start and stop ---- */

static enum lyc_status write_endpoints(struct world *world, struct lyc_error *error)
{
	char path[460];
	snprintf(path, sizeof(path), "%s/endpoints", world->data);
	FILE *file = fopen(path, "we");
	if (!file)
		return error_set(error, LYC_UNAVAILABLE, "%s cannot be written: %s", path,
				 strerror(errno));
	for (uint32_t i = 0; i < world->port_count; i++) {
		struct port *port = world->ports[i];
		if (port->zsock && !port->identity)
			fprintf(file, "%s\n", zsock_endpoint(port->zsock));
	}
	fclose(file);
	return LYC_OK;
}

static enum lyc_status open_listeners(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Config *config = world->options->config;
	enum lyc_status status = LYC_OK;
	char endpoint[440];
	for (size_t i = 0; i < config->n_listen && status == LYC_OK; i++)
		status = listen_at(world, config->listen[i]->endpoint, config->listen[i]->plain,
				   error);
	if (status == LYC_OK && config->n_listen == 0) {
		snprintf(endpoint, sizeof(endpoint), "ipc://%s/lyceum.sock", world->data);
		status = listen_at(world, endpoint, false, error);
	}
	snprintf(world->plugin_endpoint, sizeof(world->plugin_endpoint), "ipc://%s/plugins.sock",
		 world->data);
	if (status == LYC_OK && config->n_plugins > 0)
		status = listen_at(world, world->plugin_endpoint, false, error);
	return status == LYC_OK ? write_endpoints(world, error) : status;
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
	daemon_tick(&world->daemon);
	if (!world->stop_at_ms)
		return;
	bool is_quiet = host_running(&world->daemon.host) == 0 &&
			world->daemon.stream.appends_pending == 0;
	if (is_quiet || uv_now(&world->loop) >= world->stop_at_ms)
		uv_stop(&world->loop);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct world *world = handle->data;
	(void)number;
	begin_stop(world);
}

static void start_handles(struct world *world)
{
	static const int numbers[] = { SIGTERM, SIGINT };
	uv_timer_init(&world->loop, &world->ticks);
	world->ticks.data = world;
	uv_timer_start(&world->ticks, on_tick, TICK_MS, TICK_MS);
	for (int i = 0; i < 2; i++) {
		uv_signal_init(&world->loop, &world->signals[i]);
		world->signals[i].data = world;
		uv_signal_start(&world->signals[i], on_signal, numbers[i]);
	}
}

static enum lyc_status open_all(struct world *world, struct lyc_error *error)
{
	const Lyceum__V1__Config *config = world->options->config;
	char folder[500];
	bool has_plain = false;
	for (size_t i = 0; i < config->n_listen; i++)
		has_plain = has_plain || config->listen[i]->plain;
	snprintf(world->data, sizeof(world->data), "%s", config->data);
	enum lyc_status status = make_folder(world->data, error);
	snprintf(folder, sizeof(folder), "%s/plugins", world->data);
	if (status == LYC_OK)
		status = make_folder(folder, error);
	if (status == LYC_OK)
		status = open_keys(world, error);
	if (status == LYC_OK)
		status = open_log(world, error);
	if (status == LYC_OK)
		status = admit_operator(world, error);
	/* The handler before the first server socket: without it libzmq lets every key in. */
	if (status == LYC_OK)
		status = zap_start(world->zmq, has_plain ? PLAIN_DOMAIN : NULL, &world->zap, error);
	if (status == LYC_OK)
		status = set_keys(world, error);
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
	if (world->daemon.env.world) {
		daemon_turn(&world->daemon);
		for (uint32_t i = 0; i < world->port_count; i++)
			port_close(world->ports[i]);
		env_uplink_close(world);
	}
	/* Answers to what was still under way go to sessions that are there; so the daemon ends after the threads. */
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
		free(world->ports[i]);
	}
	free(world->ports);
	zap_stop(world->zap);
	store_close(world->store);
	zmq_ctx_term(world->zmq);
	uv_loop_close(&world->loop);
}

enum lyc_status world_run(const struct world_options *options, struct lyc_error *error)
{
	struct world *world = mem_new(struct world);
	world->options = options;
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
	free(world);
	return status;
}
